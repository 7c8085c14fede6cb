#include "executor/tokenizer/tokenizer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/executor/tokenizer/reference_data.h"

namespace dspark {
namespace {

std::vector<std::string> kinds() {
  const std::string suffix = ".ids.tsv";
  std::vector<std::string> kinds;
  for (const auto& entry : std::filesystem::directory_iterator(data_path(""))) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(suffix)) kinds.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

class EveryKind : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Tokenizer, EveryKind, testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param; });

TEST_P(EveryKind, EncodesAndDecodesAsTheReference) {
  const Tokenizer tokenizer = tokenizer_of(GetParam());
  const std::vector<std::string> strings = reference_strings();
  const std::vector<std::string> lines = lines_of(file_text(data_path(GetParam() + ".ids.tsv")));
  const std::size_t every = std::stoul(lines.at(0).substr(6));
  ASSERT_EQ(lines.size() - 1, (strings.size() + every - 1) / every);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string& text = strings[(i - 1) * every];
    const auto columns = columns_of(lines[i]);
    const auto expected = ids_of(columns[0]);
    const auto ids = tokenizer.encode(text, false);
    ASSERT_TRUE(ids) << to_string(ids.error());
    ASSERT_EQ(*ids, expected) << "line " << i + 1 << ": " << text;
    const std::string decoded = columns.size() > 1 ? unescaped(columns[1]) : valid_utf8(text);
    ASSERT_EQ(tokenizer.decode(expected, false), decoded) << "line " << i + 1;
    ASSERT_EQ(tokenizer.decode(expected, true), columns.size() > 2 ? unescaped(columns[2]) : decoded)
        << "line " << i + 1;
  }
}

TEST_P(EveryKind, DecodesDrawnIdsAsTheReferenceAlsoWhereTheyComeOneByOne) {
  const Tokenizer tokenizer = tokenizer_of(GetParam());
  for (const std::string& line : lines_of(file_text(data_path(GetParam() + ".decoded.tsv")))) {
    const auto columns = columns_of(line);
    const auto ids = ids_of(columns[0]);
    for (const bool skip_special : {false, true}) {
      const std::string expected = unescaped(columns[skip_special && columns.size() > 2 ? 2 : 1]);
      ASSERT_EQ(tokenizer.decode(ids, skip_special), expected) << line;
      Tokenizer::Stream stream = tokenizer.stream(skip_special);
      std::string joined;
      for (const std::int32_t id : ids) {
        const std::string part = stream.push(id);
        ASSERT_EQ(valid_utf8(part), part) << "only whole characters: " << line;
        joined += part;
      }
      joined += stream.finish();
      ASSERT_EQ(joined, expected) << line;
    }
  }
}

}  // namespace
}  // namespace dspark
