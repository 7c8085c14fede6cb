#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "executor/tokenizer/chat_template.h"
#include "executor/tokenizer/tokenizer.h"
#include "executor/tokenizer/utf8.h"
#include "tests/fuzz/expect.h"

namespace {

using dspark::expect;

void expect_one_line(const dspark::Error& error) {
  const std::string message = to_string(error);
  expect(!message.empty() && message.find('\n') == std::string::npos, "an error is one line");
}

void check_decoding(const dspark::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  for (const bool skip_special : {false, true}) {
    const std::string text = tokenizer.decode(ids, skip_special);
    expect(dspark::valid_utf8(text) == text, "a decoded text is UTF-8");
    dspark::Tokenizer::Stream stream = tokenizer.stream(skip_special);
    std::string joined;
    for (const std::int32_t id : ids) {
      const std::string part = stream.push(id);
      expect(dspark::valid_utf8(part) == part, "a stream gives whole characters");
      joined += part;
    }
    expect(joined + stream.finish() == text, "a stream gives what decode gives");
  }
}

}  // namespace

/// Two texts, divided by the first zero byte: a tokenizer.json or an error of one line, and a text that is
/// encoded and decoded or takes it too many steps.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = input.find('\0');
  const std::string_view text = cut == std::string_view::npos ? std::string_view() : input.substr(cut + 1);
  const auto tokenizer = dspark::Tokenizer::parse(input.substr(0, cut), "", "tokenizer", "config");
  if (!tokenizer) {
    expect_one_line(tokenizer.error());
    return 0;
  }
  const auto ids = tokenizer->encode(text, true);
  if (!ids) {
    expect_one_line(ids.error());
    return 0;
  }
  for (const std::int32_t id : *ids) {
    const auto token = tokenizer->token_text(id);
    expect(token.has_value() && id < tokenizer->vocab_size(), "an id is that of a token");
  }
  check_decoding(*tokenizer, *ids);
  std::vector<std::int32_t> all;
  for (std::int32_t id = 0; id < tokenizer->vocab_size() && all.size() < 256; ++id) all.push_back(id);
  check_decoding(*tokenizer, all);
  return 0;
}
