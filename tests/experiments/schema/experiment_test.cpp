#include "experiments/schema/experiment.h"

#include <gmock/gmock.h>

#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kBase = DSPARK_SOURCE_DIR "/tests/bad_input/base.yaml";

std::optional<Experiment> read(const std::vector<std::string>& set = {}) {
  Errors errors;
  auto experiment = read_experiment(kBase, set, errors);
  for (const Error& error : errors) ADD_FAILURE() << to_string(error);
  return experiment;
}

std::vector<std::string> errors_of(const std::vector<std::string>& set) {
  Errors errors;
  EXPECT_FALSE(read_experiment(kBase, set, errors));
  std::vector<std::string> texts;
  for (const Error& error : errors) texts.push_back(to_string(error));
  return texts;
}

TEST(Experiment, ExpandsTheSweep) {
  const auto experiment =
      read({"sweep.grid.policy=[none, fixed:1]", "sweep.grid.workload.arrivals.closed_loop.users=[1, 2]"});
  ASSERT_TRUE(experiment);
  EXPECT_THAT(experiment->axes, ElementsAre("policy", "workload.arrivals.closed_loop.users"));
  ASSERT_EQ(experiment->points.size(), 4u);
  EXPECT_EQ(experiment->points[3].name(experiment->axes),
            "policy=fixed:1, workload.arrivals.closed_loop.users=2");
}

TEST(Experiment, ErrorsOfAllPointsAppearOnce) {
  EXPECT_THAT(errors_of({"sweep.grid.policy=[none, fixed:x]", "sweep.grid.stop.requests=[1, 2, 0]"}),
              ElementsAre(HasSubstr("'k' must be an integer"), HasSubstr("'requests' must be an integer")));
}

TEST(Experiment, ASweptPathCannotBeSetBesidesItsAxis) {
  EXPECT_THAT(errors_of({"sweep.grid.policy=[none]", "policy=fixed:1"}),
              ElementsAre(HasSubstr("'policy' is an axis of the sweep")));
}

TEST(Experiment, TheDigestsKnowWhatTheNumbersDependOn) {
  const auto base = read();
  const auto title = read({"title=other"});
  const auto seed = read({"seed=2"});
  const auto figures = read({"figures=[frontier]"});
  ASSERT_TRUE(base && title && seed && figures);
  EXPECT_EQ(base->work, read()->work);
  EXPECT_EQ(base->digest, read()->digest);
  EXPECT_EQ(base->work, title->work);  // a log goes on after a change of the title or the figures
  EXPECT_EQ(base->work, figures->work);
  EXPECT_NE(base->digest, title->digest);
  EXPECT_NE(base->work, seed->work);
}

TEST(Experiment, TheDigestKnowsTheContentOfInputFiles) {
  const ScratchFolder folder;
  write_bytes(folder / "base.yaml", read_bytes(kBase));
  write_bytes(folder / "cost.csv", "tokens,step_ms\n1,5\n8,6\n");
  Errors errors;
  const auto before = read_experiment(folder / "base.yaml", {}, errors);
  write_bytes(folder / "cost.csv", "tokens,step_ms\n1,5\n8,7\n");
  const auto after = read_experiment(folder / "base.yaml", {}, errors);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->work, after->work);
}

}  // namespace
}  // namespace dspark
