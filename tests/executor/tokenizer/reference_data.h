#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "executor/tokenizer/tokenizer.h"
#include "executor/tokenizer/utf8.h"

namespace dspark {

// The files that scripts/make_references_tokenizer writes.

inline std::string data_path(std::string_view name) {
  return std::string(DSPARK_SOURCE_DIR) + "/tests/executor/tokenizer/data/" + std::string(name);
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char byte : line) {
    if (byte == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += byte;
    }
  }
  return columns;
}

/// The bytes of a line of strings.txt: \\, \n, \u{HEX}, \xHH.
inline std::string unescaped(std::string_view line) {
  std::string bytes;
  while (!line.empty()) {
    unsigned code = 0;
    std::size_t taken = 1;
    if (!line.starts_with('\\')) {
      bytes += line[0];
    } else if (line.starts_with("\\u{")) {
      taken = line.find('}') + 1;
      std::from_chars(line.data() + 3, line.data() + taken - 1, code, 16);
      append_utf8(code, bytes);
    } else if (line.starts_with("\\x")) {
      taken = 4;
      std::from_chars(line.data() + 2, line.data() + 4, code, 16);
      bytes += static_cast<char>(code);
    } else {
      taken = 2;
      bytes += line[1] == 'n' ? '\n' : '\\';
    }
    line.remove_prefix(taken);
  }
  return bytes;
}

inline std::vector<std::int32_t> ids_of(const std::string& column) {
  std::istringstream stream(column);
  return {std::istream_iterator<std::int32_t>(stream), {}};
}

inline std::vector<std::string> reference_strings() {
  std::vector<std::string> strings = lines_of(file_text(data_path("strings.txt")));
  for (std::string& line : strings) line = unescaped(line);
  return strings;
}

inline Tokenizer tokenizer_of(const std::string& kind) {
  const std::string path = data_path(kind + ".tokenizer.json");
  const auto tokenizer = Tokenizer::parse(file_text(path), "", path, "");
  if (!tokenizer) ADD_FAILURE() << to_string(tokenizer.error());
  if (!tokenizer) std::abort();
  return *tokenizer;
}

}  // namespace dspark
