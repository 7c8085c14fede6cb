#include "executor/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "executor/checkpoint/mapped_file.h"
#include "executor/tokenizer/tokenizer_parts.h"
#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{1} << 27;
constexpr std::size_t kMostConfigBytes = std::size_t{1} << 24;  // Llama 3 lists every added token in it

/// Encodes one text, section by section.
class Encoding {
 public:
  Encoding(const TokenizerParts& parts, std::size_t bytes)
      : parts_(parts), steps_(MatchSteps::of_text(bytes)) {}

  std::optional<Error> add(std::string_view text) {
    for (const auto& section : parts_.added.sections(text)) {
      if (section.token != Vocabulary::kNone) {
        ids_.push_back(section.token);
        continue;
      }
      std::string plain(text.substr(section.begin, section.end - section.begin));
      auto normalized = parts_.normalizer.normalize(std::move(plain), steps_);
      if (!normalized) return normalized.error();
      if (auto error = add_normalized(*normalized, section.begin == 0)) return error;
    }
    return {};
  }

  std::vector<std::int32_t> ids() && { return std::move(ids_); }

 private:
  std::optional<Error> add_normalized(std::string_view text, bool begins_input) {
    for (const auto& section : parts_.added_normalized.sections(text)) {
      if (section.token != Vocabulary::kNone) {
        ids_.push_back(section.token);
        continue;
      }
      Piece piece{std::string(text.substr(section.begin, section.end - section.begin)),
                  begins_input && section.begin == 0};
      const auto pieces = parts_.pre_tokenizer.cut(std::move(piece), steps_);
      if (!pieces) return pieces.error();
      for (const Piece& word : *pieces) parts_.bpe.encode(word.text, parts_.vocabulary, ids_);
    }
    return {};
  }

  const TokenizerParts& parts_;
  MatchSteps steps_;
  std::vector<std::int32_t> ids_;
};

Error in_file(std::string message, const std::string& path) {
  return Error{std::move(message), {std::make_shared<const std::string>(path), 0, 0}};
}

/// The bytes of a file that need not be there.
Result<std::string> optional_file(const std::string& path, std::size_t most) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return std::string();
  const auto file = MappedFile::open(path, most);
  if (!file) return file.error();
  return std::string(file->bytes());
}

}  // namespace

Result<Tokenizer> Tokenizer::parse(std::string_view tokenizer, std::string_view config,
                                   const std::string& path, const std::string& config_path) {
  auto parts = parse_tokenizer_file(tokenizer, path);
  if (parts && !config.empty()) parts = with_tokenizer_config(*std::move(parts), config, config_path);
  if (!parts) return parts.error();
  return Tokenizer(std::make_shared<const TokenizerParts>(*std::move(parts)));
}

Result<Tokenizer> Tokenizer::read(const std::string& folder) {
  const std::string path = folder + "/tokenizer.json";
  const std::string config_path = folder + "/tokenizer_config.json";
  const auto file = MappedFile::open(path, kMostFileBytes);
  if (!file) return file.error();
  const auto config = optional_file(config_path, kMostConfigBytes);
  if (!config) return config.error();
  auto parts = parse_tokenizer_file(file->bytes(), path);
  if (parts && !config->empty()) parts = with_tokenizer_config(*std::move(parts), *config, config_path);
  if (!parts) return parts.error();
  const auto chat_template = optional_file(folder + "/chat_template.jinja", kMostConfigBytes);
  if (!chat_template) return chat_template.error();
  if (!chat_template->empty()) parts->chat_template = *chat_template;
  return Tokenizer(std::make_shared<const TokenizerParts>(*std::move(parts)));
}

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  if (text.size() > kMostText)
    return in_file(fmt::format("a text of {} bytes, more than {}", text.size(), kMostText), parts_->path);
  const std::string valid = valid_utf8(text);
  Encoding encoding(*parts_, valid.size());
  if (const auto error = encoding.add(valid)) return in_file(error->message, parts_->path);
  std::vector<std::int32_t> ids = std::move(encoding).ids();
  if (add_special_tokens) {
    ids.insert(ids.begin(), parts_->before.begin(), parts_->before.end());
    ids.insert(ids.end(), parts_->after.begin(), parts_->after.end());
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  Stream text = stream(skip_special);
  std::string decoded;
  for (const std::int32_t id : ids) decoded += text.push(id);
  return decoded + text.finish();
}

Tokenizer::Stream::Stream(std::shared_ptr<const TokenizerParts> parts, bool skip_special)
    : parts_(std::move(parts)), stream_(parts_->decoder), skip_special_(skip_special) {}

std::string Tokenizer::Stream::push(std::int32_t id) {
  if (!parts_->vocabulary.has(id) || (skip_special_ && parts_->special.contains(id))) return {};
  return stream_.push(parts_->text(id));
}

std::optional<std::string_view> Tokenizer::token_text(std::int32_t id) const {
  if (!parts_->vocabulary.has(id)) return {};
  return parts_->text(id);
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view text) const {
  const std::int32_t id = parts_->vocabulary.id(text);
  if (id == Vocabulary::kNone) return {};
  return id;
}

bool Tokenizer::is_special(std::int32_t id) const { return parts_->special.contains(id); }
std::int32_t Tokenizer::vocab_size() const { return parts_->vocabulary.id_end(); }
const std::string& Tokenizer::bos_token() const { return parts_->bos_token; }
const std::string& Tokenizer::eos_token() const { return parts_->eos_token; }
const std::string& Tokenizer::chat_template() const { return parts_->chat_template; }

}  // namespace dspark
