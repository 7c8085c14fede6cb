#include <fmt/format.h>
#include <gmock/gmock.h>

#include "executor/tokenizer/tokenizer.h"
#include "tests/executor/checkpoint/model_folder.h"
#include "tests/executor/tokenizer/reference_data.h"

namespace dspark {
namespace {

using testing::HasSubstr;

/// A tokenizer of a and b, that can be joined, and an added <s>. `parts` are further members of the top
/// object.
std::string file_with(const std::string& parts,
                      const std::string& model = R"("vocab":{"a":0,"b":1,"ab":2},"merges":["a b"])") {
  return R"({"version":"1.0","truncation":null,"padding":null,"decoder":{"type":"ByteLevel"},)" + parts +
         R"("model":{"type":"BPE",)" + model + "}}";
}

std::string added(const std::string& tokens) { return R"("added_tokens":[)" + tokens + "],"; }

const std::string kStart = R"({"id":3,"content":"<s>","special":true})";

std::string error_of(const std::string& text, const std::string& config = "") {
  const auto tokenizer = Tokenizer::parse(text, config, "t", "c");
  return tokenizer ? "" : to_string(tokenizer.error());
}

TEST(TokenizerFile, TheSmallestOneIsRead) {
  const auto tokenizer = Tokenizer::parse(file_with(added(kStart)), "", "t", "c");
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  EXPECT_EQ(*tokenizer->encode("abb<s>a", false), (std::vector<std::int32_t>{2, 1, 3, 0}));
  EXPECT_EQ(tokenizer->vocab_size(), 4);
  EXPECT_EQ(tokenizer->token_text(2), "ab");
  EXPECT_EQ(tokenizer->token_text(4), std::nullopt);
  EXPECT_EQ(tokenizer->token_text(-1), std::nullopt);
  EXPECT_EQ(tokenizer->token_id("<s>"), 3);
  EXPECT_EQ(tokenizer->token_id("c"), std::nullopt);
  EXPECT_TRUE(tokenizer->is_special(3));
  EXPECT_FALSE(tokenizer->is_special(0));
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{3, 2, 99, -7, 1}, true), "abb");
}

struct Hostile {
  std::string text;
  std::string error;
};

std::vector<Hostile> hostile_models() {
  const auto model = [](const std::string& text) { return file_with("", text); };
  return {
      {"", "t:1:1: it is not JSON"},
      {"[]", "t: its top is not an object"},
      {R"({"version":"1.0","version":"1.0"})", "t: 'version' stands twice"},
      {file_with(R"("pretokenizer":null,)"), "t: pretokenizer: it is not supported"},
      {R"({"version":"2.0"})", "t: version: '2.0' is not supported (known: 1.0)"},
      {R"({"truncation":{"max_length":5}})", "t: truncation: it is not supported (write null)"},
      {R"({"padding":{}})", "t: padding: it is not supported (write null)"},
      {R"({"model":{}})", "t: decoder: is missing"},
      {R"({"decoder":{"type":"ByteLevel"}})", "t: model.vocab: is missing"},
      {R"({"decoder":{"type":"ByteLevel"},"model":{"type":"Unigram","vocab":[]}})",
       "t: model.type: 'Unigram' is not supported (known: BPE)"},
      {model(R"("vocab":[],"merges":[])"), "t: model.vocab: it is not an object"},
      {model(R"("vocab":{"a":0})"), "t: model.merges: is missing"},
      {model(R"("vocab":{"a":0,"a":1},"merges":[])"), "t: 'a' stands twice"},
      {model(R"("vocab":{"a":0,"b":0},"merges":[])"), "t: model.vocab.b: its id 0 is that of 'a'"},
      {model(R"("vocab":{"a":-1},"merges":[])"), "t: model.vocab.a: -1 is not an integer in 0..4194303"},
      {model(R"("vocab":{"a":4194304},"merges":[])"),
       "t: model.vocab.a: 4194304 is not an integer in 0..4194303"},
      {model(R"("vocab":{")" + std::string(16385, 'a') + R"(":0},"merges":[])"),
       "t: a name of 16385 bytes, more than 16384"},
      {model(R"("vocab":{"a":null},"merges":[])"), "t: model.vocab.a: is missing"},
      {model(R"("vocab":{"a":0},"merges":{})"), "t: model.merges: it is not a list"},
      {model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":["ab"])"),
       "t: model.merges[0]: it is no pair of texts"},
      {model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":["a b","a b "])"),
       "t: model.merges[1]: it is no pair of texts"},
      {model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":[["a"]])"),
       "t: model.merges[0]: it is no pair of texts"},
      {model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":[["a",1]])"),
       "t: model.merges[0]: it is no pair of texts"},
      {model(R"("vocab":{"a":0,"ab":2},"merges":["a b"])"),
       "t: model.merges[0]: 'b' is not in the vocabulary"},
      {model(R"("vocab":{"a":0,"b":1},"merges":[["a","b"]])"),
       "t: model.merges[0]: 'ab' is not in the vocabulary"},
      {model(R"("vocab":{},"merges":[],"dropout":0.1)"), "t: model.dropout: 0.1 is not a number in 0..0"},
      {model(R"("vocab":{},"merges":[],"continuing_subword_prefix":"##")"),
       "t: model.continuing_subword_prefix: it is not supported (write null)"},
      {model(R"("vocab":{},"merges":[],"end_of_word_suffix":"</w>")"),
       "t: model.end_of_word_suffix: it is not supported (write null)"},
      {model(R"("vocab":{},"merges":[],"unk_token":"<unk>")"),
       "t: model.unk_token: it is not in the vocabulary"},
      {model(R"("vocab":{},"merges":[],"fuse_unk":1)"), "t: model.fuse_unk: 1 is neither true nor false"},
      {model(R"("vocab":{},"merges":[],"cache":1)"), "t: model.cache: it is not supported"},
  };
}

