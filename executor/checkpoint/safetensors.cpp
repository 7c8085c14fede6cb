#include "executor/checkpoint/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "executor/checkpoint/json_object.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as the reference implementation
constexpr std::size_t kMostTensors = std::size_t{1} << 16;
constexpr std::size_t kMostDimensions = 8;
constexpr std::string_view kMetadata = "__metadata__";
// Metadata, a flat object, may hold more than a tensor's eight or so values.
constexpr JsonLimits kHeaderLimits{.depth = 3, .values = 65536, .members = kMostTensors + 1};

struct DtypeFacts {
  std::string_view name;
  int bits;
};

constexpr std::array<DtypeFacts, 22> kDtypes{{
    {"F32", 32},    {"F16", 16},    {"BF16", 16},       {"BOOL", 8},        {"U8", 8},      {"I8", 8},
    {"I16", 16},    {"U16", 16},    {"I32", 32},        {"U32", 32},        {"I64", 64},    {"U64", 64},
    {"F64", 64},    {"C64", 64},    {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6}, {"F8_E4M3", 8},
    {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
}};
static_assert(static_cast<std::size_t>(Dtype::kF8E5m2Fnuz) + 1 == kDtypes.size());

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

/// Collects the tensors of a header; the first error ends it.
class HeaderReader {
 public:
  HeaderReader(std::string_view file, const std::string& path)
      : file_(file), source_(std::make_shared<const std::string>(path)) {}

  Result<SafetensorsHeader> read() {
    if (file_.empty()) return error("it is empty");
    if (file_.size() < kLengthBytes) return error("it ends inside the 8 bytes of the header's length");
    const std::uint64_t length = little_endian(file_);
    if (length > kMostHeaderBytes)
      return error(fmt::format("a header of {} bytes, more than {}", length, kMostHeaderBytes),
                   "is this a .safetensors file?");
    if (length > file_.size() - kLengthBytes)
      return error(
          fmt::format("it ends inside the header: {} of {} bytes", file_.size() - kLengthBytes, length),
          "is the file whole?");
    header_.data_begin = kLengthBytes + static_cast<std::size_t>(length);
    data_bytes_ = file_.size() - header_.data_begin;
    const std::string_view text = file_.substr(kLengthBytes, static_cast<std::size_t>(length));
    if (!text.starts_with('{'))
      return error("the header does not begin with '{'", "is this a .safetensors file?");
    const auto fault = read_json_object(
        text, kHeaderLimits, [&](std::string& name, Json& value) { return member(std::move(name), value); });
    if (fault)
      return error(fault->byte > 0 ? fmt::format("the header: {} (byte {} of it)", fault->what, fault->byte)
                                   : fmt::format("the header: {}", fault->what));
    if (error_) return *error_;
    cover();
    if (error_) return *error_;
    return std::move(header_);
  }

 private:
  Error error(std::string message, std::string advice = {}) const {
    return Error{std::move(message), {source_, 0, 0}, std::move(advice)};
  }
  bool fail(std::string message, std::string advice = {}) {
    error_ = error(std::move(message), std::move(advice));
    return false;
  }
  bool fail_tensor(const std::string& name, std::string_view message, std::string advice = {}) {
    return fail(fmt::format("tensor '{}': {}", name, message), std::move(advice));
  }

  bool member(std::string name, const Json& value) {
    if (name == kMetadata) return metadata(value);
    if (name.empty()) return fail("a tensor without a name");
    if (header_.tensors.size() == kMostTensors)
      return fail(fmt::format("more than {} tensors", kMostTensors));
    if (!value.is_object()) return fail_tensor(name, "it is not an object");
    for (const auto& [key, unused] : value.items())
      if (key != "dtype" && key != "shape" && key != "data_offsets")
        return fail_tensor(name, fmt::format("unknown key '{}'", key), "known: dtype, shape, data_offsets");
    TensorInfo info{.name = std::move(name), .dtype = {}, .shape = {}};
    if (!dtype(value, info) || !shape(value, info) || !offsets(value, info)) return false;
    header_.tensors.push_back(std::move(info));
    return true;
  }

  bool metadata(const Json& value) {
    if (!value.is_object()) return fail("__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) return fail(fmt::format("__metadata__: '{}' is not a text", key));
      header_.metadata.emplace(key, text.get_ref<const std::string&>());
    }
    return true;
  }

  bool dtype(const Json& value, TensorInfo& info) {
    const auto found = value.find("dtype");
    if (found == value.end() || !found->is_string()) return fail_tensor(info.name, "dtype must be a text");
    const auto& written = found->get_ref<const std::string&>();
    const auto* const known = std::find_if(kDtypes.begin(), kDtypes.end(),
                                           [&](const DtypeFacts& facts) { return facts.name == written; });
    if (known == kDtypes.end())
      return fail_tensor(info.name, fmt::format("unknown dtype '{}'", written.substr(0, 32)),
                         "weights are F32, F16 or BF16");
    info.dtype = static_cast<Dtype>(known - kDtypes.begin());
    return true;
  }

  bool shape(const Json& value, TensorInfo& info) {
    const auto found = value.find("shape");
    if (found == value.end() || !found->is_array()) return fail_tensor(info.name, "shape must be a list");
    if (found->size() > kMostDimensions)
      return fail_tensor(info.name,
                         fmt::format("{} dimensions, more than {}", found->size(), kMostDimensions));
    for (const Json& size : *found) {
      if (!size.is_number_unsigned())
        return fail_tensor(info.name, fmt::format("shape: {} is not a size",
                                                  size.is_number() ? size.dump() : size.type_name()));
      info.shape.push_back(size.get<std::size_t>());
    }
    return true;
  }

  bool offsets(const Json& value, TensorInfo& info) {
    const auto found = value.find("data_offsets");
    if (found == value.end() || !found->is_array() || found->size() != 2 ||
        !(*found)[0].is_number_unsigned() || !(*found)[1].is_number_unsigned())
      return fail_tensor(info.name, "data_offsets must be two numbers of bytes");
    info.begin = (*found)[0].get<std::size_t>();
    info.end = (*found)[1].get<std::size_t>();
    if (info.begin > info.end)
      return fail_tensor(info.name, fmt::format("it begins at byte {} and ends at {}", info.begin, info.end));
    std::size_t bits = static_cast<std::size_t>(dtype_bits(info.dtype));
    for (const std::size_t size : info.shape)
      if (__builtin_mul_overflow(bits, size, &bits))
        return fail_tensor(info.name, fmt::format("shape {} is too large", shape_text(info.shape)));
    if (bits % 8 != 0) return fail_tensor(info.name, fmt::format("{} bits are no whole bytes", bits));
    if (info.end - info.begin != bits / 8)
      return fail_tensor(info.name,
                         fmt::format("{} {} takes {} bytes, data_offsets give it {}", dtype_name(info.dtype),
                                     shape_text(info.shape), bits / 8, info.end - info.begin));
    if (info.end > data_bytes_)
      return fail_tensor(info.name, fmt::format("it ends at byte {} of {}", info.end, data_bytes_),
                         "is the file whole?");
    return true;
  }

  /// The tensors cover the data without overlap, hole or rest.
  void cover() {
    auto& tensors = header_.tensors;
    std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::size_t covered = 0;
    const TensorInfo* last = nullptr;
    for (const TensorInfo& info : tensors) {
      if (info.begin < covered) {
        fail_tensor(info.name, fmt::format("it overlaps tensor '{}'", last->name));
        return;
      }
      if (info.begin > covered) {
        fail_tensor(info.name,
                    fmt::format("bytes {} to {} before it belong to no tensor", covered, info.begin));
        return;
      }
      covered = info.end;
      last = &info;
    }
    if (covered < data_bytes_)
      fail(fmt::format("{} bytes behind the last tensor belong to none", data_bytes_ - covered));
  }

  std::string_view file_;
  std::shared_ptr<const std::string> source_;
  std::size_t data_bytes_ = 0;
  SafetensorsHeader header_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].name; }
