#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kernels/view.h"

namespace dspark {

/// Of weights and of cached keys and values. Activations, logits and probabilities are f32 everywhere.
enum class ElementType : std::uint8_t { kF32, kF16, kBf16 };

/// A weight matrix (outputs, inputs) in the layout that one backend multiplies by.
class Matrix {
 public:
  virtual ~Matrix() = default;
  virtual std::size_t outputs() const = 0;
  virtual std::size_t inputs() const = 0;
  /// That it takes in the backend's memory.
  virtual std::size_t bytes() const = 0;
};

/// Numbers in the backend's memory, zero at first.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual std::byte* data() const = 0;
  virtual std::size_t bytes() const = 0;
};

/// Keys and values of one layer, in blocks of the backend's `cache_type`: blocks · kv_heads · block_tokens ·
/// head_dim numbers each. Position p of a request is slot p % block_tokens of the block that its table names
/// at p / block_tokens. How a block is laid out inside is the backend's own affair (`store` writes it,
/// `attend` reads it); whole blocks may be copied.
struct KvLayer {
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  std::size_t blocks = 0;
  std::size_t kv_heads = 0;
  std::size_t block_tokens = 0;  // a power of two, 8 .. 256
  std::size_t head_dim = 0;      // even, at most 512
};

/// The packed rows of a step by request, in host memory: request r has rows first_row[r] .. first_row[r + 1]
/// - 1, at the text positions first_position[r], first_position[r] + 1, ...
struct RaggedRows {
  std::span<const std::int32_t> first_row;       // (requests + 1), from 0, rising
  std::span<const std::int32_t> first_position;  // (requests)
  View<const std::int32_t, 2>
      block_table;  // (requests, blocks) those that hold positions up to its last row's

  std::size_t requests() const { return first_position.size(); }
  std::size_t rows() const { return first_row.empty() ? 0 : static_cast<std::size_t>(first_row.back()); }
};

enum class GateActivation : std::uint8_t {
  kSilu,
  kGeluTanh,
  kSigmoid,  // of draft heads, whose gates close
};

/// How a layer attends.
struct AttentionRule {
  float scale = 1;     // of the product of query and key
  float soft_cap = 0;  // c·tanh(scaled product / c); 0: none
  int window = 0;      // a row sees its own and the window - 1 positions before; 0: all
  bool causal = true;  // false: a row sees all positions up to the request's last row (a drafter's block)
  bool window_before_rows = false;  // the window is the `window` positions before the request's first row,
                                    // for all its rows alike, which see each other as `causal` says
};

/// How a token is chosen from logits, in this order: the temperature divides the logits; the top_k largest
/// stay; of them, in falling order, those that are preceded by less than top_p of probability; then those
/// with at least min_p of the largest one's probability; what stays is scaled to sum 1. Equal logits: the
/// smaller id counts as the larger logit. Order and meaning as in `transformers` (TopK, TopP, MinP warpers).
struct SamplingRule {
  float temperature = 0;  // 0: all probability on the largest logit
  int top_k = 0;          // 0: all
  float top_p = 1;        // (0, 1]
  float min_p = 0;        // [0, 1)
};

/// Names a uniform variate of (0, 1): the first word of Philox4x32-10 (Random123), (word + 0.5)·2^-32. Who
/// calls fills it in; a key is used once.
struct DrawKey {
  std::uint32_t key[2] = {};
  std::uint32_t counter[4] = {};
};

/// What is known of a draft distribution before a token is drawn from it, by row.
struct DraftSignals {
  std::span<float> top1;     // largest probability
  std::span<float> margin;   // largest logit less the second largest
  std::span<float> entropy;  // of the probabilities, nats
};

/// A round's end, by request: how many of its drafts were accepted, and the token after them.
struct RoundOutcome {
  std::span<std::int32_t> accepted;
  std::span<std::int32_t> next_token;
};

/// The operators of a transformer step on one device.
///
/// Determinism is part of the contract: a row of an output depends on that row of the inputs and on nothing
/// else, in every bit: not on the rows beside it, their number, the place among them, or the threads. Sums
/// run in a fixed order. So a token's logits are the same in a batch and alone, verified in a block or
/// decoded one by one, prefilled whole or in chunks.
///
/// Views are of the backend's memory unless it says host. All are contiguous; inputs and outputs do not
/// overlap unless it says "in place". Shapes that do not fit are a broken invariant. Calls on one object come
/// from one thread at a time; results may be read by the host after `read` or `synchronize`.
class Kernels {
 public:
  virtual ~Kernels() = default;

  /// Which device, instruction set and number of threads: "cpu, avx512_bf16, 2 threads".
  virtual std::string description() const = 0;
  virtual ElementType weight_type() const = 0;
  virtual ElementType cache_type() const = 0;

  /// A matrix from host memory, row-major (outputs, inputs), aligned to nothing, rounded to weight_type (to
  /// nearest, ties to even). Returns null where memory runs out.
  virtual std::unique_ptr<Matrix> load(ElementType type, std::span<const std::byte> weights,
                                       std::size_t outputs, std::size_t inputs) = 0;
  virtual std::unique_ptr<Buffer> allocate(std::size_t bytes) = 0;
  virtual void write(std::span<const std::byte> host, std::byte* to) = 0;
  virtual void read(const std::byte* from, std::span<std::byte> host) = 0;
  virtual void synchronize() = 0;

  /// out[i] = scale · table[tokens[i]]. tokens: host, (rows), 0 .. outputs - 1. out: (rows, inputs).
  virtual void embed(std::span<const std::int32_t> tokens, const Matrix& table, float scale,
                     View<float, 2> out) = 0;

