#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"
#include "executor/tokenizer/tokenizer_parts.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr JsonLimits kConfigLimits{.depth = 16, .values = std::size_t{1} << 20, .members = 4096};

/// "<s>", {"content": "<s>", ...} or null.
std::string token_text(JsonFields& fields, std::string_view key) {
  const Json* const token = fields.find(key);
  if (token != nullptr && token->is_object()) return fields.object(key).text("content");
  return fields.text(key, "");
}

/// One template, or a list of them with names, of which the one called "default" is meant.
std::string chat_template(JsonFields& fields) {
  const Json* const value = fields.find("chat_template");
  if (value == nullptr || value->is_string()) return fields.text("chat_template", "");
  for (JsonFields& named : fields.objects("chat_template", 64))
    if (named.text("name") == "default") return named.text("template");
  return "";
}

}  // namespace

Result<TokenizerParts> with_tokenizer_config(TokenizerParts parts, std::string_view config,
                                             const std::string& path) {
  const auto object = parse_json(config, kConfigLimits, path);
  if (!object) return object.error();
  std::optional<Error> error;
  JsonFields fields(*object, "", path, error);
  parts.bos_token = token_text(fields, "bos_token");
  parts.eos_token = token_text(fields, "eos_token");
  parts.chat_template = chat_template(fields);
  const std::int32_t bos = parts.vocabulary.id(parts.bos_token);
  if (!parts.bos_token.empty() && bos == Vocabulary::kNone)
    fields.fail("bos_token", fmt::format("'{}' is not in the vocabulary", parts.bos_token.substr(0, 100)));
  if (fields.has("add_bos_token") && bos != Vocabulary::kNone) {
    const bool adds = fields.boolean("add_bos_token", false);
    const bool has = std::find(parts.before.begin(), parts.before.end(), bos) != parts.before.end();
    if (adds != has)
      fields.fail("add_bos_token", fmt::format("it is {}, and tokenizer.json {}", adds,
                                               has ? "puts one before a text" : "puts none before a text"));
  }
  if (error) return *error;
  return parts;
}

}  // namespace dspark
