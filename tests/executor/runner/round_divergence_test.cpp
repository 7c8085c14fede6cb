#include "executor/runner/round_divergence.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "executor/drafter/chain_folder.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;
using testing::ServedTexts;
using testing::some_requests;

TEST(Divergence, IsThatOfItsFormula) {
  const std::vector<float> even{0.25F, 0.25F, 0.25F, 0.25F}, half{0.5F, 0.5F, 0, 0}, one{0, 0, 0, 1};
  EXPECT_EQ(divergence(even, even), 0);
  EXPECT_NEAR(divergence(half, even), std::log(2), 1e-15);
  EXPECT_NEAR(divergence(one, even), std::log(4), 1e-15);
  // A token that the drafter never proposes counts as one of 1e-10.
  EXPECT_NEAR(divergence(even, half), 0.5 * std::log(0.5) + 0.5 * (std::log(0.25) + 10 * std::log(10)),
              1e-12);
  EXPECT_NEAR(divergence(one, half), 10 * std::log(10), 1e-12);
}

/// What a policy was told of one round.
struct Told {
  std::size_t request = 0;
  std::int32_t anchor = 0;
  int accepted = 0;
  std::vector<float> divergence;  // of the verified positions
};

/// Verifies all that is drafted, and keeps the divergences.
class ListeningPolicy final : public DepthPolicy {
 public:
  ListeningPolicy(std::vector<Told>& told, unsigned signals) : told_(told), signals_(signals) {}
  PolicyTraits traits() const override { return {.signals = signals_}; }
  void observe(const StepOutcome& outcome) override {
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      Told told{static_cast<std::size_t>(outcome.request.id[r]),
                outcome.request.context[r],
                outcome.accepted[r],
                {}};
      for (int k = 1; k <= outcome.verified[r] && !outcome.divergence.empty(); ++k) {
        told.divergence.push_back(
            outcome.divergence[static_cast<std::size_t>(k - 1) * outcome.drafts.stride + r]);
      }
      told_.push_back(std::move(told));
    }
  }

 private:
  std::vector<Told>& told_;
  unsigned signals_;
};

std::vector<double> softmax(const std::vector<float>& logits, std::size_t row, std::size_t width,
                            double temperature) {
  std::vector<double> p(width);
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i)
    sum += p[i] = std::exp(static_cast<double>(logits[row * width + i]) / temperature);
  for (double& value : p) value /= sum;
  return p;
}

constexpr int kBlock = 4;
constexpr std::size_t kRequests = 3;

struct Served {
  std::vector<Told> told;
  std::vector<std::vector<std::int32_t>> texts;  // prompt and reply

  Served(float temperature, unsigned signals) {
    ServedModel model("qwen3_tied", ElementType::kF32);
    const auto drafter =
        *open_chain_drafter(model_data() + "llama_tied_llama3", model.draft_target(), *model.kernels,
                            {.block_size = kBlock, .max_requests = 16, .kv_tokens = 2048});
    ServedTexts served = model.served(drafter.get(), kBlock);
    served.own_policy = [&] { return std::make_unique<ListeningPolicy>(told, signals); };
    const auto requests = some_requests(kRequests, 30, temperature);
    served.serve(requests);
    for (std::size_t r = 0; r < kRequests; ++r) {
      texts.push_back(requests[r].prompt);
      texts[r].insert(texts[r].end(), served.replies[r].begin(), served.replies[r].end());
    }
  }
};

TEST(RoundDivergence, IsThatOfTwoModelsThatReadTheWholeText) {
  DecoderSteps target("qwen3_tied", ElementType::kF32), drafter("llama_tied_llama3", ElementType::kF32);
  const std::size_t width = target.decoder().plan().vocabulary;
  for (const float temperature : {0.0F, 1.7F}) {
    SCOPED_TRACE(temperature);
    const Served served(temperature, kDivergence);
    const double soft = temperature == 0 ? 1 : static_cast<double>(temperature);
    int compared = 0, deep = 0;
    for (std::size_t r = 0; r < kRequests; ++r) {
      const auto of_target = target.run(served.texts[r], {}), of_drafter = drafter.run(served.texts[r], {});
      for (const Told& told : served.told) {
        if (told.request != r) continue;
        // Positions behind a rejection stood on a text that is gone.
        const auto known =
            std::min<std::size_t>(told.divergence.size(), static_cast<std::size_t>(told.accepted) + 1);
        for (std::size_t k = 0; k < known; ++k) {
          const std::size_t row = static_cast<std::size_t>(told.anchor) + k;
          if (row >= served.texts[r].size()) continue;  // behind the reply's end
          const auto p = softmax(of_target.logits, row, width, soft),
                     q = softmax(of_drafter.logits, row, width, soft);
          double expected = 0;
          for (std::size_t i = 0; i < width; ++i) expected += p[i] * std::log(p[i] / q[i]);
          EXPECT_NEAR(told.divergence[k], expected, 2e-5 * std::max(1.0, expected))
              << "request " << r << ", row " << row;
          ++compared;
          deep += k > 0 ? 1 : 0;
        }
      }
    }
    EXPECT_GT(compared, 40);
    EXPECT_GT(deep, temperature > 0 ? 10 : -1);
  }
}

TEST(RoundDivergence, IsNotComputedWhereNobodyAsks) {
  for (const Told& told : Served(0, kTop1).told) EXPECT_TRUE(told.divergence.empty());
}

TEST(RoundDivergence, AskingChangesNoText) {
  for (const float temperature : {0.0F, 1.7F}) {
    EXPECT_EQ(Served(temperature, kDivergence).texts, Served(temperature, kConfidenceOnly).texts);
  }
}

}  // namespace
}  // namespace dspark
