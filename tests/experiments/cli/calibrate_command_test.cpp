#include <gmock/gmock.h>

#include <filesystem>

#include "experiments/calibration/rounds_hdf5.h"
#include "sim/table/rounds_csv.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kExample = DSPARK_SOURCE_DIR "/experiments/data/example_rounds.csv";

ProgramRun calibrate(const ScratchFolder& folder, const std::string& arguments) {
  return run_program(folder.path(), "calibrate " + arguments);
}

TEST(CalibrateCommand, PrintsWhatTheManualShows) {
  const ScratchFolder folder;
  const ProgramRun run = calibrate(folder, kExample + " --out t.yaml");
  EXPECT_EQ(run.code, 0) << run.output;
  const std::string manual = read_bytes(DSPARK_SOURCE_DIR "/docs/calibration.md");
  EXPECT_NE(manual.find(run.output), std::string::npos) << run.output;
  EXPECT_NE(manual.find(read_bytes(folder / "t.yaml")), std::string::npos) << read_bytes(folder / "t.yaml");
}

TEST(CalibrateCommand, WritesNothingUnlessAsked) {
  const ScratchFolder folder;
  const ProgramRun run = calibrate(folder, kExample);
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("(--out NAME.yaml writes them)"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CalibrateCommand, TheSameRoundsInHdf5GiveTheSameNumbers) {
  const ScratchFolder folder;
  const auto rounds = read_rounds_csv({kExample, read_bytes(kExample), {}});
  ASSERT_TRUE(rounds);
  write_bytes(folder / "example_rounds.h5", *encode_rounds_hdf5(*rounds));
  const ProgramRun from_hdf5 = calibrate(folder, "example_rounds.h5");
  EXPECT_EQ(from_hdf5.code, 0) << from_hdf5.output;
  const std::string from_csv = calibrate(folder, kExample).output;
  EXPECT_EQ(from_hdf5.output.substr(from_hdf5.output.find(':')), from_csv.substr(from_csv.find(':')));
}

TEST(CalibrateCommand, DrawsReliabilityAsPngAndPdf) {
  const ScratchFolder folder;
  const ProgramRun run = calibrate(folder, kExample + " --figure plots/reliability.png");
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(read_bytes(folder / "plots/reliability.png"), StartsWith("\x89PNG"));
  EXPECT_THAT(read_bytes(folder / "plots/reliability.pdf"), StartsWith("%PDF"));
}

TEST(CalibrateCommand, WithoutPythonItSaysSoBeforeWriting) {
  const ScratchFolder folder;
  const std::string command = "--version > /dev/null; DSPARK_FIGURES=/nowhere/plot.py '" + program_path() +
                              "' calibrate " + kExample + " --out t.yaml --figure a.png";
  const ProgramRun run = run_program(folder.path(), command);
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.output,
            "error: cannot find the figures script '/nowhere/calibration.py' (DSPARK_FIGURES names it)\n");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CalibrateCommand, OnlyFilesOfTemperaturesAreOverwritten) {
  const ScratchFolder folder;
  write_bytes(folder / "mine.yaml", "schema: 1\n");
  const ProgramRun refused = calibrate(folder, kExample + " --out mine.yaml");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.output,
            "error: 'mine.yaml' is there and is not a file of temperatures (--out overwrites those only)\n");
  EXPECT_EQ(read_bytes(folder / "mine.yaml"), "schema: 1\n");
  EXPECT_EQ(calibrate(folder, kExample + " --out t.yaml").code, 0);
  EXPECT_EQ(calibrate(folder, kExample + " --out t.yaml --bins 10").code, 0);
  std::filesystem::create_symlink("/dev/null", folder / "null.yaml");
  EXPECT_THAT(calibrate(folder, kExample + " --out null.yaml").output,
              HasSubstr("'null.yaml' is not a regular file"));
}

TEST(CalibrateCommand, AFullOrForbiddenDiskIsCode3) {
  const ScratchFolder folder;
  EXPECT_EQ(calibrate(folder, kExample + " --out /proc/nowhere/t.yaml").code, 3);
  std::filesystem::create_symlink("/dev/full", folder / "t.yaml.tmp");
  const ProgramRun full = calibrate(folder, kExample + " --out t.yaml");
  EXPECT_EQ(full.code, 3);
  EXPECT_THAT(full.output, HasSubstr("No space left on device"));
  EXPECT_FALSE(std::filesystem::exists(folder / "t.yaml"));
  EXPECT_EQ(run_program(folder.path(), "calibrate " + kExample, "2>&1 > /dev/full").code, 3);
}

TEST(CalibrateCommand, GateEstimatesNeedAWordOnWhatTheyMean) {
  const ScratchFolder folder;
  std::string table = "commits,category,a0,a1\n";
  for (int i = 0; i < 400; ++i)
    table += std::to_string(i % 3) + (i % 2 ? ",math,0.8,0.5\n" : ",chat,0.6,0.3\n");
  write_bytes(folder / "gate.csv", table);
  const ProgramRun asked = calibrate(folder, "gate.csv");
  EXPECT_EQ(asked.code, 2);
  EXPECT_EQ(asked.output,
            "error: gate.csv:1:1: this table has the form commits, category, a0 .. a{D-1} (say whether its "
            "estimates are conditional or cumulative: --form conditional or --form cumulative)\n");
  EXPECT_EQ(calibrate(folder, "gate.csv --form cumulative").code, 0);
  EXPECT_EQ(calibrate(folder, "gate.csv --form conditional").code, 0);
}

TEST(CalibrateCommand, WrongOptionsAreCode2) {
  const ScratchFolder folder;
  for (const char* wrong : {"", "nowhere.csv", "/dev/null", "/", "x.csv --held-out 1", "x.csv --held-out -1",
                            "x.csv --bins 0", "x.csv --form gate"}) {
    EXPECT_EQ(calibrate(folder, wrong).code, 2) << wrong;
  }
  const ProgramRun suffix = calibrate(folder, kExample + " --figure a.svg");
  EXPECT_EQ(suffix.code, 2);
  EXPECT_EQ(suffix.output, "error: 'a.svg' does not end in .png (a .pdf is written beside it)\n");
  EXPECT_THAT(calibrate(folder, "--help").output, HasSubstr("Examples:"));
}

}  // namespace
}  // namespace dspark
