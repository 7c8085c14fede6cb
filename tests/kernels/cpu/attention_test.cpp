#include "kernels/cpu/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cpu/number_formats.h"
#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

struct Request {
  std::int32_t before = 0;  // positions in the cache already
  std::int32_t rows = 1;
};

struct Model {
  std::size_t heads = 4, kv_heads = 2, head_dim = 16, block_tokens = 16;
};

/// Requests whose keys, values and queries depend on their seed and the position alone.
class Batch {
 public:
  Batch(const Model& model, std::vector<Request> requests, std::vector<std::uint32_t> seeds, ElementType type)
      : model_(model), requests_(std::move(requests)), seeds_(std::move(seeds)) {
    std::int32_t longest = 0;
    for (const Request& r : requests_) longest = std::max(longest, r.before + r.rows);
    blocks_of_request_ = (static_cast<std::size_t>(longest) + model.block_tokens - 1) / model.block_tokens;
    blocks_ = blocks_of_request_ * requests_.size();
    for (std::size_t i = 0; i < blocks_; ++i)
      table_.push_back(static_cast<std::int32_t>((i * 7 + 3) % blocks_));
    if (blocks_ % 7 == 0) {
      for (std::size_t i = 0; i < blocks_; ++i) table_[i] = static_cast<std::int32_t>(blocks_ - 1 - i);
    }
    for (std::size_t r = 0; r < requests_.size(); ++r) {
      for (std::uint32_t kind : {1u, 2u}) {
        std::vector<float>& all = cached_[kind - 1].emplace_back();
        for (std::int32_t p = 0; p < requests_[r].before + requests_[r].rows; ++p) {
          for (const float x : of_position(r, p, model.kv_heads, kind)) {
            all.push_back(type == ElementType::kF32 ? x : float_from_bf16(bf16_from_float(x)));
          }
        }
      }
    }
  }

  /// Everything stored, the last rows of each request attended.
  std::vector<float> attend(Kernels& kernels, const AttentionRule& rule) const {
    const std::size_t bytes = blocks_ * model_.kv_heads * model_.block_tokens * model_.head_dim * 4;
    const auto keys = kernels.allocate(bytes), values = kernels.allocate(bytes);
    const KvLayer cache{keys->data(),    values->data(),      blocks_,
                        model_.kv_heads, model_.block_tokens, model_.head_dim};
    store(kernels, cache, true);
    store(kernels, cache, false);
    const std::vector<float> queries = packed(false, model_.heads, 0);
    std::vector<float> out(queries.size());
    const std::size_t rows = queries.size() / model_.heads / model_.head_dim;
    std::vector<std::int32_t> first_row, first_position;
    kernels.attend(ragged(false, first_row, first_position),
                   view<3>(queries, {rows, model_.heads, model_.head_dim}), cache, rule,
                   view<3>(out, {rows, model_.heads, model_.head_dim}));
    return out;
  }

  std::vector<double> naive(const AttentionRule& rule) const {
    std::vector<double> out;
    for (std::size_t r = 0; r < requests_.size(); ++r) {
      const std::int32_t end = requests_[r].before + requests_[r].rows;
      for (std::int32_t p = requests_[r].before; p < end; ++p) {
        for (std::size_t h = 0; h < model_.heads; ++h) one_head(rule, r, p, h, end, out);
      }
    }
    return out;
  }

 private:
  std::vector<float> of_position(std::size_t request, std::int32_t position, std::size_t heads,
                                 std::uint32_t kind) const {
    return cases::numbers(heads * model_.head_dim,
                          seeds_[request] * 100003 + static_cast<std::uint32_t>(position) * 7 + kind);
  }

  std::vector<float> packed(bool before, std::size_t heads, std::uint32_t kind) const {
    std::vector<float> x;
    for (std::size_t r = 0; r < requests_.size(); ++r) {
      const std::int32_t first = before ? 0 : requests_[r].before;
      const std::int32_t end = before ? requests_[r].before : requests_[r].before + requests_[r].rows;
      for (std::int32_t p = first; p < end; ++p) {
        const auto row = of_position(r, p, heads, kind);
        x.insert(x.end(), row.begin(), row.end());
      }
    }
    return x;
  }

