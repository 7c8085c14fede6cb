"""Text, tokenizer, target, drafters and their evaluation, one after the other (scripts/train_pair --help).

Requires: torch==2.15.0 tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6
"""

import argparse
import dataclasses
import json
import random
import sys
from pathlib import Path

import drafters
import torch
from checkpoints import load_target, save_drafter, save_target, write_json
from clock import Clock
from evaluation import differences, evaluate, write_prompts
from layers import Shape
from serving import Serving
from target import train_target
from text_corpus import DOMAINS, training_texts
from tokenizers import Tokenizer
from vocabulary import SIZE, encode, pack, train_tokenizer

SEED = 20261127
TEXTS = {"arithmetic": 12000, "code": 18000, "prose": 16000}  # for the target, about 1.6 million tokens of each
SAMPLED = 768  # replies of each domain that the target itself writes, for the drafters
SAMPLED_AT_ONCE = 256
SAMPLED_TOKENS = 160
TARGET_STEPS, DRAFTER_STEPS = 1300, 1050
LAYERS_READ = (1, 3, 4)
DRAFT_LAYERS = 2
MARKOV_RANK = 32
EXIT_DIFFERENT, EXIT_CANNOT = 1, 3


def make_texts(share):
    texts = [text for domain in DOMAINS for text in training_texts(domain, int(TEXTS[domain] * share), SEED)]
    random.Random(SEED).shuffle(texts)
    return texts


def sample_replies(target, tokenizer, count, report):
    """The target's own texts at temperature 1 behind prompts of training templates: what the drafters will see."""
    sequences = []
    for domain in DOMAINS:
        prompts = [text.prompt for text in training_texts(domain, count, SEED + 1)]
        tokens = [each.ids for each in tokenizer.encode_batch(prompts, add_special_tokens=False)]
        for first in range(0, count, SAMPLED_AT_ONCE):
            batch = tokens[first : first + SAMPLED_AT_ONCE]
            sequences += Serving(target, batch, SAMPLED_TOKENS, seed=SEED + first).run().texts
        report(f"sampled {count} replies of {domain}")
    random.Random(SEED).shuffle(sequences)
    return sequences


def train(options, report):
    texts = make_texts(options.share)
    tokenizer = train_tokenizer([text.prompt + text.reply for text in texts[:6000]])
    sequences = encode(tokenizer, texts)
    windows = pack(sequences)
    report(f"{len(texts)} texts, {sum(map(len, sequences))} tokens, {len(windows.tokens)} windows")
    target = train_target(Shape(SIZE), windows, int(TARGET_STEPS * options.share), SEED, report)
    save_target(target, tokenizer, options.output / "target")
    train_drafters(options, sequences, report)


def train_drafters(options, sequences, report):
    """On the target as it was saved, in its rounded weights."""
    target = load_target(options.output / "target")
    tokenizer = Tokenizer.from_file(str(options.output / "target/tokenizer.json"))
    own = sample_replies(target, tokenizer, int(SAMPLED * options.share), report)
    windows = pack(own + sequences[: len(own)])
    shape = dataclasses.replace(target.shape, layers=DRAFT_LAYERS)
    both = {name: drafters.Drafter(shape, LAYERS_READ, rank) for name, rank in (("dspark", MARKOV_RANK), ("dflash", 0))}
    drafters.train_drafters(target, both, windows, int(DRAFTER_STEPS * options.share), SEED, report)
    for name, drafter in both.items():
        save_drafter(drafter, target.shape.layers, options.output / name)


def main():
    parser = argparse.ArgumentParser(prog="train_pair", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder that holds target, drafters and figures")
    parser.add_argument("--executor", type=Path, required=True, help="the program dspark, which serves the pair")
    parser.add_argument("--check", action="store_true", help="train nothing; compare with what lies there")
    parser.add_argument("--share", type=float, default=1.0, help="of all steps and texts, for a try (default 1)")
    options = parser.parse_args()
    if not options.executor.is_file():
        print(f"train_pair: no program {options.executor}; build the release preset first", file=sys.stderr)
        return EXIT_CANNOT
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    report = Clock().report
    figures = options.output / "evaluation.json"
    if options.check:
        found = differences(
            json.loads(figures.read_text(encoding="utf-8")), evaluate(options.executor, options.output, report)
        )
        print("\n".join(found) or "all figures are as committed, within the noise", flush=True)
        return EXIT_DIFFERENT if found else 0
    write_prompts(options.output / "prompts")
    train(options, report)
    write_json(figures, evaluate(options.executor, options.output, report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
