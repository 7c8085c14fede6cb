#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"
#include "executor/tokenizer/tokenizer_components.h"
#include "executor/tokenizer/tokenizer_parts.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

// The largest published file has 262 144 tokens and 514 906 merges of two texts, the longest token 2048
// bytes.
constexpr JsonLimits kFileLimits{
    .depth = 16, .values = std::size_t{1} << 23, .members = 64, .name_bytes = 16384};
constexpr std::size_t kMostAddedTokens = 65536;
constexpr std::size_t kMostTokenBytes = 512;  // of an added token: each place of a text is compared with it
constexpr std::size_t kMostProcessors = 16;

class FileReader {
 public:
  FileReader(const Json& file, const std::string& path) : top_(file, "", path, error_) { parts_.path = path; }

  Result<TokenizerParts> read() {
    top_.allow({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                "post_processor", "decoder", "model"});
    if (const std::string version = top_.text("version", "1.0"); version != "1.0")
      top_.fail("version", fmt::format("'{}' is not supported", version.substr(0, 40)), "known: 1.0");
    for (const char* const key : {"truncation", "padding"})
      if (top_.has(key)) top_.fail(key, "it is not supported", "write null");
    if (top_.has("normalizer")) read_normalizer(top_.object("normalizer"), parts_.normalizer);
    if (top_.has("pre_tokenizer")) read_pre_tokenizer(top_.object("pre_tokenizer"), parts_.pre_tokenizer);
    if (!top_.has("decoder")) top_.fail("decoder", "is missing");
    if (!error_) read_decoder(top_.object("decoder"), parts_.decoder);
    if (!error_) read_model(top_.object("model"));
    if (!error_) read_added_tokens();
    if (!error_ && top_.has("post_processor"))
      read_post_processor(top_.object("post_processor"), /*is_inner=*/false);
    if (error_) return *error_;
    return std::move(parts_);
  }

