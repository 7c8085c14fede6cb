#include "executor/tokenizer/tokenizer_components.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

// Published files have two or three of each.
constexpr std::size_t kMostSteps = 16;
constexpr int kMostDepth = 4;
constexpr std::size_t kMostContent = 1024;  // bytes
constexpr int kMostStripped = 1024;

void unsupported(JsonFields& fields, const std::string& type, const char* known) {
  fields.fail("type", fmt::format("'{}' is not supported", type.substr(0, 40)),
              fmt::format("known: {}", known));
}

std::string content_of(JsonFields& fields, std::string_view key) {
  std::string content = fields.text(key);
  if (content.size() > kMostContent) fields.fail(key, fmt::format("more than {} bytes", kMostContent));
  return content;
}

/// A text of one character.
std::string character_of(JsonFields& fields, std::string_view key) {
  std::string text = fields.text(key);
  if (!fields.failed() && (text.empty() || first_unit(text).bytes != text.size()))
    fields.fail(key, "it is not one character");
  return text;
}

/// {"String": ...} or {"Regex": ...}
Pattern pattern_of(JsonFields& fields) {
  JsonFields pattern = fields.object("pattern");
  if (!fields.has("pattern")) fields.fail("pattern", "is missing");
  pattern.allow({"String", "Regex"});
  if (pattern.has("String") == pattern.has("Regex"))
    pattern.fail("String", "it must be there or 'Regex', and not both");
  if (pattern.has("String")) return Pattern::literal(content_of(pattern, "String"));
  auto regex = Pattern::regex(pattern.text("Regex", ""));
  if (regex) return *std::move(regex);
  pattern.fail("Regex", regex.error().message);
  return Pattern::literal("");
}

/// Calls `read` with each object of a list, one level further down.
template <class Read>
void read_sequence(JsonFields& fields, std::string_view key, int depth, const Read& read) {
  fields.allow({"type", key});
  if (!fields.has(key)) fields.fail(key, "is missing");
  if (depth == kMostDepth)
    return fields.fail(key, fmt::format("sequences nested deeper than {}", kMostDepth));
  for (JsonFields& step : fields.objects(key, kMostSteps)) read(step, depth + 1);
}

// Normalisers
// -------------------------------------------------------------------------------------------------

void read_normalizer_step(JsonFields& fields, int depth, Normalizer& normalizer) {
  using Form = Normalizer::Form;
  const std::string type = fields.text("type");
  if (fields.failed()) return;
  if (type == "Sequence") {
    return read_sequence(fields, "normalizers", depth, [&](JsonFields& step, int deeper) {
      read_normalizer_step(step, deeper, normalizer);
    });
  }
  if (type == "Replace") {
    fields.allow({"type", "pattern", "content"});
    return normalizer.add(Normalizer::Replace{pattern_of(fields), content_of(fields, "content")});
  }
  if (type == "Prepend") {
    fields.allow({"type", "prepend"});
    return normalizer.add(Normalizer::Prepend{content_of(fields, "prepend")});
  }
  fields.allow({"type"});
  for (const auto& [name, form] : {std::pair{"NFC", Form::kNfc}, std::pair{"NFD", Form::kNfd},
                                   std::pair{"NFKC", Form::kNfkc}, std::pair{"NFKD", Form::kNfkd}})
    if (type == name) return normalizer.add(form);
  unsupported(fields, type, "NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence");
}

// Pre-tokenisers
// ----------------------------------------------------------------------------------------------

PreTokenizer::Split read_split(JsonFields& fields) {
  using Behavior = PreTokenizer::Behavior;
  fields.allow({"type", "pattern", "behavior", "invert"});
  PreTokenizer::Split split{pattern_of(fields), Behavior::kIsolated, fields.boolean("invert", false)};
  const std::string behavior = fields.text("behavior");
  if (behavior == "Isolated") return split;
  split.behavior = Behavior::kRemoved;
  if (behavior == "Removed") return split;
  split.behavior = Behavior::kMergedWithPrevious;
  if (behavior == "MergedWithPrevious") return split;
  split.behavior = Behavior::kMergedWithNext;
  if (behavior == "MergedWithNext") return split;
  split.behavior = Behavior::kContiguous;
  if (behavior == "Contiguous") return split;
  fields.fail("behavior", fmt::format("unknown behaviour '{}'", behavior.substr(0, 40)),
              "known: Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous");
  return split;
}

