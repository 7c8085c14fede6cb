#include "sim/acceptance/round_law.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

using Lanes = float __attribute__((vector_size(16)));
constexpr std::size_t kLanes = 4;

Lanes load(const float* values) {
  Lanes lanes;
  std::memcpy(&lanes, values, sizeof lanes);
  return lanes;
}
void store(const Lanes& lanes, float* values) { std::memcpy(values, &lanes, sizeof lanes); }

// Text that changes more slowly looks the same to rounds: survival is within 2e-4 at blocks of up to 16,
// within 2e-3 at 64 (round_law_test).
constexpr int kMostPhases = 64;
constexpr double kCellsPerLogit = 16;     // of the table of acceptances, linear between: error below 5e-5
constexpr double kSettled = 1e-5;         // change from knot to knot
constexpr std::size_t kMostRounds = 128;  // of full length, for all but certain acceptance

}  // namespace

NormalNodes NormalNodes::for_logistic_of(double scale, double fineness) {
  NormalNodes nodes;
  if (scale <= 0) return {{0}, {1}, 1};
  // The trapezoidal rule errs by exp(-2π²/spacing²) for the density itself, 3e-9 at 1. A logistic has poles
  // at ±iπ, and errs by exp(-2π²/(scale·spacing)); at 1.5 logits from node to node survival is within 2e-4.
  constexpr double kLogitsPerNode = 1.5, kWidest = 1, kNarrowest = 0.4, kEnd = 4;
  const double spacing = std::clamp(kLogitsPerNode / scale, kNarrowest, kWidest) / fineness;
  const int count = 2 * static_cast<int>(std::ceil(kEnd / spacing));
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    const double x = (i - 0.5 * (count - 1)) * spacing;
    nodes.value.push_back(x);
    nodes.weight.push_back(exp_portable(-0.5 * x * x));
    sum += nodes.weight.back();
    squares += nodes.weight.back() * x * x;
  }
  const double unit = std::sqrt(sum / squares);
  for (double& weight : nodes.weight) weight /= sum;
  for (double& value : nodes.value) value *= unit;
  nodes.spacing = spacing * unit;
  return nodes;
}

RoundLaw::RoundLaw(const LatentSpread& spread, std::size_t depth, double fineness)
    : depth_(depth),
      stride_((depth + kLanes - 1) / kLanes * kLanes),
      width_(stride_ + kLanes),
      fineness_(fineness),
      request_scale_(std::sqrt(spread.between_request_share)),
      text_scale_(std::sqrt(spread.text_share)),
      own_scale_(std::sqrt(std::max(0.0, 1 - spread.between_request_share - spread.text_share))) {
  const int phases = std::min(spread.text_correlation_tokens, kMostPhases);
  for (int i = 0; i < phases; ++i) {
    const double right = (i + 0.5) / phases, norm = std::sqrt(right * right + (1 - right) * (1 - right));
    left_.push_back(text_scale_ * (1 - right) / norm);
    right_.push_back(text_scale_ * right / norm);
  }
}

void RoundLaw::refine(double deviation) {
  if (deviation <= refined_for_) return;
  constexpr double kRoom = 1.25;  // for a solver that comes from below
  refined_for_ = kRoom * deviation;
  request_ = NormalNodes::for_logistic_of(refined_for_ * request_scale_, fineness_);
  knot_ = NormalNodes::for_logistic_of(refined_for_ * text_scale_, fineness_);
  const std::size_t knots = knot_.value.size(), requests = request_.value.size();
  const std::size_t nodes = requests * knots * knots;
  state_.assign(nodes * width_, 0);
  after_nothing_.assign(nodes, 0);
  starts_.assign(phases() * nodes, 0);
  at_knot_.assign(requests * knots * width_, 0);
  after_nothing_at_knot_.assign(requests * knots, 0);
  right_value_.resize(knots);
  row_.resize(width_);
  fresh_ = true;
}

