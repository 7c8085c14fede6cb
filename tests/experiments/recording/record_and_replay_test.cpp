// dspark record and dspark replay from the outside: a run of a tiny real model, its recording, and what is
// made of it without the model.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/recording/recording_file.h"
#include "experiments/results/hdf5_file.h"
#include "sim/table/rounds_csv.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kTests = DSPARK_SOURCE_DIR "/tests";
const std::string kExperiment = "tests/experiments/measured.yaml";
const std::string kOnePoint =
    " --set 'sweep.grid={machine.use: [executor], policy: [fixed:4]}' --set workload.temperature=0.8"
    " --set machine.executor.drafter=../executor/drafter/data/dspark_vanilla ";

/// The experiment and its models in a folder of their own.
class RecordAndReplay : public testing::Test {
 protected:
  RecordAndReplay() {
    fs::create_directories(folder_ / "tests/experiments");
    fs::create_directories(folder_ / "tests/executor/model/data");
    fs::create_directories(folder_ / "tests/executor/drafter/data");
    fs::copy(kTests + "/experiments/measured.yaml", folder_ / "tests/experiments");
    fs::copy(kTests + "/bad_input", folder_ / "tests/bad_input");
    fs::copy(kTests + "/executor/model/data/qwen3_tied", folder_ / "tests/executor/model/data/qwen3_tied");
    fs::copy(kTests + "/executor/drafter/data/dspark_vanilla",
             folder_ / "tests/executor/drafter/data/dspark_vanilla");
  }

  ProgramRun program(const std::string& arguments) { return run_program(folder_.path(), arguments); }
  void record(const std::string& arguments = "") {
    const ProgramRun ran = program("record " + kExperiment + kOnePoint + "--out rounds.h5 " + arguments);
    ASSERT_EQ(ran.code, 0) << ran.output;
  }
  std::string refused(const std::string& arguments, int code = 2) {
    const ProgramRun ran = program(arguments);
    EXPECT_EQ(ran.code, code) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    return ran.output;
  }
  /// What `dspark replay` says of the recording to which something was done.
  std::string spoilt(const std::function<void(ResultFile&)>& spoil, int code = 2) {
    ResultFile file = *read_result_file(folder_ / "rounds.h5");
    spoil(file);
    write_bytes(folder_ / "spoilt.h5", *encode_hdf5(file));
    return refused("replay spoilt.h5", code);
  }

  const ScratchFolder folder_;
};

Column& column_of(ResultFile& file, const std::string& table, const std::string& name) {
  for (Table& candidate : file.tables) {
    if (candidate.name != table) continue;
    for (Column& column : candidate.columns) {
      if (column.name == name) return column;
    }
  }
  ADD_FAILURE() << "no column " << name;
  static Column none;
  return none;
}
Numbers& numbers(ResultFile& file, const std::string& table, const std::string& name) {
  return std::get<Numbers>(column_of(file, table, name).values);
}
Integers& integers(ResultFile& file, const std::string& table, const std::string& name) {
  return std::get<Integers>(column_of(file, table, name).values);
}

TEST_F(RecordAndReplay, ARecordedRunIsPlayedAgainWithoutItsModelAndFiles) {
  record("--csv rounds.csv");
  fs::remove_all(folder_ / "tests");
  const ProgramRun again = program("replay rounds.h5");
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("the same verification lengths, step by step"));
  EXPECT_THAT(again.output, HasSubstr("policy=fixed:4"));
}

TEST_F(RecordAndReplay, EveryReaderOfRoundsTakesTheRecording) {
  record("--csv rounds.csv");
  const auto recorded = read_recording(folder_ / "rounds.h5");
  ASSERT_TRUE(recorded) << to_string(recorded.error());
  const std::string csv = read_bytes(folder_ / "rounds.csv");
  EXPECT_EQ(rounds_csv(recorded->recording.rounds), csv);
  const auto as_rounds = decode_rounds_hdf5(read_bytes(folder_ / "rounds.h5"), "rounds.h5");
  ASSERT_TRUE(as_rounds) << to_string(as_rounds.error());
  EXPECT_EQ(rounds_csv(*as_rounds), csv);
  EXPECT_FALSE(recorded->recording.rounds.acceptance.empty()) << "sampled";
  const ProgramRun calibrated = program("calibrate rounds.h5");
  EXPECT_EQ(calibrated.code, 0) << calibrated.output;
}

