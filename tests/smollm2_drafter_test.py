"""What a drafter for SmolLM2 is trained and evaluated on, and the layout of its folder. No model runs here.

Templates and words: that training and evaluation share none, that a seed gives the same prompts. Layout: against a
folder that the library `speculators` itself has written.
"""

import json
import os
import random
import struct
import sys
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[1]))
LIBRARY = ROOT / "tests/executor/drafter/data"
sys.path.insert(0, str(ROOT / "scripts/training"))
sys.dont_write_bytecode = True
import smollm2_prompts  # noqa: E402
from smollm2_words import WORDS  # noqa: E402
from speculators_layout import draft_to_target, layout_config, layout_tensors  # noqa: E402


def tensors(path):
    """Type and shape by name, from the header of a safetensors file."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    return {name: (each["dtype"], each["shape"]) for name, each in header.items() if name != "__metadata__"}


class Prompts(unittest.TestCase):
    def test_there_are_hundreds_of_templates_in_every_domain_and_no_two_are_the_same(self):
        for domain in smollm2_prompts.DOMAINS:
            found = smollm2_prompts.templates(domain)
            self.assertGreater(len(found), 400, domain)
            self.assertEqual(len(set(found)), len(found), domain)

    def test_no_prompt_for_training_has_the_template_of_one_for_evaluation(self):
        for domain in smollm2_prompts.DOMAINS:
            trained = {text.template for text in smollm2_prompts.prompts(domain, 2000, 1)}
            held_out = {text.template for text in smollm2_prompts.prompts(domain, 500, 1, evaluation=True)}
            self.assertGreater(len(trained), 300, domain)
            self.assertGreater(len(held_out), 40, domain)
            self.assertFalse(trained & held_out, domain)

    def test_no_word_that_fills_a_prompt_for_training_fills_one_for_evaluation(self):
        for kind in WORDS:
            self.assertEqual(len(set(WORDS[kind])), len(WORDS[kind]), kind)
            trained, held_out = (set(smollm2_prompts.words(kind, evaluation)) for evaluation in (False, True))
            self.assertGreaterEqual(len(held_out), 3, kind)
            self.assertFalse(trained & held_out, kind)
            self.assertEqual(trained | held_out, set(WORDS[kind]))

    def test_every_place_of_a_form_is_filled_from_the_words_of_its_side(self):
        for domain in smollm2_prompts.DOMAINS:
            for text in smollm2_prompts.prompts(domain, 2000, 2):
                self.assertNotIn("{", text.prompt)
        for evaluation in (False, True):
            stream = random.Random(1)
            filled = {smollm2_prompts.fill(("", "{topic}", "", ""), stream, evaluation) for _ in range(1000)}
            self.assertEqual(filled, set(smollm2_prompts.words("topic", evaluation)))

    def test_a_seed_gives_the_same_prompts_and_another_seed_others(self):
        for domain in smollm2_prompts.DOMAINS:
            found = list(smollm2_prompts.prompts(domain, 50, 3))
            self.assertEqual(found, list(smollm2_prompts.prompts(domain, 50, 3)))
            self.assertNotEqual(found, list(smollm2_prompts.prompts(domain, 50, 4)))


class Layout(unittest.TestCase):
    """Whole and reduced vocabularies, as the library has written them."""

    def config(self, folder):
        return json.loads((LIBRARY / folder / "config.json").read_text(encoding="utf-8"))

    def written(self, folder):
        """Our config.json of the library's drafter."""
        theirs = self.config(folder)
        block = {
            "block_size": theirs["block_size"],
            "layer_ids": [layer - 1 for layer in theirs["aux_hidden_state_layer_ids"]],
            "mask_token": theirs["mask_token_id"],
            "rank": theirs["markov_rank"],
            "draft_vocabulary": theirs["draft_vocab_size"],
        }
        return layout_config(theirs["transformer_layer_config"], block, {"architectures": [], "name_or_path": None})

    def test_the_configuration_is_that_of_the_library(self):
        ours, theirs = self.written("speculators_dspark"), self.config("speculators_dspark")
        about_itself = {"auto_map", "transformers_version", "target_hidden_size", "speculators_config"}
        self.assertEqual(set(theirs) - set(ours), about_itself - {"speculators_config"})
        for key in set(theirs) - about_itself:
            self.assertEqual(ours[key], theirs[key], key)

    def test_the_tensors_are_those_of_the_library(self):
        theirs = tensors(LIBRARY / "speculators_dspark/model.safetensors")
        ours = layout_tensors(self.written("speculators_dspark"))
        self.assertEqual(ours, {name: shape for name, (_, shape) in theirs.items()})
        self.assertNotIn("embed_tokens.weight", ours)
        self.assertNotIn("lm_head.weight", ours)

    def test_a_reduced_vocabulary_has_its_head_and_maps_as_the_library_has(self):
        theirs = tensors(LIBRARY / "speculators_dspark_rnn/model.safetensors")
        ours = layout_tensors(self.written("speculators_dspark_rnn"))
        for name in ("lm_head.weight", "d2t", "t2d", "markov_head.markov_w1.weight", "markov_head.markov_w2.weight"):
            self.assertEqual(ours[name], theirs[name][1], name)
        self.assertNotIn("embed_tokens.weight", ours)

    def test_the_map_is_of_offsets(self):
        self.assertEqual(draft_to_target([0, 1, 5, 9]), [0, 0, 3, 6])


class Page(unittest.TestCase):
    def test_it_shows_the_figures_that_were_measured(self):
        page = (ROOT / "docs/real_models.md").read_text(encoding="utf-8")
        text = (ROOT / "scripts/training/smollm2_evaluation.json").read_text(encoding="utf-8")
        dspark, ngram = (json.loads(text)[drafter] for drafter in ("dspark", "ngram"))
        for domain in (*smollm2_prompts.DOMAINS, "all"):
            columns = [of[domain] for of in (dspark["1"], ngram["1"])]
            cells = [f"{each['tau']:.2f} ± {each['standard_error']:.2f}" for each in columns]
            cells += [f"{100 * dspark['1'][domain][name]:.1f}" for name in ("raw_ece", "ece", "debiased_ece")]
            cells += [f"{dspark['1'][domain]['raw_auc']:.2f}"]
            self.assertIn(f"| {domain} | {' | '.join(cells)} |", page)
        cells = [f"{share:.2f}" for share in dspark["1"]["all"]["acceptance"]]
        self.assertIn(f"| {' | '.join(cells)} |", page)


if __name__ == "__main__":
    unittest.main()