PreTokenizer::Metaspace read_metaspace(JsonFields& fields) {
  using Prepend = PreTokenizer::Prepend;
  // `str_rep` and `add_prefix_space` are the older form; the former repeats `replacement`.
  fields.allow({"type", "replacement", "prepend_scheme", "split", "str_rep", "add_prefix_space"});
  PreTokenizer::Metaspace metaspace{character_of(fields, "replacement"), Prepend::kAlways,
                                    fields.boolean("split", true)};
  const bool has_prefix = fields.boolean("add_prefix_space", true);
  const std::string scheme = fields.text("prepend_scheme", has_prefix ? "always" : "never");
  if (scheme != "never" && !has_prefix) fields.fail("add_prefix_space", "it contradicts 'prepend_scheme'");
  if (scheme == "first") {
    metaspace.prepend = Prepend::kFirst;
  } else if (scheme == "never") {
    metaspace.prepend = Prepend::kNever;
  } else if (scheme != "always") {
    fields.fail("prepend_scheme", fmt::format("unknown scheme '{}'", scheme.substr(0, 40)),
                "known: always, first, never");
  }
  return metaspace;
}

void read_pre_tokenizer_step(JsonFields& fields, int depth, PreTokenizer& pre_tokenizer) {
  const std::string type = fields.text("type");
  if (fields.failed()) return;
  if (type == "Sequence") {
    return read_sequence(fields, "pretokenizers", depth, [&](JsonFields& step, int deeper) {
      read_pre_tokenizer_step(step, deeper, pre_tokenizer);
    });
  }
  if (type == "Split") return pre_tokenizer.add(read_split(fields));
  if (type == "Metaspace") return pre_tokenizer.add(read_metaspace(fields));
  if (type == "Digits") {
    fields.allow({"type", "individual_digits"});
    return pre_tokenizer.add(PreTokenizer::Digits{fields.boolean("individual_digits", false)});
  }
  if (type == "ByteLevel") {
    fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});  // offsets are not given out
    PreTokenizer::ByteLevel byte_level{fields.boolean("add_prefix_space", true), {}};
    if (fields.boolean("use_regex", true)) byte_level.pattern = PreTokenizer::gpt2_pattern();
    return pre_tokenizer.add(std::move(byte_level));
  }
  unsupported(fields, type, "ByteLevel, Digits, Metaspace, Sequence, Split");
}

// Decoders
// ----------------------------------------------------------------------------------------------------

TokenDecoder::Replace read_decoder_replace(JsonFields& fields) {
  fields.allow({"type", "pattern", "content"});
  JsonFields pattern = fields.object("pattern");
  pattern.allow({"String"});
  TokenDecoder::Replace replace{content_of(pattern, "String"), content_of(fields, "content")};
  if (replace.content.size() > replace.pattern.size())
    fields.fail("content", "a text longer than the pattern that it replaces is not supported");
  return replace;
}

void read_decoder_step(JsonFields& fields, int depth, TokenDecoder& decoder) {
  const std::string type = fields.text("type");
  if (fields.failed()) return;
  if (type == "Sequence") {
    return read_sequence(fields, "decoders", depth,
                         [&](JsonFields& step, int deeper) { read_decoder_step(step, deeper, decoder); });
  }
  const auto add = [&](TokenDecoder::Step step) {
    if (const auto fault = decoder.add(std::move(step)); !fault.empty())
      fields.fail("type", fmt::format("{} is not supported", fault));
  };
  if (type == "Replace") return add(read_decoder_replace(fields));
  if (type == "Strip") {
    fields.allow({"type", "content", "start", "stop"});
    return add(TokenDecoder::Strip{character_of(fields, "content"),
                                   static_cast<std::size_t>(fields.integer("start", 0, kMostStripped)),
                                   static_cast<std::size_t>(fields.integer("stop", 0, kMostStripped))});
  }
  if (type == "Metaspace") {
    const PreTokenizer::Metaspace metaspace = read_metaspace(fields);
    return add(
        TokenDecoder::Metaspace{metaspace.replacement, metaspace.prepend != PreTokenizer::Prepend::kNever});
  }
  if (type == "ByteLevel") {
    fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});  // of no meaning to a decoder
    return add(TokenDecoder::ByteLevel{});
  }
  fields.allow({"type"});
  if (type == "ByteFallback") return add(TokenDecoder::ByteFallback{});
  if (type == "Fuse") return add(TokenDecoder::Fuse{});
  unsupported(fields, type, "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip");
}

}  // namespace

void read_normalizer(JsonFields fields, Normalizer& normalizer) {
  read_normalizer_step(fields, 0, normalizer);
}

void read_pre_tokenizer(JsonFields fields, PreTokenizer& pre_tokenizer) {
  read_pre_tokenizer_step(fields, 0, pre_tokenizer);
}

void read_decoder(JsonFields fields, TokenDecoder& decoder) { read_decoder_step(fields, 0, decoder); }

}  // namespace dspark