std::vector<Hostile> hostile_added_tokens() {
  const auto tokens = [](const std::string& text) { return file_with(added(text)); };
  return {
      {tokens("3"), "t: added_tokens[0]: 3 is not an object"},
      {tokens(R"({"content":"<s>"})"), "t: added_tokens[0].id: is missing"},
      {tokens(R"({"id":3})"), "t: added_tokens[0].content: is missing"},
      {tokens(R"({"id":3,"content":""})"), "t: added_tokens[0].content: it has 0 bytes, not 1..512"},
      {tokens(R"({"id":3,"content":")" + std::string(513, 'x') + R"("})"),
       "t: added_tokens[0].content: it has 513 bytes, not 1..512"},
      {tokens(R"({"id":4,"content":"<s>"})"),
       "t: added_tokens[0].id: it is 4, and that of its content in the library 3"},
      {tokens(R"({"id":3,"content":"a"})"),
       "t: added_tokens[0].id: it is 3, and that of its content in the library 0"},
      {tokens(kStart + R"(,{"id":4,"content":"<s>"})"), "t: added_tokens[1].content: it stands twice"},
      {tokens(R"({"id":3,"content":"<s>","strip":true})"), "t: added_tokens[0].strip: it is not supported"},
      {file_with(added(R"({"id":1,"content":"<s>"})"), R"("vocab":{"a":1},"merges":[])"),
       "t: added_tokens[0].id: 1 is that of 'a'"},
      {file_with(added(R"({"id":3,"content":"x","normalized":true})") +
                 R"("normalizer":{"type":"Replace","pattern":{"String":"x"},"content":""},)"),
       "t: added_tokens: 'x' cannot be normalised"},
  };
}

