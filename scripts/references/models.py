"""Tiny random models of every known family and what `transformers` computes with them, in f32 with eager attention.

Requires: torch==2.15.0 transformers==5.24.0 safetensors==0.8.0 numpy==2.4.6

    scripts/make_references models

writes into tests/executor/model/data (or --output) a folder for each case: config.json and the weights as
`save_pretrained` publishes them, and reference.safetensors with `tokens` (T), `logits` (T, vocabulary) and `hidden.I`
(T, width): I = -1 is the embedding as the first layer sees it, I = 0.. the output of decoder layer I, `hidden.norm`
that of the final norm. All are F32.
Weights are drawn so that logits are of order one and attention is far from uniform; norms, biases and layer scalars
are random too, so that leaving one out shows. The same seed gives the same bytes on one machine; another processor
may round the last bits of the references differently.
"""

import argparse
import math
import pathlib
import shutil
import zlib

import torch
import transformers
from safetensors.torch import save_file
from transformers.models.gemma3 import modeling_gemma3

DATA = pathlib.Path(__file__).resolve().parents[2] / "tests/executor/model/data"
TOKENS = 29  # of every sequence: three windows and more
WINDOW = 8

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 64,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 1,
    "rms_norm_eps": 1e-5,
}
YARN = {"rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
GEMMA3 = SIZES | {
    "tie_word_embeddings": True,
    "sliding_window": WINDOW,
    "query_pre_attn_scalar": 6,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    },
}
GEMMA4 = SIZES | {
    "tie_word_embeddings": True,
    "sliding_window": WINDOW,
    "global_head_dim": 16,
    "vocab_size_per_layer_input": 64,
    "hidden_size_per_layer_input": 0,
    "rope_parameters": {
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1e3},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e2},
    },
}
SHARED = ["sliding_attention", "full_attention"] * 3
SIGLIP = {
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "image_size": 8,
    "patch_size": 4,
}
GEMMA4_VISION = {
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "patch_size": 4,
    "position_embedding_size": 16,
}


def gemma3_with_images(text):
    return transformers.Gemma3Config(text_config=text, vision_config=SIGLIP, mm_tokens_per_image=4)


def gemma4_with_images(text):
    return transformers.Gemma4Config(text_config=text, vision_config=GEMMA4_VISION, audio_config=None)


