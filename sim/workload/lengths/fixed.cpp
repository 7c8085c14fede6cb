#include "sim/workload/request_shapes.h"

namespace dspark {

/// Every length the same; a reply's length is then a limit the server knows, as in benchmarks that ignore the
/// end of text.
///
///     output_tokens: {fixed: 512}
class FixedLengths final : public LengthDistribution {
 public:
  explicit FixedLengths(Parameters& parameters)
      : tokens_(static_cast<std::int32_t>(parameters.integer(
            "tokens", {.min = 1, .max = 1 << 23, .unit = "tokens", .meaning = "the length"}))) {}

  std::int32_t sample(RandomKey, Stream, std::uint32_t, std::uint32_t) const override { return tokens_; }
  bool known_beforehand() const override { return true; }

 private:
  std::int32_t tokens_;
};

template std::unique_ptr<const LengthDistribution> construct_lengths<FixedLengths>(Parameters&);

}  // namespace dspark
