#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/mapped_file.h"
#include "policies/error.h"

namespace dspark {

/// Element types that the format names. Weights are kF32, kF16 or kBf16; a file may hold the others.
enum class Dtype : std::uint8_t {
  kF32,
  kF16,
  kBf16,
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kF64,
  kC64,
  kF4,
  kF6E2m3,
  kF6E3m2,
  kF8E4m3,
  kF8E5m2,
  kF8E8m0,
  kF8E4m3Fnuz,
  kF8E5m2Fnuz,
};

/// As the format writes it: "BF16".
std::string_view dtype_name(Dtype dtype);
int dtype_bits(Dtype dtype);

/// One tensor as the header describes it, row-major and little-endian.
struct TensorInfo {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<std::size_t> shape;  // empty: a scalar
  std::size_t begin = 0;           // bytes begin .. end of the data, which follow the header
  std::size_t end = 0;
};

/// "[2, 3]"
std::string shape_text(std::span<const std::size_t> shape);

/// Weights inside a mapped file, which must outlive them.
struct Tensor {
  Dtype dtype = Dtype::kF32;           // kF32, kF16 or kBf16
  std::span<const std::size_t> shape;  // outermost first
  std::span<const std::byte> bytes;    // as many as shape and dtype say; aligned to nothing
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
  std::size_t data_begin = 0;  // of the file
};

/// Reads and checks the header of a whole file's bytes. As the reference implementation demands, the tensors
/// cover the data without overlap, hole or rest. Looks at no byte behind the header. Bounds: header 100 MB,
/// 65 536 tensors of at most 8 dimensions and names of 1024 bytes. Errors name `path` and, where one is to
/// blame, the tensor. Format: github.com/huggingface/safetensors, "Format".
Result<SafetensorsHeader> parse_safetensors(std::string_view file, const std::string& path);

/// A `.safetensors` file, mapped. Its whole header is checked before any tensor is handed out.
class SafetensorsFile {
 public:
  /// Errors: as MappedFile::open and parse_safetensors.
  static Result<SafetensorsFile> open(const std::string& path);

  const std::string& path() const { return path_; }
  /// In the order of their bytes.
  std::span<const TensorInfo> tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  /// The weights of one of tensors(). Errors: its type is not one of weights.
  Result<Tensor> weights(const TensorInfo& info) const;
  /// The numbers of one of tensors() that holds I64. Errors: it does not.
  Result<std::vector<std::int64_t>> integers(const TensorInfo& info) const;

 private:
  SafetensorsFile(std::string path, MappedFile file, SafetensorsHeader header)
      : path_(std::move(path)), file_(std::move(file)), header_(std::move(header)) {}

  std::string path_;
  MappedFile file_;
  SafetensorsHeader header_;
};

}  // namespace dspark