std::vector<Hostile> hostile_components() {
  const auto cut = [](const std::string& text) { return file_with(R"("pre_tokenizer":)" + text + ","); };
  const auto normal = [](const std::string& text) { return file_with(R"("normalizer":)" + text + ","); };
  const auto post = [](const std::string& text) {
    return file_with(added(kStart) + R"("post_processor":)" + text + ",");
  };
  const auto decoder = [](const std::string& text) {
    return R"({"decoder":)" + text + R"(,"model":{"vocab":{},"merges":[]}})";
  };
  const auto regex = [&](const std::string& text) {
    return cut(R"({"type":"Split","pattern":{"Regex":")" + text +
               R"("},"behavior":"Isolated","invert":false})");
  };
  std::string deep = R"({"type":"NFC"})";
  for (int i = 0; i < 5; ++i)
    deep = std::string(R"({"type":"Sequence","normalizers":[)").append(deep).append("]}");
  const std::string nested = "normalizer.normalizers[0].normalizers[0].normalizers[0].normalizers[0].";
  return {
      {cut("3"), "t: pre_tokenizer: 3 is not an object"},
      {cut("{}"), "t: pre_tokenizer.type: is missing"},
      {cut(R"({"type":"Whitespace"})"),
       "t: pre_tokenizer.type: 'Whitespace' is not supported (known: ByteLevel, Digits, Metaspace, Sequence, "
       "Split)"},
      {cut(R"({"type":"Sequence"})"), "t: pre_tokenizer.pretokenizers: is missing"},
      {cut(R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"BertPreTokenizer"}]})"),
       "t: pre_tokenizer.pretokenizers[1].type: 'BertPreTokenizer' is not supported (known: ByteLevel, "
       "Digits, "
       "Metaspace, Sequence, Split)"},
      {cut(R"({"type":"ByteLevel","use_regexp":true})"), "t: pre_tokenizer.use_regexp: it is not supported"},
      {cut(R"({"type":"Split","pattern":{"String":" "},"behavior":"Dropped"})"),
       "t: pre_tokenizer.behavior: unknown behaviour 'Dropped' (known: Isolated, Removed, "
       "MergedWithPrevious, "
       "MergedWithNext, Contiguous)"},
      {cut(R"({"type":"Split","behavior":"Isolated"})"), "t: pre_tokenizer.pattern: is missing"},
      {cut(R"({"type":"Split","pattern":{"String":"a","Regex":"a"},"behavior":"Isolated"})"),
       "t: pre_tokenizer.pattern.String: it must be there or 'Regex', and not both"},
      {cut(R"({"type":"Metaspace","replacement":"__"})"),
       "t: pre_tokenizer.replacement: it is not one character"},
      {cut(R"({"type":"Metaspace","replacement":"_","prepend_scheme":"last"})"),
       "t: pre_tokenizer.prepend_scheme: unknown scheme 'last' (known: always, first, never)"},
      {regex("("),
       "t: pre_tokenizer.pattern.Regex: no regular expression: missing closing parenthesis at byte 2"},
      {regex("a*"), "t: pre_tokenizer.pattern.Regex: a regular expression that can match nothing at all"},
      {regex(R"(\\w+)"),
       R"(t: pre_tokenizer.pattern.Regex: an escape '\w' at byte 1 of the regular expression)"},
      {regex(std::string(65537, 'a')),
       "t: pre_tokenizer.pattern.Regex: a regular expression of 65537 bytes, more than 65536"},
      {normal(R"({"type":"Lowercase"})"),
       "t: normalizer.type: 'Lowercase' is not supported (known: NFC, NFD, NFKC, NFKD, Prepend, Replace, "
       "Sequence)"},
      {normal(R"({"type":"Prepend"})"), "t: normalizer.prepend: is missing"},
      {normal(deep), "t: " + nested + "normalizers: sequences nested deeper than 4"},
      {post(R"({"type":"BertProcessing"})"),
       "t: post_processor.type: 'BertProcessing' is not supported (known: ByteLevel, Sequence, "
       "TemplateProcessing)"},
      {post(R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]})"),
       "t: post_processor.single[0].Sequence: its id must be A"},
      {post(R"({"type":"TemplateProcessing","single":[]})"),
       "t: post_processor.single: it must name the sequence A once"},
      {post(
           R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<x>"}},{"Sequence":{"id":"A"}}]})"),
       "t: post_processor.special_tokens.<x>.ids: is missing"},
      {post(
           R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],)"
           R"("special_tokens":{"<s>":{"ids":[9]}}})"),
       "t: post_processor.special_tokens.<s>.ids: there is no token 9"},
      {decoder(R"({"type":"WordPiece"})"),
       "t: decoder.type: 'WordPiece' is not supported (known: ByteFallback, ByteLevel, Fuse, Metaspace, "
       "Replace, "
       "Sequence, Strip)"},
      {decoder(R"({"type":"Replace","pattern":{"String":"a"},"content":"bb"})"),
       "t: decoder.content: a text longer than the pattern that it replaces is not supported"},
      {decoder(R"({"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]})"),
       "t: decoder.decoders[1].type: 'ByteFallback' behind a step that joins all tokens is not supported"},
      {decoder(R"({"type":"Strip","content":" ","start":-1,"stop":0})"),
       "t: decoder.start: -1 is not an integer in 0..1024"},
  };
}

TEST(TokenizerFile, EveryHostileFileIsOneErrorThatNamesTheKey) {
  for (const auto& cases : {hostile_models(), hostile_added_tokens(), hostile_components()})
    for (const Hostile& hostile : cases)
      EXPECT_EQ(error_of(hostile.text), hostile.error) << hostile.text.substr(0, 200);
}

