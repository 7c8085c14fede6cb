#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/sim/small_system.h"

namespace dspark::testing {

/// Users who each ask once, at time 0, for a reply that outlasts the run: every step is a round of every
/// user, none is cut, and row r is user r for ever.
class EndlessUsers final : public Source {
 public:
  explicit EndlessUsers(int users) : users_(users) {}

  void start(ArrivalSink& sink) override {
    for (int user = 0; user < users_; ++user) {
      sink.emit({.source = static_cast<std::uint32_t>(user), .output_limit = kTokens});
    }
  }
  void arrived(const RequestSpec&, ArrivalSink&) override {}
  void finished(const RequestSpec&, VirtualTime, ArrivalSink&) override {}
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override {}

  static constexpr std::int32_t kTokens = 1 << 23;

 private:
  int users_;
};

/// Means over the rounds of each user. Users have keys of their own for every draw, so where the policy
/// treats each request by itself their means are independent samples.
struct UserMeans {
  std::vector<double> tokens;      // (users) per round: accepted + 1
  std::vector<double> block_size;  // (users) planned per round
  std::vector<double> drafted;     // (users) per round
  std::vector<double> token_rate;  // (users) tokens per second
  double step_seconds = 0;         // mean
};

/// A closed loop of `users` in endless replies on the real engine, each token accepted with the same
/// probability. Set what differs in `system`.
struct EndlessReplies {
  int users = 64;
  int rounds = 1000;
  int skipped_rounds = 1;  // the first ones: prompts, and what a policy starts from
  int block_size = 16;     // γ of the drafter
  SmallSystem system = {};

  /// Every token is accepted with probability a, independent of all others.
  void accept(double a) {
    const double effect = std::log(a / (1 - a));
    system.domains = {{std::vector<double>(static_cast<std::size_t>(block_size), effect), 0}};
  }
  void use(const std::string& policy, const std::string& value = "", const Value& parameters = {}) {
    system.policy_name = policy;
    system.policy_value = value;
    system.policy_parameters = parameters;
  }

  UserMeans play() {
    system.options.max_num_seqs = users;
    system.options.max_num_batched_tokens = users * (block_size + 2);
    system.options.block_tokens = 1 << 20;
    system.options.kv_blocks = users * (2 + EndlessUsers::kTokens / system.options.block_tokens);
    system.options.prefill = Prefill::kElsewhere;
    system.elsewhere = {};
    system.own_source = [this] { return std::make_unique<EndlessUsers>(users); };
    system.build();
    Rounds seen(users, skipped_rounds);
    system.simulation->watch(seen);
    system.simulation->run([&] { return seen.counted() == rounds; }, nullptr);
    return seen.means();
  }

 private:
  class Rounds final : public Watcher {
   public:
    Rounds(int users, int skipped) : skip_(skipped), sums_{} {
      for (auto* column : {&sums_.tokens, &sums_.block_size, &sums_.drafted})
        column->assign(static_cast<std::size_t>(users), 0);
    }
    void step_ended(const StepRecord& step) override {
      if (step.verified.size() != sums_.tokens.size() || skip_-- > 0) return;
      ++counted_;
      sums_.step_seconds += step.seconds;
      for (std::size_t r = 0; r < step.verified.size(); ++r) {
        sums_.tokens[r] += step.delivered[r];
        sums_.block_size[r] += step.block_size[r];
        sums_.drafted[r] += step.drafted[r];
      }
    }
    int counted() const { return counted_; }
    UserMeans means() const {
      UserMeans means = sums_;
      for (const double tokens : sums_.tokens) means.token_rate.push_back(tokens / sums_.step_seconds);
      for (auto* column : {&means.tokens, &means.block_size, &means.drafted}) {
        for (double& sum : *column) sum /= counted_;
      }
      means.step_seconds /= counted_;
      return means;
    }

   private:
    int skip_;
    int counted_ = 0;
    UserMeans sums_;
  };
};

}  // namespace dspark::testing
