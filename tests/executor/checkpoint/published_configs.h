#pragma once

#include <string>

// The keys that the reader looks at, as the publishers wrote them.

namespace dspark {

inline const std::string kQwen4B =
    R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"bos_token_id":151643,"eos_token_id":151645,
"head_dim":128,"hidden_act":"silu","hidden_size":2560,"intermediate_size":9728,"max_position_embeddings":40960,
"max_window_layers":36,"model_type":"qwen3","num_attention_heads":32,"num_hidden_layers":36,"num_key_value_heads":8,
"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,"sliding_window":null,"tie_word_embeddings":true,
"use_sliding_window":false,"vocab_size":151936})";

inline const std::string kLlama1B =
    R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"bos_token_id":128000,
"eos_token_id":[128001,128008,128009],"head_dim":64,"hidden_act":"silu","hidden_size":2048,"intermediate_size":8192,
"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,
"num_hidden_layers":16,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,
"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},
"rope_theta":500000.0,"tie_word_embeddings":true,"vocab_size":128256})";

inline const std::string kSmolLm2 =
    R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"eos_token_id":2,"hidden_act":"silu",
"hidden_size":576,"intermediate_size":1536,"is_llama_config":true,"max_position_embeddings":8192,"mlp_bias":false,
"model_type":"llama","num_attention_heads":9,"num_hidden_layers":30,"num_key_value_heads":3,"rms_norm_eps":1e-05,
"rope_interleaved":false,"rope_scaling":null,"rope_theta":100000,"tie_word_embeddings":true,"vocab_size":49152})";

inline const std::string kGemma1B =
    R"({"architectures":["Gemma3ForCausalLM"],"attention_bias":false,"attn_logit_softcapping":null,
"cache_implementation":"hybrid","eos_token_id":[1,106],"final_logit_softcapping":null,"head_dim":256,
"hidden_activation":"gelu_pytorch_tanh","hidden_size":1152,"intermediate_size":6912,"max_position_embeddings":32768,
"model_type":"gemma3_text","num_attention_heads":4,"num_hidden_layers":26,"num_key_value_heads":1,
"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_local_base_freq":10000,"rope_scaling":null,
"rope_theta":1000000,"sliding_window":512,"sliding_window_pattern":6,"vocab_size":262144})";

/// Of its text part the publisher names what differs from the defaults, and no more.
inline const std::string kGemma4B =
    R"({"architectures":["Gemma3ForConditionalGeneration"],"eos_token_id":[1,106],"model_type":"gemma3",
"text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,
"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024},"vision_config":{"hidden_size":1152}})";

/// A dense text part with the particulars of Gemma 4; the sizes are not a publisher's.
inline const std::string kGemma4 =
    R"({"architectures":["Gemma4ForConditionalGeneration"],"eos_token_id":[1,106],"model_type":"gemma4",
"text_config":{"attention_k_eq_v":true,"final_logit_softcapping":30.0,"global_head_dim":512,"head_dim":256,
"hidden_activation":"gelu_pytorch_tanh","hidden_size":3840,"hidden_size_per_layer_input":0,"intermediate_size":15360,
"layer_types":["sliding_attention","full_attention"],"num_attention_heads":16,"num_global_key_value_heads":1,
"num_hidden_layers":2,"num_key_value_heads":8,"rope_parameters":{
"full_attention":{"partial_rotary_factor":0.25,"rope_theta":1000000.0,"rope_type":"proportional"},
"sliding_attention":{"rope_theta":10000.0,"rope_type":"default"}},"sliding_window":1024,"vocab_size":262144}})";

}  // namespace dspark
