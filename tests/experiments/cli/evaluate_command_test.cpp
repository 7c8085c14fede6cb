// dspark evaluate on the pair that ships.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/results/hdf5_file.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kPair = DSPARK_SOURCE_DIR "/tests/models/tiny/";
const std::string kDspark = " --drafter " + kPair + "dspark ";
const std::string kFew = " --requests 8 --output-tokens 48 ";

std::string lines_of(const std::string& domain) {
  return " --lines --prompts " + kPair + "prompts/" + domain + ".txt ";
}

ProgramRun evaluate(const ScratchFolder& folder, const std::string& arguments) {
  return run_program(folder.path(), "evaluate --model " + kPair + "target " + arguments);
}

nlohmann::json json_of(const ScratchFolder& folder, const std::string& arguments) {
  const ProgramRun run = evaluate(folder, arguments + " --json --quiet");
  EXPECT_EQ(run.code, 0) << run.output;
  return nlohmann::json::parse(run.output);
}

TEST(EvaluateCommand, DsparkDraftsBetterThanDflashAndThatBetterThanPromptLookup) {
  const ScratchFolder folder;
  const auto json = json_of(folder, kDspark + "--drafter " + kPair + "dflash --drafter ngram " + kFew +
                                        lines_of("arithmetic") + lines_of("code"));
  ASSERT_EQ(json["groups"].size(), 9u);  // two domains and both, by drafter
  const auto tau = [&](std::size_t i) { return json["groups"][i]["tau"].get<double>(); };
  for (std::size_t domain = 0; domain < 3; ++domain) {
    EXPECT_GT(tau(domain), tau(3 + domain));
    EXPECT_GT(tau(3 + domain), tau(6 + domain));
  }
  EXPECT_EQ(json["groups"][1]["domain"], "code");
  EXPECT_EQ(json["groups"][2]["domain"], "all");
  EXPECT_EQ(json["groups"][2]["requests"], 16);
  EXPECT_EQ(json["groups"][0]["positions"].size(), 7u);
}

TEST(EvaluateCommand, DrawsTheSameRoundsAgainOnAnyNumberOfThreads) {
  const ScratchFolder folder;
  const std::string same = kDspark + kFew + lines_of("prose");
  EXPECT_EQ(json_of(folder, same + "--threads 1")["groups"], json_of(folder, same + "--threads 2")["groups"]);
  EXPECT_NE(json_of(folder, same + "--seed 1")["groups"], json_of(folder, same)["groups"]);
}

TEST(EvaluateCommand, WritesTablesRoundsAndAFigure) {
  const ScratchFolder folder;
  const ProgramRun run = evaluate(folder, kDspark + "--requests 40 " + lines_of("prose") +
                                              "--out out/e.h5 --rounds r.csv --figure plots/e.png");
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("accepted length"));
  const auto file = read_result_file(folder / "out/e.h5");
  ASSERT_TRUE(file) << to_string(file.error());
  EXPECT_EQ(file->table("groups").rows(), 1u);
  EXPECT_EQ(file->table("positions").rows(), 7u);
  EXPECT_THAT(read_bytes(folder / "plots/e.png"), StartsWith("\x89PNG"));
  const ProgramRun calibrated = run_program(folder.path(), "calibrate r.csv");
  EXPECT_EQ(calibrated.code, 0) << calibrated.output;
}

TEST(EvaluateCommand, WindowsOfATextAreOfTheLengthsThatWereAsked) {
  const ScratchFolder folder;
  const auto json =
      json_of(folder, kDspark + kFew +
                          "--prompts text=" DSPARK_SOURCE_DIR "/README.md --context 16,48 --temperature 0,1");
  ASSERT_EQ(json["groups"].size(), 4u);
  EXPECT_EQ(json["groups"][1]["context_tokens"], 48);
  EXPECT_EQ(json["groups"][2]["temperature"], 1.0);
}

TEST(EvaluateCommand, SaysWhatIsWrong) {
  const ScratchFolder folder;
  write_bytes(folder / "short.txt", "def f(x):");
  write_bytes(folder / "empty.txt", "\n\n");
  const auto said = [&](const std::string& arguments) {
    const ProgramRun run = evaluate(folder, arguments);
    EXPECT_EQ(run.code, 2) << run.output;
    EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1) << run.output;
    return run.output;
  };
  EXPECT_THAT(said("--drafter none --prompts short.txt"), HasSubstr("'none' drafts nothing"));
  EXPECT_THAT(said(kDspark + "--prompts short.txt"), HasSubstr("fewer than a prompt of 64"));
  EXPECT_THAT(said(kDspark + "--lines --prompts empty.txt"), HasSubstr("'empty.txt' has no text"));
  EXPECT_THAT(said(kDspark + "--lines --prompts nowhere.txt"), HasSubstr("'nowhere.txt' is not a file"));
  EXPECT_THAT(said(kDspark + "--lines --prompts a=short.txt --prompts a=empty.txt"),
              HasSubstr("two files of prompts for the domain 'a'"));
  EXPECT_THAT(said(kDspark + "--drafter ngram --rounds r.csv --lines --prompts short.txt"),
              HasSubstr("--rounds is for one drafter"));
  EXPECT_THAT(said(kDspark + "--figure e.svg --lines --prompts short.txt"),
              HasSubstr("does not end in .png"));
  EXPECT_THAT(said("--drafter nowhere --lines --prompts short.txt"), HasSubstr("nowhere/config.json"));
}

}  // namespace
}  // namespace dspark
