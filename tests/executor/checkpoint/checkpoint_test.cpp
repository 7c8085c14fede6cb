#include "executor/checkpoint/checkpoint.h"

#include <gmock/gmock.h>

#include "tests/executor/checkpoint/model_folder.h"

namespace dspark {
namespace {

using testing::ElementsAre;

/// A file of one tensor of four F32.
std::string file_of(const std::string& name) {
  return safetensors(R"({")" + name + R"(":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})",
                     std::string(16, name[0]));
}

std::string error_of(const std::string& folder) {
  const auto checkpoint = Checkpoint::open(folder);
  return checkpoint ? "" : to_string(checkpoint.error());
}

const std::vector<std::size_t> kShape{2, 2};

/// A folder of two shards with a and b.
struct Sharded : ModelFolder {
  Sharded() {
    write("1.safetensors", file_of("a.weight"));
    write("2.safetensors", file_of("b.weight"));
    index(R"({"a.weight":"1.safetensors","b.weight":"2.safetensors"})");
  }
  std::string index(const std::string& map) const {
    return write("model.safetensors.index.json",
                 R"({"metadata":{"total_size":32},"weight_map":)" + map + "}");
  }
};

TEST(Checkpoint, OneFileAndShardsGiveTheirTensors) {
  const Sharded folder;
  const auto sharded = Checkpoint::open(folder.path());
  ASSERT_TRUE(sharded) << to_string(sharded.error());
  EXPECT_EQ(sharded->tensors(), 2u);
  for (const char* name : {"a.weight", "b.weight"}) {
    const auto tensor = sharded->tensor(name, kShape);
    ASSERT_TRUE(tensor) << to_string(tensor.error());
    EXPECT_EQ(static_cast<char>(tensor->bytes[15]), name[0]);
  }
  const ModelFolder one;
  one.write("model.safetensors", file_of("a.weight"));
  const auto whole = Checkpoint::open(one.path());
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->has("a.weight"));
  EXPECT_FALSE(whole->has("b.weight"));
}

TEST(Checkpoint, AShardThatIsALinkIsReadAsDownloadsAreKept) {
  const Sharded folder;
  const ModelFolder blobs;
  blobs.write("0123", file_of("b.weight"));
  std::filesystem::remove(folder.file("2.safetensors"));
  std::filesystem::create_symlink(blobs.file("0123"), folder.file("2.safetensors"));
  EXPECT_EQ(error_of(folder.path()), "");
}

TEST(Checkpoint, ATensorThatIsNotAsExpectedNamesItselfItsFileAndTheNearestName) {
  const Sharded folder;
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint);
  const std::vector<std::size_t> other{4, 1};
  EXPECT_EQ(to_string(checkpoint->tensor("b.weight", other).error()),
            folder.file("2.safetensors") + ": tensor 'b.weight' has shape [2, 2], expected [4, 1]");
  EXPECT_EQ(to_string(checkpoint->tensor("b.weigth", kShape).error()),
            folder.path() + ": tensor 'b.weigth' is missing (did you mean 'b.weight'?)");
  EXPECT_EQ(to_string(checkpoint->tensor("lm_head", kShape).error()),
            folder.path() + ": tensor 'lm_head' is missing");
}

TEST(Checkpoint, MissingAndSurplusTensorsAreAllNamed) {
  const Sharded folder;
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint);
  const auto lines = [&](std::vector<ExpectedTensor> expected, std::vector<std::string> ignored) {
    std::vector<std::string> texts;
    for (const Error& error : checkpoint->check(expected, ignored)) texts.push_back(to_string(error));
    return texts;
  };
  EXPECT_THAT(lines({{"a.weight", kShape}, {"b.weight", kShape}}, {}), ElementsAre());
  EXPECT_THAT(lines({{"a.weight", kShape}}, {}),
              ElementsAre(folder.file("2.safetensors") + ": tensor 'b.weight' is none of this model's"));
  EXPECT_THAT(lines({{"a.weight", kShape}}, {"b."}), ElementsAre());
  EXPECT_THAT(lines({{"a.weight", {4}}, {"b.weight", kShape}, {"c_proj", {1}}}, {}),
              ElementsAre(folder.file("1.safetensors") + ": tensor 'a.weight' has shape [2, 2], expected [4]",
                          folder.path() + ": tensor 'c_proj' is missing"));
  std::vector<ExpectedTensor> many;
  for (int i = 0; i < 12; ++i) many.push_back({"layers." + std::to_string(i), {1}});
  const auto texts = lines(many, {});
  ASSERT_EQ(texts.size(), 11u);
  EXPECT_EQ(texts.back(), folder.path() + ": 4 more tensors are missing or surplus");
}

