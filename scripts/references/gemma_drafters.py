"""Tiny random block drafters on Gemma-4 layers as DeepSpec lays them out, and what `transformers` makes of them in f32.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6

    scripts/make_references gemma_drafters

writes into tests/executor/drafter/data (or --output) a folder for each case, with the files of block_drafters.py. The
target is tests/executor/model/data/gemma4_keys_are_values. The decoder layers are those of `transformers`, run as they
are on one block at a time: their cache holds the keys and values of the context, made by their own projections, norms
and rotation, and no mask is given, so that a block sees the context and all of itself. What DeepSpec adds around them
(Gemma4DSparkModel: projection of the context, soft cap before the Markov head's bias, confidence) is written here.
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
from torch import nn
from transformers.models.gemma4 import modeling_gemma4 as gemma4

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/executor/drafter/data"
TARGET = ROOT / "tests/executor/model/data/gemma4_keys_are_values"
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
    "num_global_key_value_heads": 1,
    "num_kv_shared_layers": 0,
    "head_dim": 8,
    "global_head_dim": 16,
    "hidden_size_per_layer_input": 0,
    "vocab_size": 64,
    "vocab_size_per_layer_input": 64,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "layer_types": ["full_attention", "full_attention"],
    "sliding_window": 8,
    "use_bidirectional_attention": "vision",
    "enable_moe_block": False,
}
ROPE = {
    "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000.0, "rope_type": "proportional"},
    "sliding_attention": {"rope_theta": 100.0, "rope_type": "default"},
}
CASES = {
    "gemma4_dspark": {
        "block_size": 5,
        "attention_k_eq_v": True,
        "final_logit_softcapping": 3.0,
        "markov_rank": 6,
        "markov_head_type": "vanilla",
        "enable_confidence_head": True,
        "confidence_head_with_markov": True,
    },
    "gemma4_dflash": {"block_size": 4, "attention_k_eq_v": False, "markov_rank": 0, "enable_confidence_head": False},
}


class Drafter(nn.Module):
    def __init__(self, options):
        super().__init__()
        own = {key: options[key] for key in ("attention_k_eq_v", "final_logit_softcapping") if key in options}
        config = transformers.Gemma4TextConfig(**STACK | own | {"rope_parameters": ROPE})
        config._attn_implementation = "eager"
        width, vocabulary, rank = config.hidden_size, config.vocab_size, options["markov_rank"]
        self.soft_cap = config.final_logit_softcapping
        self.embed_tokens = gemma4.Gemma4TextScaledWordEmbedding(vocabulary, width, None, embed_scale=math.sqrt(width))
        self.layers = nn.ModuleList(gemma4.Gemma4TextDecoderLayer(config, i) for i in range(config.num_hidden_layers))
        self.norm = gemma4.Gemma4RMSNorm(width, eps=config.rms_norm_eps)
        self.fc = nn.Linear(len(LAYERS) * width, width, bias=False)
        self.hidden_norm = gemma4.Gemma4RMSNorm(width, eps=config.rms_norm_eps)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.rotary = [gemma4.Gemma4TextRotaryEmbedding(config)]  # in a list: it has no weights to save
        self.markov_head = self.confidence_head = None
        if rank > 0:
            self.markov_head = nn.ModuleDict(
                {"markov_w1": nn.Embedding(vocabulary, rank), "markov_w2": nn.Linear(rank, vocabulary, bias=False)}
            )
        if options["enable_confidence_head"]:
            self.confidence_head = nn.ModuleDict({"proj": nn.Linear(width + rank, 1)})

    def angles(self, first, count):
        positions = torch.arange(first, first + count)[None]
        return self.rotary[0](self.norm.weight[None, None], positions, "full_attention")

    def remember(self, cache, index, context):
        """The keys and values that a layer makes of the context, which has passed no norm of the layer."""
        attention = self.layers[index].self_attn
        heads = (1, len(context), -1, attention.head_dim)
        keys = attention.k_proj(context).view(heads)
        values = keys if attention.v_proj is None else attention.v_proj(context).view(heads)
        keys = gemma4.apply_rotary_pos_emb(attention.k_norm(keys), *self.angles(0, len(context)), unsqueeze_dim=2)
        cache.update(keys.transpose(1, 2), attention.v_norm(values).transpose(1, 2), index)

    def block(self, context, anchor_token, size):
        """Hidden states (size, width) and logits (size, vocabulary) of a block behind this context."""
        context = self.hidden_norm(self.fc(context))
        cache = transformers.DynamicCache()
        stream = self.embed_tokens(torch.tensor([[anchor_token] + [MASK] * (size - 1)]))
        for index, layer in enumerate(self.layers):
            self.remember(cache, index, context)
            stream = layer(
                stream,
                shared_kv_states={},
                position_embeddings=self.angles(len(context), size),
                attention_mask=None,
                cache=cache,
            )
        hidden = self.norm(stream[0])
        logits = self.lm_head(hidden)
        return hidden, logits if self.soft_cap is None else self.soft_cap * torch.tanh(logits / self.soft_cap)

    def draft(self, context, token, size):
        """Tokens, logits and confidences of the likeliest drafts behind the anchor `token`."""
        hidden, base = self.block(context, token, size)
        tokens, logits, confidence = [], [], []
        for row in range(size):
            of_row, features = base[row], hidden[row]
            if self.markov_head is not None:
                before = self.markov_head["markov_w1"](torch.tensor(token))
                of_row = of_row + self.markov_head["markov_w2"](before)
                features = torch.cat([features, before])
            if self.confidence_head is not None:
                confidence.append(torch.sigmoid(self.confidence_head["proj"](features))[0])
            token = of_row.argmax().item()
            tokens.append(token)
            logits.append(of_row)
        return torch.tensor(tokens), torch.stack(logits), confidence


def target_rows(tokens):
    """What the target's layers give: (T, layers · width), -1 being the embedding as the first layer sees it."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        TARGET, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    hidden = model(torch.tensor([tokens]), use_cache=False, output_hidden_states=True).hidden_states
    return torch.cat([hidden[layer + 1][0] for layer in LAYERS], dim=-1)