# name: class, configuration, type of the stored weights, largest shard
CASES = {
    "qwen3_tied": (
        "Qwen3ForCausalLM",
        lambda: transformers.Qwen3Config(**SIZES, tie_word_embeddings=True),
        "f32",
        None,
    ),
    "qwen3_window_bias_yarn": (
        "Qwen3ForCausalLM",
        lambda: transformers.Qwen3Config(
            **SIZES,
            attention_bias=True,
            use_sliding_window=True,
            sliding_window=WINDOW,
            max_window_layers=1,
            rope_parameters=YARN,
        ),
        "bf16",
        None,
    ),
    "qwen3_layer_types_f16": (
        "Qwen3ForCausalLM",
        lambda: transformers.Qwen3Config(
            **SIZES,
            use_sliding_window=True,
            sliding_window=WINDOW,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_parameters=YARN | {"attention_factor": 1.5, "beta_fast": 4.0, "beta_slow": 0.5},
        ),
        "f16",
        None,
    ),
    "llama_tied_llama3": (
        "LlamaForCausalLM",
        lambda: transformers.LlamaConfig(**SIZES | {"head_dim": 12}, tie_word_embeddings=True, rope_parameters=LLAMA3),
        "bf16",
        None,
    ),
    "llama_bias_linear_sharded": (
        "LlamaForCausalLM",
        lambda: transformers.LlamaConfig(
            **SIZES | {"num_key_value_heads": 1},
            attention_bias=True,
            mlp_bias=True,
            rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
        ),
        "bf16",
        "16KB",
    ),
    "gemma3_text": ("Gemma3ForCausalLM", lambda: transformers.Gemma3TextConfig(**GEMMA3), "bf16", None),
    "gemma3_caps_linear": (
        "Gemma3ForCausalLM",
        lambda: transformers.Gemma3TextConfig(
            **GEMMA3
            | {
                "attn_logit_softcapping": 1.5,
                "final_logit_softcapping": 2.0,
                "attention_bias": True,
                "tie_word_embeddings": False,
                "rope_parameters": {
                    "full_attention": {"rope_type": "linear", "rope_theta": 1e4, "factor": 8.0},
                    "sliding_attention": {"rope_type": "default", "rope_theta": 1e2},
                },
            }
        ),
        "bf16",
        None,
    ),
    "gemma3_images": ("Gemma3ForConditionalGeneration", lambda: gemma3_with_images(GEMMA3), "bf16", None),
    "gemma4_per_layer_shared": (
        "Gemma4ForCausalLM",
        lambda: transformers.Gemma4TextConfig(
            **GEMMA4
            | {
                "num_hidden_layers": 6,
                "layer_types": SHARED,
                "num_kv_shared_layers": 3,
                "hidden_size_per_layer_input": 6,
                "vocab_size_per_layer_input": 72,
                "use_double_wide_mlp": True,
                "final_logit_softcapping": 2.0,
                "intermediate_size": 24,
            }
        ),
        "bf16",
        None,
    ),
    "gemma4_keys_are_values": (
        "Gemma4ForCausalLM",
        lambda: transformers.Gemma4TextConfig(
            **GEMMA4
            | {
                "attention_k_eq_v": True,
                "num_global_key_value_heads": 1,
                "layer_types": ["full_attention", "sliding_attention", "full_attention"],
                "tie_word_embeddings": False,
            }
        ),
        "f32",
        None,
    ),
    "gemma4_images": (
        "Gemma4ForConditionalGeneration",
        lambda: gemma4_with_images(
            GEMMA4
            | {
                "layer_types": ["sliding_attention", "full_attention", "full_attention"],
                "num_kv_shared_layers": 1,
                "hidden_size_per_layer_input": 6,
                "attention_k_eq_v": True,
            }
        ),
        "bf16",
        None,
    ),
}
TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def draw_weights(model, generator, counts_from_one):
    """Fills every parameter and stored buffer, rounded to no type yet."""
    tied = model.config.get_text_config().tie_word_embeddings
    for name, weight in model.state_dict().items():
        noise = torch.randn(weight.shape, generator=generator)
        if name.endswith("layer_scalar"):
            noise = 0.75 + 0.15 * noise
        elif "norm" in name:
            noise = (0.0 if counts_from_one else 1.0) + 0.25 * noise
        elif name.endswith("bias"):
            noise = 0.3 * noise
        elif "embed_tokens" in name:  # what is tied makes logits, what is scaled is multiplied by its width's root
            noise = noise * (weight.shape[1] ** -0.5 if tied or "Gemma" in type(model).__name__ else 0.5)
        elif weight.dim() >= 2:
            noise = noise * 1.2 / math.sqrt(weight[0].numel())
        with torch.no_grad():
            weight.copy_(noise)


def record(model, tokens):
    """Logits and every layer's output, from hooks: `output_hidden_states` gives the last one behind the norm."""
    text = model.model.language_model if hasattr(model.model, "language_model") else model.model
    kept = {}

    def keep(name):
        return lambda _module, _inputs, output: kept.update(
            {name: (output[0] if isinstance(output, tuple) else output)[0].clone()}
        )

    text.embed_tokens.register_forward_hook(keep("hidden.-1"))
    for index, layer in enumerate(text.layers):
        layer.register_forward_hook(keep(f"hidden.{index}"))
    text.norm.register_forward_hook(keep("hidden.norm"))
    options = {"output_hidden_states": True, "use_cache": False}
    # The class reads attn_logit_softcapping and does not hand it to its attention function, which knows it.
    if isinstance(model, modeling_gemma3.Gemma3ForCausalLM):
        options["softcap"] = model.config.attn_logit_softcapping
    with torch.no_grad():
        kept["logits"] = model(torch.tensor([tokens]), **options).logits[0]
    kept["tokens"] = torch.tensor(tokens, dtype=torch.float32)
    return {name: value.to(torch.float32).contiguous() for name, value in kept.items()}


def make_case(name, folder):
    architecture, make_config, stored, shard = CASES[name]
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    config = make_config()
    config._attn_implementation = "eager"
    model = getattr(transformers, architecture)(config)
    draw_weights(model, generator, counts_from_one="Gemma3" in architecture)
    if folder.exists():
        shutil.rmtree(folder)
    model.to(TYPES[stored]).save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    (folder / "generation_config.json").unlink(missing_ok=True)

    model = (
        getattr(transformers, architecture)
        .from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        .eval()
    )
    vocabulary = config.get_text_config().vocab_size
    tokens = torch.randint(3, vocabulary, (TOKENS,), generator=generator).tolist()
    reference = record(model, tokens)
    save_file(reference, folder / "reference.safetensors")
    spread = reference["logits"].std().item()
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{name}: {architecture}, {stored}, {size} bytes, deviation of logits {spread:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, default=DATA, help="folder that gets one for each case")
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only this one (may be repeated)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for name in arguments.case or CASES:
        make_case(name, arguments.output / name)


if __name__ == "__main__":
    main()
