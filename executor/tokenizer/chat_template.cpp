#include "executor/tokenizer/chat_template.h"

#include <unicode/uchar.h>

#include "executor/tokenizer/utf8.h"

namespace dspark {
namespace {

constexpr const char* kKnown = "known: ChatML, Gemma 2, Gemma 3, Llama 3 to 3.3, Qwen 2.5, Qwen 3, SmolLM2";

constexpr std::string_view kSmolLm2System =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
constexpr std::string_view kQwen25System =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

constexpr std::string_view kPlainChatMl =
    R"({% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}})"
    R"({% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";

// How templates of Qwen end, by what the reply begins with.
constexpr std::string_view kReply = R"({%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %})";
constexpr std::string_view kReplyThatMayThink = R"({%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %})";
constexpr std::string_view kReplyThatThinks = R"({%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n<think>\n' }}
{%- endif %})";

constexpr std::string_view kChatMlReply = "<|im_start|>assistant\n";

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Python's str.isspace, by which Jinja's trim goes.
bool is_space(char32_t character) {
  return (character >= 0x1c && character <= 0x1f) || u_isUWhiteSpace(static_cast<UChar32>(character)) != 0;
}

std::string_view stripped(std::string_view text) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Unit unit = first_unit(text.substr(at));
    if (!is_space(unit.character)) {
      begin = begin == text.size() ? at : begin;
      end = at + unit.bytes;
    }
    at += unit.bytes;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

/// What a ChatML reply begins with, or nothing where the template is of no known family.
std::optional<std::string> chat_ml_reply(std::string_view jinja) {
  const std::string_view whole = stripped(jinja);
  const bool is_qwen3 = has(jinja, "enable_thinking") || has(jinja, "reasoning_content");
  const bool is_smol_lm2 = has(jinja, std::string(kSmolLm2System) + "<|im_end|>") && !is_qwen3;
  if (whole == kPlainChatMl || is_smol_lm2) return std::string(kChatMlReply);
  if (!is_qwen3 && !has(jinja, kQwen25System)) return {};
  if (whole.ends_with(kReply) || whole.ends_with(kReplyThatMayThink)) return std::string(kChatMlReply);
  if (whole.ends_with(kReplyThatThinks)) return std::string(kChatMlReply) + "<think>\n";
  return {};
}

}  // namespace

Result<ChatTemplate> ChatTemplate::of(const Tokenizer& tokenizer) {
  if (tokenizer.chat_template().empty()) return Error{"the tokenizer has no chat_template"};
  return recognise(tokenizer.chat_template(), tokenizer.bos_token());
}

Result<ChatTemplate> ChatTemplate::recognise(std::string_view jinja, std::string_view bos_token) {
  ChatTemplate chat;
  if (has(jinja, "<|im_start|>")) {
    const auto reply = chat_ml_reply(jinja);
    if (!reply) return Error{"chat_template is of no known family", {}, kKnown};
    chat.before_system_ = "<|im_start|>system\n";
    chat.before_user_ = "<|im_start|>user\n";
    chat.after_system_ = chat.after_user_ = "<|im_end|>\n";
    chat.reply_ = *reply;
    for (const std::string_view system : {kSmolLm2System, kQwen25System})
      if (has(jinja, system)) chat.default_system_ = system;
    return chat;
  }
  chat.before_ = bos_token;
  chat.strips_ = true;
  if (has(jinja, "<|start_header_id|>") && has(jinja, "message['content'] | trim + '<|eot_id|>'")) {
    chat.before_system_ = "<|start_header_id|>system<|end_header_id|>\n\n";
    if (has(jinja, "Cutting Knowledge Date: December 2023")) {
      if (!has(jinja, "26 Jul 2024")) return Error{"chat_template is of no known family", {}, kKnown};
      chat.before_system_ += "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
      chat.default_system_ = "";
    }
    chat.before_user_ = "<|start_header_id|>user<|end_header_id|>\n\n";
    chat.after_system_ = chat.after_user_ = "<|eot_id|>";
    chat.reply_ = "<|start_header_id|>assistant<|end_header_id|>\n\n";
  } else if (const bool takes_system = has(jinja, "first_user_prefix");
             has(jinja, "<start_of_turn>") && (takes_system || has(jinja, "System role not supported"))) {
    chat.takes_system_ = takes_system;
    chat.system_in_user_ = true;
    chat.after_system_ = "\n\n";
    chat.before_user_ = "<start_of_turn>user\n";
    chat.after_user_ = "<end_of_turn>\n";
    chat.reply_ = "<start_of_turn>model\n";
  } else {
    return Error{"chat_template is of no known family", {}, kKnown};
  }
  if (bos_token.empty())
    return Error{"tokenizer_config.json names no bos_token, and chat_template begins with it"};
  return chat;
}

Result<std::string> ChatTemplate::render(std::string_view user,
                                         std::optional<std::string_view> system) const {
  if (system && !takes_system_) return Error{"the model takes no system message"};
  if (!system && default_system_) system = *default_system_;
  std::string system_text;
  if (system) {
    system_text = before_system_;
    system_text += strips_ && !system_in_user_ ? stripped(*system) : *system;
    system_text += after_system_;
  }
  std::string prompt = before_;
  if (!system_in_user_) prompt += system_text;
  prompt += before_user_;
  if (system_in_user_) prompt += system_text;
  prompt += strips_ ? stripped(user) : user;
  return prompt + after_user_ + reply_;
}

}  // namespace dspark