def draw_weights(model, generator):
    """Fills all with what BF16 can hold."""
    for name, weight in model.state_dict().items():
        noise = torch.randn(weight.shape, generator=generator)
        if name.endswith("layer_scalar"):
            noise = 0.8 + 0.2 * noise
        elif "norm" in name:
            noise = 1.0 + 0.25 * noise
        elif name.endswith("bias"):
            noise = 0.3 * noise
        elif "embed_tokens" in name or "markov_w1" in name:
            noise = 0.7 * noise
        else:
            noise = noise * 1.2 / math.sqrt(weight.shape[-1])
        weight.copy_(noise.to(torch.bfloat16).to(torch.float32))


def published_config(options):
    """As DeepSpec writes it, whose `rope_parameters` hold keys of no layer beside those of each type."""
    return {
        "architectures": ["Gemma4DSparkModel"],
        "model_type": "gemma4_text",
        "attention_bias": False,
        "hidden_activation": "gelu_pytorch_tanh",
        **STACK,
        "rope_parameters": ROPE | {"rope_theta": None, "rope_type": "default"},
        "use_double_wide_mlp": False,
        "num_target_layers": 3,
        "target_layer_ids": LAYERS,
        "mask_token_id": MASK,
        "num_anchors": 512,
        **options,
    }


def make_case(name, folder):
    options = CASES[name]
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    tokens = torch.randint(6, STACK["vocab_size"], (TOKENS,), generator=generator).tolist()
    rows = target_rows(tokens)
    model = Drafter(options).eval()
    draw_weights(model, generator)
    drafts = [model.draft(rows[:anchor], tokens[anchor], options["block_size"]) for anchor in ANCHORS]
    reference = {"text": torch.tensor(tokens), "anchors": torch.tensor(ANCHORS)}
    reference |= {"drafts": torch.stack([one[0] for one in drafts]), "logits": torch.stack([one[1] for one in drafts])}
    if options["enable_confidence_head"]:
        reference["confidence"] = torch.stack([torch.stack(one[2]) for one in drafts])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    weights = {key: value.to(torch.bfloat16).contiguous() for key, value in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    save_file({key: value.to(torch.float32).contiguous() for key, value in reference.items()},
              folder / "reference.safetensors")  # fmt: skip
    (folder / "config.json").write_text(json.dumps(published_config(options), indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
    print(f"{name}: deviation of logits {reference['logits'].std().item():.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, default=DATA, help="folder that gets one for each case")
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only this one (may be repeated)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    for name in arguments.case or CASES:
        make_case(name, arguments.output / name)


if __name__ == "__main__":
    main()