TEST(Checkpoint, AFolderOfNoModelOrOfTwoIsRefused) {
  const ModelFolder folder;
  EXPECT_EQ(error_of(folder.path()),
            folder.path() +
                ": it holds neither model.safetensors nor model.safetensors.index.json "
                "(is this the folder of a model?)");
  const Sharded sharded;
  sharded.write("model.safetensors", file_of("a.weight"));
  EXPECT_EQ(error_of(sharded.path()), sharded.path() +
                                          ": it holds model.safetensors and "
                                          "model.safetensors.index.json (keep one of them)");
  folder.write("model.safetensors", "");
  EXPECT_EQ(error_of(folder.path()), folder.file("model.safetensors") + ": it is empty");
}

TEST(Checkpoint, EveryHostileIndexIsOneErrorThatNamesIt) {
  const Sharded folder;
  const std::string at = folder.file("model.safetensors.index.json");
  const std::string advice = " (a name that ends in .safetensors, without a folder)";
  const auto map_error = [&](const std::string& map) {
    folder.index(map);
    return error_of(folder.path());
  };
  const auto escape = [&](const std::string& name) {
    EXPECT_EQ(map_error(R"({"a.weight":")" + name + R"("})"),
              at + ": tensor 'a.weight': '" + name + "' is no file of this folder" + advice);
  };
  for (const char* name : {"../1.safetensors", "/etc/passwd", "/1.safetensors", "x/1.safetensors",
                           ".safetensors", "..safetensors", "", ".", "1.bin", "model.safetensors.index.json"})
    escape(name);
  EXPECT_EQ(map_error("[]"), at + ": weight_map is not an object");
  EXPECT_EQ(map_error("null"), at + ": weight_map is not an object");
  EXPECT_EQ(map_error("{}"), at + ": weight_map names no tensor");
  EXPECT_EQ(map_error("{"), at + ":1:46: it is not JSON");
  EXPECT_EQ(map_error(R"({"a.weight":1})"), at + ": tensor 'a.weight': its file is not a text");
  EXPECT_EQ(map_error(R"({"a":"1.safetensors","a":"2.safetensors"})"), at + ": 'a' stands twice");
  EXPECT_EQ(map_error(R"({"a.weight":"1.safetensors","b.weight":"3.safetensors"})"),
            "cannot read '" + folder.file("3.safetensors") + "': No such file or directory");
  EXPECT_EQ(map_error(R"({"a.weight":"1.safetensors"})"), "") << "a shard that nobody names is nobody's";
  EXPECT_EQ(map_error(R"({"a.weight":"1.safetensors","c":"2.safetensors"})"),
            at + ": tensor 'c' is not in '2.safetensors'");
  EXPECT_EQ(
      map_error(R"({"a.weight":"2.safetensors","b.weight":"1.safetensors"})"),
      at + ": tensor 'a.weight' is not in '2.safetensors' but in '" + folder.file("1.safetensors") + "'");
  folder.write("3.safetensors", file_of("a.weight"));
  EXPECT_EQ(
      map_error(R"({"a.weight":"1.safetensors","c":"3.safetensors"})"),
      folder.file("3.safetensors") + ": tensor 'a.weight' is also in '" + folder.file("1.safetensors") + "'");
  folder.write("1.safetensors", safetensors(R"({"a.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                            R"("s":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                            "12"));
  EXPECT_EQ(map_error(R"({"a.weight":"1.safetensors"})"),
            folder.file("1.safetensors") + ": tensor 's' is not in the index");
}

}  // namespace
}  // namespace dspark
