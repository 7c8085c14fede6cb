// The real runner in the real engine, on a target whose text can be computed by hand.
#include "executor/runner/executor_runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

using testing::required_parameters;
using testing::ServedTexts;
using testing::some_requests;
using testing::ToyLanguage;
using testing::written;
using testing::written_map;

/// What the target alone says: its most likely token, again and again.
std::vector<std::int32_t> greedy_text(const ToyLanguage& language, const GivenRequest& request) {
  std::vector<std::int32_t> text = request.prompt;
  std::vector<std::int32_t> reply;
  while (static_cast<std::int32_t>(reply.size()) < request.output_limit) {
    const std::vector<float> logits = language.logits(text);
    reply.push_back(
        static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    text.push_back(reply.back());
  }
  return reply;
}

/// Policies that need the outcomes beforehand (oracles) cannot be served for real.
bool needs_outcomes(const std::string& policy) { return policy == "oracle"; }

Value fixed(int k) { return written_map({{"k", written(std::to_string(k))}}); }

TEST(ExecutorRunner, GreedyTextIsThatOfTheTargetAloneForEveryPolicyAndDrafter) {
  for (const std::string& policy : depth_policy_names()) {
    if (needs_outcomes(policy)) continue;
    for (const char* drafter : {"ngram", "toy"}) {
      for (const std::size_t batch : {1u, 5u, 16u}) {
        SCOPED_TRACE(fmt::format("{}, {}, {} requests", policy, drafter, batch));
        ServedTexts served;
        served.language.order = 3;
        served.policy = policy;
        served.policy_parameters = required_parameters(policy);
        served.drafter = drafter;
        const auto requests = some_requests(batch, 24, 0);
        served.serve(requests);
        for (std::size_t i = 0; i < requests.size(); ++i) {
          ASSERT_EQ(served.replies[i], greedy_text(served.language, requests[i])) << "request " << i;
        }
        if (policy == "fixed") {
          EXPECT_GT(served.accepted, 0) << "drafts were of use";
          EXPECT_LT(served.accepted, served.submitted) << "and some were rejected";
        }
      }
    }
  }
}

TEST(ExecutorRunner, GreedyTextSurvivesPreemption) {
  ServedTexts served;
  served.language.order = 100;  // every token of the text counts, also those that are computed again
  served.policy = "fixed";
  served.policy_parameters = fixed(3);
  served.drafter = "toy";
  served.engine.kv_blocks = 16;
  served.engine.max_num_batched_tokens = 20;
  const auto requests = some_requests(9, 30, 0);
  served.serve(requests);
  EXPECT_GT(served.preemptions, 0);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(served.replies[i], greedy_text(served.language, requests[i])) << "request " << i;
  }
}

TEST(ExecutorRunner, SampledTextDependsOnNoNeighbour) {
  for (const char* drafter : {"none", "ngram", "toy"}) {
    SCOPED_TRACE(drafter);
    ServedTexts together;
    together.policy = drafter == std::string("none") ? "none" : "fixed";
    if (together.policy == "fixed") together.policy_parameters = fixed(3);
    together.drafter = drafter;
    const auto requests = some_requests(7, 20, 1);
    together.serve(requests);
    EXPECT_EQ(together.largest_batch, 7u);
    ServedTexts one_by_one = together;
    one_by_one.engine.max_num_seqs = 1;
    one_by_one.engine.max_num_batched_tokens = 5;  // and prompts in chunks
    one_by_one.serve(requests);
    EXPECT_EQ(one_by_one.largest_batch, 1u);
    EXPECT_EQ(together.replies, one_by_one.replies);
    ServedTexts another_seed = together;
    another_seed.seed = 4;
    another_seed.serve(requests);
    EXPECT_NE(together.replies, another_seed.replies);
  }
}

TEST(ExecutorRunner, ARepliesEndTokenEndsIt) {
  constexpr std::int32_t kEnd = 2;
  for (const char* drafter : {"none", "ngram", "toy"}) {
    SCOPED_TRACE(drafter);
    ServedTexts served;
    served.language.order = 3;
    served.policy = drafter == std::string("none") ? "none" : "fixed";
    if (served.policy == "fixed") served.policy_parameters = fixed(4);
    served.drafter = drafter;
    served.end_tokens = {kEnd};
    const auto requests = some_requests(12, 40, 0);
    served.serve(requests);
    int ended = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::vector<std::int32_t> expected = greedy_text(served.language, requests[i]);
      const auto end = std::find(expected.begin(), expected.end(), kEnd);
      if (end != expected.end()) expected.erase(end + 1, expected.end()), ++ended;
      EXPECT_EQ(served.replies[i], expected) << "request " << i;
    }
    EXPECT_GT(ended, 3);
  }
}

TEST(ExecutorRunner, GreedyAndSampledRequestsShareABatch) {
  ServedTexts served;
  served.policy = "fixed";
  served.policy_parameters = fixed(3);
  served.drafter = "toy";
  auto requests = some_requests(8, 20, 0);
  for (std::size_t i = 1; i < requests.size(); i += 2) requests[i].temperature = 1;
  served.serve(requests);
  int same = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const bool greedy = served.replies[i] == greedy_text(served.language, requests[i]);
    if (i % 2 == 0) {
      EXPECT_TRUE(greedy) << "request " << i;
    } else {
      same += greedy ? 1 : 0;
    }
  }
  EXPECT_EQ(same, 0) << "a sampled text of 20 tokens is not the most likely one";
}

}  // namespace
}  // namespace dspark
