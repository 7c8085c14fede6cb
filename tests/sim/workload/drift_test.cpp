#include "sim/workload/drift.h"

#include <gmock/gmock.h>

#include "sim/workload/request_shapes.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::texts;
using testing::written;
using testing::written_map;

Value workload(Value drift) {
  return written_map({{"prompt_tokens", written_map({{"fixed", written("100")}})},
                      {"output_tokens", written_map({{"fixed", written("10")}})},
                      {"domains", written_map({{"math", written("3")}, {"chat", written("1")}})},
                      {"temperature", written("1")},
                      {"drift", std::move(drift)}});
}

TEST(WorkloadDrift, MovesTheMixTheTemperatureAndThePromptsBetweenItsTwoMoments) {
  Parameters parameters(workload(written_map({{"start_s", written("100")},
                                              {"end_s", written("200")},
                                              {"domains", written_map({{"chat", written("1")}})},
                                              {"temperature", written("0.5")},
                                              {"prompt_factor", written("3")}})));
  const RequestShapes shapes(parameters, true);
  parameters.finish();
  ASSERT_THAT(parameters.errors(), ::testing::IsEmpty()) << to_string(parameters.errors()[0]);
  const auto at = [&](double seconds) {
    constexpr int kRequests = 4000;
    double chat = 0;
    RequestSpec spec;
    for (std::uint32_t i = 0; i < kRequests; ++i) {
      spec = RequestSpec{};
      spec.arrival = to_virtual_time(seconds);
      spec.ordinal = i;
      shapes.shape({1, 2}, spec);
      chat += spec.domain == 1;
    }
    return std::tuple(chat / kRequests, spec.temperature, spec.prompt_tokens);
  };
  const auto before = at(99), middle = at(150), after = at(201);
  EXPECT_NEAR(std::get<0>(before), 0.25, 0.03);
  EXPECT_NEAR(std::get<0>(middle), 0.625, 0.03);
  EXPECT_EQ(std::get<0>(after), 1);
  EXPECT_FLOAT_EQ(std::get<1>(before), 1);
  EXPECT_FLOAT_EQ(std::get<1>(middle), 0.75);
  EXPECT_FLOAT_EQ(std::get<1>(after), 0.5);
  EXPECT_THAT((std::vector{std::get<2>(before), std::get<2>(middle), std::get<2>(after)}),
              ElementsAre(100, 200, 300));
}

TEST(WorkloadDrift, SaysWhatIsWrong) {
  const auto errors = [](Value drift) {
    Parameters parameters(workload(std::move(drift)));
    const RequestShapes shapes(parameters, true);
    parameters.finish();
    return texts(parameters.errors());
  };
  EXPECT_THAT(errors(written_map({{"start_s", written("9")}, {"end_s", written("1")}})),
              ElementsAre(HasSubstr("'end_s' is before 'start_s'")));
  EXPECT_THAT(errors(written_map({{"start_s", written("0")},
                                  {"end_s", written("1")},
                                  {"domains", written_map({{"caht", written("1")}})}})),
              ElementsAre(HasSubstr("the workload has no domain 'caht' (did you mean 'chat'?)")));
  EXPECT_THAT(errors(written_map({{"start_s", written("0")},
                                  {"end_s", written("1")},
                                  {"domains", written_map({{"chat", written("0")}})}})),
              ElementsAre(HasSubstr("add up to 0")));
  EXPECT_THAT(errors(written_map({{"start_s", written("0")}})),
              ElementsAre(HasSubstr("missing parameter 'end_s'")));
}

}  // namespace
}  // namespace dspark
