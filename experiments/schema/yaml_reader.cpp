#include "experiments/schema/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>

#include "experiments/schema/utf8.h"

namespace dspark {
namespace {

/// Carries an Error through yaml-cpp, which has no other way to stop; caught in read_yaml.
struct Stop {
  Error error;
};

/// True where a quoted text begins at `at` (behind an anchor or tag) and has no end: yaml-cpp 0.7 takes all
/// that follows, to the end of the file, as its content.
bool lacks_closing_quote(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    at = text.find_first_not_of(" \t\r\n", std::min(text.find_first_of(" \t\r\n", at), text.size()));
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return false;
  const char quote = text[at];
  while (++at < text.size()) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == quote) {
      const bool doubled = quote == '\'' && at + 1 < text.size() && text[at + 1] == quote;
      if (!doubled) return false;
      ++at;
    }
  }
  return true;
}

/// A value under construction, with the sizes that the caps are about.
struct Node {
  Value value;
  std::size_t nodes = 1;
  std::size_t depth = 1;
};

struct Frame {
  Node node;
  YAML::anchor_t anchor = 0;
  bool is_map = false;
  bool has_key = false;
  Value::Entry entry;         // key read, value awaited
  std::vector<Value> merged;  // values of `<<`
  Position merge_position = {};
};

/// Builds a Value from yaml-cpp's events; yaml-cpp's own nodes know neither duplicate keys nor merge keys.
class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::string source)
      : text_(text), source_(std::make_shared<const std::string>(std::move(source))) {}

  const std::shared_ptr<const std::string>& source() const { return source_; }
  Position at(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }
  Position document_position() const { return document_; }
  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override { document_ = at(mark); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (awaits_key()) throw Stop{{"a key must be text, not nothing", at(mark)}};
    place({Value{{}, at(mark)}}, anchor, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (awaits_key()) throw Stop{{"a key must be text, not an alias", at(mark)}};
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw Stop{{"an alias cannot stand inside its own anchor", at(mark)}};
    if (nodes_ + known->second.nodes > kMaxYamlNodes) throw_too_large(mark);
    nodes_ += known->second.nodes;
    place(known->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (tag != "?" && lacks_closing_quote(text_, static_cast<std::size_t>(mark.pos))) {
      throw Stop{{"the text that begins here has no closing quote", at(mark)}};
    }
    if (awaits_key()) {
      if (anchor != 0) throw Stop{{"a key cannot have an anchor", at(mark)}};
      take_key(mark, value, tag == "?");
      return;
    }
    place({Value{value, at(mark)}}, anchor, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value{Value::List{}, at(mark)}, false);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value{Value::Map{}, at(mark)}, true);
  }
  void OnMapEnd() override {
    resolve_merges(stack_.back());
    close();
  }

 private:
  bool awaits_key() const { return !stack_.empty() && stack_.back().is_map && !stack_.back().has_key; }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{{fmt::format("tags such as '{}' are not supported", tag), at(mark), "leave the tag out"}};
  }

  [[noreturn]] void throw_too_large(const YAML::Mark& mark) const {
    throw Stop{{fmt::format("the file has more than {} values", kMaxYamlNodes), at(mark),
                "aliases count in full wherever they are used"}};
  }

  void take_key(const YAML::Mark& mark, const std::string& key, bool plain) {
    Frame& frame = stack_.back();
    frame.entry = {key, at(mark), {}};
    frame.has_key = true;
    if (plain && key == "<<") {
      if (!frame.merged.empty())
        throw Stop{{"a map can have one '<<'", at(mark), "merge a list: <<: [*a, *b]"}};
      frame.merge_position = at(mark);
      return;
    }
    const Value* before = frame.node.value.find(key);
    if (!before) return;
    const auto& entries = *frame.node.value.map();
    const auto first = std::find_if(entries.begin(), entries.end(), [&](auto& e) { return e.key == key; });
    throw Stop{{fmt::format("duplicate key '{}'", key), at(mark),
                fmt::format("first given at line {}", first->key_position.line)}};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value value, bool is_map) {
    check_tag(mark, tag);
    if (awaits_key()) throw Stop{{"a key must be text, not " + describe(value), at(mark)}};
    if (stack_.size() >= kMaxYamlDepth) throw_too_deep(at(mark));
    if (++nodes_ > kMaxYamlNodes) throw_too_large(mark);
    Frame frame;
    frame.node.value = std::move(value);
    frame.anchor = anchor;
    frame.is_map = is_map;
    stack_.push_back(std::move(frame));
  }

  [[noreturn]] static void throw_too_deep(Position position) {
    throw Stop{{fmt::format("values are nested more than {} deep", kMaxYamlDepth), std::move(position)}};
  }

  void close() {
    Node node = std::move(stack_.back().node);
    const YAML::anchor_t anchor = stack_.back().anchor;
    stack_.pop_back();
    place(std::move(node), anchor);
  }

  void place(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (++nodes_ > kMaxYamlNodes) throw_too_large(mark);
    place(std::move(node), anchor);
  }

  void place(Node node, YAML::anchor_t anchor) {
    if (stack_.size() + node.depth > kMaxYamlDepth) throw_too_deep(node.value.position);
    if (anchor != 0) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node.value);
      return;
    }
    Frame& frame = stack_.back();
    frame.node.nodes += node.nodes;
    frame.node.depth = std::max(frame.node.depth, node.depth + 1);
    if (!frame.is_map) {
      std::get<Value::List>(frame.node.value.content).push_back(std::move(node.value));
      return;
    }
    frame.has_key = false;
    if (frame.merge_position.source && frame.merged.empty()) {
      collect_merge(frame, std::move(node.value));
      return;
    }
    frame.entry.value = std::move(node.value);
    std::get<Value::Map>(frame.node.value.content).push_back(std::move(frame.entry));
  }

  static void collect_merge(Frame& frame, Value value) {
    if (value.map()) {
      frame.merged.push_back(std::move(value));
      return;
    }
    const Error error{"'<<' merges a map or a list of maps, not " + describe(value), value.position};
    if (!value.list() || value.list()->empty()) throw Stop{error};
    for (Value& item : std::get<Value::List>(value.content)) {
      if (!item.map()) throw Stop{{"'<<' merges maps, not " + describe(item), item.position}};
      frame.merged.push_back(std::move(item));
    }
  }

  static void resolve_merges(Frame& frame) {
    auto& entries = std::get<Value::Map>(frame.node.value.content);
    for (Value& source : frame.merged) {
      for (Value::Entry& entry : std::get<Value::Map>(source.content)) {
        if (!frame.node.value.find(entry.key)) entries.push_back(std::move(entry));
      }
    }
  }

  std::string_view text_;
  std::shared_ptr<const std::string> source_;
  Position document_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  Value root_;
};

