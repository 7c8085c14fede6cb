#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "experiments/sweep/record.h"

/// Any bytes are a log or not, and a record or not; what is accepted as a record is written again as one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (dspark::parse_log(bytes).valid_bytes > size) std::abort();
  const auto record = dspark::decode_record(bytes);
  if (record && !dspark::decode_record(dspark::encode_record(*record))) std::abort();
  // Behind a valid frame the payload is reached.
  std::string log = dspark::log_header({1, 2});
  if (record) log += dspark::framed_record(*record);
  if (dspark::parse_log(log).records.size() != (record ? 1u : 0u)) std::abort();
  return 0;
}
