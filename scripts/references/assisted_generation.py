"""A small model that drafts for the tiny target, and each round of the assisted generation of `transformers` with them.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6

    scripts/make_references assisted_generation

writes into tests/executor/drafter/data/small_model (or below --output) the small model, which is the target
tests/executor/model/data/qwen3_tied with noise on its weights (so that some drafts are right), and
reference.safetensors: `prompt` (P), `reply` (T), and of each round `drafted` (rounds, 4), what the assistant proposed
(-1: nothing), and `accepted` (rounds), how many of them the target kept. Greedy, in f32.
"""

import argparse
import pathlib
import shutil
from typing import ClassVar

import torch
import transformers
from safetensors.torch import save_file
from transformers.generation import candidate_generator

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/executor/drafter/data"
TARGET = ROOT / "tests/executor/model/data/qwen3_tied"
PROMPT = [9, 4, 33, 60, 12, 27]
REPLY = 64
DRAFTED = 4
NOISE = 0.3  # of a weight's own deviation
# Two programs that sum in other orders must choose the same tokens.
LEAST_MARGIN = 1e-4


def small_model(target):
    config = transformers.AutoConfig.from_pretrained(TARGET)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(5)
    of_target = target.state_dict()
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # the embedding
        own = of_target[name]
        noise = NOISE * own.std() * torch.randn(own.shape, generator=generator)
        weight.copy_((own + noise).to(torch.bfloat16))
    return model


def least_margin(model, tokens):
    """How far the likeliest token is before the next one, at worst, behind each token of the text."""
    best = model(torch.tensor([tokens])).logits[0].topk(2).values
    return (best[:, 0] - best[:, 1]).min().item()


class RecordedRounds(candidate_generator.AssistedCandidateGenerator):
    """The library's, which notes what it proposes."""

    rounds: ClassVar = []  # (tokens before, proposed)

    def get_candidates(self, input_ids, *arguments, **named):
        result = super().get_candidates(input_ids, *arguments, **named)
        before = input_ids.shape[1]
        self.rounds.append((before, result[0][0, before:].tolist()))
        return result


def record(target, assistant):
    for model in (target, assistant):
        model.generation_config.eos_token_id = None  # replies end at their length
        model.generation_config.pad_token_id = None  # a token like others: no part of a text is masked
    assistant.generation_config.num_assistant_tokens = DRAFTED
    assistant.generation_config.num_assistant_tokens_schedule = "constant"
    assistant.generation_config.assistant_confidence_threshold = 0.0
    transformers.generation.utils.AssistedCandidateGenerator = RecordedRounds
    alone = target.generate(torch.tensor([PROMPT]), max_new_tokens=REPLY, do_sample=False)[0].tolist()
    begun = torch.tensor([alone[: len(PROMPT) + 1]])  # a server's first token comes with its prompt
    text = target.generate(begun, assistant_model=assistant, max_new_tokens=REPLY - 1, do_sample=False)[0].tolist()
    assert text == alone, "assisted generation is greedy generation"
    drafted, accepted = [], []
    for before, proposed in RecordedRounds.rounds:
        right = 0
        while right < len(proposed) and proposed[right] == text[before + right]:
            right += 1
        drafted.append(proposed + [-1] * (DRAFTED - len(proposed)))
        accepted.append(right)
        margin = least_margin(assistant, text[:before] + proposed)
        assert margin > LEAST_MARGIN, f"a draft is nearly another token: {margin}"
    margin = least_margin(target, text)
    assert margin > LEAST_MARGIN, f"a token is nearly another: {margin}"
    return text[len(PROMPT) :], drafted, accepted


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, default=DATA, help="folder that gets the folder small_model")
    folder = parser.parse_args().output / "small_model"
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    target = transformers.AutoModelForCausalLM.from_pretrained(
        TARGET, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    assistant = small_model(target)
    reply, drafted, accepted = record(target, assistant)
    if folder.exists():
        shutil.rmtree(folder)
    assistant.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    numbers = {"prompt": PROMPT, "reply": reply, "drafted": drafted, "accepted": accepted}
    save_file({key: torch.tensor(value, dtype=torch.float32) for key, value in numbers.items()},
              folder / "reference.safetensors")  # fmt: skip
    for path in folder.iterdir():
        path.chmod(0o644)
    print(f"small_model: {len(accepted)} rounds, {sum(accepted)} of {sum(map(len, drafted))} drafts accepted")


if __name__ == "__main__":
    main()
