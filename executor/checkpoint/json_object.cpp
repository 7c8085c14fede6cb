#include "executor/checkpoint/json_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

namespace dspark {
namespace {

using Json = nlohmann::json;

/// Builds the value of one member of the top object at a time from the parser's events.
class MemberReader final : public nlohmann::json_sax<Json> {
 public:
  MemberReader(const JsonLimits& limits, const JsonMember& take) : limits_(limits), take_(take) {}

  std::optional<JsonFault> fault() && { return std::move(fault_); }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return scalar(value); }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t&) override { return fail("it is not JSON"); }

  bool start_object(std::size_t) override { return depth_ == 0 ? deeper() : open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (name.size() > limits_.name_bytes)
      return fail(fmt::format("a name of {} bytes, more than {}", name.size(), limits_.name_bytes));
    if (is_member()) {
      if (seen_.size() == limits_.members) return fail(fmt::format("more than {} members", limits_.members));
      if (!seen_.insert(name).second) return twice(name);
      name_ = std::move(name);
      values_ = 0;
      return true;
    }
    Json& object = *open_.back();
    if (object.contains(name)) return twice(name);
    slot_ = &object[name];
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    constexpr int kNumberOverflow = 406;
    fault_ = JsonFault{why.id == kNumberOverflow ? "a number too large" : "it is not JSON", position};
    return false;
  }

 private:
  bool is_member() const { return depth_ == 1; }

  bool fail(std::string what) {
    fault_ = JsonFault{std::move(what), 0};
    return false;
  }

  bool twice(const std::string& name) { return fail(fmt::format("'{}' stands twice", name)); }

  bool deeper() {
    if (++depth_ > limits_.depth) return fail(fmt::format("nested deeper than {}", limits_.depth));
    return true;
  }

  /// Where the next value belongs, or nothing where it belongs nowhere.
  Json* place(Json value) {
    if (depth_ == 0) {
      fail("its top is not an object");
      return nullptr;
    }
    if (++values_ > limits_.values) {
      fail(fmt::format("'{}' has more than {} values", name_, limits_.values));
      return nullptr;
    }
    if (is_member()) {
      value_ = std::move(value);
      return &value_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  bool scalar(Json value) { return place(std::move(value)) != nullptr && (!is_member() || deliver()); }

  bool open(Json empty) {
    Json* const placed = place(std::move(empty));
    if (placed == nullptr) return false;
    open_.push_back(placed);
    return deeper();
  }

  bool close() {
    --depth_;
    if (depth_ == 0) return true;
    open_.pop_back();
    return !is_member() || deliver();
  }

  bool deliver() { return take_(name_, value_); }

  const JsonLimits& limits_;
  const JsonMember& take_;
  std::optional<JsonFault> fault_;
  std::unordered_set<std::string> seen_;  // names of the top object
  std::string name_;                      // of the member that is being read
  Json value_;                            // and what there is of its value
  std::vector<Json*> open_;               // objects and arrays inside value_ that have not ended
  Json* slot_ = nullptr;                  // of the last name inside value_
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
};

/// Line and column, both from 1, of a byte, from 1.
Position position_of(std::string_view text, std::size_t byte, const std::string& path) {
  Position position{std::make_shared<const std::string>(path), 0, 0};
  if (byte == 0) return position;
  const std::string_view before = text.substr(0, std::min(byte, text.size() + 1) - 1);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  position.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  position.column = static_cast<int>(before.size() - line_begin) + 1;
  return position;
}

}  // namespace

std::optional<JsonFault> read_json_object(std::string_view text, const JsonLimits& limits,
                                          const JsonMember& take) {
  // The parser takes a zero byte for the end of the text, and would not look at what follows.
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) return JsonFault{"it holds a zero byte", zero + 1};
  MemberReader reader(limits, take);
  Json::sax_parse(text.begin(), text.end(), &reader);
  return std::move(reader).fault();
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits, const std::string& path) {
  Json object = Json::object();
  const auto fault = read_json_object(text, limits, [&](std::string& name, Json& value) {
    object.emplace(std::move(name), std::move(value));
    return true;
  });
  if (fault) return Error{fault->what, position_of(text, fault->byte, path)};
  return object;
}

}  // namespace dspark
