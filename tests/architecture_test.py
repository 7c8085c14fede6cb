"""The shape of the source tree: who may include whom, no cycles, short files, honest names.

CMake's target visibility enforces the same arrows at compile time (cmake/dspark_library.cmake); this test also sees
files that no target compiles. Each rule is a function from a tree to a list of violations, and each rule is tried on
a small tree with a planted violation, so that a rule that has gone blind fails too.
"""

import os
import re
import tempfile
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parent.parent))

# An arrow is "may include", and so is a chain of arrows.
ARROWS = {
    "policies": set(),
    "sim": {"policies"},
    "kernels": set(),
    "executor": {"sim", "kernels"},
    "experiments": {"executor"},
}
CODE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".inc", ".py"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
GENERATED_HEADERS = {"dspark_git_commit.h"}  # written into the build folder (experiments/git_commit.cmake)
MAX_LINES = 400
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "common", "misc"}
# Decisions have no files, clock or threads; the simulator writes no files, reads no clock and draws only from Philox.
FORBIDDEN_HEADERS = {
    "policies": {"fstream", "iostream", "filesystem", "chrono", "ctime", "random", "thread", "mutex"},
    "sim": {"fstream", "iostream", "filesystem", "chrono", "ctime", "random", "thread"},
}
# In policies/, who may name OwnedFrontier: it, its friend, and what reads earlier steps alone.
FRONTIER_OWNERS = {
    "policies/depth/owned_frontier.h",
    "policies/depth/survival_frontier.h",
    "policies/depth/lagged_survivals.h",
}


def reachable(folder):
    """The folders that `folder` may include, itself among them."""
    seen = {folder}
    queue = [folder]
    while queue:
        for target in ARROWS[queue.pop()] - seen:
            seen.add(target)
            queue.append(target)
    return seen


