#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "sim/workload/arrival_process.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;
using testing::written;
using testing::written_map;

/// Collects what a source emits and lets each arrival take place at once.
class Collector final : public ArrivalSink {
 public:
  void emit(const RequestSpec& spec) override { pending_.push_back(spec); }
  std::vector<RequestSpec> run(Source& source, std::size_t most) {
    std::vector<RequestSpec> all;
    source.start(*this);
    while (!pending_.empty() && all.size() < most) {
      const auto next = std::min_element(pending_.begin(), pending_.end(),
                                         [](auto& x, auto& y) { return x.arrival < y.arrival; });
      all.push_back(*next);
      pending_.erase(next);
      source.arrived(all.back(), *this);
    }
    return all;
  }

 private:
  std::vector<RequestSpec> pending_;
};

std::unique_ptr<const ArrivalProcess> make_arrivals(const std::string& name, Parameters& parameters) {
  for (const ArrivalEntry& entry : arrival_processes()) {
    if (entry.name == name) return entry.construct(parameters);
  }
  return nullptr;
}

Value lengths(const char* prompt, const char* output) {
  return written_map(
      {{"prompt_tokens", written_map({{"fixed", written(prompt)}})},
       {"output_tokens", written_map({{"lognormal", written_map({{"median", written(output)},
                                                                 {"sigma", written("0.5")}})}})}});
}

std::vector<RequestSpec> collect(const std::string& name, const Value& arrivals, const Value& workload,
                                 std::size_t most, RandomKey key = {1, 2}) {
  Parameters arrival_parameters(arrivals);
  const auto process = make_arrivals(name, arrival_parameters);
  EXPECT_TRUE(arrival_parameters.errors().empty());
  Parameters workload_parameters(workload);
  const RequestShapes shapes(workload_parameters, true);
  EXPECT_TRUE(workload_parameters.errors().empty());
  const auto source = process->start(shapes, key);
  return Collector().run(*source, most);
}

constexpr std::size_t kArrivals = 40000;

/// Whether the gaps have this mean rate and coefficient of variation, to four standard errors. Of the mean
/// gap: cv / √n. Of its coefficient of variation, by the delta method from a gamma law's third and fourth
/// moments: cv · √((1 + cv²) / 2n).
struct GapsMeet {
  bool rate, variation;
};
GapsMeet gaps_meet(const std::vector<RequestSpec>& specs, double rate, double cv) {
  double squares = 0;
  VirtualTime last = 0;
  for (const RequestSpec& spec : specs) {
    const double gap = to_seconds(spec.arrival - last);
    squares += gap * gap;
    last = spec.arrival;
  }
  const double mean = to_seconds(last) / kArrivals;
  const double measured_cv = std::sqrt(squares / kArrivals - mean * mean) / mean;
  return {std::abs(mean * rate - 1) <= 4 * cv / std::sqrt(kArrivals),
          std::abs(measured_cv - cv) <= 4 * cv * std::sqrt((1 + cv * cv) / (2 * kArrivals))};
}
std::vector<RequestSpec> poisson_arrivals(double rate) {
  return collect("poisson", written_map({{"rate", written(std::to_string(rate))}}), lengths("5", "9"),
                 kArrivals);
}
std::vector<RequestSpec> gamma_arrivals(double rate, double cv) {
  return collect("gamma",
                 written_map({{"rate", written(std::to_string(rate))}, {"cv", written(std::to_string(cv))}}),
                 lengths("5", "9"), kArrivals);
}

TEST(Arrivals, OpenGapsHaveTheGivenRateAndVariation) {
  const GapsMeet poisson = gaps_meet(poisson_arrivals(4), 4, 1);
  EXPECT_TRUE(poisson.rate);
  EXPECT_TRUE(poisson.variation);
  for (const double cv : {0.5, 1.0, 3.0}) {
    const GapsMeet gamma = gaps_meet(gamma_arrivals(4, cv), 4, cv);
    EXPECT_TRUE(gamma.rate) << cv;
    EXPECT_TRUE(gamma.variation) << cv;
  }
}

TEST(Arrivals, ARateATenthHigherAndAVariationATenthOffAreSeen) {
  EXPECT_FALSE(gaps_meet(poisson_arrivals(4.4), 4, 1).rate);
  for (const double cv : {0.5, 1.0, 3.0}) {
    EXPECT_FALSE(gaps_meet(gamma_arrivals(4.4, cv), 4, cv).rate) << cv;
    EXPECT_FALSE(gaps_meet(gamma_arrivals(4, 0.9 * cv), 4, cv).variation) << cv;
    EXPECT_FALSE(gaps_meet(gamma_arrivals(4, 1.1 * cv), 4, cv).variation) << cv;
  }
  EXPECT_FALSE(gaps_meet(gamma_arrivals(4, 0.9), 4, 1).variation) << "for Poisson";
}

TEST(Arrivals, FirstRepliesOfAClosedLoopHaveResidualLengths) {
  const auto specs = collect("closed_loop", written_map({{"users", written("2000")}}),
                             written_map({{"prompt_tokens", written_map({{"fixed", written("5")}})},
                                          {"output_tokens", written_map({{"fixed", written("100")}})}}),
                             2000);
  double sum = 0;
  for (const RequestSpec& spec : specs) {
    EXPECT_EQ(spec.arrival, 0);
    EXPECT_GE(spec.output_limit, 1);
    EXPECT_LE(spec.output_limit, 100);
    sum += spec.output_limit;
  }
  EXPECT_NEAR(sum / 2000, 50.5, 4 * 100 / std::sqrt(12.0 * 2000));
}