 private:
  void read_model(JsonFields model) {
    model.allow({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                 "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
    if (const std::string type = model.text("type", "BPE"); type != "BPE")
      model.fail("type", fmt::format("'{}' is not supported", type.substr(0, 40)), "known: BPE");
    model.number("dropout", 0, 0, 0);
    for (const char* const key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (!model.text(key, "").empty()) model.fail(key, "it is not supported", "write null");
    parts_.bpe.ignore_merges = model.boolean("ignore_merges", false);
    parts_.bpe.unknown.byte_fallback = model.boolean("byte_fallback", false);
    parts_.bpe.unknown.fuse = model.boolean("fuse_unk", false);
    read_vocabulary(model);
    if (model.has("unk_token")) {
      const std::string text = model.text("unk_token");
      parts_.bpe.unknown.token = parts_.vocabulary.id(text);
      if (parts_.bpe.unknown.token == Vocabulary::kNone)
        model.fail("unk_token", "it is not in the vocabulary");
    }
    if (!error_) read_merges(model);
  }

  void read_vocabulary(JsonFields& model) {
    const Json* const vocabulary = model.find("vocab");
    if (vocabulary == nullptr || !vocabulary->is_object())
      return model.fail("vocab", vocabulary == nullptr ? "is missing" : "it is not an object");
    JsonFields entries = model.object("vocab");
    for (const auto& entry : vocabulary->items()) {
      const int id = entries.integer(entry.key(), 0, Vocabulary::kMostIds - 1);
      if (error_) return;
      if (entry.value().is_null()) return entries.fail(entry.key(), "is null");
      if (!parts_.vocabulary.add(entry.key(), id))
        return entries.fail(entry.key(),
                            fmt::format("its id {} is that of '{}'", id, parts_.vocabulary.text(id)));
    }
  }

  void read_merges(JsonFields& model) {
    const Json* const merges = model.find("merges");
    if (merges == nullptr || !merges->is_array())
      return model.fail("merges", merges == nullptr ? "is missing" : "it is not a list");
    parts_.bpe.reserve_merges(merges->size());
    for (std::size_t i = 0; i < merges->size(); ++i) {
      const auto pair = merge_of((*merges)[i]);
      const std::string place = fmt::format("merges[{}]", i);
      if (!pair) return model.fail(place, "it is no pair of texts");
      const auto token = [&](const std::string& text) {
        const std::int32_t id = parts_.vocabulary.id(text);
        if (id == Vocabulary::kNone) model.fail(place, fmt::format("'{}' is not in the vocabulary", text));
        return id;
      };
      const std::int32_t left = token(pair->first);
      const std::int32_t right = token(pair->second);
      const std::int32_t merged = token(pair->first + pair->second);
      if (error_) return;
      parts_.bpe.add_merge(left, right, merged);
    }
  }

  /// "a b" or ["a", "b"].
  static std::optional<std::pair<std::string, std::string>> merge_of(const Json& merge) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      return std::pair{merge[0].get<std::string>(), merge[1].get<std::string>()};
    if (!merge.is_string()) return {};
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return {};
    return std::pair{text.substr(0, space), text.substr(space + 1)};
  }

  /// The reference gives an added token the id of its text in the vocabulary, else the next one that is free,
  /// and not the id that stands in the file. Here both must be the same.
  void read_added_tokens() {
    std::vector<AddedToken> tokens;
    std::set<std::string> contents;
    std::int32_t next = parts_.vocabulary.size();
    for (JsonFields& fields : top_.objects("added_tokens", kMostAddedTokens)) {
      AddedToken token = read_added_token(fields);
      if (error_) return;
      if (!contents.insert(token.content).second) return fields.fail("content", "it stands twice");
      const std::int32_t known = parts_.vocabulary.id(token.content);
      const std::int32_t expected = known != Vocabulary::kNone ? known : next;
      if (token.id != expected)
        return fields.fail(
            "id", fmt::format("it is {}, and that of its content in the library {}", token.id, expected));
      if (known == Vocabulary::kNone && !parts_.vocabulary.add(token.content, token.id))
        return fields.fail("id",
                           fmt::format("{} is that of '{}'", token.id, parts_.vocabulary.text(token.id)));
      if (known == Vocabulary::kNone) ++next;
      tokens.push_back(std::move(token));
    }
    for (const bool special : {true, false})  // of two that are found alike, the special one counts
      for (const AddedToken& token : tokens)
        if (token.special == special && !error_) place(token);
    // As in the library, which compares texts: a special token that the normaliser changes is not left out.
    std::set<std::string> special_contents;
    for (const AddedToken& token : tokens)
      if (token.special) special_contents.insert(token.content);
    for (const AddedToken& token : tokens)
      if (special_contents.contains(parts_.text(token.id))) parts_.special.insert(token.id);
  }

  static AddedToken read_added_token(JsonFields& fields) {
    fields.allow({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token{fields.integer("id", 0, Vocabulary::kMostIds - 1), fields.text("content")};
    if (token.content.empty() || token.content.size() > kMostTokenBytes)
      fields.fail("content",
                  fmt::format("it has {} bytes, not 1..{}", token.content.size(), kMostTokenBytes));
    token.single_word = fields.boolean("single_word", false);
    token.lstrip = fields.boolean("lstrip", false);
    token.rstrip = fields.boolean("rstrip", false);
    token.special = fields.boolean("special", false);
    token.normalized = fields.boolean("normalized", !token.special);
    return token;
  }

  void place(const AddedToken& token) {
    if (!token.normalized) return parts_.added.add(token, token.content);
    MatchSteps steps = MatchSteps::of_text(token.content.size());
    const auto text = parts_.normalizer.normalize(token.content, steps);
    if (!text || text->empty() || text->size() > kMostTokenBytes)
      return top_.fail("added_tokens", fmt::format("'{}' cannot be normalised", token.content));
    parts_.added_normalized.add(token, *text);
    if (*text != token.content) parts_.shown.emplace(token.id, *text);
  }

  void read_post_processor(JsonFields fields, bool is_inner) {
    const std::string type = fields.text("type");
    if (error_) return;
    if (type == "ByteLevel") return fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    if (type == "TemplateProcessing") return read_template(fields);
    if (type != "Sequence" || is_inner)
      return fields.fail("type", fmt::format("'{}' is not supported", type.substr(0, 40)),
                         "known: ByteLevel, Sequence, TemplateProcessing");
    fields.allow({"type", "processors"});
    for (JsonFields& processor : fields.objects("processors", kMostProcessors))
      read_post_processor(processor, /*is_inner=*/true);
  }

  /// What stands around one text. `pair`, for two, is not used.
  void read_template(JsonFields& fields) {
    fields.allow({"type", "single", "pair", "special_tokens"});
    std::vector<std::int32_t> before;
    std::vector<std::int32_t> after;
    int texts = 0;
    JsonFields tokens = fields.object("special_tokens");
    for (JsonFields& piece : fields.objects("single", 256)) {
      piece.allow({"SpecialToken", "Sequence"});
      if (piece.has("Sequence")) {
        if (piece.object("Sequence").text("id") != "A") piece.fail("Sequence", "its id must be A");
        ++texts;
        continue;
      }
      JsonFields token = tokens.object(piece.object("SpecialToken").text("id"));
      for (const int id : token.integers("ids", Vocabulary::kMostIds - 1, 256)) {
        if (!parts_.vocabulary.has(id)) token.fail("ids", fmt::format("there is no token {}", id));
        (texts == 0 ? before : after).push_back(id);
      }
      if (!token.has("ids")) token.fail("ids", "is missing");
    }
    if (texts != 1) return fields.fail("single", "it must name the sequence A once");
    parts_.before.insert(parts_.before.begin(), before.begin(), before.end());
    parts_.after.insert(parts_.after.end(), after.begin(), after.end());
  }

  std::optional<Error> error_;
  JsonFields top_;
  TokenizerParts parts_;
};

}  // namespace

Result<TokenizerParts> parse_tokenizer_file(std::string_view text, const std::string& path) {
  const auto file = parse_json(text, kFileLimits, path);
  if (!file) return file.error();
  return FileReader(*file, path).read();
}

}  // namespace dspark
