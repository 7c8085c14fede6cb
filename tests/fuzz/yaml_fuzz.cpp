#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "experiments/schema/sweep_axes.h"
#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_reader.h"

/// Any bytes give a value or an error; a value's flow text reads back as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = dspark::read_yaml({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!value) return 0;
  const std::string text = dspark::flow_text(*value);
  const auto again = dspark::read_yaml(text, "again");
  // yaml-cpp refuses keys of more than 1024 characters in a flow.
  if (text.size() < 1000 && (!again || dspark::flow_text(*again) != text)) std::abort();
  dspark::Errors errors;
  dspark::read_sweep(&*value, errors);
  return 0;
}
