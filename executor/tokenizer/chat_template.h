#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "executor/tokenizer/tokenizer.h"
#include "policies/error.h"

namespace dspark {

/// How a chat model was taught to see one question: what its `chat_template` (Jinja) makes of a user's
/// message and maybe a system's, with the prompt of the reply. No Jinja is run: the template is recognised as
/// one of the published families, and what they have in common is done by hand.
///
/// | family | recognised by | special about it |
/// |---|---|---|
/// | ChatML, plain | the whole template | |
/// | SmolLM2 | its default system message | which stands where none is given |
/// | Qwen 2.5 | the same | the same |
/// | Qwen 3 | `enable_thinking` or `reasoning_content`, and how the template ends | of thinking models the
/// reply begins with `<think>` | | Llama 3 | `<\|start_header_id\|>`, and that contents are trimmed | texts
/// are stripped | | Llama 3.1 to 3.3 | and the knowledge date | there is always a system message, and today
/// is 26 Jul 2024 (what the templates say where they are told no date; transformers tells 3.2 the clock's) |
/// | Gemma 2 | `<start_of_turn>`, and that it refuses a system message | |
/// | Gemma 3 | `<start_of_turn>` and `first_user_prefix` | the system message stands in the user's |
class ChatTemplate {
 public:
  /// Errors: the tokenizer has no template, or one of an unknown family.
  static Result<ChatTemplate> of(const Tokenizer& tokenizer);
  /// The same of a template and the text of the beginning-of-text token.
  static Result<ChatTemplate> recognise(std::string_view jinja, std::string_view bos_token);

  /// The prompt, to be encoded without special tokens: where the model wants a beginning-of-text token, it is
  /// in there. Texts are valid UTF-8. Errors: a system message for a family that takes none.
  Result<std::string> render(std::string_view user, std::optional<std::string_view> system = {}) const;

 private:
  ChatTemplate() = default;

  std::string before_;                        // everything
  std::string before_system_, after_system_;  // around the system message
  std::string before_user_, after_user_;      // around the user's
  std::string reply_;                         // with which the reply begins
  std::optional<std::string> default_system_;
  bool takes_system_ = true;
  bool system_in_user_ = false;
  bool strips_ = false;  // white space at the ends of user's message and, outside of it, the system's
};

}  // namespace dspark