/// A policy that cuts blocks can be recorded too: rounds from every position replay every policy.
TEST_F(RecordAndReplay, RoundsFromEveryPositionReplayOtherPoliciesWhateverWasServed) {
  const std::string shallow = "--set 'sweep.grid={machine.use: [executor], policy: [fixed:1]}' ";
  record(shallow);
  EXPECT_THAT(refused("replay rounds.h5 --policy fixed:3 --out r.h5"), HasSubstr("or --dense"));
  record(shallow + "--dense --csv dense.csv");
  const auto recorded = read_recording(folder_ / "rounds.h5");
  ASSERT_TRUE(recorded) << to_string(recorded.error());
  EXPECT_TRUE(recorded->has_dense_rounds);
  std::size_t positions = 0;
  for (const RecordedRequest& request : recorded->recording.requests)
    positions += static_cast<std::size_t>(std::max(0, request.output_tokens - 1));
  const auto dense = decode_rounds_hdf5(read_bytes(folder_ / "rounds.h5"), "rounds.h5");
  ASSERT_TRUE(dense) << to_string(dense.error());
  EXPECT_EQ(dense->size(), positions);
  EXPECT_EQ(rounds_csv(*dense), read_bytes(folder_ / "dense.csv"));
  EXPECT_EQ(program("replay rounds.h5").code, 0) << "the served rounds are there too";
  const ProgramRun ran = program("replay rounds.h5 --policy fixed:3 --policy dspark --out r.h5");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("exact for every lossless policy"));
}

/// Prompt lookup that finds little, recorded while nothing was drafted: its rounds are not left out.
TEST_F(RecordAndReplay, ShortDraftsFromEveryPositionAreCompletedWhateverWasServed) {
  const ProgramRun made =
      program("record " + kExperiment +
              " --set 'sweep.grid={machine.use: [executor], policy: [none]}' --set workload.temperature=0.8"
              " --set machine.executor.drafter=ngram --out rounds.h5 --dense");
  ASSERT_EQ(made.code, 0) << made.output;
  const ProgramRun ran = program("replay rounds.h5 --policy fixed:2 --out r.h5");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("rounds the drafter proposed less than it was asked for"));
  const auto dense = decode_rounds_hdf5(read_bytes(folder_ / "rounds.h5"), "rounds.h5");
  const auto played = decode_rounds_hdf5(read_bytes(folder_ / "r.rounds.h5"), "r.rounds.h5");
  ASSERT_TRUE(dense && played);
  EXPECT_EQ(played->size(), dense->size());
  EXPECT_EQ(played->accepted, dense->accepted);
  EXPECT_EQ(*std::min_element(played->drafted.begin(), played->drafted.end()), played->block_size);
}

TEST_F(RecordAndReplay, OtherPoliciesAndLoadsAreAnExperimentOnTheRecordedRounds) {
  record("--set machine.executor.kv.blocks=64");  // whole blocks always find room
  fs::remove_all(folder_ / "tests");
  const ProgramRun ran = program(
      "replay rounds.h5 --policy none --policy fixed:2 --policy dspark --users 1,4 --out others/result.h5");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("step costs fitted to"));
  const ProgramRun shown = program("show others/result.h5 --csv");
  EXPECT_EQ(shown.code, 0) << shown.output;
  for (const char* row : {"none,1,", "fixed:2,4,", "dspark,4,"}) EXPECT_THAT(shown.output, HasSubstr(row));
  EXPECT_EQ(program("check others/result.yaml").code, 0);
}

TEST_F(RecordAndReplay, AnotherDecisionIsNamedAndExitsWithOne) {
  record();
  std::size_t row = 0;
  const std::string said = spoilt(
      [&](ResultFile& file) {
        Integers& verified = integers(file, "rounds", "verified");
        while (verified[row] == 0 || integers(file, "rounds", "accepted")[row] == verified[row]) ++row;
        --verified[row];
      },
      1);
  ResultFile file = *read_result_file(folder_ / "rounds.h5");
  EXPECT_THAT(said, HasSubstr("step " + std::to_string(integers(file, "rounds", "step")[row]) + ", request " +
                              std::to_string(integers(file, "rounds", "request")[row]) + ": "));
  EXPECT_THAT(said, HasSubstr("draft tokens verified"));
}

