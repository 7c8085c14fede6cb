#include <fmt/format.h>

#include "sim/lossless/lossless_check.h"

namespace dspark {
namespace {

std::string lengths_text(const std::vector<int>& lengths) {
  std::string text;
  for (std::size_t r = 0; r < lengths.size(); ++r) text += fmt::format("{}{}", r == 0 ? "" : "|", lengths[r]);
  return text;
}

std::string decided_text(const DecidedDraw& draw, int block_size) {
  const int requests = static_cast<int>(draw.lengths.size());
  std::string text =
      fmt::format("    draft {}: submits {}", draw_text(draw.tokens, requests), lengths_text(draw.lengths));
  for (const int accepted : draw.accepted) {
    if (accepted == block_size) continue;
    return text + fmt::format(" where the target would accept {}", lengths_text(draw.accepted));
  }
  return text;
}

/// How much was asked, and whether anything ever hung on a draw.
std::string asked_text(const LosslessVerdict& verdict) {
  return fmt::format("{} states, {} decisions, {}", verdict.states, verdict.decisions,
                     verdict.different > 1
                         ? fmt::format("up to {} different ones in a state", verdict.different)
                         : "none depending on draws");
}

}  // namespace

std::string verdict_text(const LosslessVerdict& verdict) {
  switch (verdict.kind) {
    case LosslessVerdict::Kind::kProved:
      return fmt::format("proved (frontier only; {})", asked_text(verdict));
    case LosslessVerdict::Kind::kNoViolation:
      return "no violation in " + asked_text(verdict);
    case LosslessVerdict::Kind::kExposed:
      return verdict.exposure->changed.joint_only ? "exposed (jointly only)" : "exposed";
    case LosslessVerdict::Kind::kNotApplicable:
      return "not applicable: " + verdict.reason;
  }
  return {};
}

std::string exposure_text(const Exposure& exposure) {
  const SystemSize& size = exposure.size;
  std::string text = fmt::format(
      "  {} request{}, block of {}, vocabulary of {}, {} step costs, after {} round{}\n"
      "  two drafts that agree on what the first one submits, and two decisions:\n{}\n{}\n",
      size.requests, size.requests == 1 ? "" : "s", size.block_size, size.vocabulary, exposure.costs,
      exposure.rounds, exposure.rounds == 1 ? "" : "s", decided_text(exposure.first, size.block_size),
      decided_text(exposure.second, size.block_size));
  const ChangedLaw& law = exposure.changed;
  const std::string output = draw_text(law.text, size.requests);
  if (exposure.target_is_drafter) {
    text += fmt::format("  W({}) = {:.4g}; it would be 1 for every draft if the output were kept\n", output,
                        exposure.weight);
  }
  text += fmt::format(
      "  with {} as the target, the output is {} with probability {:.4g} instead of {:.4g}\n"
      "  (total variation {:.3g}{})\n",
      exposure.target_is_drafter ? "the drafter itself" : "another model", output, law.probability,
      law.target, law.total_variation,
      law.joint_only ? "; each request by itself keeps its law, the two together do not" : "");
  return text;
}

}  // namespace dspark