  RaggedRows ragged(bool before, std::vector<std::int32_t>& first_row,
                    std::vector<std::int32_t>& position) const {
    first_row = {0};
    position.clear();
    for (const Request& r : requests_) {
      first_row.push_back(first_row.back() + (before ? r.before : r.rows));
      position.push_back(before ? 0 : r.before);
    }
    return {first_row, position, {table_.data(), {requests_.size(), blocks_of_request_}}};
  }

  void store(Kernels& kernels, const KvLayer& cache, bool before) const {
    const auto keys = packed(before, model_.kv_heads, 1), values = packed(before, model_.kv_heads, 2);
    std::vector<std::int32_t> first_row, position;
    const RaggedRows rows = ragged(before, first_row, position);
    const std::array<std::size_t, 3> shape = {rows.rows(), model_.kv_heads, model_.head_dim};
    kernels.store(rows, view<3>(keys, shape), view<3>(values, shape), cache);
  }

  void one_head(const AttentionRule& rule, std::size_t r, std::int32_t own, std::size_t head,
                std::int32_t end, std::vector<double>& out) const {
    const std::size_t dim = model_.head_dim, kv = head / (model_.heads / model_.kv_heads);
    const auto query = of_position(r, own, model_.heads, 0);
    double total = 0;
    std::vector<double> sums(dim);
    std::int32_t first = rule.window > 0 ? std::max(0, own - rule.window + 1) : 0;
    if (rule.window_before_rows) first = std::max(0, requests_[r].before - rule.window);
    for (std::int32_t p = first; p < (rule.causal ? own + 1 : end); ++p) {
      const float* key = &cached_[0][r][static_cast<std::size_t>(p) * model_.kv_heads * dim + kv * dim];
      const float* value = &cached_[1][r][static_cast<std::size_t>(p) * model_.kv_heads * dim + kv * dim];
      double score = 0;
      for (std::size_t d = 0; d < dim; ++d)
        score += static_cast<double>(query[head * dim + d]) * double{key[d]};
      score *= static_cast<double>(rule.scale);
      if (rule.soft_cap > 0) score = rule.soft_cap * std::tanh(score / rule.soft_cap);
      const double e = std::exp(score);
      total += e;
      for (std::size_t d = 0; d < dim; ++d) sums[d] += e * double{value[d]};
    }
    for (const double sum : sums) out.push_back(sum / total);
  }

  Model model_;
  std::vector<Request> requests_;
  std::vector<std::uint32_t> seeds_;
  std::vector<std::vector<float>> cached_[2];  // keys and values as the cache rounds them, by request
  std::size_t blocks_of_request_ = 0, blocks_ = 0;
  std::vector<std::int32_t> table_;
};

TEST(Attention, IsTheNaiveOneForRaggedRowsWindowsCapsAndBlocks) {
  const Model models[] = {{4, 2, 16, 16}, {6, 2, 20, 8}, {3, 3, 6, 32}, {16, 1, 64, 128}, {8, 8, 2, 256}};
  const AttentionRule rules[] = {{.scale = 0.5f},
                                 {.scale = 0.7f, .soft_cap = 2},
                                 {.scale = 1, .window = 5},
                                 {.scale = 1, .window = 100},
                                 {.scale = 0.25f, .causal = false},
                                 {.scale = 1, .window = 70, .causal = false},
                                 {.scale = 1, .window = 3, .window_before_rows = true},
                                 {.scale = 1, .window = 70, .causal = false, .window_before_rows = true}};
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    const auto kernels = cases::kernels(type, 2);
    for (const Model& model : models) {
      for (std::size_t i = 0; i < std::size(rules); ++i) {
        const Batch batch(model, {{0, 1}, {63, 1}, {64, 1}, {0, 150}, {200, 8}, {5, 0}, {130, 70}},
                          {1, 2, 3, 4, 5, 6, 7}, type);
        const auto got = batch.attend(*kernels, rules[i]);
        const auto want = batch.naive(rules[i]);
        ASSERT_EQ(got.size(), want.size());
        // Values are within 1, scores within 64: their rounding, 64 · 2^-24 · √64, moves a weight by as much.
        for (std::size_t n = 0; n < got.size(); ++n) {
          ASSERT_NEAR(got[n], want[n], 4e-5) << "rule " << i << " head_dim " << model.head_dim << " at " << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dspark
