#include "executor/tokenizer/chat_template.h"

#include <gmock/gmock.h>

namespace dspark {
namespace {

// What transformers 5.24 renders (apply_chat_template with add_generation_prompt) of templates that do what
// the published ones do; the beginning-of-text token is <B>. The user says kUser.
const std::string kUser = " \n Hi  there\u3000";
const std::string kSystem = "\t Be \n brief. ";

const std::string kSmolLm2 =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ "
    "'<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}...";
const std::string kLlama3 =
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + "
    "'<|eot_id|>' }}";
const std::string kLlama31 =
    "{%- set date_string = \"26 Jul 2024\" %}Cutting Knowledge Date: December 2023" + kLlama3;
const std::string kGemma3 = "{%- set first_user_prefix = '' -%}{{ '<start_of_turn>' + role }}";
const std::string kGemma2 =
    "{{ raise_exception('System role not supported') }}{{ '<start_of_turn>' + role }}";
const std::string kQwen3Tail =
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n"
    "    {%- if enable_thinking is defined and enable_thinking is false %}\n"
    "        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}";
const std::string kThinkingTail =
    "{{ reasoning_content }}{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n<think>\\n' "
    "}}\n"
    "{%- endif %}\n";

std::string rendered(const std::string& jinja, std::optional<std::string_view> system = {}) {
  const auto chat = ChatTemplate::recognise(jinja, "<B>");
  if (!chat) return to_string(chat.error());
  const auto prompt = chat->render(kUser, system);
  return prompt ? *prompt : to_string(prompt.error());
}

TEST(ChatTemplate, SmolLm2HasADefaultSystemMessageAndStripsNothing) {
  EXPECT_EQ(
      rendered(kSmolLm2),
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
      "<|im_start|>user\n \n Hi  there\u3000<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(rendered(kSmolLm2, ""),
            "<|im_start|>system\n<|im_end|>\n<|im_start|>user\n \n Hi  there\u3000<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(
      rendered(kSmolLm2, kSystem),
      "<|im_start|>system\n\t Be \n brief. <|im_end|>\n<|im_start|>user\n \n Hi  there\u3000<|im_end|>\n"
      "<|im_start|>assistant\n");
}

TEST(ChatTemplate, Qwen3HasNoDefaultAndAThinkingModelBeginsItsReplyWithAThought) {
  const std::string user = "<|im_start|>user\n \n Hi  there\u3000<|im_end|>\n";
  EXPECT_EQ(rendered(kQwen3Tail), user + "<|im_start|>assistant\n");
  EXPECT_EQ(rendered(kThinkingTail), user + "<|im_start|>assistant\n<think>\n");
}

TEST(ChatTemplate, Llama3StripsItsTexts) {
  EXPECT_EQ(rendered(kLlama3),
            "<B><|start_header_id|>user<|end_header_id|>\n\nHi  there<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(rendered(kLlama3, kSystem),
            "<B><|start_header_id|>system<|end_header_id|>\n\nBe \n brief.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi  there<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, FromLlama31OnThereIsAlwaysASystemMessage) {
  EXPECT_EQ(
      rendered(kLlama31),
      "<B><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
      "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi  there<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(rendered(kLlama31, kSystem),
            "<B><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
            "Today Date: 26 Jul 2024\n\nBe \n brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
            "Hi  there<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, Gemma3PutsTheSystemMessageIntoTheUsersAndGemma2TakesNone) {
  EXPECT_EQ(rendered(kGemma3), "<B><start_of_turn>user\nHi  there<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(rendered(kGemma3, kSystem),
            "<B><start_of_turn>user\n\t Be \n brief. \n\nHi  there<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(rendered(kGemma2), "<B><start_of_turn>user\nHi  there<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(rendered(kGemma2, kSystem), "the model takes no system message");
}

TEST(ChatTemplate, AnUnknownFamilyIsRefused) {
  const std::string unknown =
      "chat_template is of no known family (known: ChatML, Gemma 2, Gemma 3, Llama 3 to 3.3, Qwen 2.5, Qwen "
      "3, "
      "SmolLM2)";
  for (const std::string& jinja :
       {std::string("{{ messages[0]['content'] }}"), std::string("<|im_start|>{{ message }}<|im_end|>"),
        kQwen3Tail + "{{ more }}", "{%- if enable_thinking %}" + kSmolLm2, std::string("<|start_header_id|>"),
        "Cutting Knowledge Date: December 2023" + kLlama3, std::string("<start_of_turn>")})
    EXPECT_EQ(rendered(jinja), unknown) << jinja;
  const auto without_token = ChatTemplate::recognise(kGemma3, "");
  ASSERT_FALSE(without_token);
  EXPECT_EQ(to_string(without_token.error()),
            "tokenizer_config.json names no bos_token, and chat_template begins with it");
}

}  // namespace
}  // namespace dspark
