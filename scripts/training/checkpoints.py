"""Folders as they are published: the target as Hugging Face has it, drafters in DeepSpec's layout. Weights are BF16."""

import json

import torch
from drafters import GAMMA, Drafter
from layers import Shape
from safetensors.torch import load_file, save_file
from target import Target
from vocabulary import END, END_TOKEN, MASK_TOKEN


def stack_config(shape):
    return {
        "model_type": "qwen3",
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "rms_norm_eps": shape.epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.theta},
        "layer_types": ["full_attention"] * shape.layers,
        "hidden_act": "silu",
        "attention_bias": False,
        "dtype": "bfloat16",
    }


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_shape(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        head_dim=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
        inner=config["intermediate_size"],
        theta=config["rope_theta"] if "rope_theta" in config else config["rope_parameters"]["rope_theta"],
        epsilon=config["rms_norm_eps"],
        positions=config["max_position_embeddings"],
        head_norms=config["model_type"] == "qwen3",
    )
    return shape, config


def save_weights(module, folder):
    weights = {name: w.detach().to(torch.bfloat16).contiguous().clone() for name, w in module.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


def load_weights(module, folder):
    module.load_state_dict({name: w.float() for name, w in load_file(folder / "model.safetensors").items()})
    return module.requires_grad_(False)


def save_target(target, tokenizer, folder):
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(target, folder)
    ends = {"eos_token_id": END_TOKEN, "pad_token_id": END_TOKEN}
    architecture = {"architectures": ["Qwen3ForCausalLM"], "tie_word_embeddings": True}
    write_json(folder / "config.json", architecture | stack_config(target.shape) | ends)
    write_json(folder / "generation_config.json", ends | {"do_sample": True, "temperature": 1.0})
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": END,
            "clean_up_tokenization_spaces": False,
            "model_max_length": target.shape.positions,
        },
    )
    text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")


def load_target(folder):
    shape, _ = read_shape(folder)
    return load_weights(Target(shape), folder)


def save_drafter(drafter, target_layers, folder):
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(drafter, folder)
    heads = {"markov_rank": 0, "enable_confidence_head": False}
    if drafter.rank:
        heads = {
            "markov_rank": drafter.rank,
            "markov_head_type": "vanilla",
            "enable_confidence_head": True,
            "confidence_head_with_markov": True,
        }
    block = {
        "tie_word_embeddings": False,
        "block_size": GAMMA,
        "num_target_layers": target_layers,
        "target_layer_ids": list(drafter.layer_ids),
        "mask_token_id": MASK_TOKEN,
        "num_anchors": 512,
    }
    # DeepSpec's DFlash is one without heads.
    write_json(
        folder / "config.json", {"architectures": ["Qwen3DSparkModel"]} | stack_config(drafter.shape) | block | heads
    )


def load_drafter(folder):
    shape, config = read_shape(folder)
    return load_weights(Drafter(shape, config["target_layer_ids"], config["markov_rank"]), folder)
