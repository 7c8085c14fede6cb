#include "executor/model/model_weights.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

// Each vector begins on a line of the cache.
constexpr std::size_t kVectorAlignment = 16;

ElementType element_type(Dtype dtype) {
  if (dtype == Dtype::kF16) return ElementType::kF16;
  return dtype == Dtype::kBf16 ? ElementType::kBf16 : ElementType::kF32;
}

template <class Word>
Word word_at(std::span<const std::byte> bytes, std::size_t index) {
  Word word;
  std::memcpy(&word, bytes.data() + index * sizeof(Word), sizeof(Word));
  return word;
}

/// The first number whose exponent is all ones, or `count`.
template <class Word>
std::size_t first_not_finite(std::span<const std::byte> bytes, Word exponent) {
  constexpr std::size_t kPiece = 1024;
  const std::size_t count = bytes.size() / sizeof(Word);
  for (std::size_t begin = 0; begin < count; begin += kPiece) {
    const std::size_t end = std::min(count, begin + kPiece);
    unsigned found = 0;  // without a branch inside, so that the loop is as fast as the memory
    for (std::size_t i = begin; i < end; ++i)
      found |= static_cast<unsigned>((word_at<Word>(bytes, i) & exponent) == exponent);
    if (found == 0) continue;
    for (std::size_t i = begin; i < end; ++i)
      if ((word_at<Word>(bytes, i) & exponent) == exponent) return i;
  }
  return count;
}

std::size_t first_not_finite(const Tensor& tensor) {
  if (tensor.dtype == Dtype::kF32) return first_not_finite<std::uint32_t>(tensor.bytes, 0x7F800000U);
  return first_not_finite<std::uint16_t>(tensor.bytes, tensor.dtype == Dtype::kF16 ? 0x7C00U : 0x7F80U);
}

float from_f16(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                        : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

std::vector<float> to_f32(const Tensor& tensor, std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (tensor.dtype == Dtype::kF32) {
      numbers[i] = word_at<float>(tensor.bytes, i);
    } else if (tensor.dtype == Dtype::kF16) {
      numbers[i] = from_f16(word_at<std::uint16_t>(tensor.bytes, i));
    } else {
      numbers[i] = std::bit_cast<float>(std::uint32_t{word_at<std::uint16_t>(tensor.bytes, i)} << 16);
    }
  }
  return numbers;
}

std::size_t aligned(std::size_t numbers) {
  return (numbers + kVectorAlignment - 1) / kVectorAlignment * kVectorAlignment;
}

std::size_t vector_numbers(std::span<const ModelTensor> tensors) {
  std::size_t sum = 0;
  for (const ModelTensor& tensor : tensors)
    if (!tensor.is_matrix()) sum += aligned(tensor.numbers());
  return sum;
}

Error no_memory(const ModelTensor& tensor) {
  return Error{fmt::format("no memory for tensor '{}'", tensor.expected.name)};
}

}  // namespace

const Matrix& WeightSet::matrix(WeightRole role) const {
  DSPARK_INVARIANT(at(role).matrix != nullptr);
  return *at(role).matrix;
}

void ModelWeights::borrow(WeightRole role, const Matrix& matrix) {
  model_.weights_[static_cast<std::size_t>(role)].matrix = {std::shared_ptr<const Matrix>(), &matrix};
}

Result<ModelWeights> ModelWeights::load(const Checkpoint& checkpoint, const ModelPlan& plan,
                                        const TensorLayout& layout, Kernels& kernels) {
  if (auto error = check_tensors(checkpoint, plan, layout)) return *error;
  const auto tensors = model_tensors(plan, layout);
  ModelWeights weights;
  weights.layers_.resize(plan.layers.size());
  weights.vectors_ = kernels.allocate(vector_numbers(tensors) * sizeof(float));
  if (weights.vectors_ == nullptr) return no_memory(tensors.front());
  weights.bytes_ = weights.vectors_->bytes();
  std::byte* next_vector = weights.vectors_->data();
  for (const ModelTensor& tensor : tensors) {
    const auto& [name, shape] = tensor.expected;
    const auto stored = checkpoint.tensor(name, shape);
    if (!stored) return stored.error();
    if (const std::size_t index = first_not_finite(*stored); index < tensor.numbers())
      return Error{fmt::format("tensor '{}': number {} is not finite", name, index)};
    auto& weight = weights.set(tensor.layer).weights_[static_cast<std::size_t>(tensor.role)];
    if (tensor.is_matrix()) {
      weight.matrix = kernels.load(element_type(stored->dtype), stored->bytes, shape[0], shape[1]);
      if (weight.matrix == nullptr) return no_memory(tensor);
      weights.bytes_ += weight.matrix->bytes();
      continue;
    }
    const std::vector<float> numbers = to_f32(*stored, tensor.numbers());
    if (tensor.role == WeightRole::kLayerScalar) weights.set(tensor.layer).layer_scalar_ = numbers[0];
    kernels.write(std::as_bytes(std::span(numbers)), next_vector);
    weight.vector = {reinterpret_cast<const float*>(next_vector), {numbers.size()}};
    if (tensor.role == WeightRole::kTargetLayerNorm)
      weights.set(tensor.layer).target_layer_norms_.push_back(weight.vector);
    next_vector += aligned(numbers.size()) * sizeof(float);
  }
  return weights;
}

}  // namespace dspark
