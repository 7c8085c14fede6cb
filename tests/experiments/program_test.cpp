#include "tests/experiments/program.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kBase = DSPARK_SOURCE_DIR "/tests/bad_input/base.yaml";

ProgramRun run_base(const ScratchFolder& folder, const std::string& more = "") {
  return run_program(folder.path(), "run '" + kBase + "' --quiet " + more);
}

TEST(Program, WritesToResultsByDefaultAndSaysWhenItIsComplete) {
  const ScratchFolder folder;
  EXPECT_EQ(run_base(folder).code, 0);
  const std::string bytes = read_bytes(folder / "results/base.h5");
  EXPECT_THAT(bytes, StartsWith("DSPARK-RESULT 1\n"));
  EXPECT_THAT(read_bytes(folder / "results/base.provenance.json"), HasSubstr("\"jobs\""));
  EXPECT_FALSE(std::filesystem::exists(folder / "results/base.h5.partial"));
  const ProgramRun again = run_program(folder.path(), "run '" + kBase + "'");
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.output, StartsWith("already complete: results/base.h5"));
  EXPECT_EQ(run_base(folder, "--fresh --jobs 2").code, 0);
  EXPECT_EQ(read_bytes(folder / "results/base.h5"), bytes);
}

TEST(Program, AnotherExperimentsResultIsKeptUnlessFresh) {
  const ScratchFolder folder;
  ASSERT_EQ(run_base(folder, "--out a.h5").code, 0);
  const std::string before = read_bytes(folder / "a.h5");
  const ProgramRun refused = run_base(folder, "--out a.h5 --set policy=fixed:1");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, HasSubstr("--fresh overwrites it"));
  EXPECT_EQ(read_bytes(folder / "a.h5"), before);
  EXPECT_EQ(run_base(folder, "--out a.h5 --set policy=fixed:1 --fresh").code, 0);
  EXPECT_NE(read_bytes(folder / "a.h5"), before);
}

TEST(Program, FreshOverwritesResultsAndNothingElse) {
  const ScratchFolder folder;
  write_bytes(folder / "notes.txt", "mine");
  const ProgramRun run = run_base(folder, "--out notes.txt --fresh");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, HasSubstr("'notes.txt' is not a dspark result (--fresh overwrites results only)"));
  EXPECT_EQ(read_bytes(folder / "notes.txt"), "mine");
}

TEST(Program, ClosedOrFullStreamsStopNothingAndEndUpInNoFile) {
  const ScratchFolder folder;
  const std::string run = "run '" + kBase + "' --set replications=20 --out ";
  EXPECT_EQ(run_program(folder.path(), run + "a.h5", "2>&1").code, 0);
  EXPECT_EQ(run_program(folder.path(), run + "b.h5", "<&- >&- 2>&-").code, 0);
  EXPECT_EQ(run_program(folder.path(), run + "c.h5", "2> /dev/full").code, 0);
  const std::string bytes = read_bytes(folder / "a.h5");
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(read_bytes(folder / "b.h5"), bytes);
  EXPECT_EQ(read_bytes(folder / "c.h5"), bytes);
}

TEST(Program, RejectedRequestsAreNotPassedOver) {
  const ScratchFolder folder;
  const std::string tight =
      " --set 'machine.modelled.kv={blocks: 4, block_tokens: 16}'"
      " --set 'workload.output_tokens={lognormal: {median: 30, sigma: 0.5}}'";
  const ProgramRun run = run_program(folder.path(), "run '" + kBase + "' --out a.h5" + tight);
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("larger than the KV cache and rejected"));
  EXPECT_THAT(run_program(folder.path(), "show a.h5").output,
              HasSubstr("larger than the KV cache and rejected"));
}

TEST(Program, StepsBeyondWhatWasMeasuredAreSaidToBeExtrapolated) {
  const ScratchFolder folder;
  const std::string run = "run '" + kBase + "' --set engine.max_num_seqs=80 --out ";
  const std::string users = " --set workload.arrivals.closed_loop.users=";
  ASSERT_EQ(run_program(folder.path(), run + "many.h5" + users + "80").code, 0);
  EXPECT_THAT(run_program(folder.path(), "show many.h5").output,
              HasSubstr("steps were larger than anything measured in verify_cost"));
  ASSERT_EQ(run_program(folder.path(), run + "few.h5" + users + "2").code, 0);
  EXPECT_THAT(run_program(folder.path(), "show few.h5").output, Not(HasSubstr("measured in verify_cost")));
}