TEST(TokenizerFile, ATextCutAnywhereIsRefused) {
  const std::string text = file_text(data_path("metaspace_never_split.tokenizer.json"));
  const std::string whole = text.substr(0, text.rfind('}') + 1);
  ASSERT_EQ(error_of(whole), "");
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 50)
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("t:")) << size;
}

TEST(TokenizerFile, WhatTheConfigurationSaysIsReadAndMustAgree) {
  const std::string with_start =
      file_with(added(kStart) +
                R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
                R"({"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[3]}}},)");
  const std::string config =
      R"({"bos_token":{"content":"<s>"},"eos_token":"b","add_bos_token":true,)"
      R"("chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D"}]})";
  const auto tokenizer = Tokenizer::parse(with_start, config, "t", "c");
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  EXPECT_EQ(tokenizer->bos_token(), "<s>");
  EXPECT_EQ(tokenizer->eos_token(), "b");
  EXPECT_EQ(tokenizer->chat_template(), "D");
  EXPECT_EQ(*tokenizer->encode("ab", true), (std::vector<std::int32_t>{3, 2}));
  EXPECT_EQ(*tokenizer->encode("ab", false), (std::vector<std::int32_t>{2}));
  EXPECT_EQ(error_of(with_start, R"({"bos_token":"<s>","add_bos_token":false})"),
            "c: add_bos_token: it is false, and tokenizer.json puts one before a text");
  EXPECT_EQ(error_of(file_with(added(kStart)), R"({"bos_token":"<s>","add_bos_token":true})"),
            "c: add_bos_token: it is true, and tokenizer.json puts none before a text");
  EXPECT_EQ(error_of(with_start, R"({"bos_token":"<x>"})"), "c: bos_token: '<x>' is not in the vocabulary");
  EXPECT_EQ(error_of(with_start, R"({"bos_token":7})"), "c: bos_token: 7 is not a text");
  EXPECT_EQ(error_of(with_start, "{"), "c:1:2: it is not JSON");
}

TEST(TokenizerFile, AFolderIsReadAndWhatIsNoFileIsRefused) {
  const ModelFolder folder;
  const auto missing = Tokenizer::read(folder.path());
  ASSERT_FALSE(missing);
  EXPECT_THAT(to_string(missing.error()), HasSubstr("cannot read '" + folder.file("tokenizer.json") + "'"));
  folder.write("tokenizer.json", file_with(added(kStart)));
  ASSERT_TRUE(Tokenizer::read(folder.path()));
  folder.write("tokenizer_config.json", R"({"chat_template":"old","eos_token":"<s>"})");
  EXPECT_EQ(Tokenizer::read(folder.path())->chat_template(), "old");
  folder.write("chat_template.jinja", "new");
  EXPECT_EQ(Tokenizer::read(folder.path())->chat_template(), "new");
  EXPECT_EQ(Tokenizer::read(folder.path())->eos_token(), "<s>");
  std::filesystem::remove(folder.file("tokenizer_config.json"));
  std::filesystem::create_directory(folder.file("tokenizer_config.json"));
  EXPECT_FALSE(Tokenizer::read(folder.path()));
}

TEST(TokenizerFile, ATextThatTakesItsExpressionTooLongIsAnError) {
  const auto tokenizer =
      Tokenizer::parse(file_with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a|aa|b)+[cd]"},)"
                                 R"("behavior":"Isolated"},)"),
                       "", "t", "c");
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  EXPECT_TRUE(tokenizer->encode("aaabab", false));
  const auto ids = tokenizer->encode(std::string(200, 'a'), false);
  ASSERT_FALSE(ids);
  EXPECT_EQ(to_string(ids.error()), "t: a text of 200 bytes takes its regular expression too many steps");
}

TEST(TokenizerFile, ATextThatGrowsTooFarIsAnError) {
  const std::string step =
      R"({"type":"Replace","pattern":{"String":"a"},"content":")" + std::string(1024, 'a') + "\"}";
  const std::string steps = fmt::format("{0},{0},{0},{0}", step);
  const auto tokenizer = Tokenizer::parse(
      file_with(R"("normalizer":{"type":"Sequence","normalizers":[)" + steps + "]},"), "", "t", "c");
  ASSERT_TRUE(tokenizer) << to_string(tokenizer.error());
  const auto ids = tokenizer->encode("a", false);
  ASSERT_FALSE(ids);
  EXPECT_EQ(to_string(ids.error()), "t: the normaliser makes more than 1048640 bytes of a text");
}

}  // namespace
}  // namespace dspark
