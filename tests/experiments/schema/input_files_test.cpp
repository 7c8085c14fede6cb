#include "experiments/schema/input_files.h"

#include <gmock/gmock.h>

#include "experiments/calibration/rounds_hdf5.h"
#include "sim/table/rounds_csv.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;

const std::string kTable =
    "request,round,drafted,verified,accepted,confidence_1,confidence_2\n"
    "3,0,2,2,1,0.5,0.25\n"
    "3,1,2,2,2,0.75,0.125\n";

TEST(InputFiles, RecordedRoundsInHdf5ArriveAsTheirTable) {
  ScratchFolder folder;
  const auto rounds = read_rounds_csv({"t.csv", kTable, {}});
  ASSERT_TRUE(rounds);
  write_bytes(folder / "rounds.h5", *encode_rounds_hdf5(*rounds));
  InputFiles files(folder.path());
  const auto loaded = files.loader()("rounds.h5", {});
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  const auto again = read_rounds_csv({"rounds.h5", loaded->content, {}});
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->accepted, rounds->accepted);
  EXPECT_EQ(again->confidence, rounds->confidence);
}

TEST(InputFiles, WhatIsNoRecordingIsRefusedWhereItWasNamed) {
  ScratchFolder folder;
  write_bytes(folder / "rounds.h5", "not HDF5 at all");
  InputFiles files(folder.path());
  const auto source = std::make_shared<const std::string>("study.yaml");
  const auto loaded = files.loader()("rounds.h5", Position{source, 4, 9});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(to_string(loaded.error()),
              HasSubstr("study.yaml:4:9: 'rounds.h5' is not a dspark result file"));
}

}  // namespace
}  // namespace dspark
