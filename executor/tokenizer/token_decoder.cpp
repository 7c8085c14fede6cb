#include "executor/tokenizer/token_decoder.h"

#include <optional>
#include <utility>

#include "executor/tokenizer/byte_level.h"
#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

std::string replaced(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  for (std::size_t begin = 0;;) {
    const std::size_t found = pattern.empty() ? std::string_view::npos : text.find(pattern, begin);
    out += text.substr(begin, found - begin);
    if (found == std::string_view::npos) return out;
    out += content;
    begin = found + pattern.size();
  }
}

int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that <0xNN> stands for. The reference reads the two digits as a number, so <0x+A> is 10.
std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return {};
  const int high = token[3] == '+' ? 0 : hexadecimal(token[3]);
  const int low = hexadecimal(token[4]);
  if (high < 0 || low < 0) return {};
  return static_cast<char>(high << 4 | low);
}

/// The bytes of a token, each of whose characters is one of the byte-level alphabet; else its UTF-8.
std::string byte_level_bytes(const std::string& token) {
  std::string bytes;
  for (std::string_view rest = token; !rest.empty();) {
    const Utf8Unit unit = first_unit(rest);
    const auto byte = byte_level_byte(unit.character);
    if (!byte) return token;
    bytes += static_cast<char>(*byte);
    rest.remove_prefix(unit.bytes);
  }
  return bytes;
}

std::string stripped_token(std::string_view text, const TokenDecoder::Strip& strip) {
  for (std::size_t i = 0; i < strip.start && text.starts_with(strip.content); ++i)
    text.remove_prefix(strip.content.size());
  for (std::size_t i = 0; i < strip.stop && text.ends_with(strip.content); ++i)
    text.remove_suffix(strip.content.size());
  return std::string(text);
}

}  // namespace

std::string_view TokenDecoder::add(Step step) {
  const bool is_fused = fused_from_ <= steps_.size();
  if (is_fused && std::holds_alternative<Replace>(step))
    return "'Replace' behind a step that joins all tokens";
  if (is_fused && std::holds_alternative<ByteFallback>(step))
    return "'ByteFallback' behind a step that joins all tokens";
  if (is_fused && std::holds_alternative<Metaspace>(step))
    return "'Metaspace' behind a step that joins all tokens";
  if (is_fused && std::holds_alternative<ByteLevel>(step))
    return "'ByteLevel' behind a step that joins all tokens";
  steps_.push_back(std::move(step));
  const bool joins =
      std::holds_alternative<Fuse>(steps_.back()) || std::holds_alternative<ByteLevel>(steps_.back());
  if (joins && !is_fused) fused_from_ = steps_.size();
  return {};
}

std::string TokenDecoder::Stream::push(std::string_view token) {
  std::string out;
  run(0, std::string(token), out);
  return out;
}

std::string TokenDecoder::Stream::finish() {
  std::string out;
  for (std::size_t step = 0; step < states_.size(); ++step) end(step, out);
  return out;
}

void TokenDecoder::Stream::run(std::size_t step, const std::string& token, std::string& out) {
  if (step == states_.size()) {
    out += token;
    return;
  }
  std::visit([&](const auto& kind) { apply(step, kind, token, out); }, decoder_->steps_[step]);
}

/// Hands on what a step holds back, now that nothing comes any more.
void TokenDecoder::Stream::end(std::size_t step, std::string& out) {
  const Step& kind = decoder_->steps_[step];
  State& state = states_[step];
  if (std::holds_alternative<ByteFallback>(kind)) return flush_bytes(step, out);
  if (std::holds_alternative<ByteLevel>(kind) && !state.held.empty()) {
    state.held.clear();
    run(step + 1, std::string(kReplacementCharacter), out);
  }
  // What a Strip behind a Fuse holds back is what it strips at the end.
}

void TokenDecoder::Stream::apply(std::size_t index, const ByteLevel& /*step*/, const std::string& token,
                                 std::string& out) {
  std::string& held = states_[index].held;
  held += byte_level_bytes(token);
  std::string text;
  std::string_view rest = held;
  while (!rest.empty()) {
    const Utf8Unit unit = first_unit(rest);
    if (unit.kind == Utf8Unit::Kind::kIncomplete) break;
    text += unit.kind == Utf8Unit::Kind::kCharacter ? rest.substr(0, unit.bytes) : kReplacementCharacter;
    rest.remove_prefix(unit.bytes);
  }
  held = std::string(rest);
  if (!text.empty()) run(index + 1, text, out);
}

void TokenDecoder::Stream::apply(std::size_t index, const Replace& step, const std::string& token,
                                 std::string& out) {
  run(index + 1, replaced(token, step.pattern, step.content), out);
}

void TokenDecoder::Stream::apply(std::size_t index, const ByteFallback& /*step*/, const std::string& token,
                                 std::string& out) {
  if (const auto byte = fallback_byte(token)) {
    states_[index].held += *byte;
    return;
  }
  flush_bytes(index, out);
  run(index + 1, token, out);
}

void TokenDecoder::Stream::flush_bytes(std::size_t index, std::string& out) {
  const std::string held = std::exchange(states_[index].held, {});
  if (held.empty()) return;
  bool is_valid = true;
  for (std::string_view rest = held; is_valid && !rest.empty();) {
    const Utf8Unit unit = first_unit(rest);
    is_valid = unit.kind == Utf8Unit::Kind::kCharacter;
    rest.remove_prefix(unit.bytes);
  }
  if (is_valid) return run(index + 1, held, out);
  for (std::size_t i = 0; i < held.size(); ++i) run(index + 1, std::string(kReplacementCharacter), out);
}

void TokenDecoder::Stream::apply(std::size_t index, const Fuse& /*step*/, const std::string& token,
                                 std::string& out) {
  if (!token.empty()) run(index + 1, token, out);
}

void TokenDecoder::Stream::apply(std::size_t index, const Strip& step, const std::string& token,
                                 std::string& out) {
  if (index < decoder_->fused_from_) return run(index + 1, stripped_token(token, step), out);
  strip_fragment(index, step, token, out);
}

/// Of the one text that all tokens make: a run of the character at its beginning is counted, one at its end
/// held back as far as it may have to go.
void TokenDecoder::Stream::strip_fragment(std::size_t index, const Strip& step, std::string_view fragment,
                                          std::string& out) {
  State& state = states_[index];
  while (!state.has_begun && state.stripped < step.start && fragment.starts_with(step.content)) {
    fragment.remove_prefix(step.content.size());
    ++state.stripped;
  }
  if (fragment.empty()) return;
  state.has_begun = true;
  std::string text = std::move(state.held) + std::string(fragment);
  std::size_t kept = text.size();
  for (std::size_t i = 0; i < step.stop && std::string_view(text).substr(0, kept).ends_with(step.content);
       ++i)
    kept -= step.content.size();
  state.held = text.substr(kept);
  text.resize(kept);
  if (!text.empty()) run(index + 1, text, out);
}

void TokenDecoder::Stream::apply(std::size_t index, const Metaspace& step, const std::string& token,
                                 std::string& out) {
  const bool is_first = states_[index].tokens++ == 0;
  run(index + 1, replaced(token, step.replacement, is_first && step.drops_first ? "" : " "), out);
}

}  // namespace dspark