  /// out[i] = x[i] / sqrt(mean(x[i]²) + epsilon) · (offset + weight). x, out: (rows, width), may be the same.
  /// weight: (width), or empty for 1. offset: 1 where the published weight counts from one (Gemma 3), else 0.
  virtual void rms_norm(View<const float, 2> x, View<const float, 1> weight, float offset, float epsilon,
                        View<float, 2> out) = 0;

  /// out = x · wᵀ + bias, or out += x · wᵀ + bias. x: (rows, inputs), rounded to weight_type where the
  /// machine multiplies that type. bias: (outputs) or empty. out: (rows, outputs). Sums in f32 over rising
  /// inputs.
  virtual void multiply(View<const float, 2> x, const Matrix& w, View<const float, 1> bias, bool add,
                        View<float, 2> out) = 0;

  /// cosine, sine = those of positions[i] · inverse_frequency[j], times scale. positions: host, (rows), from
  /// 0. inverse_frequency: host, (pairs); 0 leaves a pair unturned. cosine, sine: (rows, pairs).
  virtual void rope_angles(std::span<const std::int32_t> positions, std::span<const float> inverse_frequency,
                           float scale, View<float, 2> cosine, View<float, 2> sine) = 0;

  /// Rotates the pairs (i, i + head_dim/2) of each head in place: a' = a·cos - b·sin, b' = b·cos + a·sin.
  /// x: (rows, heads, head_dim). cosine, sine: (rows, head_dim/2), of rope_angles.
  virtual void rotate(View<float, 3> x, View<const float, 2> cosine, View<const float, 2> sine) = 0;

  /// Puts the rows' keys and values into the cache, rounded to cache_type. keys, values: (rows, kv_heads,
  /// head_dim).
  virtual void store(const RaggedRows& rows, View<const float, 3> keys, View<const float, 3> values,
                     const KvLayer& cache) = 0;

  /// Attention of each row to the cached positions of its request, its own among them (they are stored
  /// before). queries, out: (rows, heads, head_dim); heads a multiple of the cache's kv_heads: query head h
  /// reads kv head h / (heads / kv_heads). Softmax over the visible positions in f32.
  virtual void attend(const RaggedRows& rows, View<const float, 3> queries, const KvLayer& cache,
                      const AttentionRule& rule, View<float, 3> out) = 0;

  /// out = activation(gate) · up. All (rows, width); out may be gate.
  virtual void gate(View<const float, 2> gate, View<const float, 2> up, GateActivation activation,
                    View<float, 2> out) = 0;

  /// x += y, all (rows, width).
  virtual void add(View<float, 2> x, View<const float, 2> y) = 0;
  /// x *= factor, in place.
  virtual void scale(View<float, 2> x, float factor) = 0;
  /// x = cap · tanh(x / cap), in place. cap > 0.
  virtual void soft_cap(View<float, 2> x, float cap) = 0;
  /// out[i] = x[rows[i]]. rows: host.
  virtual void gather(View<const float, 2> x, std::span<const std::int32_t> rows, View<float, 2> out) = 0;
  /// out[i] = [parts[0][i] ; parts[1][i] ; ...], of equal numbers of rows.
  virtual void concatenate(std::span<const View<const float, 2>> parts, View<float, 2> out) = 0;

  /// out[rows[i]][columns[j]] = x[i][j]; what stands beside them in those rows becomes 0. rows: host, (x's
  /// rows), different. columns: host, (x's width), different, or empty where x is as wide as out. For draft
  /// distributions over a part of the vocabulary.
  virtual void spread(View<const float, 2> x, std::span<const std::int32_t> rows,
                      std::span<const std::int32_t> columns, View<float, 2> out) = 0;

  /// The largest of each row; of equal ones the smallest index. x: (rows, vocabulary). out: host, (rows).
  virtual void largest(View<const float, 2> x, std::span<std::int32_t> out) = 0;
  /// Logits to probabilities, in place. rules: host, (rows).
  virtual void probabilities(View<float, 2> logits, std::span<const SamplingRule> rules) = 0;
  /// Signals of draft logits under their rule's temperature (1 where it is 0), before top-k and the rest.
  /// rules, signals: host, (rows).
  virtual void signals(View<const float, 2> logits, std::span<const SamplingRule> rules,
                       const DraftSignals& signals) = 0;
  /// A token from each row by inversion: the first whose cumulated probability exceeds the uniform of its
  /// key, sums in f64 over rising ids; the last with any probability where rounding leaves none. keys, out:
  /// host, (rows).
  virtual void draw(View<const float, 2> probabilities, std::span<const DrawKey> keys,
                    std::span<std::int32_t> out) = 0;
  /// Speculative sampling (Leviathan 2023; Chen 2023), request by request. Request r submitted
  /// submitted[r] = first_row[r + 1] - first_row[r] - 1 drafts; row first_row[r] + k of `target` is the
  /// target's distribution of draft k + 1, the last row that of the bonus token. draft: (all drafts,
  /// vocabulary), packed likewise without the last row, or empty where drafts are certain (p_d = 1 on the
  /// drafted token: n-grams, greedy drafts). tokens: host, (all drafts). Draft k is accepted while
  /// uniform(accept[k]) < p_t / p_d; the first rejection draws from max(0, p_t - p_d) scaled to 1, else the
  /// token comes from p_t, by inversion with the request's `final` key. accept: host, (all drafts). final,
  /// outcome: host, (requests).
  virtual void accept(std::span<const std::int32_t> first_row, View<const float, 2> target,
                      View<const float, 2> draft, std::span<const std::int32_t> tokens,
                      std::span<const DrawKey> accept_keys, std::span<const DrawKey> final_keys,
                      const RoundOutcome& outcome) = 0;
};

}  // namespace dspark
