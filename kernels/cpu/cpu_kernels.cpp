#include "kernels/cpu/cpu_kernels.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/contract.h"
#include "kernels/cpu/angles.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/matrix_product.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/number_formats.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/row_operators.h"
#include "kernels/cpu/sampling.h"
#include "kernels/cpu/workers.h"

namespace dspark {
namespace {

// Below so many numbers for each thread, waking a second one costs more than it saves.
constexpr std::size_t kWorthAThread = 16384;

const PackedMatrix& packed(const Matrix& matrix) {
  const auto* own = dynamic_cast<const PackedMatrix*>(&matrix);
  DSPARK_CONTRACT(own != nullptr);
  return *own;
}

template <class T>
std::span<T> row_of(View<T, 2> x, std::size_t row) {
  return {x.row(row), x.shape[1]};
}

class CpuOperators final : public Kernels {
 public:
  CpuOperators(ElementType weight_type, ElementType cache_type, InstructionSet set, int threads)
      : weight_type_(weight_type),
        cache_type_(cache_type),
        set_(set),
        workers_(threads),
        product_(set, workers_) {}

  std::string description() const override {
    return "cpu, " + std::string(name_of(set_)) + ", " + std::to_string(workers_.threads()) +
           (workers_.threads() == 1 ? " thread" : " threads");
  }
  ElementType weight_type() const override { return weight_type_; }
  ElementType cache_type() const override { return cache_type_; }

  std::unique_ptr<Matrix> load(ElementType type, std::span<const std::byte> weights, std::size_t outputs,
                               std::size_t inputs) override {
    return PackedMatrix::pack(weight_type_, type, weights, outputs, inputs, workers_);
  }

  std::unique_ptr<Buffer> allocate(std::size_t bytes) override {
    Memory memory = allocate_memory(bytes);
    if (memory == nullptr) return nullptr;
    std::memset(memory.get(), 0, bytes);
    return std::make_unique<CpuBuffer>(std::move(memory), bytes);
  }

  void write(std::span<const std::byte> host, std::byte* to) override {
    if (!host.empty()) std::memcpy(to, host.data(), host.size());
  }
  void read(const std::byte* from, std::span<std::byte> host) override {
    if (!host.empty()) std::memcpy(host.data(), from, host.size());
  }
  void synchronize() override {}

  void embed(std::span<const std::int32_t> tokens, const Matrix& table, float scale,
             View<float, 2> out) override {
    const PackedMatrix& matrix = packed(table);
    DSPARK_CONTRACT(out.shape[0] == tokens.size() && out.shape[1] == matrix.inputs());
    by_rows(out, [&](std::size_t row) {
      DSPARK_CONTRACT(tokens[row] >= 0 && static_cast<std::size_t>(tokens[row]) < matrix.outputs());
      matrix.read_output(static_cast<std::size_t>(tokens[row]), scale, out.row(row));
    });
  }

  void rms_norm(View<const float, 2> x, View<const float, 1> weight, float offset, float epsilon,
                View<float, 2> out) override {
    DSPARK_CONTRACT(x.shape == out.shape && (weight.empty() || weight.shape[0] == x.shape[1]));
    by_rows(out, [&](std::size_t row) {
      row_operators::rms_norm(x.row(row), x.shape[1], weight.empty() ? nullptr : weight.data, offset, epsilon,
                              out.row(row));
    });
  }

  void multiply(View<const float, 2> x, const Matrix& w, View<const float, 1> bias, bool add,
                View<float, 2> out) override {
    product_.multiply(x, packed(w), bias, add, out);
  }

  void rope_angles(std::span<const std::int32_t> positions, std::span<const float> inverse_frequency,
                   float scale, View<float, 2> cosine, View<float, 2> sine) override {
    DSPARK_CONTRACT(cosine.shape[0] == positions.size() && cosine.shape[1] == inverse_frequency.size());
    DSPARK_CONTRACT(sine.shape == cosine.shape);
    by_rows(cosine, [&](std::size_t row) {
      for (std::size_t pair = 0; pair < inverse_frequency.size(); ++pair) {
        const Turn turn =
            turn_by(static_cast<double>(positions[row]) * static_cast<double>(inverse_frequency[pair]));
        cosine.row(row)[pair] = static_cast<float>(turn.cosine * static_cast<double>(scale));
        sine.row(row)[pair] = static_cast<float>(turn.sine * static_cast<double>(scale));
      }
    });
  }

