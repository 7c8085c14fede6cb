"""What `transformers` writes greedily with SmolLM2-135M-Instruct (f32, eager attention), and its logits on the way.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6

    scripts/get_smollm2
    scripts/make_references smollm2

reads the model from build/models/smollm2-135m-instruct (or --model) and writes tests/executor/model/smollm2 (or
--output): reference.safetensors with, for each prompt P of 0.., `P.prompt` (tokens), `P.greedy` (64 tokens), and of
each of the 64 steps `P.logits` (64, 129), those of the tokens 0, 384, 768 ... with the logarithm of the sum of all
exponentials behind them, and `P.gap` (64, 1), by how much the largest logit exceeds the second. All are F32.
The smallest gap is printed: where it is far above rounding (2e-4), greedy text is a fair question. The token that ends
replies is passed over. Ends with 3 where the model is not there.
"""

import argparse
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "build/models/smollm2-135m-instruct"
OUTPUT = ROOT / "tests/executor/model/smollm2"
TOKENS = 64
EVERY = 384  # of the vocabulary's 49152
CANNOT = 3  # exit code
PROMPTS = (
    "<|im_start|>user\nWhy is the sky blue?<|im_end|>\n<|im_start|>assistant\n",
    "Once upon a time, in a village by the sea, there lived",
    "def fibonacci(n):\n",
    "The quick brown fox jumps over the lazy dog. The quick brown fox",
)


def continue_greedily(model, prompt):
    """The greedy tokens, and the logits that each was the largest of."""
    tokens, logits, known, cache = [], [], prompt, None
    with torch.no_grad():
        for _ in range(TOKENS):
            step = model(torch.tensor([known]), past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            logits.append(step.logits[0, -1].clone())
            tokens.append(int(logits[-1].argmax()))
            known = tokens[-1:]
    return tokens, torch.stack(logits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, default=MODEL, help="its folder")
    parser.add_argument("--output", type=pathlib.Path, default=OUTPUT, help="folder that gets reference.safetensors")
    arguments = parser.parse_args()
    if not (arguments.model / "config.json").exists():
        print(f"smollm2: no model in {arguments.model}: scripts/get_smollm2 makes it", file=sys.stderr)
        return CANNOT
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(arguments.model / "tokenizer.json"))
    model = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    reference = {}
    for number, text in enumerate(PROMPTS):
        prompt = tokenizer(text)["input_ids"]
        tokens, logits = continue_greedily(model, prompt)
        largest = logits.topk(2).values
        gap = (largest[:, 0] - largest[:, 1]).min()
        seen = torch.cat([logits[:, ::EVERY], logits.logsumexp(-1, keepdim=True), largest], dim=-1)
        numbers = {"prompt": torch.tensor(prompt), "greedy": torch.tensor(tokens), "logits": seen}
        reference |= {f"{number}.{name}": value.to(torch.float32).contiguous() for name, value in numbers.items()}
        print(f"{len(prompt)} tokens, smallest gap {gap:.4f}, {logits.abs().max():.1f} the largest logit: {text!r}")
        print(f"    {tokenizer.decode(tokens)!r}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    save_file(reference, arguments.output / "reference.safetensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
