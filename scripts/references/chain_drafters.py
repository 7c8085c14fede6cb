"""Tiny random EAGLE-3 and MTP drafters of a tiny target, and what the library `speculators` computes with them, in f32.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6
Requires: aiohttp==3.14.5 datasets==5.2.0 hs-connectors==0.9.0 loguru==0.7.3 openai==3.57.0 psutil==7.2.2
Requires: pydantic-settings==2.16.3 rich==15.0.0 typer==0.29.2
Requires without its requirements: speculators==0.9.0

    scripts/make_references chain_drafters

writes into tests/executor/drafter/data (or --output) a folder for each case: config.json and the weights (BF16), as
the library saves them or as EAGLE's authors publish theirs, and reference.safetensors with `next_tokens` (T), what
stands behind each row, `kept.I` (T, width) of each target layer that is read, and `logits.S` (T, drafted vocabulary):
row i of step S is the draft after the rows 0 .. i and the S tokens that follow them, given as if they had been
drafted. The target is tests/executor/model/data/qwen3_tied.

EAGLE-3's numbers are those of the library's class as it trains, which sees step 0 of earlier rows and its own later
steps: what drafting sees. The class of MTP trains each step on its own rows, which drafting never has; so its layer
is called with a cache of step 0, as vLLM drafts. The library asks for older torch and transformers than the rest of
the references; its models run unchanged on these (install it without its requirements).
"""

import argparse
import copy
import json
import math
import pathlib
import shutil
import zlib

import torch
import transformers
from safetensors.torch import load_file, save_file
from speculators.config import SpeculatorsConfig, VerifierConfig
from speculators.models.eagle3 import Eagle3SpeculatorConfig
from speculators.models.eagle3.core import Eagle3DraftModel
from speculators.models.mtp.config import MTPSpeculatorConfig
from speculators.models.mtp.core import MTPDraftModel
from speculators.proposals.greedy import GreedyTokenProposalConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/executor/drafter/data"
TARGET = ROOT / "tests/executor/model/data/qwen3_tied"
TOKENS = 21
STEPS = 3
VOCABULARY = 64
DRAFTED = 40  # of them, where the vocabulary is reduced

LAYER = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 1,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
}


def speculators_config(algorithm):
    return SpeculatorsConfig(
        algorithm=algorithm,
        proposal_methods=[GreedyTokenProposalConfig(speculative_tokens=STEPS)],
        default_proposal_method="greedy",
        verifier=VerifierConfig(name_or_path=None, architectures=["Qwen3ForCausalLM"]),
    )


def eagle3(layer, drafted, layers, **flags):
    layer._attn_implementation = "eager"
    return Eagle3DraftModel(
        Eagle3SpeculatorConfig(
            transformer_layer_config=layer,
            draft_vocab_size=drafted,
            eagle_aux_hidden_state_layer_ids=layers,
            speculators_config=speculators_config("eagle3"),
            **flags,
        )
    )


def mtp():
    layer = transformers.Qwen3Config(**LAYER)
    layer._attn_implementation = "eager"
    return MTPDraftModel(
        MTPSpeculatorConfig(transformer_layer_config=layer, speculators_config=speculators_config("mtp"))
    )


# name: the model, whether the embedding (and MTP's head) are the target's, and whether a layout of others is written:
# EAGLE's own, or DeepSpec's
CASES = {
    "eagle3_speculators": (
        lambda: eagle3(transformers.LlamaConfig(**LAYER), DRAFTED, [0, 2, 3], norm_before_residual=True),
        False,
        False,
    ),
    "eagle3_published": (lambda: eagle3(transformers.LlamaConfig(**LAYER), DRAFTED, [1, 2, 3]), True, True),
    "eagle3_two_layers": (
        lambda: eagle3(transformers.Qwen3Config(**LAYER | {"num_hidden_layers": 2}), VOCABULARY, [2], norm_output=True),
        True,
        False,
    ),
    "eagle3_norm_before_fc": (
        lambda: eagle3(
            transformers.LlamaConfig(**LAYER), DRAFTED, [1, 3], norm_before_fc=True, norm_before_residual=True
        ),
        True,
        False,
    ),
    "eagle3_fc_norm": (
        lambda: eagle3(transformers.Qwen3Config(**LAYER), VOCABULARY, [0, 1, 3], fc_norm=True, norm_output=True),
        True,
        False,
    ),
    "eagle3_deepspec": (lambda: eagle3(transformers.Qwen3Config(**LAYER), VOCABULARY, [1, 2]), False, "DeepSpec"),
    "mtp_qwen3": (mtp, True, False),
}


def draw_weights(model, generator):
    for name, weight in model.state_dict().items():
        if not weight.is_floating_point():
            continue
        noise = torch.randn(weight.shape, generator=generator)
        if "norm" in name:
            noise = 1.0 + 0.25 * noise
        elif "embed_tokens" in name:
            noise = 0.5 * noise
        else:
            noise = noise * 1.2 / math.sqrt(weight[0].numel())
        weight.copy_(noise.to(torch.bfloat16))


def draw_vocabulary(model, generator):
    """The target's ids that the drafter knows."""
    if model.d2t is None:
        return torch.arange(VOCABULARY)
    ids = torch.randperm(VOCABULARY, generator=generator)[:DRAFTED].sort().values
    model.d2t.copy_(ids - torch.arange(DRAFTED))
    model.t2d.zero_()
    model.t2d[ids] = True
    return ids


