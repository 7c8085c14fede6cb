// Prompts that begin alike: what is computed, what is kept, and that the engine's laws hold.
#include <gmock/gmock.h>

#include "tests/sim/engine/run_under_laws.h"

namespace dspark {
namespace {

using testing::SmallSystem;
using testing::written;
using testing::written_map;

/// Requests that all arrive at once.
class ListedRequests final : public Source {
 public:
  explicit ListedRequests(std::vector<RequestSpec> requests) : requests_(std::move(requests)) {}
  void start(ArrivalSink& sink) override {
    for (const RequestSpec& request : requests_) sink.emit(request);
  }
  void arrived(const RequestSpec&, ArrivalSink&) override {}
  void finished(const RequestSpec&, VirtualTime, ArrivalSink&) override {}
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override {}

 private:
  std::vector<RequestSpec> requests_;
};

struct PromptRows final : Watcher {
  std::int64_t rows = 0;
  void step_ended(const StepRecord& step) override { rows += step.prefill_rows; }
};

/// `count` prompts of 20 tokens, of which the first `shared` are those of two prefixes in turn.
std::vector<RequestSpec> prompts(std::uint32_t count, std::int32_t shared) {
  std::vector<RequestSpec> requests;
  for (std::uint32_t i = 0; i < count; ++i) {
    requests.push_back({.ordinal = i,
                        .prompt_tokens = 20,
                        .output_limit = 3,
                        .prefix = i % 2,
                        .shared_prefix_tokens = shared});
  }
  return requests;
}

std::int64_t computed_rows(const std::vector<RequestSpec>& requests, bool caching, int kv_blocks = 1024,
                           int max_num_seqs = 8) {
  SmallSystem system;
  system.options.prefix_caching = caching;
  system.options.kv_blocks = kv_blocks;
  system.options.max_num_seqs = max_num_seqs;
  system.own_source = [&] { return std::make_unique<ListedRequests>(requests); };
  system.build();
  LawChecker laws(system.options);
  PromptRows prompt_rows;
  system.simulation->watch(prompt_rows);
  testing::run_under_laws(system, laws, static_cast<std::int64_t>(requests.size()));
  EXPECT_EQ(laws.finished(), static_cast<std::int64_t>(requests.size()));
  EXPECT_THAT(laws.violations(), ::testing::IsEmpty());
  EXPECT_EQ(system.engine->kv().used(), 0);
  return prompt_rows.rows;
}

TEST(PrefixCaching, ComputesEachPrefixOnce) {
  constexpr std::int64_t kRequests = 30, kPrefixes = 2, kPrompt = 20;
  // Blocks of four: of 14 shared tokens the first twelve fill blocks and are not the last of them.
  const struct {
    std::int32_t shared;
    std::int64_t saved;
  } cases[] = {{0, 0}, {4, 0}, {5, 4}, {12, 8}, {13, 12}, {14, 12}, {20, 16}};
  for (const auto& c : cases) {
    const auto requests = prompts(kRequests, c.shared);
    EXPECT_EQ(computed_rows(requests, true), kRequests * kPrompt - (kRequests - kPrefixes) * c.saved)
        << c.shared;
    EXPECT_EQ(computed_rows(requests, false), kRequests * kPrompt);
  }
}

TEST(PrefixCaching, ComputesAgainWhatHadToMakeRoom) {
  // One request at a time, in a cache that holds little more than its text (20 + 3 tokens and a round).
  const auto requests = prompts(30, 14);
  const std::int64_t once = computed_rows(requests, true, 1024, 1);
  const std::int64_t tight = computed_rows(requests, true, 7, 1);
  EXPECT_GT(tight, once);
  EXPECT_LE(tight, computed_rows(requests, false, 7, 1));
}

TEST(PrefixCaching, KeepsTheLawsUnderAnyMemoryPressure) {
  std::int64_t preemptions = 0;
  std::uint32_t seed = 1;
  for (const char* policy : {"none", "fixed", "dspark", "dspark_async"}) {
    for (const int kv_blocks : {40, 64, 4096}) {
      for (const int prefixes : {1, 3}) {
        SCOPED_TRACE(::testing::Message() << policy << " kv " << kv_blocks << " prefixes " << prefixes);
        SmallSystem system;
        system.key = make_random_key(++seed, 0);
        system.options.kv_blocks = kv_blocks;
        system.policy_name = policy;
        if (system.policy_name != "fixed") system.policy_value.clear();
        std::get<Value::Map>(system.workload.content)
            .push_back(
                {"shared_prefix",
                 {},
                 written_map({{"tokens", written("13")}, {"prefixes", written(std::to_string(prefixes))}})});
        system.build();
        LawChecker laws(system.options);
        const auto stop = testing::run_under_laws(system, laws, 300);
        EXPECT_EQ(stop, Simulation::Stop::kFinished) << "deadlock: nothing is pending";
        EXPECT_THAT(laws.violations(), ::testing::IsEmpty());
        preemptions += laws.preempted();
      }
    }
  }
  EXPECT_GT(preemptions, 30) << "the small caches were meant to preempt";
}

}  // namespace
}  // namespace dspark
