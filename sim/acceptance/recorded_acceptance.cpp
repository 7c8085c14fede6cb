#include "sim/acceptance/recorded_acceptance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "policies/elementary.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr std::int32_t kEveryDomain = -1;

/// Row numbers, by request in order of first appearance, then by round.
std::vector<std::size_t> in_order(const Rounds& rounds) {
  std::vector<std::size_t> rows(rounds.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(rounds.request[a], rounds.round[a]) < std::pair(rounds.request[b], rounds.round[b]);
  });
  return rows;
}

/// Every request has a round from each position of a stretch of its text.
bool starts_everywhere(const Rounds& rounds) {
  const std::vector<std::size_t> rows = in_order(rounds);
  bool several = false;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rounds.request[rows[i]] != rounds.request[rows[i - 1]]) continue;
    if (rounds.anchor_position[rows[i - 1]] < 0) return false;
    if (rounds.anchor_position[rows[i]] != rounds.anchor_position[rows[i - 1]] + 1) return false;
    several = true;
  }
  return several;
}

}  // namespace

Result<std::shared_ptr<const RecordedAcceptance>> RecordedAcceptance::make(
    Rounds rounds, const std::vector<std::string>& domains) {
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if (rounds.accepted[row] == rounds.verified[row] && rounds.verified[row] < rounds.drafted[row]) {
      return Error{
          fmt::format("round {} of request {}: {} of {} draft tokens were verified and all accepted, so "
                      "what lies behind is unknown",
                      rounds.round[row], rounds.request[row], rounds.verified[row], rounds.drafted[row]),
          {},
          "record with a policy that verifies everything drafted"};
    }
  }
  std::shared_ptr<RecordedAcceptance> model(new RecordedAcceptance(std::move(rounds)));
  const Rounds& recorded = model->rounds_;
  const std::pair<const std::vector<float>*, unsigned> columns[] = {{&recorded.top1, kTop1},
                                                                    {&recorded.margin, kMargin},
                                                                    {&recorded.entropy, kEntropy},
                                                                    {&recorded.chosen, kChosen},
                                                                    {&recorded.acceptance, kDivergence}};
  for (const auto& [column, signal] : columns) {
    if (!column->empty()) model->signals_ |= signal;
  }
  model->dense_ = starts_everywhere(recorded);
  if (domains.empty()) model->domains_.push_back(model->gather(kEveryDomain));
  for (const std::string& name : domains) {
    const auto& names = recorded.domain_names;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return Error{
          fmt::format("the recorded rounds have no domain '{}'", name), {}, known_names_advice(name, names)};
    }
    model->domains_.push_back(model->gather(static_cast<std::int32_t>(found - names.begin())));
  }
  for (std::size_t i = 0; i < model->domains_.size(); ++i) {
    if (!model->domains_[i].round.empty()) continue;
    return Error{domains.empty()
                     ? std::string("no recorded round has a whole block")
                     : fmt::format("no recorded round of domain '{}' has a whole block", domains[i])};
  }
  return std::shared_ptr<const RecordedAcceptance>(std::move(model));
}

RecordedAcceptance::Domain RecordedAcceptance::gather(std::int32_t domain) const {
  Domain gathered;
  const auto gamma = static_cast<std::size_t>(rounds_.block_size);
  std::vector<double> reached(gamma, 0), accepted(gamma, 0);
  std::int64_t last_request = -1;
  for (const std::size_t row : in_order(rounds_)) {
    if (domain != kEveryDomain && rounds_.domain[row] != domain) continue;
    const auto count = static_cast<std::size_t>(rounds_.accepted[row]);
    if (static_cast<std::size_t>(rounds_.drafted[row]) < gamma &&
        rounds_.accepted[row] == rounds_.drafted[row]) {
      continue;  // the text ended inside the block
    }
    if (rounds_.request[row] != last_request) gathered.request_begin.push_back(gathered.round.size());
    last_request = rounds_.request[row];
    gathered.round.push_back(row);
    for (std::size_t k = 0; k < std::min(count + 1, gamma); ++k) reached[k] += 1;
    for (std::size_t k = 0; k < count; ++k) accepted[k] += 1;
  }
  for (std::size_t k = 0; k < gamma; ++k) {
    gathered.conditional_acceptance.push_back(reached[k] > 0 ? static_cast<float>(accepted[k] / reached[k])
                                                             : 0.0f);
  }
  return gathered;
}

std::size_t RecordedAcceptance::used_rounds() const {
  std::size_t used = 0;
  for (const Domain& domain : domains_) used += domain.round.size();
  return used;
}

std::size_t RecordedAcceptance::recorded_row(RandomKey key, const RunnerRows& rows, std::size_t row) const {
  const Domain& domain = domains_[static_cast<std::size_t>(rows.domain[row])];
  const std::uint32_t coin =
      draw_words(key, Stream::kRecordedRequest, rows.source[row], rows.ordinal[row])[0];
  const std::size_t request = static_cast<std::size_t>(coin) * domain.request_begin.size() >> 32;
  const std::int32_t offset = dense_ ? std::max(0, rows.produced[row] - 1) : rows.round[row];
  return domain
      .round[(domain.request_begin[request] + static_cast<std::size_t>(offset)) % domain.round.size()];
}

void RecordedAcceptance::draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                              DraftedBlocks& blocks) const {
  blocks.resize(rows.size(), depth, signals);
  const std::size_t stride = rows.size();
  for (std::size_t r = 0; r < stride; ++r) {
    const std::size_t row = recorded_row(key, rows, r);
    const auto& fallback = conditional_acceptance(static_cast<std::size_t>(rows.domain[r]));
    blocks.accepted[r] = std::min(rounds_.accepted[row], depth);
    for (int k = 1; k <= depth; ++k) {
      const std::size_t from = rounds_.at(row, k), to = static_cast<std::size_t>(k - 1) * stride + r;
      // Behind a block that was drafted shorter and rejected inside there is nothing that anybody could
      // reach.
      const auto recorded = [&](const std::vector<float>& column, float otherwise) {
        return column.empty() || std::isnan(column[from]) ? otherwise : column[from];
      };
      blocks.confidence[to] = recorded(rounds_.confidence, fallback[static_cast<std::size_t>(k - 1)]);
      if (signals & kTop1) blocks.top1[to] = recorded(rounds_.top1, 0);
      if (signals & kMargin) blocks.margin[to] = recorded(rounds_.margin, 0);
      if (signals & kEntropy) blocks.entropy[to] = recorded(rounds_.entropy, 0);
      if (signals & kChosen) blocks.chosen[to] = recorded(rounds_.chosen, 0);
      if (signals & kDivergence) {
        // The least that a total variation of 1 - c allows, as in LatentAcceptance.
        const float distance = std::clamp(1 - recorded(rounds_.acceptance, 1), 0.0f, 1 - 1e-6f);
        blocks.divergence[to] = -log_portable(1 - distance * distance);
      }
    }
  }
}

}  // namespace dspark
