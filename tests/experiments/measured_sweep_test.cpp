// A sweep with measured points, its recording, and the same sweep again with the recorded durations.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "experiments/results/hdf5_file.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;

const std::string kTests = DSPARK_SOURCE_DIR "/tests";

/// The experiment and its model in a folder of their own.
class MeasuredSweep : public testing::Test {
 protected:
  MeasuredSweep() {
    namespace fs = std::filesystem;
    fs::create_directories(folder_ / "tests/experiments");
    fs::create_directories(folder_ / "tests/executor/model/data");
    fs::copy(kTests + "/experiments/measured.yaml", folder_ / "tests/experiments");
    fs::copy(kTests + "/bad_input", folder_ / "tests/bad_input");
    fs::copy(kTests + "/executor/model/data/qwen3_tied", folder_ / "tests/executor/model/data/qwen3_tied");
  }

  ProgramRun run(const std::string& arguments) {
    return run_program(folder_.path(), "run tests/experiments/measured.yaml --quiet " + arguments);
  }
  std::string first() {
    const ProgramRun ran = run("--out first.h5");
    EXPECT_EQ(ran.code, 0) << ran.output;
    return read_bytes(folder_ / "first.h5");
  }
  /// Runs with --durations of a result to which something was done.
  std::string refused(const std::function<void(ResultFile&)>& spoil, const std::string& arguments = "") {
    ResultFile file = *read_result_file(folder_ / "first.h5");
    spoil(file);
    write_bytes(folder_ / "spoilt.h5", *encode_hdf5(file));
    const ProgramRun ran = run("--durations spoilt.h5 --out again.h5 " + arguments);
    EXPECT_EQ(ran.code, 2) << ran.output;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "again.h5"));
    std::filesystem::remove(folder_ / "again.h5.partial");  // where modelled points were finished before
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    return ran.output;
  }

  const ScratchFolder folder_;
};

Table& table_of(ResultFile& file, const std::string& name) {
  return *std::find_if(file.tables.begin(), file.tables.end(),
                       [&](const Table& t) { return t.name == name; });
}
template <class T>
T& column_of(ResultFile& file, const std::string& table, const std::string& name) {
  for (Column& column : table_of(file, table).columns) {
    if (column.name == name) return std::get<T>(column.values);
  }
  ADD_FAILURE() << "no column " << name;
  static T none;
  return none;
}
/// Leaves out rows [first, last) of a table.
void erase_rows(ResultFile& file, const std::string& table, std::size_t first, std::size_t last) {
  for (Column& column : table_of(file, table).columns) {
    std::visit(
        [&](auto& values) {
          values.erase(values.begin() + static_cast<std::ptrdiff_t>(first),
                       values.begin() + static_cast<std::ptrdiff_t>(last));
        },
        column.values);
  }
}

TEST_F(MeasuredSweep, ServedAgainWithItsDurationsItIsTheSameBytes) {
  const std::string bytes = first();
  for (const char* jobs : {"1", "3"}) {
    const ProgramRun again = run(std::string("--durations first.h5 --out again.h5 --fresh --jobs ") + jobs);
    ASSERT_EQ(again.code, 0) << again.output;
    EXPECT_EQ(read_bytes(folder_ / "again.h5"), bytes) << jobs;
  }
  EXPECT_THAT(read_bytes(folder_ / "again.provenance.json"), HasSubstr("\"durations\": \"first.h5\""));
  // Measured anew it is another result; that of the modelled points is not.
  ASSERT_EQ(run("--out second.h5").code, 0);
  const auto before = *read_result_file(folder_ / "first.h5");
  const auto after = *read_result_file(folder_ / "second.h5");
  const Texts& one = before.table("digests").texts("digest");
  const Texts& other = after.table("digests").texts("digest");
  ASSERT_EQ(one.size(), 8u);
  EXPECT_NE(before.table("durations").numbers("verify_seconds"),
            after.table("durations").numbers("verify_seconds"));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(one[i], other[i]);
  EXPECT_EQ(before.table("recordings").integers("point"), (Integers{2, 2, 3, 3}));
}