TEST(Program, AFolderThatCannotBeWrittenIsOneErrorWithCode3) {
  const ScratchFolder folder;
  const ProgramRun run = run_base(folder, "--out /proc/nowhere/a.h5");
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.output, StartsWith("error: cannot create folder '/proc/nowhere'"));
  EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1);
}

TEST(Program, AFileLimitLikeAFullDiskLeavesNoHalfFile) {
  const ScratchFolder folder;
  // 8 blocks of 512 bytes: the log fits, the result does not.
  const std::string command = "check '" + kBase + "' > /dev/null && (trap '' XFSZ; ulimit -f 8; '" +
                              program_path() + "' run '" + kBase + "' --quiet --out a.h5)";
  const ProgramRun run = run_program(folder.path(), command);
  EXPECT_EQ(run.code, 3) << run.output;
  EXPECT_THAT(run.output, HasSubstr("File too large"));
  EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1) << run.output;
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.tmp"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.provenance.json"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.provenance.json.tmp"));
  EXPECT_EQ(run_base(folder, "--out a.h5").code, 0);  // resumes once there is room
  EXPECT_TRUE(std::filesystem::exists(folder / "a.provenance.json"));
}

TEST(Program, AFullDiskIsOneErrorLineWithCode3WhereverItIsMet) {
  const ScratchFolder folder;
  const auto expect_full = [](const ProgramRun& run) {
    EXPECT_EQ(run.code, 3) << run.output;
    EXPECT_THAT(run.output, StartsWith("error: cannot write "));
    EXPECT_THAT(run.output, EndsWith("No space left on device\n"));
    EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1) << run.output;
  };
  std::filesystem::create_symlink("/dev/full", folder / "a.h5.tmp");
  expect_full(run_base(folder, "--out a.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.provenance.json"));
  std::filesystem::create_symlink("/dev/full", folder / "a.provenance.json.tmp");
  expect_full(run_base(folder, "--out a.h5"));
  EXPECT_TRUE(std::filesystem::exists(folder / "a.h5"));  // the numbers are safe, and the log with them
  EXPECT_FALSE(std::filesystem::exists(folder / "a.provenance.json"));
  EXPECT_EQ(run_base(folder, "--out a.h5").code, 0);
  EXPECT_THAT(read_bytes(folder / "a.provenance.json"), HasSubstr("\"runs_from_an_earlier_start\": 1"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.partial"));
  expect_full(run_program(folder.path(), "show a.h5 --csv", "2>&1 >/dev/full"));
}

TEST(Program, ADeviceIsNeverReplacedByAResult) {
  const ScratchFolder folder;
  std::filesystem::create_symlink("/dev/null", folder / "a.h5");
  const ProgramRun run = run_base(folder, "--out a.h5 --fresh");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, HasSubstr("'a.h5' is not a regular file"));
}

TEST(Program, ShowSaysByWhichMetricPoliciesAreRanked) {
  const ScratchFolder folder;
  const std::string sweep = "--set 'sweep.grid.policy=[none, fixed:1]' --set replications=2 ";
  ASSERT_EQ(run_base(folder,
                     sweep + "--out closed.h5 --set 'sweep.grid.workload.arrivals.closed_loop.users=[1, 2]'")
                .code,
            0);
  const ProgramRun closed = run_program(folder.path(), "show closed.h5");
  EXPECT_THAT(closed.output, HasSubstr("best lossless policy at each load by throughput\n"));
  std::string yaml = read_bytes(kBase);
  const auto put = [&](const std::string& before, const std::string& after) {
    yaml.replace(yaml.find(before), before.size(), after);
  };
  put("cost.csv", DSPARK_SOURCE_DIR "/tests/bad_input/cost.csv");
  put("closed_loop: {users: 2}", "poisson: {rate: 1}");
  write_bytes(folder / "open.yaml", yaml);
  const std::string rates = "--set 'sweep.grid.workload.arrivals.poisson.rate=[1, 2]' ";
  ASSERT_EQ(run_program(folder.path(), "run open.yaml --quiet --out open.h5 " + sweep + rates).code, 0);
  EXPECT_THAT(
      run_program(folder.path(), "show open.h5").output,
      HasSubstr("best lossless policy at each load by user_speed_mean (open arrivals fix the throughput)\n"));
}