  void rotate(View<float, 3> x, View<const float, 2> cosine, View<const float, 2> sine) override {
    const std::size_t heads = x.shape[1], head_dim = x.shape[2];
    DSPARK_CONTRACT(head_dim % 2 == 0 && cosine.shape[0] == x.shape[0] && cosine.shape[1] == head_dim / 2);
    DSPARK_CONTRACT(sine.shape == cosine.shape);
    by_rows(flat(x), [&](std::size_t row) {
      for (std::size_t head = 0; head < heads; ++head) {
        row_operators::rotate(x.row(row) + head * head_dim, head_dim / 2, cosine.row(row), sine.row(row));
      }
    });
  }

  void store(const RaggedRows& rows, View<const float, 3> keys, View<const float, 3> values,
             const KvLayer& cache) override;
  void attend(const RaggedRows& rows, View<const float, 3> queries, const KvLayer& cache,
              const AttentionRule& rule, View<float, 3> out) override;

  void gate(View<const float, 2> gate, View<const float, 2> up, GateActivation activation,
            View<float, 2> out) override {
    DSPARK_CONTRACT(gate.shape == up.shape && gate.shape == out.shape);
    by_rows(out, [&](std::size_t row) {
      row_operators::gate(gate.row(row), up.row(row), gate.shape[1], activation, out.row(row));
    });
  }

  void add(View<float, 2> x, View<const float, 2> y) override {
    DSPARK_CONTRACT(x.shape == y.shape);
    by_rows(x, [&](std::size_t row) { row_operators::add(x.row(row), y.row(row), x.shape[1]); });
  }
  void scale(View<float, 2> x, float factor) override {
    by_rows(x, [&](std::size_t row) { row_operators::scale(x.row(row), x.shape[1], factor); });
  }
  void soft_cap(View<float, 2> x, float cap) override {
    DSPARK_CONTRACT(cap > 0);
    by_rows(x, [&](std::size_t row) { row_operators::soft_cap(x.row(row), x.shape[1], cap); });
  }
  void gather(View<const float, 2> x, std::span<const std::int32_t> rows, View<float, 2> out) override {
    DSPARK_CONTRACT(out.shape[0] == rows.size() && out.shape[1] == x.shape[1]);
    by_rows(out, [&](std::size_t row) {
      DSPARK_CONTRACT(rows[row] >= 0 && static_cast<std::size_t>(rows[row]) < x.shape[0]);
      std::copy_n(x.row(static_cast<std::size_t>(rows[row])), x.shape[1], out.row(row));
    });
  }
  void concatenate(std::span<const View<const float, 2>> parts, View<float, 2> out) override;

  void spread(View<const float, 2> x, std::span<const std::int32_t> rows,
              std::span<const std::int32_t> columns, View<float, 2> out) override;

  void largest(View<const float, 2> x, std::span<std::int32_t> out) override {
    DSPARK_CONTRACT(out.size() == x.shape[0] && x.shape[1] > 0);
    by_rows(x, [&](std::size_t row) { out[row] = sampling::largest(row_of(x, row)); });
  }
  void probabilities(View<float, 2> logits, std::span<const SamplingRule> rules) override {
    DSPARK_CONTRACT(rules.size() == logits.shape[0] && logits.shape[1] > 0);
    by_rows(logits, [&](std::size_t row) { sampling::probabilities(row_of(logits, row), rules[row]); });
  }
  void signals(View<const float, 2> logits, std::span<const SamplingRule> rules,
               const DraftSignals& signals) override {
    const std::size_t rows = logits.shape[0];
    DSPARK_CONTRACT(rules.size() == rows && logits.shape[1] > 0);
    DSPARK_CONTRACT(signals.top1.size() == rows && signals.margin.size() == rows &&
                    signals.entropy.size() == rows);
    by_rows(logits, [&](std::size_t row) {
      const sampling::Signals of = sampling::signals(row_of(logits, row), rules[row]);
      signals.top1[row] = of.top1;
      signals.margin[row] = of.margin;
      signals.entropy[row] = of.entropy;
    });
  }
  void draw(View<const float, 2> probabilities, std::span<const DrawKey> keys,
            std::span<std::int32_t> out) override {
    DSPARK_CONTRACT(keys.size() == probabilities.shape[0] && out.size() == keys.size());
    DSPARK_CONTRACT(probabilities.shape[1] > 0);
    by_rows(probabilities, [&](std::size_t row) {
      out[row] = sampling::draw(row_of(probabilities, row), sampling::uniform(keys[row]));
    });
  }
  void accept(std::span<const std::int32_t> first_row, View<const float, 2> target,
              View<const float, 2> draft, std::span<const std::int32_t> tokens,
              std::span<const DrawKey> accept_keys, std::span<const DrawKey> final_keys,
              const RoundOutcome& outcome) override;

