"""The commands on the pages of docs/ draw the figures that the pages show.

The program to run is the first argument. The results are small: what they say is the other tests' matter.
"""

import contextlib
import io
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from study_parts import SOURCE, run_part

sys.path.insert(0, str(SOURCE / "experiments" / "figures"))

import plot

PROGRAM = ""
FIGURE_COMMAND = re.compile(r"^\S.*(?:plot\.py|dspark figures) (results/(?:.*\\\n)*.*)$", re.MULTILINE)
EVALUATION = re.compile(r"^\S*dspark evaluate (?:.*\\\n)*.*$", re.MULTILINE)
COMPARISON = re.compile(r"^\S*dspark compare (?:.*\\\n)*.*$", re.MULTILINE)
MARKET = re.compile(r"^\S*dspark (?:equilibrium|grow) (?:.*\\\n)*.*$", re.MULTILINE)
# In the place of a computer's own: models that a page needs are not at hand everywhere.
SURVIVAL = "{survival: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]}"
DOMAINS = re.compile(r"^  domains: \{(.*)\}$", re.MULTILINE)
SMALL = ("replications=2", "stop.requests=60", "stop.warmup_requests=20")


def stand_in(study):
    """Settings that give the experiment a modelled machine of its own."""
    shares = DOMAINS.search(study.read_text(encoding="utf-8"))
    domains = [share.split(":")[0].strip() for share in shares[1].split(",")] if shares else []
    by_domain = ", ".join(f"{domain}: {SURVIVAL}" for domain in domains)
    acceptance = f"{{by_domain: {{{by_domain}}}}}" if domains else SURVIVAL
    yield "machine.use=modelled"
    yield f"machine.modelled={{verify_cost: {{bias_ms: 1, per_token_ms: 0.5}}, acceptance: {acceptance}}}"


class ThePages(unittest.TestCase):
    folder: Path

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def draw(self, command):
        """Names of the pictures of one figure command, drawn from a small result of its name."""
        words = shlex.split(command.replace("\\\n", " "))
        name = Path(words[0]).stem
        result, out = self.folder / f"{name}.h5", self.folder / "figures"
        if not result.exists():
            run_part(PROGRAM, name, result, *SMALL)
        words[0] = str(result)
        words[words.index("--out") + 1] = str(out)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(plot.main(words), 0)
        return {path.name for path in out.glob(f"{name}_*.png")}

    def evaluate(self, command):
        """The picture of one evaluation, drawn from few requests."""
        words = shlex.split(command.replace("\\\n", " "))
        name = Path(words[words.index("--figure") + 1]).name
        (self.folder / "figures").mkdir(exist_ok=True)
        words[0] = PROGRAM
        words[words.index("--figure") + 1] = str(self.folder / "figures" / name)
        words[words.index("--out") + 1] = str(self.folder / "evaluation.h5")
        words[words.index("--requests") + 1] = "4"
        subprocess.run(words, cwd=SOURCE, check=True, capture_output=True)
        return {name}

    def compare(self, command):
        """The picture of one comparison, if any, of a study's small results on a stand-in for both machines."""
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        if "--figure" not in words:
            return set()
        for at in (2, 3):
            study = Path(words[at]).stem.removesuffix("_modelled").removesuffix("_measured")
            result = self.folder / f"{study}.h5"
            if not result.exists():
                study_file = SOURCE / "experiments" / "studies" / f"{study}.yaml"
                sets = [word for option in (*stand_in(study_file), *SMALL) for word in ("--set", option)]
                subprocess.run([PROGRAM, "run", study_file, "--out", result, "--quiet", *sets], check=True)
            words[at] = str(result)
        name = Path(words[words.index("--figure") + 1]).name
        (self.folder / "figures").mkdir(exist_ok=True)
        words[0] = PROGRAM
        words[words.index("--figure") + 1] = str(self.folder / "figures" / name)
        subprocess.run(words, cwd=SOURCE, check=True, capture_output=True)
        return {name}

    def market(self, command):
        """The picture of one market, if any, as the page has it: simulations are kept for the next one."""
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        if "--figure" not in words:
            return set()
        if "|" in words:
            words = words[: words.index("|")]
        name = Path(words[words.index("--figure") + 1]).name
        (self.folder / "figures").mkdir(exist_ok=True)
        words[0] = PROGRAM
        words[words.index("--figure") + 1] = str(self.folder / "figures" / name)
        words += ["--cache", str(self.folder / "surfaces"), "--quiet"]
        subprocess.run(words, cwd=SOURCE, check=True, capture_output=True)
        return {name}

    def test_each_page_shows_the_commands_that_draw_its_figures(self):
        docs = SOURCE / "docs"
        pages = [page for page in sorted(docs.rglob("*.md")) if "](figures/" in page.read_text(encoding="utf-8")]
        self.assertGreaterEqual(len(pages), 10)
        for page in pages:
            with self.subTest(page=page.name):
                text = page.read_text(encoding="utf-8")
                blocks = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
                drawn = set().union(*(self.draw(command) for command in FIGURE_COMMAND.findall(blocks)))
                drawn |= set().union(*(self.evaluate(command) for command in EVALUATION.findall(blocks)))
                drawn |= set().union(*(self.compare(command) for command in COMPARISON.findall(blocks)))
                drawn |= set().union(*(self.market(command) for command in MARKET.findall(blocks)))
                shown = re.findall(r"\]\(figures/([^)]+)\)", text)
                self.assertEqual(sorted(drawn), sorted(shown))
                for name in shown:
                    picture = (self.folder / "figures" / name).read_bytes()
                    self.assertTrue(picture.startswith(b"\x89PNG") and len(picture) > 4000, name)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
