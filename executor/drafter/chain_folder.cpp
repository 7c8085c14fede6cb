#include "executor/drafter/chain_folder.h"

#include <fmt/format.h>

namespace dspark {
namespace {

Error error_in(const std::string& path, std::string message, std::string advice = {}) {
  return Error{std::move(message), {std::make_shared<const std::string>(path), 0, 0}, std::move(advice)};
}

DecoderOptions decoder_options(const ChainOptions& options, int layers) {
  return {.max_rows = options.max_rows,
          .max_logit_rows = options.max_requests,
          .kept_layers = {layers - 1},
          .kv_tokens = options.kv_tokens};
}

}  // namespace

Result<std::unique_ptr<ChainDrafter>> open_language_model_drafter(const std::string& folder,
                                                                  const ModelConfig& target, Kernels& kernels,
                                                                  const ChainOptions& options) {
  const auto config = read_model_config(folder);
  if (!config) return config.error();
  if (config->vocab_size != target.vocab_size)
    return error_in(
        folder + "/config.json",
        fmt::format("vocab_size: {}, but the target has {} tokens", config->vocab_size, target.vocab_size),
        "a drafter speaks the target's tokens");
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint) return checkpoint.error();
  auto decoder = Decoder::load(*checkpoint, *config, kernels, decoder_options(options, config->layers));
  if (!decoder) return decoder.error();
  return ChainDrafter::make(std::move(*decoder), std::nullopt, {},
                            static_cast<std::size_t>(target.vocab_size), kernels, options);
}

}  // namespace dspark
