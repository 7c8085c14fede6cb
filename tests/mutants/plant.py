"""Plants the faults of mutants.toml one at a time in a copy of the tree and runs the tests that must see them.

The copy and its build are in build/mutants and are used again. First all those tests run on the copy as it is, and must
pass. Exit code 1 where a fault is not seen, 2 where something else goes wrong.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TREE = ROOT / "build" / "mutants"
BUILD = TREE / "build" / "release"
MEMORY_BYTES = 4 << 30  # of a test: a fault may ask for more than there is
TIME_SECONDS = 900
NEED_THE_PROGRAM = ("tests/b300_flash_slow_test.py", "tests/study_pages_slow_test.py")


class PlantingError(Exception):
    pass


@dataclass(frozen=True)
class Mutant:
    what: str  # as docs/INVARIANTS.md names it
    file: str
    old: str  # stands once in the file
    new: str
    tests: str  # their file and names, as in docs/INVARIANTS.md; each must fail

    @property
    def test(self):
        return self.tests.split(" ", 1)[0]

    @property
    def names(self):
        return self.tests.split(" ", 1)[1].split(", ")


def read_mutants():
    text = (Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8")
    return [Mutant(**row) for row in tomllib.loads(text)["mutant"]]


def copy_tree():
    """The files that git knows or would take. Those that are the same stay untouched, so that ninja leaves them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wanted = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    TREE.mkdir(parents=True, exist_ok=True)
    for path in TREE.rglob("*"):
        name = path.relative_to(TREE)
        if path.is_file() and name.parts[0] != "build" and str(name) not in wanted:
            path.unlink()
    for name in sorted(wanted):
        source, copy = ROOT / name, TREE / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)


def quiet(command, **options):
    done = subprocess.run(command, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.returncode, done.stdout


def target_of(test):
    """The test program of tests/sim/.../x_test.cpp is sim_fast_tests, and so on."""
    folder = test.split("/")[1]
    if folder == "example_policy":
        return "example_policy_tests"
    return f"{folder}_{'slow' if test.endswith('_slow_test.cpp') else 'fast'}_tests"


def build(tests):
    targets = {target_of(test) for test in tests if test.endswith(".cpp")}
    if any(test in NEED_THE_PROGRAM or test.startswith("tests/experiments/") for test in tests):
        targets.add("dspark")
    if not targets:
        return
    code, output = quiet(["cmake", "--build", BUILD, "-j2", "--target", *sorted(targets)])
    if code:
        raise PlantingError(f"does not build:\n{output[-4000:]}")


def passes(test, name):
    """Whether the test named Suite.Test passes; a crash and a test that never ends do not pass."""
    if test.endswith(".py"):
        program = [BUILD / "dspark"] if test in NEED_THE_PROGRAM else []
        command = [sys.executable, "-B", TREE / test, *program, name]
    else:
        command = [BUILD / "tests" / target_of(test), f"--gtest_filter={name}:*/{name}/*"]
    try:
        code, output = quiet(
            command,
            timeout=TIME_SECONDS,
            env={**os.environ, "DSPARK_SOURCE_DIR": str(TREE)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES)),
        )
    except subprocess.TimeoutExpired:
        return False
    if "Running 0 tests" in output or "Ran 0 tests" in output or "AttributeError: type object" in output:
        raise PlantingError(f"{test} has no test {name}")
    return code == 0


def unseen(mutant):
    """The tests that pass although the fault is planted."""
    path = TREE / mutant.file
    before = path.read_text(encoding="utf-8")
    if before.count(mutant.old) != 1:
        raise PlantingError(f"{mutant.file} has the text of '{mutant.what}' {before.count(mutant.old)} times")
    try:
        path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
        build([mutant.test])
        return [name for name in mutant.names if passes(mutant.test, name)]
    finally:
        path.write_text(before, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mutants with one of these words in their name or their tests'")
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    arguments = parser.parse_args()
    chosen = [
        m
        for m in read_mutants()
        if not arguments.words or any(word in f"{m.what} {m.tests}" for word in arguments.words)
    ]
    if arguments.list:
        print("\n".join(f"{m.what}  ({m.test})" for m in chosen))
        return 0
    copy_tree()
    code, output = quiet(["cmake", "--preset", "release"])
    if code:
        raise PlantingError(output[-4000:])
    build([m.test for m in chosen])
    for test, name in sorted({(m.test, name) for m in chosen for name in m.names}):
        if not passes(test, name):
            raise PlantingError(f"{name} of {test} fails without any fault")
    missed = 0
    for mutant in chosen:
        passed = unseen(mutant)
        missed += bool(passed)
        print(f"{'NOT SEEN by ' + ', '.join(passed) if passed else 'seen'}: {mutant.what}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} faults are seen")
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PlantingError as trouble:
        print(f"mutants: {trouble}", file=sys.stderr)
        sys.exit(2)
