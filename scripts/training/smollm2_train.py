"""Samples, a DSpark drafter for SmolLM2-135M-Instruct, and its evaluation (scripts/train_pair --target smollm2 --help).

Requires: torch==2.15.0 tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6
"""

import argparse
import json
import sys
from pathlib import Path

import smollm2_evaluation
import torch
from checkpoints import write_json
from clock import Clock
from smollm2_drafter import save_drafter, train_drafter
from smollm2_samples import sample
from tokenizers import Tokenizer

SEED = 20261127
REPLIES = 2400
STEPS = 1500
LAYERS_READ = (2, 9, 16, 23, 28)
COMMITTED = Path(__file__).with_name("smollm2_evaluation.json")
EXIT_DIFFERENT, EXIT_CANNOT = 1, 3


def train(options, report):
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    count = max(64, int(REPLIES * options.share))
    samples = sample(options.model, tokenizer, LAYERS_READ, count, SEED, options.work / "samples", report)
    steps = max(20, int(STEPS * options.share))
    drafter = train_drafter(options.model, LAYERS_READ, samples, steps, SEED, options.work / "drafter.pt")
    report(f"trained in {steps} steps")
    save_drafter(drafter, options.output)


def main():
    parser = argparse.ArgumentParser(prog="train_pair", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the target's folder (scripts/get_smollm2)")
    parser.add_argument("--output", type=Path, required=True, help="the drafter's folder")
    parser.add_argument("--work", type=Path, required=True, help="folder for samples and the training's state")
    parser.add_argument("--executor", type=Path, required=True, help="the program dspark, which evaluates")
    parser.add_argument("--check", action="store_true", help="train nothing; compare with what lies there")
    parser.add_argument("--share", type=float, default=1.0, help="of all steps and replies, for a try (default 1)")
    options = parser.parse_args()
    if not (options.model / "model.safetensors").is_file():
        print(f"train_pair: no model in {options.model}; run scripts/get_smollm2 first", file=sys.stderr)
        return EXIT_CANNOT
    if not options.executor.is_file():
        print(f"train_pair: no program {options.executor}; build the release preset first", file=sys.stderr)
        return EXIT_CANNOT
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    report = Clock().report
    if not options.check:
        train(options, report)
    measured = smollm2_evaluation.evaluate(options.executor, options.model, options.output, report)
    if not options.check:
        write_json(options.output / "evaluation.json", measured)
    found = smollm2_evaluation.differences(json.loads(COMMITTED.read_text(encoding="utf-8")), measured)
    print("\n".join(found) or "all figures are as committed, within the noise", flush=True)
    return EXIT_DIFFERENT if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
