// Little's law and the law of interactive response time, with the requests at the window's two ends counted.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;
using testing::written;
using testing::written_map;

constexpr std::int64_t kRequests = 2000, kWarmup = 200;

/// Watches the window that RunMetrics measures, and what overlaps its ends.
class WindowEnds final : public Watcher {
 public:
  /// Sums over what is under way at an end of the window.
  struct End {
    VirtualTime now = 0;
    double residence = 0;                // Σ time since arrival, over requests in the system
    std::vector<double> cycle_age = {};  // (users) time since the user's last reply ended
  };

  void arrived(const RequestSpec& spec) override {
    arrival_[{spec.source, spec.ordinal}] = spec.arrival;
    if (const auto last = last_end_.find(spec.source); last != last_end_.end())
      thought_[spec.source] = to_seconds(spec.arrival - last->second);
  }
  void finished(const FinishedRequest& request) override {
    arrival_.erase({request.spec.source, request.spec.ordinal});
    ++finished_;
    if (finished_ > kWarmup && finished_ <= kWarmup + kRequests)
      think_seconds_ += thought_[request.spec.source];
    last_end_[request.spec.source] = request.last_token;
    if (finished_ == kWarmup) begin_ = end_at(request.last_token);
    if (finished_ == kWarmup + kRequests) end_ = end_at(request.last_token);
  }

  double seconds() const { return to_seconds(end_.now - begin_.now); }
  const End& begin() const { return begin_; }
  const End& end() const { return end_; }
  /// Σ think time that preceded the requests of the window.
  double think_seconds() const { return think_seconds_; }

 private:
  End end_at(VirtualTime now) const {
    End end{.now = now};
    for (const auto& [request, arrival] : arrival_) end.residence += to_seconds(now - arrival);
    for (const auto& [user, last] : last_end_) end.cycle_age.push_back(to_seconds(now - last));
    return end;
  }

  std::map<std::pair<std::uint32_t, std::uint32_t>, VirtualTime> arrival_;  // in the system
  std::map<std::uint32_t, VirtualTime> last_end_;                           // by user
  std::map<std::uint32_t, double> thought_;  // before the user's latest request
  std::int64_t finished_ = 0;
  double think_seconds_ = 0;
  End begin_, end_;
};

struct Measured {
  double rate = 0, response = 0, in_system = 0, busy = 0;
  WindowEnds ends;
};

Measured measure(SmallSystem& system) {
  Measured measured;
  system.build();
  RunMetrics metrics({kRequests, kWarmup}, {}, system.options.kv_blocks, system.acceptance->block_size());
  system.simulation->watch(metrics);
  system.simulation->watch(measured.ends);
  system.simulation->run([&] { return metrics.done(); }, nullptr);
  for (const MetricValue& metric : metrics.result().metrics) {
    if (metric.name == "request_rate") measured.rate = metric.value;
    if (metric.name == "end_to_end_mean") measured.response = metric.value;
    if (metric.name == "requests_in_system") measured.in_system = metric.value;
    if (metric.name == "busy_share") measured.busy = metric.value;
  }
  return measured;
}

SmallSystem small_system(std::uint32_t seed) {
  SmallSystem system;
  system.key = make_random_key(seed, 0);
  system.options.kv_blocks = 4096;
  system.options.prefill = seed % 2 ? Prefill::kElsewhere : Prefill::kInStep;
  return system;
}

/// L·T = λ·W·T + (residence at the end) - (residence at the beginning): a request that was there when the
/// window opened spent that residence outside of it, one that is there when it closes spent it inside and is
/// in no W. This is exact, up to the rounding of some thousand sums. (A request that is there at both ends
/// adds the window's whole length to the difference, as it must.)
double ends_of(const Measured& m) {
  return (m.ends.end().residence - m.ends.begin().residence) / m.ends.seconds();
}
double off_littles_law(const Measured& m) {
  return std::abs(m.rate * m.response + ends_of(m) - m.in_system) / m.in_system;
}
void expect_littles_law(const Measured& m) {
  const double ends = ends_of(m);
  EXPECT_LE(off_littles_law(m), 1e-9);
  // What the ends contribute is small: the law is one about λ and W.
  EXPECT_LT(std::abs(ends), 0.1 * m.in_system);
}

TEST(Conservation, LittlesLawHoldsInAClosedLoop) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    SmallSystem system = small_system(seed);
    const Measured m = measure(system);
    expect_littles_law(m);
    EXPECT_NEAR(m.in_system, 12, 1e-6) << "twelve users without think time";
  }
}

TEST(Conservation, ALatencyARateAndACountThatAreOffAreSeenByLittlesLaw) {
  SmallSystem system = small_system(1);
  const Measured m = measure(system);
  for (double Measured::*part : {&Measured::rate, &Measured::response, &Measured::in_system}) {
    Measured planted = m;
    planted.*part *= 1.0001;
    EXPECT_GT(off_littles_law(planted), 1e-5);
  }
}

