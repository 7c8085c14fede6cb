"""What the documents promise is there: shown code is tested code, links lead somewhere, laws have their tests."""

import os
import re
import tomllib
import unittest
from itertools import pairwise
from pathlib import Path

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parent.parent))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# A row of INVARIANTS.md: | law | `tests/a/b_test.cpp` Suite.Test, Suite.Test | ... |
INVARIANT = re.compile(r"^\|[^|]+\|\s*`(tests/[^`]+)`\s*([^|]*)\|", re.MULTILINE)


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def documents():
    folders = ("docs", "policies", "sim", "kernels", "executor", "experiments", "tests")
    yield from sorted(ROOT.glob("*.md"))
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.md"))


PICTURE = re.compile(r"!\[[^\]]*\]\((figures/[^)\s]+\.png)\)")
# What may stand in INVARIANTS.md's last column, the first word of each reason.
REASONS = ("planted", "mutant", "closed form", "worked example", "twin", "identity", "golden", "measured speeds")
# Behind it in that column: names of mutants, up to a semicolon.
MUTANTS = re.compile(r"\bmutant: ([^;|]+)")


def pictures_without_source(page):
    """Pictures shown on a page of docs/ without the command that draws them as they are named, or `dspark run` of a
    YAML file and a figure command on its result."""
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    run = set(re.findall(r"dspark run experiments/(?:studies/)?(\w+)\.yaml", commands))
    drawn = set(re.findall(r"(?:plot\.py|dspark figures) results/(\w+)\.h5 .*--figure", commands))
    sourced = run & drawn
    at_once = set(re.findall(r"dspark [^\n]*--figure results/(\w+\.png)", commands))
    names = {picture: Path(picture).name for picture in PICTURE.findall(page)}
    return [p for p, n in names.items() if n not in at_once and not any(n.startswith(f"{s}_") for s in sourced)]


def readme_pictures_without_page(readme):
    """Pictures of the README that are on no page of docs/, there with their source, that the paragraph below links."""
    sources = {}
    for page in (ROOT / "docs").rglob("*.md"):
        for picture in PICTURE.findall(page.read_text(encoding="utf-8")):
            sources.setdefault(page.parent / picture, set()).add(page)
    missing = []
    for paragraph, below in pairwise([*readme.split("\n\n"), ""]):
        linked = {ROOT / link for link in LINK.findall(below)}
        pictures = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", paragraph)
        missing += [picture for picture in pictures if not linked & sources.get(ROOT / picture, set())]
    return missing