TEST_F(MeasuredSweep, APartOfItAndOtherThreadsAreServedAgain) {
  first();
  const std::string part = "--set 'sweep.grid.policy=[dspark]' --set machine.executor.threads=2";
  const ProgramRun again = run("--durations first.h5 --out part.h5 " + part);
  ASSERT_EQ(again.code, 0) << again.output;
  const auto whole = *read_result_file(folder_ / "first.h5");
  const auto some = *read_result_file(folder_ / "part.h5");
  const Texts& digests = whole.table("digests").texts("digest");
  EXPECT_EQ(some.table("digests").texts("digest"), (Texts{digests[2], digests[3], digests[6], digests[7]}));
}

TEST_F(MeasuredSweep, ShowSaysWhatWasMeasured) {
  first();
  const std::size_t steps = read_result_file(folder_ / "first.h5")->table("durations").rows();
  EXPECT_THAT(run_program(folder_.path(), "show first.h5").output,
              HasSubstr("measured on a real machine: 2 of 4 points; the durations of " +
                        std::to_string(steps) + " steps"));
  EXPECT_THAT(run_program(folder_.path(), "show first.h5 --json").output, HasSubstr("\"point_digest\""));
}

TEST_F(MeasuredSweep, ARecordingOfAnotherExperimentIsRefused) {
  first();
  const auto same = [](ResultFile&) {};
  EXPECT_THAT(refused(same, "--set seed=6"),
              HasSubstr("holds no durations of policy=fixed:3, machine.use=executor"));
  EXPECT_THAT(refused(same, "--set 'sweep.grid.policy=[none]'"),
              HasSubstr("holds no durations of policy=none"));
  EXPECT_THAT(refused(same, "--set engine.max_num_seqs=5"), HasSubstr("they are of another experiment"));
  EXPECT_THAT(refused(same, "--set confidence=raw"), HasSubstr("holds no durations of"));
  EXPECT_THAT(refused(same, "--set replications=3"),
              HasSubstr("holds no durations of policy=fixed:3, machine.use=executor, replication 2"));
  EXPECT_THAT(refused(same, "--set 'sweep.grid={machine.use: [modelled]}'"), HasSubstr("is measured"));
}