int dtype_bits(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].bits; }

std::string shape_text(std::span<const std::size_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<SafetensorsHeader> parse_safetensors(std::string_view file, const std::string& path) {
  return HeaderReader(file, path).read();
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto header = parse_safetensors(file->bytes(), path);
  if (!header) return header.error();
  return SafetensorsFile(path, std::move(*file), std::move(*header));
}

Result<Tensor> SafetensorsFile::weights(const TensorInfo& info) const {
  if (info.dtype > Dtype::kBf16)
    return Error{fmt::format("tensor '{}' is {}", info.name, dtype_name(info.dtype)),
                 {std::make_shared<const std::string>(path_), 0, 0},
                 "weights are F32, F16 or BF16"};
  const std::string_view bytes = file_.bytes().substr(header_.data_begin + info.begin, info.end - info.begin);
  return Tensor{info.dtype, info.shape, std::as_bytes(std::span(bytes))};
}

Result<std::vector<std::int64_t>> SafetensorsFile::integers(const TensorInfo& info) const {
  if (info.dtype != Dtype::kI64)
    return Error{fmt::format("tensor '{}' is {}", info.name, dtype_name(info.dtype)),
                 {std::make_shared<const std::string>(path_), 0, 0},
                 "ids are I64"};
  std::vector<std::int64_t> numbers((info.end - info.begin) / sizeof(std::int64_t));
  file_.bytes().copy(reinterpret_cast<char*>(numbers.data()), info.end - info.begin,
                     header_.data_begin + info.begin);
  return numbers;
}

}  // namespace dspark