class Documents(unittest.TestCase):
    def test_contributing_shows_the_policy_that_the_tests_compile(self):
        blocks = re.findall(r"^```cpp\n(.*?)^```", text("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
        self.assertEqual(
            blocks, [text("tests/example_policy/half_block.cpp"), text("tests/example_policy/half_block.inc")]
        )

    def test_links_and_figures_lead_to_files(self):
        broken = []
        for page in documents():
            for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
                path = target.split("#")[0]
                if path and "://" not in path and not (page.parent / path).exists():
                    broken.append(f"{page.relative_to(ROOT)}: {target}")
        self.assertEqual(broken, [])

    def test_each_law_names_tests_that_exist(self):
        rows = INVARIANT.findall(text("docs/INVARIANTS.md"))
        self.assertGreater(len(rows), 5)
        for path, names in rows:
            self.assertTrue((ROOT / path).is_file(), path)
            tests = re.findall(r"[\w]+\.[\w]+", names)
            self.assertTrue(tests, f"{path}: no test named")
            source = text(path)
            for name in tests:
                suite, test = name.split(".")
                with self.subTest(test=name):
                    if path.endswith(".py"):
                        self.assertRegex(source, rf"class {suite}\b[\s\S]*def {test}\b")
                    else:
                        self.assertRegex(source, rf"TEST(_F|_P)?\(\s*{suite},\s*{test}\s*\)")

    def test_each_law_says_what_makes_it_fail(self):
        for row in text("docs/INVARIANTS.md").splitlines():
            if row.startswith("|") and "`tests/" in row:
                reason = row.rstrip("|").split("|")[-1].strip()
                self.assertTrue(reason.startswith(REASONS), row)
                self.assertTrue("planted" in reason or MUTANTS.search(reason), f"nothing was planted: {row}")

    def test_each_mutant_has_its_place_and_the_row_of_its_tests_and_no_row_names_another(self):
        rows = [row for row in text("docs/INVARIANTS.md").splitlines() if row.startswith("|") and "`tests/" in row]
        named = [name for row in rows for found in MUTANTS.findall(row) for name in found.strip().split(", ")]
        mutants = tomllib.loads(text("tests/mutants/mutants.toml"))["mutant"]
        self.assertEqual(sorted(named), sorted(mutant["what"] for mutant in mutants))
        for mutant in mutants:
            self.assertEqual(text(mutant["file"]).count(mutant["old"]), 1, mutant)
            path, tests = mutant["tests"].split(" ", 1)
            of = [row for row in rows if mutant["what"] in row]
            self.assertTrue(of and f"`{path}` " in of[0] and all(test in of[0] for test in tests.split(", ")), mutant)

    def test_every_picture_stands_beside_the_experiment_and_the_command_that_make_it(self):
        shown = set()
        for page in sorted((ROOT / "docs").rglob("*.md")):
            content = page.read_text(encoding="utf-8")
            self.assertEqual(pictures_without_source(content), [], page.name)
            shown |= {page.parent / picture for picture in PICTURE.findall(content)}
            if PICTURE.search(content):  # pages without the run, the drawing, or of another result are found
                from_a_run = re.search(r"(?:plot\.py|dspark figures) results/", content)
                for old, new in (("dspark run", "dspark check"), ("--figure", "--where"), ("results/", "results/x")):
                    if old in content and (from_a_run or old != "dspark run"):
                        self.assertNotEqual(pictures_without_source(content.replace(old, new)), [], page.name)
        self.assertEqual(shown, set((ROOT / "docs").rglob("*.png")))

    def test_every_picture_of_the_readme_is_one_of_a_page_that_it_links_below(self):
        readme = text("README.md")
        self.assertEqual(readme_pictures_without_page(readme), [])
        for old, new in (
            ("b300_flash_crossover.png", "b300_flash_other.png"),
            ("(docs/b300_flash.md)", "(docs/theory.md)"),
        ):
            self.assertEqual(len(readme_pictures_without_page(readme.replace(old, new))), 1, f"{old} is now {new}")

    def test_the_readme_opens_with_its_two_commands(self):
        opening = "\n".join(text("README.md").splitlines()[:15])
        for command in ("scripts/demo", "scripts/test"):
            self.assertIn(command, opening)
            self.assertTrue(os.access(ROOT / command, os.X_OK), command)

    def test_every_page_of_docs_is_in_its_index(self):
        index = text("docs/README.md")
        for page in sorted((ROOT / "docs").glob("*.md")):
            if page.name != "README.md":
                self.assertIn(f"({page.name})", index)

    def test_the_page_of_each_folder_explains_its_rooms(self):
        for folder in ("policies", "sim", "experiments"):
            page = text(f"{folder}/README.md")
            rooms = [room.name for room in sorted((ROOT / folder).iterdir()) if room.is_dir()]
            rooms = [room for room in rooms if room != "__pycache__"]
            self.assertGreater(len(rooms), 3)
            # In the first column of a row of the table, not merely somewhere.
            first = "\n".join(row.split("|")[1] for row in page.splitlines() if row.startswith("|"))
            self.assertEqual([room for room in rooms if f"`{room}/" not in first], [], folder)

    def test_every_study_has_a_page_that_its_index_names_and_that_shows_its_figures_and_commands(self):
        docs = ROOT / "docs"
        index = text("docs/studies.md")
        pages = {page.stem: page for page in sorted((docs / "studies").glob("*.md"))}
        for name, page in pages.items():
            self.assertIn(f"(studies/{page.name})", index)
            shown = page.read_text(encoding="utf-8")
            for words in (f"dspark run experiments/studies/{name}.yaml", f"results/{name}.h5", "](figures/"):
                self.assertIn(words, shown, page.name)
        for study in sorted((ROOT / "experiments" / "studies").glob("*.yaml")):
            named = re.findall(r"\bdocs/[\w/]+\.md", study.read_text(encoding="utf-8"))
            self.assertTrue(named and all((ROOT / page).is_file() for page in named), f"{study.name}: {named}")
        every = "".join(page.read_text(encoding="utf-8") for page in pages.values())
        for figure in sorted((docs / "studies" / "figures").iterdir()):
            self.assertIn(f"(figures/{figure.name})", every)


if __name__ == "__main__":
    unittest.main()