TEST(RequestShapes, DomainsMixByWeightAndLengthsFollowTheirLaw) {
  Value workload = lengths("7", "200");
  std::get<Value::Map>(workload.content)
      .push_back({"domains", {}, written_map({{"math", written("1")}, {"chat", written("3")}})});
  const auto specs = collect("poisson", written_map({{"rate", written("1")}}), workload, 20000);
  double chat = 0, below_median = 0;
  for (const RequestSpec& spec : specs) {
    EXPECT_EQ(spec.prompt_tokens, 7);
    EXPECT_EQ(spec.output_limit, kUnlimited) << "a lognormal reply ends unforeseen";
    chat += spec.domain == 1;
    below_median += spec.output_end <= 200;
  }
  EXPECT_NEAR(chat / 20000, 0.75, 4 * std::sqrt(0.75 * 0.25 / 20000));
  EXPECT_NEAR(below_median / 20000, 0.5, 4 * 0.5 / std::sqrt(20000) + 0.003);
}

/// A trace as the loader hands it over.
Parameters trace_parameters(const std::string& content,
                            std::vector<std::pair<std::string, std::string>> more = {}) {
  Value::Map map = {{"file", {}, written("trace.csv")}};
  for (auto& [key, value] : more) map.push_back({key, {}, written(value)});
  return Parameters(Value{std::move(map), {}}, [content](const std::string& path, const Position& position) {
    return Result<InputFile>(InputFile{path, content, position});
  });
}

const char* const kTrace =
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 23:59:59.5,100,10\n"
    "2023-11-17 00:00:00.2500000,200,0\n"
    "2023-11-17 00:00:02,300,30\n";

TEST(RequestShapes, PromptsBeginWithOneOfThePrefixesEachAsLikely) {
  Value workload = lengths("20", "30");
  const auto with_prefix = [&](const char* tokens) {
    Value changed = workload;
    std::get<Value::Map>(changed.content)
        .push_back(
            {"shared_prefix", {}, written_map({{"tokens", written(tokens)}, {"prefixes", written("4")}})});
    return collect("poisson", written_map({{"rate", written("10")}}), changed, 8000);
  };
  std::map<std::uint32_t, int> count;
  for (const RequestSpec& spec : with_prefix("12")) {
    ++count[spec.prefix];
    EXPECT_EQ(spec.shared_prefix_tokens, 12);
    EXPECT_EQ(spec.prompt_tokens, 20) << "the prefix is part of the prompt";
  }
  ASSERT_EQ(count.size(), 4u);
  // Binomial: 2000 each, standard deviation 39.
  for (const auto& [prefix, requests] : count) EXPECT_NEAR(requests, 2000, 5 * 39) << prefix;
  EXPECT_EQ(with_prefix("50")[0].shared_prefix_tokens, 20) << "a shorter prompt is its beginning";
  EXPECT_EQ(collect("poisson", written_map({{"rate", written("10")}}), workload, 1)[0].shared_prefix_tokens,
            0);
}

TEST(AzureTrace, ArrivalsAndLengthsAreThoseOfTheFileStretchedInTime) {
  Parameters parameters = trace_parameters(kTrace, {{"time_scale", "2"}});
  const auto process = make_arrivals("azure_trace", parameters);
  ASSERT_TRUE(parameters.errors().empty()) << to_string(parameters.errors()[0]);
  EXPECT_TRUE(process->brings_lengths());
  Parameters none{Value{}};
  const RequestShapes shapes(none, false);
  const auto source = process->start(shapes, {1, 2});
  const auto specs = Collector().run(*source, 100);
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[0].arrival, 0);
  EXPECT_EQ(specs[1].arrival, 1'500'000'000) << "over midnight";
  EXPECT_EQ(specs[2].arrival, 5'000'000'000);
  EXPECT_EQ(specs[2].prompt_tokens, 300);
  EXPECT_EQ(specs[2].output_end, 30);
  EXPECT_EQ(specs[1].output_end, 1) << "an empty reply is answered with one token";
}

TEST(AzureTrace, WrongRowsAreErrorsWithTheirPlace) {
  const auto message = [](const std::string& row) {
    Parameters parameters =
        trace_parameters("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00,1,1\n" + row);
    make_arrivals("azure_trace", parameters);
    return parameters.errors().empty() ? std::string() : to_string(parameters.errors()[0]);
  };
  EXPECT_EQ(message("2023-11-16 18:00:01,1,1\n"), "");
  EXPECT_THAT(message("2023-11-16 17:59:59,1,1\n"),
              HasSubstr("trace.csv:3:1: arrivals must not go back in time"));
  EXPECT_THAT(message("2023-13-16 18:00:01,1,1\n"),
              HasSubstr("trace.csv:3:1: '2023-13-16 18:00:01' is not a time"));
  EXPECT_THAT(message("2023-11-16 18:00:01,x,1\n"), HasSubstr("trace.csv:3:21: 'x' is not a number"));
  EXPECT_THAT(message("2023-11-16 18:00:01,1,-1\n"), HasSubstr("GeneratedTokens = -1 is out of range"));
}

TEST(AzureTrace, ThinningKeepsTheGivenShare) {
  std::string rows = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int i = 0; i < 5000; ++i) rows += "2023-11-16 18:00:00,1,1\n";
  Parameters parameters = trace_parameters(rows, {{"keep", "0.3"}});
  const auto process = make_arrivals("azure_trace", parameters);
  Parameters none{Value{}};
  const RequestShapes shapes(none, false);
  const auto kept = Collector().run(*process->start(shapes, {1, 2}), 5000).size();
  EXPECT_NEAR(static_cast<double>(kept) / 5000, 0.3, 4 * std::sqrt(0.21 / 5000));
}

}  // namespace
}  // namespace dspark