/// A stream over text that is not copied.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; nothing is written
    setg(begin, begin, begin + text.size());
  }
};

/// The end of the text may be reported without a place: then the position is the file's.
Error parse_error(const YAML::Exception& failure, const Builder& builder) {
  Position position{builder.source()};
  if (!failure.mark.is_null()) position = builder.at(failure.mark);
  return {"this is not YAML: " + failure.msg, position,
          "indent with spaces, quote texts that hold ': ' or start with a special character"};
}

Error empty_error(const Builder& builder) {
  return {"the file is empty", {builder.source()}, "an experiment starts with 'schema: 1'"};
}

Result<Value> parse(std::string_view text, Builder& builder) {
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return empty_error(builder);
    Value root = builder.take();
    if (parser && parser.HandleNextDocument(builder)) {
      return Error{"a second document starts here", builder.document_position(), "one experiment per file"};
    }
    if (root.empty()) return empty_error(builder);
    return root;
  } catch (Stop& stop) {
    return std::move(stop.error);
  } catch (const YAML::Exception& failure) {
    return parse_error(failure, builder);
  }
}

}  // namespace

Result<Value> read_yaml(std::string_view text, std::string source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark, as some editors leave it
  Builder builder(text, std::move(source));
  if (text.size() > kMaxYamlBytes) {
    return Error{fmt::format("the file has more than {} bytes", kMaxYamlBytes), {builder.source()}};
  }
  if (const auto bad = find_bad_utf8(text)) {
    return Error{"the text is not UTF-8", {builder.source(), bad->line, bad->column}, bad->what};
  }
  return parse(text, builder);
}

}  // namespace dspark
