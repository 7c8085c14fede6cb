"""Tiny random DSpark and DFlash drafters of a tiny target, and what the library `speculators` makes of them, in f32.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6
Requires: aiohttp==3.14.5 datasets==5.2.0 hs-connectors==0.9.0 loguru==0.7.3 openai==3.57.0 psutil==7.2.2
Requires: pydantic-settings==2.16.3 rich==15.0.0 typer==0.29.2
Requires without its requirements: speculators==0.9.0

    scripts/make_references block_drafters

writes into tests/executor/drafter/data (or --output) a folder for each case: config.json and the weights (BF16), as
DeepSpec, DFlash's authors or the library lay them out, and reference.safetensors with `text` (T), `anchors` (blocks)
and for each block `drafts` (blocks, γ) in the target's ids, `logits` (blocks, γ, drafted vocabulary) and `confidence`
(blocks, γ). The target is tests/executor/model/data/qwen3_tied. Backbone and heads are the library's modules, called
with its own attention mask; each draft is the likeliest token, and the Markov head hears it at the next position, as
it does when it drafts. The library asks for older torch and transformers than the other references are made with; its
models run unchanged on these.
"""

import argparse
import json
import math
import pathlib
import shutil
import zlib

import torch
import transformers
from safetensors.torch import save_file
from speculators.models.dflash import DFlashDraftModel, DFlashSpeculatorConfig
from speculators.models.dspark import DSparkDraftModel, DSparkSpeculatorConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/executor/drafter/data"
TARGET = ROOT / "tests/executor/model/data/qwen3_tied"
TOKENS = 27
ANCHORS = [1, 11, 20]
MASK = 5
LAYERS = [-1, 1]  # of the target: the embedding and the output of layer 1

STACK = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 64,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0},
}
WINDOWS = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 6, "use_sliding_window": True}
DEEPSPEC, ORIGINAL, LIBRARY = "DeepSpec", "DFlash's authors", "speculators"
# name: layout, DSpark (else DFlash), what differs
CASES = {
    "dspark_vanilla": (DEEPSPEC, True, {"block_size": 5, "markov_rank": 8}),
    "dspark_gated": (DEEPSPEC, True, {"block_size": 4, "markov_rank": 6, "markov_head_type": "gated"}),
    "dspark_rnn_hidden_confidence": (
        DEEPSPEC,
        True,
        {"block_size": 5, "markov_rank": 6, "markov_head_type": "rnn", "confidence_head_with_markov": False},
    ),
    "dflash": (DEEPSPEC, False, {"block_size": 4, "sample_from_anchor": True}),
    "dflash_original": (ORIGINAL, False, {"block_size": 4}),
    "speculators_dspark_rnn": (
        LIBRARY,
        True,
        {
            "block_size": 5,
            "markov_rank": 6,
            "markov_head_type": "rnn",
            "draft_vocab_size": 40,
            "sample_from_anchor": False,
        },
    ),
    "speculators_dspark": (LIBRARY, True, {"block_size": 4, "markov_rank": 8}),
    "speculators_dflash": (LIBRARY, False, {"block_size": 5, "draft_vocab_size": 40}),
    "speculators_dspark_windows": (LIBRARY, True, {"block_size": 5, "markov_rank": 6, "stack": WINDOWS}),
    "speculators_dflash_windows": (
        LIBRARY,
        False,
        {"block_size": 5, "sliding_window_non_causal": True, "stack": WINDOWS},
    ),
}