TEST_F(RecordAndReplay, HostileRecordingsAreOneError) {
  record();
  const std::string whole = read_bytes(folder_ / "rounds.h5");
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, std::size_t{600}, whole.size() - 1}) {
    write_bytes(folder_ / "cut.h5", whole.substr(0, bytes));
    refused("replay cut.h5");
  }
  EXPECT_THAT(refused("replay " + kExperiment), HasSubstr("not"));
  EXPECT_THAT(spoilt([](ResultFile& f) { numbers(f, "steps", "verify_seconds")[3] = std::nan(""); }),
              HasSubstr("step 3: verify of nan s"));
  EXPECT_THAT(spoilt([](ResultFile& f) { numbers(f, "steps", "draft_seconds")[2] = -1; }),
              HasSubstr("step 2"));
  EXPECT_THAT(spoilt([](ResultFile& f) { integers(f, "rounds", "request")[5] = 100'000; }),
              HasSubstr("round 5 is of request 100000"));
  EXPECT_THAT(spoilt([](ResultFile& f) { integers(f, "rounds", "step")[0] = 9; }), HasSubstr("has 0 rounds"));
  EXPECT_THAT(spoilt([](ResultFile& f) { integers(f, "rounds", "accepted")[4] = 64; }),
              HasSubstr("accepted = 64 is out of range"));
  EXPECT_THAT(spoilt([](ResultFile& f) { integers(f, "rounds", "planned")[4] = 99; }),
              HasSubstr("99 draft tokens"));
  EXPECT_THAT(spoilt([](ResultFile& f) { integers(f, "requests", "prompt_tokens")[0] = 0; }),
              HasSubstr("prompt_tokens = 0 is out of range"));
  EXPECT_THAT(spoilt([](ResultFile& f) { numbers(f, "rounds", "confidence")[0] = 7; }),
              HasSubstr("confidence_1 = 7 is out of range"));
  EXPECT_THAT(spoilt([](ResultFile& f) { column_of(f, "rounds", "confidence").positions = 2; }),
              HasSubstr("is not as dspark writes it"));
  EXPECT_THAT(spoilt([](ResultFile& f) { column_of(f, "steps", "decode_requests").values = Texts(1, "x"); }),
              HasSubstr("is not as dspark writes it"));
  EXPECT_THAT(spoilt([](ResultFile& f) {
                std::erase_if(f.tables, [](const Table& t) { return t.name == "steps"; });
              }),
              HasSubstr("no table /steps"));
}

TEST_F(RecordAndReplay, OnePointOfARealMachineIsRecordedAndNothingElseOverwritten) {
  const std::string all = refused("record " + kExperiment + " --out rounds.h5");
  EXPECT_THAT(all, HasSubstr("it has 4 points, one of which is recorded"));
  EXPECT_THAT(all, HasSubstr("--set 'sweep.grid.policy=[fixed:3]'"));
  EXPECT_THAT(refused("record " + kExperiment + kOnePoint +
                      "--set 'sweep.grid={machine.use: [modelled]}' --out rounds.h5"),
              HasSubstr("--set machine.use=executor"));
  EXPECT_THAT(refused("record " + kExperiment + kOnePoint + "--out rounds.h5 --replication 2"),
              HasSubstr("there is no replication 2, the experiment has 2"));
  write_bytes(folder_ / "mine.h5", "what took me a week");
  EXPECT_THAT(refused("record " + kExperiment + kOnePoint + "--out mine.h5"),
              HasSubstr("is not a recording"));
  EXPECT_THAT(refused("record " + kExperiment + kOnePoint + "--out rounds.h5 --csv mine.h5"),
              HasSubstr("is not a table of rounds"));
  EXPECT_EQ(read_bytes(folder_ / "mine.h5"), "what took me a week");
  EXPECT_FALSE(fs::exists(folder_ / "rounds.h5"));
  record();
  record();  // a recording is replaced
}

TEST_F(RecordAndReplay, ARecordingThatItsPolicyCutSaysNothingOfOthers) {
  record("--set 'sweep.grid={machine.use: [executor], policy: [fixed:2]}'");
  EXPECT_EQ(program("replay rounds.h5").code, 0);
  const std::string said = refused("replay rounds.h5 --policy dspark --out others.h5");
  EXPECT_THAT(said, HasSubstr("the policy cut the block"));
  EXPECT_THAT(said, HasSubstr("record under policy fixed:4"));
  EXPECT_FALSE(fs::exists(folder_ / "others.h5"));
}

}  // namespace
}  // namespace dspark