 private:
  template <class T>
  static View<T, 2> flat(View<T, 3> x) {
    return {x.data, {x.shape[0], x.shape[1] * x.shape[2]}};
  }

  /// body(row) for the rows of x.
  template <class T, class Body>
  void by_rows(View<T, 2> x, const Body& body) {
    const std::size_t worth = 1 + kWorthAThread / std::max<std::size_t>(x.shape[1], 1);
    workers_.split(x.shape[0], worth, [&](std::size_t first, std::size_t end, std::size_t) {
      for (std::size_t row = first; row < end; ++row) body(row);
    });
  }

  void check(const RaggedRows& rows, const KvLayer& cache) const;
  std::size_t block_of(const RaggedRows& rows, const KvLayer& cache, std::size_t request,
                       std::size_t position) const;

  ElementType weight_type_, cache_type_;
  InstructionSet set_;
  Workers workers_;
  MatrixProduct product_;
  std::vector<AttentionTile> tiles_;
  Memory scratch_;
  std::size_t scratch_bytes_ = 0;
};

void CpuOperators::concatenate(std::span<const View<const float, 2>> parts, View<float, 2> out) {
  std::size_t width = 0;
  for (const auto& part : parts) {
    DSPARK_CONTRACT(part.shape[0] == out.shape[0]);
    width += part.shape[1];
  }
  DSPARK_CONTRACT(width == out.shape[1]);
  by_rows(out, [&](std::size_t row) {
    float* to = out.row(row);
    for (const auto& part : parts) to = std::copy_n(part.row(row), part.shape[1], to);
  });
}

void CpuOperators::spread(View<const float, 2> x, std::span<const std::int32_t> rows,
                          std::span<const std::int32_t> columns, View<float, 2> out) {
  DSPARK_CONTRACT(rows.size() == x.shape[0]);
  by_rows(x, [&](std::size_t row) {
    DSPARK_CONTRACT(rows[row] >= 0 && static_cast<std::size_t>(rows[row]) < out.shape[0]);
    row_operators::spread(row_of(x, row), columns, row_of(out, static_cast<std::size_t>(rows[row])));
  });
}

void CpuOperators::check(const RaggedRows& rows, const KvLayer& cache) const {
  DSPARK_CONTRACT(rows.first_row.size() == rows.requests() + 1 && rows.first_row[0] == 0);
  DSPARK_CONTRACT(rows.block_table.shape[0] == rows.requests());
  DSPARK_CONTRACT(cache.block_tokens >= 8 && cache.block_tokens <= 256 &&
                  (cache.block_tokens & (cache.block_tokens - 1)) == 0);
  DSPARK_CONTRACT(cache.kv_heads > 0 && cache.head_dim > 0 && cache.head_dim % 2 == 0 &&
                  cache.head_dim <= 512);
  for (std::size_t r = 0; r < rows.requests(); ++r) {
    const std::int32_t count = rows.first_row[r + 1] - rows.first_row[r];
    DSPARK_CONTRACT(count >= 0 && rows.first_position[r] >= 0);
    const auto end = static_cast<std::size_t>(rows.first_position[r]) + static_cast<std::size_t>(count);
    const std::size_t needed = count == 0 ? 0 : (end + cache.block_tokens - 1) / cache.block_tokens;
    DSPARK_CONTRACT(needed <= rows.block_table.shape[1]);
  }
}

std::size_t CpuOperators::block_of(const RaggedRows& rows, const KvLayer& cache, std::size_t request,
                                   std::size_t position) const {
  const std::int32_t block = rows.block_table.row(request)[position / cache.block_tokens];
  DSPARK_CONTRACT(block >= 0 && static_cast<std::size_t>(block) < cache.blocks);
  return static_cast<std::size_t>(block);
}

void CpuOperators::store(const RaggedRows& rows, View<const float, 3> keys, View<const float, 3> values,
                         const KvLayer& cache) {
  check(rows, cache);
  DSPARK_CONTRACT(keys.shape == values.shape && keys.shape[0] == rows.rows());
  DSPARK_CONTRACT(keys.shape[1] == cache.kv_heads && keys.shape[2] == cache.head_dim);
  const auto put = [](std::byte* plane, std::size_t at, float x, bool f32) {
    if (f32) {
      reinterpret_cast<float*>(plane)[at] = x;
    } else {
      reinterpret_cast<std::uint16_t*>(plane)[at] = bf16_from_float(x);
    }
  };
  const bool f32 = cache_type_ == ElementType::kF32;
  const std::size_t dim = cache.head_dim, tokens = cache.block_tokens;
  for (std::size_t r = 0; r < rows.requests(); ++r) {
    const auto first = static_cast<std::size_t>(rows.first_row[r]);
    const std::size_t count = static_cast<std::size_t>(rows.first_row[r + 1]) - first;
    workers_.split(count, 1 + kWorthAThread / (cache.kv_heads * dim),
                   [&](std::size_t from, std::size_t to, std::size_t) {
                     for (std::size_t i = from; i < to; ++i) {
                       const std::size_t position = static_cast<std::size_t>(rows.first_position[r]) + i;
                       const std::size_t block = block_of(rows, cache, r, position), slot = position % tokens;
                       for (std::size_t head = 0; head < cache.kv_heads; ++head) {
                         const float* key = keys.row(first + i) + head * dim;
                         const float* value = values.row(first + i) + head * dim;
                         const std::size_t plane = (block * cache.kv_heads + head) * tokens * dim;
                         for (std::size_t d = 0; d < dim; ++d) {
                           put(cache.keys, plane + d * tokens + slot, key[d], f32);
                           put(cache.values, plane + slot * dim + d, value[d], f32);
                         }
                       }
                     }
                   });
  }
}

void CpuOperators::attend(const RaggedRows& rows, View<const float, 3> queries, const KvLayer& cache,
                          const AttentionRule& rule, View<float, 3> out) {
  check(rows, cache);
  DSPARK_CONTRACT(queries.shape == out.shape && queries.shape[0] == rows.rows());
  DSPARK_CONTRACT(queries.shape[2] == cache.head_dim && queries.shape[1] % cache.kv_heads == 0);
  const std::size_t heads = queries.shape[1], group = heads / cache.kv_heads, dim = cache.head_dim;
  DSPARK_CONTRACT(group > 0 && group <= kMostQueries);
  const std::size_t rows_of_tile = std::max<std::size_t>(1, kQueriesOfTile / group);
  tiles_.clear();
  for (std::size_t r = 0; r < rows.requests(); ++r) {
    const auto first = static_cast<std::size_t>(rows.first_row[r]);
    const auto end = static_cast<std::size_t>(rows.first_row[r + 1]);
    if (first == end) continue;
    const std::int32_t last = rows.first_position[r] + static_cast<std::int32_t>(end - first) - 1;
    for (std::size_t p = 0; p <= static_cast<std::size_t>(last); p += cache.block_tokens)
      block_of(rows, cache, r, p);
    for (std::size_t head = 0; head < cache.kv_heads; ++head) {
      for (std::size_t row = first; row < end; row += rows_of_tile) {
        tiles_.push_back({.queries = queries.row(row) + head * group * dim,
                          .out = out.row(row) + head * group * dim,
                          .row_stride = heads * dim,
                          .rows = std::min(rows_of_tile, end - row),
                          .group = group,
                          .first_position = rows.first_position[r] + static_cast<std::int32_t>(row - first),
                          .first_of_request = rows.first_position[r],
                          .last_of_request = last,
                          .blocks = rows.block_table.row(r),
                          .kv_head = head,
                          .cache = cache});
      }
    }
  }
  constexpr std::size_t kLine = 64;
  const std::size_t numbers = attention_scratch(rows_of_tile * group, dim) * sizeof(float);
  const std::size_t of_worker = (numbers + kLine - 1) / kLine * kLine;
  const std::size_t needed = of_worker * static_cast<std::size_t>(workers_.threads());
  if (needed > scratch_bytes_) {
    scratch_ = allocate_memory(needed);
    DSPARK_CONTRACT(scratch_ != nullptr);
    scratch_bytes_ = needed;
  }
  workers_.each(tiles_.size(), [&](std::size_t tile, std::size_t worker) {
    attend_tile(tiles_[tile], cache_type_, rule,
                reinterpret_cast<float*>(scratch_.get() + worker * of_worker));
  });
}

void CpuOperators::accept(std::span<const std::int32_t> first_row, View<const float, 2> target,
                          View<const float, 2> draft, std::span<const std::int32_t> tokens,
                          std::span<const DrawKey> accept_keys, std::span<const DrawKey> final_keys,
                          const RoundOutcome& outcome) {
  DSPARK_CONTRACT(!first_row.empty() && first_row[0] == 0);
  const std::size_t requests = first_row.size() - 1, rows = target.shape[0], vocabulary = target.shape[1];
  DSPARK_CONTRACT(static_cast<std::size_t>(first_row.back()) == rows && tokens.size() + requests == rows);
  DSPARK_CONTRACT(accept_keys.size() == tokens.size() && final_keys.size() == requests);
  DSPARK_CONTRACT(outcome.accepted.size() == requests && outcome.next_token.size() == requests);
  DSPARK_CONTRACT(draft.empty() || (draft.shape[0] == tokens.size() && draft.shape[1] == vocabulary));
  workers_.each(requests, [&](std::size_t r, std::size_t) {
    DSPARK_CONTRACT(first_row[r + 1] > first_row[r]);
    const auto first = static_cast<std::size_t>(first_row[r]);
    const std::size_t submitted = static_cast<std::size_t>(first_row[r + 1]) - first - 1,
                      first_draft = first - r;
    const double final_uniform = sampling::uniform(final_keys[r]);
    for (std::size_t k = 0; k < submitted; ++k) {
      const std::size_t at = first_draft + k;
      DSPARK_CONTRACT(tokens[at] >= 0 && static_cast<std::size_t>(tokens[at]) < vocabulary);
      const auto token = static_cast<std::size_t>(tokens[at]);
      const std::span<const float> of_target = row_of(target, first + k);
      const std::span<const float> of_draft = draft.empty() ? std::span<const float>() : row_of(draft, at);
      const double draft_probability = of_draft.empty() ? 1.0 : static_cast<double>(of_draft[token]);
      if (sampling::uniform(accept_keys[at]) * draft_probability < static_cast<double>(of_target[token]))
        continue;
      outcome.accepted[r] = static_cast<std::int32_t>(k);
      outcome.next_token[r] = sampling::draw_residual(of_target, of_draft, tokens[at], final_uniform);
      return;
    }
    outcome.accepted[r] = static_cast<std::int32_t>(submitted);
    outcome.next_token[r] = sampling::draw(row_of(target, first + submitted), final_uniform);
  });
}

}  // namespace

CpuKernels make_cpu_kernels(const CpuOptions& options) {
  const auto known = instruction_sets();
  if (known.empty()) return {nullptr, "this processor lacks AVX2, FMA or F16C, which the kernels need"};
  const InstructionSet set = options.instruction_set.value_or(known.back());
  if (std::find(known.begin(), known.end(), set) == known.end()) {
    return {nullptr, "this processor has no " + std::string(name_of(set)) + "; its best is " +
                         std::string(name_of(known.back()))};
  }
  const ElementType cache_type = options.cache_type.value_or(options.weight_type);
  if (options.weight_type == ElementType::kF16 || cache_type == ElementType::kF16) {
    return {nullptr, "the kernels of the CPU hold weights, keys and values as f32 or bf16, not as f16"};
  }
  if (options.threads < 1 || options.threads > 1024) {
    return {nullptr, "threads must be 1 .. 1024, not " + std::to_string(options.threads)};
  }
  return {std::make_unique<CpuOperators>(options.weight_type, cache_type, set, options.threads), ""};
}

}  // namespace dspark