TEST(Program, ShowPrintsTidyRows) {
  const ScratchFolder folder;
  ASSERT_EQ(run_base(folder, "--out a.h5 --set 'sweep.grid.policy=[none, {fixed: {k: 1}}]'").code, 0);
  const ProgramRun csv = run_program(folder.path(), "show a.h5 --csv --metric throughput");
  EXPECT_EQ(csv.code, 0);
  EXPECT_THAT(csv.output, StartsWith("policy,metric,unit,mean,low,high,n\nnone,throughput,tokens/s,"));
  EXPECT_THAT(csv.output, HasSubstr("\n{fixed: {k: 1}},throughput,tokens/s,"));
  EXPECT_THAT(csv.output, EndsWith(",,,1\n"));  // one replication has no interval
  EXPECT_THAT(run_program(folder.path(), "show a.h5 --json").output, HasSubstr("\"replications\": 1"));
  EXPECT_THAT(run_program(folder.path(), "show a.h5").output, HasSubstr("all policies are lossless"));
  const ProgramRun wrong = run_program(folder.path(), "show a.h5 --metric thruoghput");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("did you mean 'throughput'?"));
}

TEST(Program, ShowComparesAllPoliciesWithOne) {
  const ScratchFolder folder;
  ASSERT_EQ(run_base(folder,
                     "--out a.h5 --set replications=3 --set 'sweep.grid.policy=[fixed:1, none, oracle]' "
                     "--set 'sweep.grid.workload.arrivals.closed_loop.users=[1, 2]'")
                .code,
            0);
  const ProgramRun text = run_program(folder.path(), "show a.h5 --policies");
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.output, HasSubstr("throughput against none: "));
  EXPECT_THAT(text.output, HasSubstr("Holm's correction over the 4 comparisons, all"));
  EXPECT_THAT(text.output, HasSubstr("oracle (not lossless)"));
  EXPECT_THAT(text.output, HasSubstr("users=2"));
  const ProgramRun csv =
      run_program(folder.path(), "show a.h5 --policies --against fixed:1 --metric user_speed_mean --csv");
  EXPECT_THAT(csv.output, StartsWith("policy,workload.arrivals.closed_loop.users,metric,unit,mean,baseline,"
                                     "difference,difference_low,difference_high,n,p,p_holm,significant,"
                                     "share_of_oracle_gain,wasted_per_output_token,lossless\n"
                                     "fixed:1,1,user_speed_mean,tokens/s,"));
  EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 1 + 6);
  EXPECT_THAT(run_program(folder.path(), "show a.h5 --policies --json").output,
              HasSubstr("\"baseline\": \"none\""));
}

TEST(Program, WrongComparisonsAreOneErrorWithAdvice) {
  const ScratchFolder folder;
  ASSERT_EQ(run_base(folder, "--out a.h5 --set 'sweep.grid.policy=[none, fixed:1]'").code, 0);
  const auto expect_refused = [&](const std::string& options, const std::string& message) {
    const ProgramRun run = run_program(folder.path(), "show a.h5 " + options);
    EXPECT_EQ(run.code, 2) << options;
    EXPECT_THAT(run.output, HasSubstr(message)) << options;
    EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1) << run.output;
  };
  expect_refused(
      "--policies --against fixed:2",
      "'a.h5': the result has no policy 'fixed:2', or several of that name (did you mean 'fixed:1'?)");
  expect_refused("--policies --metric thruoghput", "did you mean 'throughput'?");
  expect_refused("--policies --metric throughput --metric user_speed_mean", "give --metric once");
  expect_refused("--against none", "--against requires --policies");
}

TEST(Program, HelpTeachesByExample) {
  for (const char* command : {"", "run", "check", "list", "show", "figures"}) {
    const ProgramRun help = run_program("/", std::string(command) + " --help");
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.output, HasSubstr("dspark " + std::string(command))) << command;
  }
  EXPECT_THAT(run_program("/", "--version").output, StartsWith("dspark 0."));
}

TEST(Program, ListNamesEverything) {
  const ProgramRun list = run_program("/", "list");
  EXPECT_EQ(list.code, 0);
  for (const char* word : {"dspark_async", "closed_loop", "lognormal", "throughput", "replications"}) {
    EXPECT_THAT(list.output, HasSubstr(word));
  }
  EXPECT_THAT(run_program("/", "list policies --markdown").output, HasSubstr("### `fixed`"));
}

}  // namespace
}  // namespace dspark