TEST(Conservation, LittlesLawHoldsForOpenArrivalsAtLightAndHeavyLoad) {
  double queue[2][2] = {};  // requests in the system, by arrivals and load
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    SmallSystem closed = small_system(seed);
    const double capacity = measure(closed).rate;  // all eight sequences always taken
    for (const bool gamma : {false, true}) {
      for (const bool heavy : {false, true}) {
        SCOPED_TRACE(::testing::Message()
                     << "seed " << seed << (gamma ? " gamma" : " poisson") << (heavy ? " heavy" : " light"));
        SmallSystem system = small_system(seed);
        system.arrivals_name = gamma ? "gamma" : "poisson";
        const Value rate = written(std::to_string((heavy ? 0.85 : 0.3) * capacity));
        system.arrivals =
            gamma ? written_map({{"rate", rate}, {"cv", written("3")}}) : written_map({{"rate", rate}});
        const Measured m = measure(system);
        expect_littles_law(m);
        queue[gamma][heavy] += m.in_system / 8;
        EXPECT_LT(m.busy, 1) << "the load is below capacity";
      }
    }
  }
  // The four are really different systems: load fills them, and bursts at the same load fill them more.
  for (const bool gamma : {false, true}) EXPECT_GT(queue[gamma][1], 2 * queue[gamma][0]);
  for (const bool heavy : {false, true}) EXPECT_GT(queue[1][heavy], 1.2 * queue[0][heavy]);
}

/// N = X·(R + Z). A user's time is a chain of cycles, think and reply; so N·T = Σ (think + reply) over the n
/// replies that ended in the window, plus the ages of the users' cycles at its end, minus those at its
/// beginning. Σ think scatters around n·Z by √n·Z (exponential), the ages' difference around 0 by its own
/// root sum of squares (users are alike, and the window's two ends too): four times the sum of the two bounds
/// |N - X·(R + Z)|·T.
class InteractiveResponseTime {
 public:
  InteractiveResponseTime(const Measured& m, double users, double think) {
    double ages = 0, squares = 0;
    for (std::size_t user = 0; user < m.ends.end().cycle_age.size(); ++user) {
      const double difference = m.ends.end().cycle_age[user] - m.ends.begin().cycle_age[user];
      ages += difference;
      squares += difference * difference;
    }
    const double window = m.ends.seconds(), n = m.rate * window;
    // The identity, exact; each of its two random parts; then the law.
    identity_off_ = std::abs(m.rate * m.response + (m.ends.think_seconds() + ages) / window - users) / users;
    think_off_ = std::abs(m.ends.think_seconds() / n - think) / (think / std::sqrt(n));
    tolerance_ = 4 * (std::sqrt(n) * think + std::sqrt(squares)) / window;
    law_off_ = std::abs(m.rate * (m.response + think) - users);
  }

  bool is_an_identity() const { return identity_off_ <= 1e-9; }
  bool thinks_as_stated() const { return think_off_ <= 4; }
  bool holds() const { return law_off_ <= tolerance_; }
  /// In users.
  double tolerance() const { return tolerance_; }

 private:
  double identity_off_, think_off_, law_off_, tolerance_;
};

constexpr int kUsers = 12;

SmallSystem thinking_system(std::uint32_t seed, int users, double think) {
  SmallSystem system = small_system(seed);
  system.arrivals = written_map(
      {{"users", written(std::to_string(users))}, {"think_seconds", written(std::to_string(think))}});
  return system;
}

TEST(Conservation, UsersWhoThinkMeetTheInteractiveResponseTimeLaw) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    for (const double think : {0.02, 0.2}) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << " think " << think);
      SmallSystem system = thinking_system(seed, kUsers, think);
      const Measured m = measure(system);
      expect_littles_law(m);
      ASSERT_EQ(m.ends.begin().cycle_age.size(), std::size_t{kUsers}) << "every user has had a reply by now";
      EXPECT_NEAR(m.rate * m.ends.seconds(), kRequests, 1e-6);
      const InteractiveResponseTime law(m, kUsers, think);
      EXPECT_TRUE(law.is_an_identity());
      EXPECT_TRUE(law.thinks_as_stated());
      EXPECT_TRUE(law.holds());
      EXPECT_LT(law.tolerance(), 0.1 * kUsers) << "the tolerance says nothing";
    }
  }
}

TEST(Conservation, ARateAndALatencyThatAreOffALostUserAndLongerThoughtAreSeenByTheInteractiveLaw) {
  constexpr double kThink = 0.2;
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    SmallSystem system = thinking_system(seed, kUsers, kThink);
    const Measured m = measure(system);
    for (double Measured::*part : {&Measured::rate, &Measured::response}) {
      Measured planted = m;
      planted.*part *= 1.0001;
      EXPECT_FALSE(InteractiveResponseTime(planted, kUsers, kThink).is_an_identity());
      planted.*part *= 2;
      EXPECT_FALSE(InteractiveResponseTime(planted, kUsers, kThink).holds());
    }
    SmallSystem lost_user = thinking_system(seed, kUsers - 2, kThink);
    const InteractiveResponseTime lost(measure(lost_user), kUsers, kThink);
    EXPECT_FALSE(lost.is_an_identity());
    EXPECT_FALSE(lost.holds());
    SmallSystem slow_user = thinking_system(seed, kUsers, 1.25 * kThink);
    const InteractiveResponseTime slow(measure(slow_user), kUsers, kThink);
    EXPECT_TRUE(slow.is_an_identity()) << "which knows the thoughts that there were";
    EXPECT_FALSE(slow.thinks_as_stated());
    EXPECT_FALSE(slow.holds());
  }
}

}  // namespace
}  // namespace dspark
