#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sim/table/rounds_csv.h"

/// Any bytes are rounds or an error, in every form; what is read is valid and written again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  for (const auto form : {dspark::RoundsForm::kRounds, dspark::RoundsForm::kGateConditional,
                          dspark::RoundsForm::kGateCumulative}) {
    const auto rounds = dspark::read_rounds_csv({"fuzz.csv", content, {}}, form);
    if (!rounds) {
      dspark::to_string(rounds.error());
      continue;
    }
    if (dspark::find_fault(*rounds)) std::abort();
    const std::string text = dspark::rounds_csv(*rounds);
    const auto again = dspark::read_rounds_csv({"again.csv", text, {}});
    if (!again || dspark::rounds_csv(*again) != text) std::abort();
  }
  return 0;
}
