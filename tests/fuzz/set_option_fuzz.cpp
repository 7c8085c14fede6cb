#include <cstddef>
#include <cstdint>
#include <string_view>

#include "experiments/schema/set_option.h"
#include "experiments/schema/yaml_reader.h"

/// Any option changes the tree or is an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto root = dspark::read_yaml("{policy: none, sweep: {grid: {a.b: [1]}}, list: [1, 2]}", "fuzz");
  const auto error = dspark::apply_set_option(*root, {reinterpret_cast<const char*>(data), size});
  if (error) dspark::to_string(*error);
  return 0;
}
