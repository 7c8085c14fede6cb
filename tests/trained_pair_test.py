"""The pair that ships (tests/models/tiny) and the text that it was trained on. No model runs here.

Templates: how many, that training and evaluation share none, that a seed gives the same text. The folder: its size, and
that its prompts are of templates that training never saw.
"""

import json
import os
import re
import sys
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[1]))
PAIR = ROOT / "tests/models/tiny"
sys.path.insert(0, str(ROOT / "scripts/training"))
sys.dont_write_bytecode = True
import text_corpus  # noqa: E402

LEAST_TAU = {"arithmetic": 4.0, "code": 2.5, "prose": 2.3}


class Templates(unittest.TestCase):
    def test_there_are_two_thousand_and_more_and_no_two_are_the_same(self):
        digests = [text_corpus.digest(s) for domain in text_corpus.DOMAINS for s in text_corpus.templates(domain)]
        self.assertGreaterEqual(len(digests), 2000)
        self.assertEqual(len(set(digests)), len(digests))

    def test_no_text_for_training_has_the_template_of_one_for_evaluation(self):
        for domain in text_corpus.DOMAINS:
            trained = {text.template for text in text_corpus.training_texts(domain, 3000, 1)}
            held_out = {text.template for text in text_corpus.evaluation_texts(domain, 1000, 1)}
            self.assertGreater(len(held_out), 80, domain)
            self.assertGreater(len(trained), 700, domain)
            self.assertFalse(trained & held_out, domain)

    def test_a_seed_gives_the_same_texts_and_another_seed_others(self):
        for domain in text_corpus.DOMAINS:
            texts = list(text_corpus.training_texts(domain, 50, 3))
            self.assertEqual(texts, list(text_corpus.training_texts(domain, 50, 3)))
            self.assertNotEqual(texts, list(text_corpus.training_texts(domain, 50, 4)))

    def test_working_is_right(self):
        """Each line `a + b = c` of the working is true."""
        seen = 0
        for text in text_corpus.training_texts("arithmetic", 2000, 5):
            for terms, result in re.findall(r"(\d+(?: [-+*] \d+)+) = (\d+)", text.reply):
                self.assertEqual(eval(terms), int(result), text.reply)
                seen += 1
        self.assertGreater(seen, 5000)


class Folder(unittest.TestCase):
    def test_it_is_no_larger_than_twelve_megabytes(self):
        files = [path for path in PAIR.rglob("*") if path.is_file()]
        self.assertTrue({"target", "dspark", "dflash"} <= {path.parent.name for path in files})
        self.assertLessEqual(sum(path.stat().st_size for path in files), 12_000_000)

    def test_prompts_are_those_of_the_generator_for_evaluation(self):
        for domain in text_corpus.DOMAINS:
            lines = (PAIR / "prompts" / f"{domain}.txt").read_text(encoding="utf-8").splitlines()
            texts = text_corpus.evaluation_texts(domain, len(lines), "prompts")
            self.assertEqual(lines, [text.prompt.replace("\n", "\\n") for text in texts])
            self.assertGreaterEqual(len(lines), 64)

    def test_the_card_shows_the_figures_that_were_measured(self):
        card = (PAIR / "README.md").read_text(encoding="utf-8")
        figures = json.loads((PAIR / "evaluation.json").read_text(encoding="utf-8"))
        for domain, drafters in figures["tau"].items():
            tau = [
                f"{drafters[d]['tau']:.2f} ± {drafters[d]['standard_error']:.2f}" for d in ("dspark", "dflash", "ngram")
            ]
            nats = [f"{figures['entropy'][domain][key]:.2f}" for key in ("nats_per_token", "nats_per_byte")]
            self.assertIn(f"| {domain} | {' | '.join(tau + nats)} |", card)
        for name in ("ece_raw", "ece", "debiased_ece"):
            self.assertIn(" | ".join(f"{100 * value:.1f}" for value in figures["calibration"][name]), card)

    def test_figures_meet_what_is_promised_of_the_pair(self):
        figures = json.loads((PAIR / "evaluation.json").read_text(encoding="utf-8"))
        for domain, least in LEAST_TAU.items():
            tau = {drafter: figure["tau"] for drafter, figure in figures["tau"][domain].items()}
            self.assertGreaterEqual(tau["dspark"], least, domain)
            self.assertGreater(tau["dspark"], tau["dflash"], domain)
            self.assertGreater(tau["dflash"], tau["ngram"], domain)
        self.assertLessEqual(max(figures["calibration"]["ece"]), 0.03)


if __name__ == "__main__":
    unittest.main()