TEST_F(MeasuredSweep, ASpoiltRecordingIsRefused) {
  first();
  EXPECT_THAT(refused([](ResultFile& f) { f.tables.resize(f.tables.size() - 2); }),
              HasSubstr("'spoilt.h5' holds no durations: nothing in it was measured"));
  for (const char* part : {"draft", "verify", "overhead"}) {
    for (const double value : {-1.0, std::nan(""), static_cast<double>(INFINITY)}) {
      EXPECT_THAT(refused([&](ResultFile& f) {
                    column_of<Numbers>(f, "durations", std::string(part) + "_seconds")[9] = value;
                  }),
                  HasSubstr(std::string("durations that no clock gives: policy=fixed:3, "
                                        "machine.use=executor, replication 0, step 9: ") +
                            part));
    }
  }
  EXPECT_THAT(
      refused([](ResultFile& f) { column_of<Numbers>(f, "recordings", "belief_bias_seconds")[1] = 0; }),
      HasSubstr("replication 1, believed step costs of 0 s"));
  const auto steps = static_cast<std::size_t>(
      read_result_file(folder_ / "first.h5")->table("recordings").integers("steps")[0]);
  EXPECT_THAT(refused([&](ResultFile& f) {
                erase_rows(f, "durations", steps - 2, steps);
                column_of<Integers>(f, "recordings", "steps")[0] -= 2;
              }),
              HasSubstr("step " + std::to_string(steps - 2) + " begins, but the recorded run has"));
  EXPECT_THAT(refused([](ResultFile& f) { column_of<Integers>(f, "recordings", "steps")[0] -= 2; }),
              HasSubstr("is not as dspark writes it: tables of durations"));
  EXPECT_THAT(refused([](ResultFile& f) { column_of<Integers>(f, "recordings", "steps")[3] += 1; }),
              HasSubstr("is not as dspark writes it: tables of durations"));
  EXPECT_THAT(refused([](ResultFile& f) { erase_rows(f, "digests", 4, 5); }),
              HasSubstr("tables of durations"));
  EXPECT_THAT(refused([](ResultFile& f) { column_of<Texts>(f, "digests", "digest")[4] = "no digest"; }),
              HasSubstr("tables of durations"));
  EXPECT_THAT(
      refused([](ResultFile& f) { column_of<Texts>(f, "digests", "digest")[4][31] ^= 1; }),
      testing::AnyOf(HasSubstr("does not do what the recorded one did"), HasSubstr("tables of durations")));
  EXPECT_THAT(refused([](ResultFile& f) { table_of(f, "durations").columns.pop_back(); }),
              HasSubstr("tables of durations"));
  EXPECT_THAT(refused([](ResultFile& f) { erase_rows(f, "recordings", 3, 4); }),
              HasSubstr("tables of durations"));
  const std::string bytes = read_bytes(folder_ / "first.h5");
  write_bytes(folder_ / "cut.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(run("--durations cut.h5 --out again.h5").output, HasSubstr("'cut.h5' is damaged"));
  EXPECT_THAT(run("--durations nothing.h5 --out again.h5").output, HasSubstr("cannot read 'nothing.h5'"));
}

TEST_F(MeasuredSweep, ARecordingIsNeverWrittenOver) {
  const std::string bytes = first();
  for (const char* fresh : {"", "--fresh"}) {
    const ProgramRun ran = run(std::string("--durations first.h5 --out ./first.h5 ") + fresh);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("'./first.h5' is the recording itself"));
  }
  ASSERT_EQ(run("--out other.h5").code, 0);
  EXPECT_THAT(run("--durations first.h5 --out other.h5").output,
              HasSubstr("'other.h5' holds other durations"));
  EXPECT_EQ(read_bytes(folder_ / "first.h5"), bytes);
  ASSERT_EQ(run("--durations first.h5 --out again.h5").code, 0);
  EXPECT_EQ(run("--durations first.h5 --out again.h5").code, 0) << "complete already";
}

TEST_F(MeasuredSweep, AModelThatWasSwappedIsNotTakenForTheOneBefore) {
  first();
  const std::string weights = folder_ / "tests/executor/model/data/qwen3_tied/model.safetensors";
  std::string bytes = read_bytes(weights);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);  // the last bit of one weight
  write_bytes(weights, bytes);
  EXPECT_THAT(run("--out first.h5").output, HasSubstr("holds the result of another experiment or version"));
  EXPECT_THAT(run("--durations first.h5 --out again.h5").output, HasSubstr("or model"));
  std::filesystem::rename(folder_ / "first.h5", folder_ / "kept.h5");
  ASSERT_EQ(run("--out second.h5").code, 0);
  const auto digest = [&](const std::string& name) {
    return read_result_file(folder_ / name)->text("experiment_digest");
  };
  EXPECT_NE(digest("kept.h5"), digest("second.h5"));
  // An experiment without measured points does not look at models.
  ASSERT_EQ(run("--out modelled.h5 --set 'sweep.grid={machine.use: [modelled]}'").code, 0);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(weights, bytes);
  ASSERT_EQ(run("--out again.h5 --set 'sweep.grid={machine.use: [modelled]}'").code, 0);
  EXPECT_EQ(read_bytes(folder_ / "again.h5"), read_bytes(folder_ / "modelled.h5"));
}

}  // namespace
}  // namespace dspark