def target_rows(tokens):
    """What the target's layers give: (T, layers · width) in the drafter's order, and its embedding and head."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        TARGET, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    kept = {}

    def keep(layer):
        return lambda _module, _inputs, output: kept.update(
            {layer: (output[0] if isinstance(output, tuple) else output).reshape(len(tokens), -1).clone()}
        )

    model.model.embed_tokens.register_forward_hook(keep(-1))
    for index, layer in enumerate(model.model.layers):
        layer.register_forward_hook(keep(index))
    with torch.no_grad():
        model(torch.tensor([tokens]), use_cache=False)
    weight = model.model.embed_tokens.weight.detach()
    return torch.cat([kept[layer] for layer in LAYERS], dim=-1), weight


def draw_weights(model, generator):
    """Fills every parameter with what BF16 can hold."""
    for name, weight in model.state_dict().items():
        if name in ("t2d", "d2t"):
            continue
        noise = torch.randn(weight.shape, generator=generator)
        if "norm" in name and weight.dim() == 1:
            noise = 1.0 + 0.25 * noise
        elif name.endswith("bias"):
            noise = 0.3 * noise
        elif "embed_tokens" in name or "markov_w1" in name:
            noise = 0.7 * noise
        else:
            noise = noise * 1.2 / math.sqrt(weight.shape[-1])
        with torch.no_grad():
            weight.copy_(noise.to(torch.bfloat16).to(torch.float32))


def make_model(name, generator, embedding):
    layout, dspark, options = CASES[name]
    layers = transformers.Qwen3Config(**STACK | options.get("stack", {}))
    layers._attn_implementation = "eager"
    config_class, model_class = (
        (DSparkSpeculatorConfig, DSparkDraftModel) if dspark else (DFlashSpeculatorConfig, DFlashDraftModel)
    )
    config = config_class(
        transformer_layer_config=layers,
        aux_hidden_state_layer_ids=[layer + 1 for layer in LAYERS],
        mask_token_id=MASK,
        **{"draft_vocab_size": STACK["vocab_size"]} | {key: options[key] for key in options if key != "stack"},
    )
    model = model_class(config).eval()
    draw_weights(model, generator)
    if layout != DEEPSPEC:
        with torch.no_grad():
            model.embed_tokens.weight.copy_(embedding)
            if not model.use_draft_vocab:
                model.lm_head.weight.copy_(embedding)
    if model.use_draft_vocab:
        known = torch.sort(torch.randperm(STACK["vocab_size"], generator=generator)[: model.draft_vocab_size]).values
        mask = torch.zeros(STACK["vocab_size"], dtype=torch.bool)
        mask[known] = True
        model.load_vocab_mappings(mask, known - torch.arange(model.draft_vocab_size))
    return model


def save(name, model, folder):
    layout, dspark, _ = CASES[name]
    if folder.exists():
        shutil.rmtree(folder)
    if layout == LIBRARY:
        model.to(torch.bfloat16).save_pretrained(folder)
        (folder / "config.py").unlink(missing_ok=True)  # the library's own code, which nobody reads
        return
    folder.mkdir(parents=True)
    left_out = ("verifier_",) if layout == DEEPSPEC else ("verifier_", "embed_tokens", "lm_head")
    weights = {name: weight for name, weight in model.state_dict().items() if not name.startswith(left_out)}
    save_file({n: w.to(torch.bfloat16).contiguous() for n, w in weights.items()}, folder / "model.safetensors")
    config = json.dumps(published_config(model, layout, dspark), indent=2) + "\n"
    (folder / "config.json").write_text(config, encoding="utf-8")


def published_config(model, layout, dspark):
    """What stands in config.json where the library does not write it."""
    own = model.config
    config = {
        "architectures": ["Qwen3DSparkModel"],  # DeepSpec's DFlash is one without heads
        "model_type": "qwen3",
        **STACK,
        "layer_types": ["full_attention"] * STACK["num_hidden_layers"],
        "block_size": own.block_size,
        "num_target_layers": 3,
    }
    block = {"mask_token_id": MASK, "target_layer_ids": LAYERS}
    if layout == ORIGINAL:
        return config | {"architectures": ["DFlashDraftModel"], "dflash_config": block}
    config |= block | {"num_anchors": 512}
    if not dspark:
        return config | {"markov_rank": 0, "enable_confidence_head": False}
    return config | {
        "markov_rank": own.markov_rank,
        "markov_head_type": own.markov_head_type,
        "enable_confidence_head": own.enable_confidence_head,
        "confidence_head_with_markov": own.confidence_head_with_markov,
    }


def record(model, tokens, context):
    """Drafts from each anchor, position by position, with the library's backbone and heads."""
    loss_mask = torch.zeros(1, len(tokens))
    loss_mask[0, ANCHORS] = 1
    hidden, base, *_ = model._backbone_forward(
        context.unsqueeze(0),
        torch.tensor([tokens]),
        loss_mask,
        torch.zeros(1, len(tokens), STACK["hidden_size"]),
        torch.zeros(1, len(tokens), dtype=torch.long),
        max_anchors=len(ANCHORS),
    )
    block = model.block_size
    hidden, base = hidden.view(len(ANCHORS), block, -1), base.view(len(ANCHORS), block, -1)
    from_anchor = model.config.sample_from_anchor
    markov, head = getattr(model, "markov_head", None), getattr(model, "confidence_head", None)
    previous = torch.tensor([[tokens[anchor]] for anchor in ANCHORS])
    if not from_anchor:  # the anchor's own row and the first mask both follow the anchor
        previous = previous.repeat(1, 2)
    drafts, logits, confidence = [], [], []
    for row in range(0 if from_anchor else 1, block):
        seen = previous[:, : row + 1]
        of_row = base[:, row]
        features = hidden[:, row]
        if markov is not None:
            bias = markov.block_bias(prev_token_ids=seen, hidden_states=hidden[:, : row + 1])
            of_row = of_row + bias[:, -1]
        if head is not None:
            if model.config.confidence_head_with_markov:
                features = torch.cat([features, markov.prev_embeddings(seen[:, -1])], dim=-1)
            confidence.append(torch.sigmoid(head(features)))
        token = of_row.argmax(dim=-1)
        if model.use_draft_vocab:
            token = token + model.d2t[token]
        previous = torch.cat([previous, token.unsqueeze(1)], dim=1)
        drafts.append(token)
        logits.append(of_row)
    kept = {"drafts": torch.stack(drafts, 1), "logits": torch.stack(logits, 1)}
    if head is not None:
        kept["confidence"] = torch.stack(confidence, 1)
    kept["text"] = torch.tensor(tokens)
    kept["anchors"] = torch.tensor(ANCHORS)
    return {name: value.to(torch.float32).contiguous() for name, value in kept.items()}


def make_case(name, folder):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    tokens = torch.randint(6, STACK["vocab_size"], (TOKENS,), generator=generator).tolist()
    context, embedding = target_rows(tokens)
    model = make_model(name, generator, embedding)
    with torch.no_grad():
        reference = record(model, tokens, context)
    save(name, model, folder)  # afterwards: it rounds the rotary frequencies too
    save_file(reference, folder / "reference.safetensors")
    for path in folder.iterdir():
        path.chmod(0o644)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{name}: {size} bytes, deviation of logits {reference['logits'].std().item():.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, default=DATA, help="folder that gets one for each case")
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only this one (may be repeated)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for name in arguments.case or CASES:
        make_case(name, arguments.output / name)


if __name__ == "__main__":
    main()
