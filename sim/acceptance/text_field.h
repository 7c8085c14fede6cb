#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/random/random_key.h"

namespace dspark {

/// How much drafts differ, and along what. Shares are of the latent's variance; what is left of 1 is the
/// draft's own luck, drawn anew in every round.
struct LatentSpread {
  double between_request_share = 0.1;  // some requests are easier than others
  double text_share = 0.4;             // and some stretches of a text
  int text_correlation_tokens = 8;     // tokens over which a text's difficulty changes

  bool operator==(const LatentSpread&) const = default;
};

/// What of the latent does not change from round to round: √share_r·Z + √share_t·W(position), a function of
/// the request and the position in its text. W blends the two normal knots around a position, one knot every
/// `text_correlation_tokens`.
class TextField {
 public:
  explicit TextField(const LatentSpread& spread);

  const LatentSpread& spread() const { return spread_; }
  int knot_distance() const { return spread_.text_correlation_tokens; }
  /// The values of a whole number of knot distances, from knot `first_knot` on.
  void read(RandomKey key, std::uint32_t source, std::uint32_t ordinal, std::uint32_t first_knot,
            std::span<float> values) const;

 private:
  LatentSpread spread_;
  float request_scale_;
  std::vector<float> left_weight_, right_weight_;  // (knot distance) of the knots around a position
};

/// The text field around each row's anchor, remembered from step to step: a request's rounds walk along its
/// text, so that a window serves dozens of them. What a row holds is checked against the request that stands
/// in it now, so windows need not hear of requests that come and go.
class TextWindows {
 public:
  /// `columns` (depth, requests): the field at the positions behind each anchor, 1..depth.
  void read(const TextField& field, RandomKey key, std::span<const std::uint32_t> source,
            std::span<const std::uint32_t> ordinal, std::span<const std::int32_t> anchor, int depth,
            float* columns);

 private:
  static constexpr std::size_t kTile = 4;  // rows and positions that are turned into columns together

  struct Text {
    std::uint32_t source = 0;
    std::uint32_t ordinal = 0;
    bool operator==(const Text&) const = default;
  };
  struct Window {
    Text text;
    std::uint32_t begin = UINT32_MAX;  // text position of its first value; no window ends behind this one
  };
  /// The field at the position behind the row's anchor and on, for `depth` positions.
  const float* behind_anchor(const TextField& field, RandomKey key, std::size_t row, Text text,
                             std::int32_t anchor, int depth);
  void forget_unless(const TextField& field, RandomKey key, int depth);

  RandomKey key_;
  LatentSpread spread_;
  std::uint32_t width_ = 0;  // positions of a window
  std::vector<Window> windows_;
  std::vector<float> values_;  // (requests, width)
};

}  // namespace dspark
