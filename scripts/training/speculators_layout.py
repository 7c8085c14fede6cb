"""A drafter's folder as the library `speculators` lays it out: config.json, and its tensors by name and shape.

Neither needs PyTorch. The target's embedding is not stored; its LM head only as the rows of a reduced draft vocabulary.
"""


def layout_config(stack, drafter, target):
    """stack: the draft layers' configuration. drafter: what is said of the block. target: whose drafter it is.

    drafter: block_size, layer_ids (i: the output of the target's layer i), mask_token, rank, draft_vocabulary."""
    return {
        "architectures": ["DSparkDraftModel"],
        "speculators_model_type": "dspark",
        "speculators_version": "0.9.0",
        "speculators_config": {
            "algorithm": "dspark",
            "default_proposal_method": "greedy",
            "proposal_methods": [{"proposal_type": "greedy", "speculative_tokens": drafter["block_size"]}],
            "verifier": target,
        },
        "transformer_layer_config": stack,
        "aux_hidden_state_layer_ids": [layer + 1 for layer in drafter["layer_ids"]],  # 0 is the embedding there
        "block_size": drafter["block_size"],
        "sample_from_anchor": True,
        "sliding_window_non_causal": False,
        "mask_token_id": drafter["mask_token"],
        "draft_vocab_size": drafter["draft_vocabulary"],
        "markov_rank": drafter["rank"],
        "markov_head_type": "vanilla",
        "enable_confidence_head": True,
        "confidence_head_with_markov": True,
        "tie_word_embeddings": False,
        "dtype": "bfloat16",
    }


def layout_tensors(config):
    """Shapes of all tensors by name, as config.json has it."""
    stack = config["transformer_layer_config"]
    width, inner, head = (stack[key] for key in ("hidden_size", "intermediate_size", "head_dim"))
    queries, keys = (stack[key] * head for key in ("num_attention_heads", "num_key_value_heads"))
    rank, drafted, vocabulary = config["markov_rank"], config["draft_vocab_size"], stack["vocab_size"]
    shapes = {
        "fc.weight": [width, len(config["aux_hidden_state_layer_ids"]) * width],
        "hidden_norm.weight": [width],
        "norm.weight": [width],
        "markov_head.markov_w1.weight": [vocabulary, rank],
        "markov_head.markov_w2.weight": [drafted, rank],
        "confidence_head.proj.weight": [1, width + rank],
        "confidence_head.proj.bias": [1],
    }
    for layer in range(stack["num_hidden_layers"]):
        parts = {
            "input_layernorm": [width],
            "post_attention_layernorm": [width],
            "self_attn.q_proj": [queries, width],
            "self_attn.k_proj": [keys, width],
            "self_attn.v_proj": [keys, width],
            "self_attn.o_proj": [width, queries],
            "self_attn.q_norm": [head],
            "self_attn.k_norm": [head],
            "mlp.gate_proj": [inner, width],
            "mlp.up_proj": [inner, width],
            "mlp.down_proj": [width, inner],
        }
        shapes |= {f"layers.{layer}.{name}.weight": shape for name, shape in parts.items()}
    if drafted < vocabulary:
        shapes |= {"lm_head.weight": [drafted, width], "d2t": [drafted], "t2d": [vocabulary]}
    return shapes


def draft_to_target(draft_ids):
    """`d2t`: what is added to a draft token to have the target's."""
    return [token - draft for draft, token in enumerate(draft_ids)]