void RoundLaw::tabulate(const DomainLatent& latent) {
  constexpr double kLuckFineness = 2;  // it costs little
  const double reach =
      request_scale_ * request_.value.back() + 1.4143 * text_scale_ * knot_.value.back() + 1e-6;
  const std::size_t cells =
      1 + static_cast<std::size_t>(2 * reach * latent.deviation * kCellsPerLogit * fineness_);
  const NormalNodes luck =
      NormalNodes::for_logistic_of(latent.deviation * own_scale_, kLuckFineness * fineness_);
  const double cell = 2 * reach / static_cast<double>(cells);
  field_low_ = static_cast<float>(-reach);
  cells_per_field_ = static_cast<float>(1 / cell);
  acceptance_.assign((cells + 2) * stride_, 0);
  std::vector<float> field(cells + 2), column(cells + 2);
  for (std::size_t i = 0; i < field.size(); ++i)
    field[i] = static_cast<float>(latent.deviation * (static_cast<double>(i) * cell - reach));
  for (std::size_t k = 0; k < depth_; ++k) {
    std::fill(column.begin(), column.end(), 0.0f);
    for (std::size_t n = 0; n < luck.value.size(); ++n) {
      const auto shift =
          static_cast<float>(latent.position_effects[k] + latent.deviation * own_scale_ * luck.value[n]);
      const auto weight = static_cast<float>(luck.weight[n]);
      for (std::size_t i = 0; i < field.size(); ++i) column[i] += weight * logistic(field[i] + shift);
    }
    for (std::size_t i = 0; i < field.size(); ++i) acceptance_[i * stride_ + k] = column[i];
  }
}

/// The law of a text as difficult everywhere as it is at each knot.
void RoundLaw::guess() {
  fresh_ = false;
  for (std::size_t z = 0; z < request_.value.size(); ++z) {
    for (std::size_t r = 0; r < knot_.value.size(); ++r) {
      const double field = request_scale_ * request_.value[z] + text_scale_ * knot_.value[r];
      const auto cell = static_cast<std::size_t>((static_cast<float>(field) - field_low_) * cells_per_field_);
      float* at_knot = at_knot_.data() + (z * knot_.value.size() + r) * width_;
      float survival = 1, sum = 1;
      at_knot[0] = 1;
      for (std::size_t j = 0; j < depth_; ++j)
        sum += at_knot[j + 1] = survival *= acceptance_[cell * stride_ + j];
      for (std::size_t j = 0; j <= depth_; ++j) at_knot[j] /= sum;
    }
  }
}

void RoundLaw::step(std::size_t phase) {
  const std::size_t knots = knot_.value.size();
  for (std::size_t r = 0; r < knots; ++r)
    right_value_[r] = static_cast<float>(right_[phase] * knot_.value[r]);
  for (std::size_t z = 0; z < request_.value.size(); ++z) {
    for (std::size_t l = 0; l < knots; ++l) step(phase, z, l);
  }
}

/// One token further, for all nodes of the right knot.
void RoundLaw::step(std::size_t phase, std::size_t z, std::size_t l) {
  const std::size_t knots = knot_.value.size(), first_node = (z * knots + l) * knots;
  const double left = request_scale_ * request_.value[z] + left_[phase] * knot_.value[l];
  const float base = static_cast<float>(left) - field_low_;
  float* starts = starts_.data() + phase * after_nothing_.size() + first_node;
  float* row = row_.data();  // mean of the states over the right knot
  std::fill(row_.begin(), row_.end(), 0.0f);
  float twice = 0;
  for (std::size_t r = 0; r < knots; ++r) {
    const float at = (base + right_value_[r]) * cells_per_field_;
    const auto cell = static_cast<std::int32_t>(at);
    const float part = at - static_cast<float>(cell);
    const float* low = acceptance_.data() + static_cast<std::size_t>(cell) * stride_;
    const float* high = low + stride_;
    const auto weight = static_cast<float>(knot_.weight[r]);
    float* state = state_.data() + (first_node + r) * width_;
    float& after_nothing = after_nothing_[first_node + r];
    const float first = low[0] + part * (high[0] - low[0]);
    twice += weight * first * (state[0] - after_nothing);
    after_nothing = state[0] - first * state[0];
    Lanes accepted{};   // after any number of drafts
    float carried = 0;  // from one register to the next
    for (std::size_t j = 0; j < stride_; j += kLanes) {
      const Lanes from = load(low + j);
      const Lanes next = (from + part * (load(high + j) - from)) * load(state + j);
      const Lanes shifted = {carried, next[0], next[1], next[2]};
      accepted += next;
      carried = next[3];
      store(shifted, state + j);
      store(load(row + j) + weight * shifted, row + j);
    }
    state[stride_] = carried;
    row[stride_] += weight * carried;
    // All else rejects a draft or has the bonus token behind the last one: a round starts.
    state[0] = 1 - ((accepted[0] + accepted[1]) + (accepted[2] + accepted[3]));
    starts[r] = state[0];
    row[0] += weight * state[0];
  }
  for (std::size_t j = 0; j <= depth_; ++j) {
    sum_[z * width_ + j] += knot_.weight[l] * static_cast<double>(row[j]);
  }
  sum_twice_[z] += knot_.weight[l] * static_cast<double>(twice);
}

