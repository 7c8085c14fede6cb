#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/acceptance/latent_acceptance.h"

namespace dspark {

/// Equally spaced quadrature nodes of the standard normal distribution, weights adding up to 1.
struct NormalNodes {
  std::vector<double> value, weight;
  double spacing = 1;

  /// For a function of `scale`·x that is no sharper than a logistic; at scale 0 one node, at 0. `fineness`
  /// times as many nodes as an error of 2e-4 in survival needs.
  static NormalNodes for_logistic_of(double scale, double fineness = 1);
};

/// The stationary law of back-to-back rounds of one depth, each starting where the last ended, by quadrature.
///
/// Where the text is at a position, either a round starts there or it has j drafts of the round accepted, and
/// the next draft is accepted with the probability c_j that the latent gives it (LatentAcceptance). A
/// rejection and the bonus token behind the last draft both start a round at the next position. Given the
/// request's Z and the knots of the text field on both sides, that is a Markov chain along the text with
/// depth + 1 states: own luck is drawn anew for each draft, so that its mean c_j is all that counts, and a
/// knot is forgotten once passed. The law is marched from knot to knot, over nodes of Z and of both knots,
/// until it repeats itself.
///
/// Positions of the text weigh equally, and with them rounds: a difficult stretch holds more of them.
class RoundLaw {
 public:
  /// Depth from 1; `fineness` times as many nodes along each axis as an error of 2e-4 needs (round_law_test).
  RoundLaw(const LatentSpread& spread, std::size_t depth, double fineness = 1);

  /// Moves to the law of this latent (at least `depth` position effects), from the one before: near it one
  /// knot distance is enough.
  void settle(const DomainLatent& latent);

  std::size_t depth() const { return depth_; }
  /// (depth) share of the rounds whose first k + 1 drafts are accepted.
  std::vector<double> survival() const;
  /// Accepted length of the rounds, bonus token included.
  double accepted_length() const;

  /// What the rounds of one request show, by node of Z.
  struct OfRequest {
    double weight = 0;                // of the node
    double first_accepted = 0;        // share of its rounds that accept their first draft
    double first_accepted_twice = 0;  // share that do, and the round before did
  };
  std::vector<OfRequest> by_request() const;

  /// Text positions from knot to knot that the law distinguishes: at most `text_correlation_tokens`.
  std::size_t phases() const { return left_.size(); }
  /// How often a round starts at this phase, per token, given the request's Z and the knots around.
  double starts(std::size_t phase, double request, double left, double right) const;
  /// The text field (TextField) at a phase.
  double field(std::size_t phase, double request, double left, double right) const {
    return request_scale_ * request + left_[phase] * left + right_[phase] * right;
  }
  double own_scale() const { return own_scale_; }

 private:
  /// Takes as many nodes as this deviation needs, unless there are enough, and guesses the law at the knots
  /// anew.
  void refine(double deviation);
  void tabulate(const DomainLatent& latent);
  void guess();
  /// From a knot to the next; returns by how much the law at the knot has changed.
  double march();
  void step(std::size_t phase);
  void step(std::size_t phase, std::size_t request, std::size_t left);
  double reach_knot();

  std::size_t depth_;
  std::size_t stride_;  // depth, rounded up to whole registers
  std::size_t width_;   // of a state: depth + 1, likewise
  double fineness_;
  double request_scale_, text_scale_, own_scale_;
  double refined_for_ = 0;  // deviation
  bool fresh_ = true;
  std::vector<double> left_, right_;  // (phases) weights of the knots
  NormalNodes request_, knot_;

  // Mean acceptance over own luck, by text field and draft position: (cells, stride), zero behind `depth`.
  std::vector<float> acceptance_;
  float field_low_ = 0, cells_per_field_ = 0;

  // Given Z and both knots, (request, left, right): the share of the text's positions at which j drafts of a
  // round are accepted, (..., width) with zeros behind `depth`; and at which a round starts behind one that
  // accepted nothing.
  std::vector<float> state_, after_nothing_;
  std::vector<float> at_knot_, after_nothing_at_knot_;  // (request, the knot just reached)
  std::vector<float> starts_;                           // (phases, request, left, right)
  std::vector<double> sum_;                             // (request, width) of state over a knot distance
  std::vector<double> sum_twice_;  // (request) of rounds that accept their first draft as the one before did
  std::vector<float> right_value_, row_;  // (knots), (width)
};

}  // namespace dspark
