#include "executor/drafter/target_features.h"

#include "policies/invariant.h"

namespace dspark {
namespace {

View<float, 2> matrix_in(const Buffer& buffer, std::size_t rows, std::size_t width) {
  return {reinterpret_cast<float*>(buffer.data()), {rows, width}};
}

}  // namespace

Result<TargetFeatures> TargetFeatures::make(FeatureRule rule, std::size_t width, std::size_t max_rows,
                                            Kernels& kernels) {
  TargetFeatures features(std::move(rule), width, kernels);
  features.max_rows_ = max_rows;
  const std::size_t layers = features.rule_.layers.size();
  const Matrix* const fusion = features.rule_.fusion;
  DSPARK_INVARIANT(fusion == nullptr ? layers == 1 : fusion->inputs() == layers * width);
  DSPARK_INVARIANT(features.rule_.layer_norms.empty() || features.rule_.layer_norms.size() == layers);
  const auto allocate = [&](std::size_t numbers) {
    return kernels.allocate(max_rows * numbers * sizeof(float));
  };
  for (std::size_t i = 0; i < layers; ++i) features.gathered_.push_back(allocate(width));
  if (fusion != nullptr) {
    features.beside_ = allocate(layers * width);
    features.fused_ = allocate(fusion->outputs());
    if (features.beside_ == nullptr || features.fused_ == nullptr) return Error{"no memory for features"};
  }
  for (const auto& buffer : features.gathered_)
    if (buffer == nullptr) return Error{"no memory for features"};
  return features;
}

View<const float, 2> TargetFeatures::of(std::span<const View<const float, 2>> kept,
                                        std::span<const std::int32_t> rows) {
  DSPARK_INVARIANT(kept.size() == rule_.layers.size() && rows.size() <= max_rows_);
  std::vector<View<const float, 2>> parts;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto part = matrix_in(*gathered_[i], rows.size(), width_);
    kernels_->gather(kept[i], rows, part);
    if (!rule_.layer_norms.empty())
      kernels_->rms_norm(part, rule_.layer_norms[i], rule_.norm_offset, rule_.epsilon, part);
    parts.push_back(part);
  }
  if (rule_.fusion == nullptr) return parts[0];
  const auto beside = matrix_in(*beside_, rows.size(), kept.size() * width_);
  const auto fused = matrix_in(*fused_, rows.size(), rule_.fusion->outputs());
  kernels_->concatenate(parts, beside);
  if (!rule_.joined_norm.empty())
    kernels_->rms_norm(beside, rule_.joined_norm, rule_.norm_offset, rule_.epsilon, beside);
  kernels_->multiply(beside, *rule_.fusion, {}, false, fused);
  return fused;
}

}  // namespace dspark
