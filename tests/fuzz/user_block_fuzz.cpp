#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "experiments/results/hdf5_file.h"
#include "experiments/results/user_block.h"
#include "tests/fuzz/expect.h"

/// The digest check accepts files that are exactly as written and no others, so the HDF5 library never sees
/// damage. The image is the whole input; its last two bytes choose where the written file is damaged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dspark::expect;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  dspark::starts_like_a_result(bytes);
  const auto given = dspark::checked_image(bytes, "fuzz.h5");
  if (given) {
    expect(dspark::with_user_block(std::string(*given)) == bytes, "only what is as written is accepted");
  } else {
    expect(!dspark::decode_hdf5(bytes, "fuzz.h5"), "what the check refuses is not decoded");
  }
  const std::string written = dspark::with_user_block(std::string(bytes));
  const auto image = dspark::checked_image(written, "fuzz.h5");
  expect(image && *image == bytes, "what was written is accepted");
  if (size < 2) return 0;
  const std::size_t at = (data[size - 2] * 256u + data[size - 1]) % written.size();
  std::string flipped = written;
  flipped[at] = static_cast<char>(flipped[at] ^ (1 << (data[0] % 8)));
  expect(!dspark::checked_image(flipped, "fuzz.h5"), "a flipped bit is found");
  expect(!dspark::checked_image(std::string_view(written).substr(0, at), "fuzz.h5"),
         "a missing end is found");
  expect(!dspark::checked_image(written + '\0', "fuzz.h5"), "an added byte is found");
  return 0;
}