/// The left knot is forgotten, the right one will be the left.
double RoundLaw::reach_knot() {
  const std::size_t knots = knot_.value.size();
  float change = 0;
  for (std::size_t z = 0; z < request_.value.size(); ++z) {
    for (std::size_t r = 0; r < knots; ++r) {
      std::fill(row_.begin(), row_.end(), 0.0f);
      float nothing = 0;
      for (std::size_t l = 0; l < knots; ++l) {
        const std::size_t node = (z * knots + l) * knots + r;
        const auto weight = static_cast<float>(knot_.weight[l]);
        for (std::size_t j = 0; j <= depth_; ++j) row_[j] += weight * state_[node * width_ + j];
        nothing += weight * after_nothing_[node];
      }
      float* at_knot = at_knot_.data() + (z * knots + r) * width_;
      for (std::size_t j = 0; j <= depth_; ++j) change = std::max(change, std::abs(row_[j] - at_knot[j]));
      std::copy(row_.begin(), row_.end(), at_knot);
      after_nothing_at_knot_[z * knots + r] = nothing;
    }
  }
  return static_cast<double>(change);
}

double RoundLaw::march() {
  const std::size_t knots = knot_.value.size(), requests = request_.value.size();
  for (std::size_t i = 0; i < requests * knots; ++i) {
    for (std::size_t r = 0; r < knots; ++r) {
      std::copy_n(at_knot_.data() + i * width_, width_, state_.data() + (i * knots + r) * width_);
      after_nothing_[i * knots + r] = after_nothing_at_knot_[i];
    }
  }
  sum_.assign(requests * width_, 0);
  sum_twice_.assign(requests, 0);
  for (std::size_t phase = 0; phase < phases(); ++phase) step(phase);
  return reach_knot();
}

void RoundLaw::settle(const DomainLatent& latent) {
  DSPARK_INVARIANT(latent.position_effects.size() >= depth_);
  refine(latent.deviation);
  tabulate(latent);
  if (fresh_) guess();
  const std::size_t most_knots = 1 + kMostRounds * (depth_ + 1) / phases();
  for (std::size_t knot = 0; knot < most_knots && march() > kSettled; ++knot) {
  }
}

std::vector<double> RoundLaw::survival() const {
  std::vector<double> sum(depth_ + 1, 0);
  for (std::size_t z = 0; z < request_.value.size(); ++z) {
    for (std::size_t j = 0; j <= depth_; ++j) sum[j] += request_.weight[z] * sum_[z * width_ + j];
  }
  std::vector<double> survival;
  for (std::size_t j = 1; j <= depth_; ++j) survival.push_back(sum[j] / sum[0]);
  return survival;
}

double RoundLaw::accepted_length() const {
  double tokens = 1;
  for (const double survival : survival()) tokens += survival;
  return tokens;
}

std::vector<RoundLaw::OfRequest> RoundLaw::by_request() const {
  std::vector<OfRequest> all;
  for (std::size_t z = 0; z < request_.value.size(); ++z) {
    const double rounds = sum_[z * width_];
    all.push_back({request_.weight[z], sum_[z * width_ + 1] / rounds, sum_twice_[z] / rounds});
  }
  return all;
}

double RoundLaw::starts(std::size_t phase, double request, double left, double right) const {
  struct Between {
    std::size_t node;
    float part;
  };
  const auto between = [](const NormalNodes& nodes, double x) {
    const std::size_t count = nodes.value.size();
    if (count == 1) return Between{0, 0};
    const double at = std::clamp((x - nodes.value[0]) / nodes.spacing, 0.0, static_cast<double>(count - 1));
    const auto node = std::min(static_cast<std::size_t>(at), count - 2);
    return Between{node, static_cast<float>(at - static_cast<double>(node))};
  };
  const std::size_t knots = knot_.value.size(), next = knots > 1 ? 1 : 0;
  const Between z = between(request_, request), l = between(knot_, left), r = between(knot_, right);
  const float* grid = starts_.data() + phase * after_nothing_.size();
  const auto line = [&](std::size_t a, std::size_t b) {
    const float* at = grid + (a * knots + b) * knots + r.node;
    return at[0] + r.part * (at[next] - at[0]);
  };
  const auto plane = [&](std::size_t a) {
    const float low = line(a, l.node);
    return low + l.part * (line(a, l.node + next) - low);
  };
  const float low = plane(z.node);
  return static_cast<double>(low + z.part * (plane(request_.value.size() > 1 ? z.node + 1 : z.node) - low));
}

}  // namespace dspark
