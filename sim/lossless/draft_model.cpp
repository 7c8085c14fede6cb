#include "sim/lossless/draft_model.h"

#include <algorithm>

#include "policies/elementary.h"
#include "sim/lossless/arbitrary_words.h"

namespace dspark {
namespace {

/// Distributions of the grid, by vocabulary; multiples of 1/8.
constexpr double kGrid[2][kGridLetters][kLargestVocabulary] = {
    {{.5, .5, 0}, {.75, .25, 0}, {.125, .875, 0}},
    {{.5, .25, .25}, {.125, .75, .125}, {.25, .25, .5}},
};
constexpr double kGridHead[kGridLetters] = {.5, .875, .25};

NextToken<double> grid_letter(int vocabulary, int letter) {
  NextToken<double> next{};
  std::copy_n(kGrid[vocabulary - 2][letter], kLargestVocabulary, next.begin());
  return next;
}

/// Shares of sixteenths; a token may get none, or all.
NextToken<double> random_letter(int vocabulary, ArbitraryWords& coins) {
  NextToken<double> next{};
  int left = 16;
  for (int t = 0; t + 1 < vocabulary; ++t) {
    const int share = static_cast<int>(coins() % static_cast<unsigned>(left + 1));
    next[static_cast<std::size_t>(t)] = share / 16.0;
    left -= share;
  }
  next[static_cast<std::size_t>(vocabulary - 1)] = left / 16.0;
  return next;
}

double random_head(ArbitraryWords& coins) { return static_cast<double>(coins() % 17) / 16; }

struct Signals {
  double top1 = 0, margin = 0, entropy = 0;
};

Signals signals_of(const NextToken<double>& next, int vocabulary) {
  double first = 0, second = 0;
  for (int t = 0; t < vocabulary; ++t) {
    const double share = next[static_cast<std::size_t>(t)];
    second = std::max(second, std::min(first, share));
    first = std::max(first, share);
  }
  constexpr double kLeast = 1e-3;  // keeps the margin of a certain token finite
  Signals signals{.top1 = first, .margin = log_portable(std::max(first, kLeast) / std::max(second, kLeast))};
  for (int t = 0; t < vocabulary; ++t) {
    const double share = next[static_cast<std::size_t>(t)];
    if (share > 0) signals.entropy -= share * log_portable(share);
  }
  return signals;
}

double confidence_of(ConfidenceSource source, double head, const Signals& signals, double chosen,
                     int vocabulary) {
  switch (source) {
    case ConfidenceSource::kConfidence:
      return head;
    case ConfidenceSource::kTop1:
      return signals.top1;
    case ConfidenceSource::kMargin:
      return 1 / (1 + exp_portable(-signals.margin));
    case ConfidenceSource::kEntropy:
      return std::clamp(1 - signals.entropy / log_portable(static_cast<double>(vocabulary)), 0.0, 1.0);
    case ConfidenceSource::kChosen:
    case ConfidenceSource::kChosenGreedy:
      return chosen;
  }
  return 0;
}

}  // namespace

const std::vector<std::string>& confidence_source_names() {
  static const std::vector<std::string> names{"confidence", "top1",   "margin",
                                              "entropy",    "chosen", "chosen_greedy"};
  return names;
}

bool known_before_draw(ConfidenceSource source) { return source != ConfidenceSource::kChosen; }

int SystemSize::nodes() const {
  int all = 0;
  for (int d = 0; d < block_size; ++d) all += static_cast<int>(power(vocabulary, d));
  return all * requests;
}

std::int64_t SystemSize::draws() const { return power(vocabulary, block_size * requests); }

DraftModels grid_models(const SystemSize& size, std::int64_t number) {
  DraftModels models;
  for (int r = 0; r < size.requests; ++r) {
    DraftModel model{{size.vocabulary, size.block_size}, {size.vocabulary, size.block_size}};
    for (std::size_t node = 0; node < model.head.nodes().size(); ++node, number /= kGridLetters) {
      const int letter = static_cast<int>(number % kGridLetters);
      model.softmax.nodes()[node] = grid_letter(size.vocabulary, letter);
      model.head.nodes()[node] = kGridHead[letter];
    }
    models.push_back(std::move(model));
  }
  return models;
}

DraftModels random_models(const SystemSize& size, ArbitraryWords& coins) {
  DraftModels models;
  for (int r = 0; r < size.requests; ++r) {
    DraftModel model{{size.vocabulary, size.block_size}, {size.vocabulary, size.block_size}};
    for (auto& next : model.softmax.nodes()) next = random_letter(size.vocabulary, coins);
    for (double& head : model.head.nodes()) head = random_head(coins);
    models.push_back(std::move(model));
  }
  return models;
}

Distribution<double> drawn_from(const DraftModel& model, ConfidenceSource source) {
  Distribution<double> drawn = model.softmax;
  if (source != ConfidenceSource::kChosenGreedy) return drawn;
  for (auto& next : drawn.nodes()) {
    const auto likeliest = std::max_element(next.begin(), next.begin() + model.vocabulary());
    const auto at = static_cast<std::size_t>(likeliest - next.begin());
    next = {};
    next[at] = 1;
  }
  return drawn;
}

void DrawnBlocks::fill(const DraftModels& models, ConfidenceSource source, std::span<const int> tokens,
                       std::span<const int> accepted_if_verified) {
  const std::size_t requests = models.size();
  const auto block_size = static_cast<std::size_t>(models[0].block_size());
  for (auto* column : {&confidence_, &top1_, &margin_, &entropy_, &chosen_}) {
    column->resize(requests * block_size);
  }
  drafted.assign(requests, static_cast<int>(block_size));
  accepted.assign(accepted_if_verified.begin(), accepted_if_verified.end());
  for (std::size_t r = 0; r < requests; ++r) {
    const auto draft = tokens.subspan(r * block_size, block_size);
    for (std::size_t k = 0; k < block_size; ++k) {
      const NextToken<double>& next = models[r].softmax.after(draft.first(k));
      const Signals signals = signals_of(next, models[r].vocabulary());
      const double chosen = next[static_cast<std::size_t>(draft[k])];
      const std::size_t at = k * requests + r;
      confidence_[at] = static_cast<float>(confidence_of(source, models[r].head.after(draft.first(k)),
                                                         signals, chosen, models[r].vocabulary()));
      top1_[at] = static_cast<float>(signals.top1);
      margin_[at] = static_cast<float>(signals.margin);
      entropy_[at] = static_cast<float>(signals.entropy);
      chosen_[at] = static_cast<float>(chosen);
    }
  }
}

DraftColumns DrawnBlocks::columns() const {
  return {drafted.size(), drafted, confidence_, top1_, margin_, entropy_, chosen_, accepted};
}

std::string draw_text(std::span<const int> tokens, int requests) {
  std::string text;
  const std::size_t block = tokens.size() / static_cast<std::size_t>(requests);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && i % block == 0) text += '|';
    text += static_cast<char>('A' + tokens[i]);
  }
  return text;
}

}  // namespace dspark