def code_files(root, folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in CODE_SUFFIXES and path.is_file():
                yield path.relative_to(root)


def includes(root, path):
    """(project includes, system includes) of one file."""
    matches = INCLUDE.findall((root / path).read_text(encoding="utf-8"))
    return [own for own, _ in matches if own and own not in GENERATED_HEADERS], [
        system for _, system in matches if system
    ]


def wrong_arrows(root):
    """Includes that no arrow allows. tests/<folder> may include what <folder> may, and tests/."""
    violations = []
    for path in code_files(root, [*ARROWS, *(f"tests/{folder}" for folder in ARROWS)]):
        in_tests = path.parts[0] == "tests"
        allowed = reachable(path.parts[1] if in_tests else path.parts[0]) | ({"tests"} if in_tests else set())
        own, system = includes(root, path)
        for include in own:
            if include.split("/")[0] not in allowed or "/" not in include:
                violations.append(f'{path}: #include "{include}" (allowed: {", ".join(sorted(allowed))})')
        for include in system:
            if include.split("/")[0] in ARROWS and "/" in include:
                violations.append(f"{path}: #include <{include}> hides an include of ours in angle brackets")
    return violations


def missing_includes(root):
    return [
        f'{path}: #include "{include}" names no file'
        for path in code_files(root, ARROWS)
        for include in includes(root, path)[0]
        if not (root / include).is_file()
    ]


def include_cycles(root):
    """Cycles between headers, each named once."""
    graph = {
        str(path): [include for include in includes(root, path)[0] if (root / include).is_file()]
        for path in code_files(root, ARROWS)
        if path.suffix in {".h", ".cuh"}
    }
    cycles = []
    state = {}  # 1: on the present path, 2: done

    def visit(header, trail):
        state[header] = 1
        for target in graph.get(header, []):
            if state.get(target) == 1:
                cycles.append(" -> ".join([*trail[trail.index(target) :], target]))
            elif target not in state:
                visit(target, [*trail, target])
        state[header] = 2

    for header in graph:
        if header not in state:
            visit(header, [header])
    return cycles


def forbidden_headers(root):
    return [
        f"{path}: #include <{include}> has no place in {folder}/"
        for folder, forbidden in FORBIDDEN_HEADERS.items()
        for path in code_files(root, [folder])
        for include in includes(root, path)[1]
        if include in forbidden
    ]


def frontier_owners(root):
    """Policies that name the frontier of an owner, on which one can look behind the edge and start again."""
    return [
        f"{path}: names {found[0]}, which is for who holds the drafts"
        for path in code_files(root, ["policies"])
        if str(path) not in FRONTIER_OWNERS
        and (found := re.search(r"\bOwnedFrontier\b|owned_frontier\.h", (root / path).read_text(encoding="utf-8")))
    ]


def long_files(root):
    violations = []
    for path in code_files(root, ARROWS):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            violations.append(f"{path}: {lines} lines, more than {MAX_LINES}: two stories")
    return violations


def empty_names(root):
    """Files and folders whose name says nothing of what is in them."""
    violations = set()
    for path in code_files(root, [*ARROWS, "tests"]):
        for part in (*path.parts[:-1], path.stem):
            if EMPTY_WORDS & set(part.lower().split("_")):
                violations.add(f"{path}: the name '{part}' says nothing")
    return sorted(violations)


def unregistered_policies(root):
    """Registry lines without their file, and files of the folder that no line names."""
    violations = []
    for folder, macro in (("depth", "DEPTH_POLICY"), ("batching", "BATCHING_POLICY")):
        registry = root / "policies" / folder / f"{folder}_policies.inc"
        text = registry.read_text(encoding="utf-8")
        names = re.findall(rf"^{macro}\(([a-z0-9_]+),", text, re.MULTILINE)
        if not names:
            violations.append(f"{registry.relative_to(root)}: no line {macro}(name, Class, meaning)")
        for name in sorted({name for name in names if names.count(name) > 1}):
            violations.append(f"{registry.relative_to(root)}: '{name}' stands twice")
        sources = {path.stem: path for path in registry.parent.glob("*.cpp")}
        for name in names:
            if name not in sources:
                violations.append(f"policies/{folder}/{name}.cpp: named in {registry.name} but not there")
        # A source without a header of its own is a policy; it must be registered.
        for stem, path in sorted(sources.items()):
            alone = not path.with_suffix(".h").exists() and stem != f"{folder}_policy_registry"
            if alone and stem not in names:
                violations.append(f"{path.relative_to(root)}: has neither a header nor a line in {registry.name}")
    return violations


RULES = (
    wrong_arrows,
    missing_includes,
    include_cycles,
    forbidden_headers,
    frontier_owners,
    long_files,
    empty_names,
    unregistered_policies,
)


class TheSourceTree(unittest.TestCase):
    def check(self, rule):
        violations = rule(ROOT)
        if violations:
            self.fail("\n" + "\n".join(violations))

    def test_is_not_empty(self):
        for folder in ("policies", "sim"):
            self.assertTrue(list(code_files(ROOT, [folder])), f"no code in {ROOT / folder}: is the root right?")

    def test_includes_follow_the_arrows(self):
        self.check(wrong_arrows)

    def test_includes_name_files_from_the_root(self):
        self.check(missing_includes)

    def test_headers_have_no_cycles(self):
        self.check(include_cycles)

    def test_decisions_and_the_simulator_touch_neither_files_nor_the_clock(self):
        self.check(forbidden_headers)

    def test_no_policy_names_the_frontier_of_an_owner(self):
        self.check(frontier_owners)

    def test_files_tell_one_story(self):
        self.check(long_files)

    def test_names_say_what_is_inside(self):
        self.check(empty_names)

    def test_each_policy_is_one_file_and_one_line(self):
        self.check(unregistered_policies)


class PlantedViolations(unittest.TestCase):
    """Every rule finds exactly what was planted for it, and nothing in the clean tree."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("policies/depth/depth_policies.inc", 'DEPTH_POLICY(fixed, Fixed, "k tokens")\n')
        self.write("policies/depth/fixed.cpp", '#include "policies/depth/depth_policy.h"\n')
        self.write("policies/depth/depth_policy.h", "#include <vector>\n")
        self.write("policies/batching/batching_policies.inc", 'BATCHING_POLICY(decode_first, DecodeFirst, "")\n')
        self.write("policies/batching/decode_first.cpp", "")
        self.write("sim/engine/engine.h", '#include "policies/depth/depth_policy.h"\n')
        self.write("experiments/main.cpp", '#include "sim/engine/engine.h"\n')
        self.write("tests/sim/engine_test.cpp", '#include "sim/engine/engine.h"\n')

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def assert_only(self, rule, words):
        for other in RULES:
            found = other(self.root)
            if other is rule:
                self.assertEqual(len(found), 1, found)
                self.assertIn(words, found[0])
            else:
                self.assertEqual(found, [], f"{other.__name__} found what {rule} should")

    def test_the_clean_tree_has_none(self):
        for rule in RULES:
            self.assertEqual(rule(self.root), [], rule.__name__)

    def test_a_policy_that_includes_the_simulator_is_found(self):
        self.write("policies/depth/fixed.cpp", '#include "sim/engine/engine.h"\n')
        self.assert_only(wrong_arrows, 'fixed.cpp: #include "sim/engine/engine.h"')

    def test_a_simulator_that_includes_kernels_is_found(self):
        self.write("kernels/norm.h", "")
        self.write("sim/engine/engine.h", '#  include "kernels/norm.h"\n')
        self.assert_only(wrong_arrows, "engine.h")

    def test_a_test_that_reaches_above_its_folder_is_found(self):
        self.write("tests/policies/depth/fixed_test.cpp", '#include "sim/engine/engine.h"\n')
        self.assert_only(wrong_arrows, "fixed_test.cpp")

    def test_an_include_in_angle_brackets_is_found(self):
        self.write("policies/depth/fixed.cpp", "#include <sim/engine/engine.h>\n")
        self.assert_only(wrong_arrows, "angle brackets")

    def test_an_include_of_no_file_is_found(self):
        self.write("sim/engine/engine.cpp", '#include "sim/engine/gone.h"\n')
        self.assert_only(missing_includes, "gone.h")

    def test_a_cycle_of_three_headers_is_found(self):
        self.write("sim/a.h", '#include "sim/b.h"\n')
        self.write("sim/b.h", '#include "sim/c.h"\n')
        self.write("sim/c.h", '#include "sim/a.h"\n')
        self.assert_only(include_cycles, "sim/a.h -> sim/b.h -> sim/c.h -> sim/a.h")

    def test_a_policy_that_reads_the_clock_is_found(self):
        self.write("policies/depth/fixed.cpp", "#include <chrono>\n")
        self.assert_only(forbidden_headers, "<chrono>")

    def test_a_policy_that_names_the_frontier_of_an_owner_is_found(self):
        self.write("policies/depth/owned_frontier.h", "class OwnedFrontier {};\n")
        self.assertEqual(frontier_owners(self.root), [])
        self.write("policies/depth/fixed.cpp", "static_cast<OwnedFrontier&>(frontier).survivals_for_history();\n")
        self.assert_only(frontier_owners, "fixed.cpp: names OwnedFrontier")
        self.write("policies/depth/fixed.cpp", '#include "policies/depth/owned_frontier.h"\n')
        self.assert_only(frontier_owners, "fixed.cpp: names owned_frontier.h")

    def test_a_file_of_401_lines_is_found(self):
        self.write("sim/engine/engine.cpp", "\n" * MAX_LINES)
        self.assertEqual(long_files(self.root), [])
        self.write("sim/engine/engine.cpp", "\n" * (MAX_LINES + 1))
        self.assert_only(long_files, "401 lines")

    def test_an_empty_name_is_found(self):
        self.write("sim/engine/kv_utils.h", "")
        self.assert_only(empty_names, "kv_utils")

    def test_a_registry_line_without_its_file_is_found(self):
        (self.root / "policies/depth/fixed.cpp").unlink()
        self.assert_only(unregistered_policies, "fixed.cpp")

    def test_a_policy_without_its_registry_line_is_found(self):
        self.write("policies/depth/forgotten.cpp", "")
        self.assert_only(unregistered_policies, "forgotten.cpp")


if __name__ == "__main__":
    unittest.main()