def rms_norm(x, weight, epsilon=1e-5):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def eagle3_logits(model, next_tokens, kept):
    logits = []
    hook = model.lm_head.register_forward_hook(lambda _module, _inputs, output: logits.append(output[0].clone()))
    model(
        hidden_states=torch.cat(kept, dim=-1)[None],
        input_ids=next_tokens[None],
        document_ids=torch.zeros(1, TOKENS, dtype=torch.long),
        ttt_steps=STEPS,
    )
    hook.remove()
    return logits


def mtp_logits(model, next_tokens, hidden):
    """Row i after rows 0 .. i of step 0 and, of each later step, its own row."""
    logits = [torch.zeros(TOKENS, VOCABULARY) for _ in range(STEPS)]
    for row in range(TOKENS):
        cache = transformers.DynamicCache()
        stream, tokens, first = hidden[None, : row + 1], next_tokens[None, : row + 1], 0
        for step in range(min(STEPS, TOKENS - row)):
            positions = torch.arange(first, first + tokens.shape[1])[None]
            mask = torch.full((tokens.shape[1], first + tokens.shape[1]), float("-inf")).triu(first + 1)
            output = model.mtp_layers[0](
                hidden_states=stream,
                token_embeddings=model.embed_tokens(tokens),
                attention_mask=mask[None, None],
                position_ids=positions,
                position_embeddings=model.rotary_emb(stream, positions),
                past_key_values=cache,
            )
            logits[step][row] = model.lm_head(output[0, -1])
            first += tokens.shape[1]
            stream, tokens = output[:, -1:], next_tokens[None, row + step + 1 : row + step + 2]
    # The class itself agrees where training and drafting see the same.
    ids = torch.cat([torch.zeros(1, dtype=torch.long), next_tokens])[None]
    of_class = model(input_ids=ids, hidden_states=torch.cat([hidden, hidden[-1:]])[None])[0][0][0]
    torch.testing.assert_close(of_class, logits[0][: len(of_class)], rtol=1e-4, atol=1e-5)
    return logits


def publish(folder, layers):
    """The same weights as EAGLE's authors lay them out."""
    tensors = {
        name.replace("layers.0.", "midlayer."): value.contiguous()
        for name, value in load_file(folder / "model.safetensors").items()
        if name != "embed_tokens.weight"
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLMEagle3"],
        "model_type": "llama",
        "hidden_act": "silu",
        "draft_vocab_size": DRAFTED,
        "eagle_config": {"eagle_aux_hidden_state_layer_ids": layers, "use_aux_hidden_state": True},
        "tie_word_embeddings": False,
    } | {key: value for key, value in LAYER.items() if key != "rope_parameters"}
    config["rope_theta"] = LAYER["rope_parameters"]["rope_theta"]
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def publish_deepspec(folder, layers):
    """The same weights as DeepSpec lays them out, with embedding and head."""
    tensors = {
        name: value.contiguous()
        for name, value in load_file(folder / "model.safetensors").items()
        if not name.startswith(("verifier_", "d2t", "t2d"))
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = LAYER | {
        "architectures": ["Qwen3Eagle3Model"],
        "model_type": "qwen3",
        "hidden_act": "silu",
        "layer_types": ["full_attention"],
        "num_target_layers": 3,
        "draft_num_hidden_layers": 1,
        "target_layer_ids": layers,
        "ttt_length": STEPS,
        "step_loss_decay": 0.8,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def make_case(name, folder):
    make, borrows, published = CASES[name]
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    target = load_file(TARGET / "model.safetensors")
    model = make().eval()
    draw_weights(model, generator)
    ids = draw_vocabulary(model, generator)
    if folder.exists():
        shutil.rmtree(folder)
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    (folder / "config.py").unlink()  # the library's code
    if borrows:
        weights = load_file(folder / "model.safetensors")
        own = {
            key: value
            for key, value in weights.items()
            if key not in ("embed_tokens.weight", "verifier_lm_head.weight")
        }
        save_file(own, folder / "model.safetensors", metadata={"format": "pt"})
        model.embed_tokens.weight.copy_(target["model.embed_tokens.weight"])
    layers = [2] if name == "mtp_qwen3" else [id - 1 for id in model.config.eagle_aux_hidden_state_layer_ids]
    if published == "DeepSpec":
        publish_deepspec(folder, layers)
    elif published:
        publish(folder, [layer + 1 for layer in layers])

    next_tokens = ids[torch.randint(0, len(ids), (TOKENS,), generator=generator)]
    kept = [
        torch.randn(TOKENS, LAYER["hidden_size"], generator=generator) * (1 + layer) for layer in range(len(layers))
    ]
    if name == "mtp_qwen3":
        model.lm_head.weight.copy_(target["model.embed_tokens.weight"])
        logits = mtp_logits(model, next_tokens, rms_norm(kept[0], target["model.norm.weight"]))
    else:
        logits = eagle3_logits(model, next_tokens, kept)
    reference = {f"logits.{step}": value for step, value in enumerate(logits)}
    reference |= {f"kept.{layer}": value for layer, value in zip(layers, kept, strict=True)}
    reference["next_tokens"] = next_tokens.to(torch.float32)
    save_file({key: value.contiguous() for key, value in reference.items()}, folder / "reference.safetensors")
    size = (folder / "model.safetensors").stat().st_size
    print(f"{name}: {size} bytes of weights, deviation of logits {logits[0].std().item():.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, default=DATA, help="folder that gets one for each case")
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only this one (may be repeated)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for name in arguments.case or CASES:
        make_case(name, arguments.output / name)


if __name__ == "__main__":
    main()
