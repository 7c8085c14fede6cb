#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "executor/checkpoint/safetensors.h"
#include "tests/fuzz/expect.h"

/// Any bytes are a file of tensors or an error of one line; tensors cover the data that the file holds, each
/// with as many bytes as its shape and type say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dspark::expect;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto header = dspark::parse_safetensors(file, "fuzz");
  if (!header) {
    const std::string text = to_string(header.error());
    expect(text.starts_with("fuzz: ") && text.find('\n') == std::string::npos, "an error is one line");
    return 0;
  }
  std::size_t covered = 0;
  for (const dspark::TensorInfo& info : header->tensors) {
    expect(info.begin == covered && info.end >= info.begin, "tensors follow each other");
    expect(!info.name.empty(), "a tensor has a name");
    unsigned __int128 bits = static_cast<unsigned>(dspark::dtype_bits(info.dtype));
    for (const std::size_t length : info.shape) {
      bits *= length;
      expect(bits >> 64 == 0, "a shape's product fits");
    }
    expect(bits == static_cast<unsigned __int128>(info.end - info.begin) * 8, "bytes are those of the shape");
    covered = info.end;
  }
  expect(header->data_begin <= size && covered == size - header->data_begin, "tensors cover the data");
  return 0;
}
