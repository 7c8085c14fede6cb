// Products of a real model's shapes against oneDNN's. Here alone: oneDNN brings OpenMP, whose threads the
// thread sanitizer does not understand.
#include <gtest/gtest.h>

#include <cmath>
#include <dnnl.hpp>

#include "kernels/cpu/number_formats.h"
#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

/// x (rows, inputs) · w (outputs, inputs)ᵀ by oneDNN in f32.
std::vector<float> onednn(std::vector<float> x, std::vector<float> w, std::size_t rows, std::size_t inputs,
                          std::size_t outputs) {
  using dnnl::memory;
  const auto m = static_cast<std::int64_t>(rows), k = static_cast<std::int64_t>(inputs),
             n = static_cast<std::int64_t>(outputs);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  std::vector<float> out(rows * outputs);
  const memory::desc of_x({m, k}, memory::data_type::f32, memory::format_tag::ab);
  const memory::desc of_w({k, n}, memory::data_type::f32, memory::format_tag::ba);
  const memory::desc of_out({m, n}, memory::data_type::f32, memory::format_tag::ab);
  const dnnl::matmul product(dnnl::matmul::primitive_desc(dnnl::matmul::desc(of_x, of_w, of_out), engine));
  product.execute(stream, {{DNNL_ARG_SRC, memory(of_x, engine, x.data())},
                           {DNNL_ARG_WEIGHTS, memory(of_w, engine, w.data())},
                           {DNNL_ARG_DST, memory(of_out, engine, out.data())}});
  stream.wait();
  return out;
}

TEST(MatrixProductSlow, AgreesWithOneDnnOnAModelsShapes) {
  constexpr std::size_t kShapes[][3] = {
      {1, 1024, 3072}, {5, 3072, 1024}, {12, 2048, 1024}, {100, 1024, 2048}};
  for (const auto& [rows, inputs, outputs] : kShapes) {
    auto x = cases::numbers(rows * inputs, 1), w = cases::numbers(inputs * outputs, 2);
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      if (type == ElementType::kBf16) {  // numbers that bf16 holds: the two then multiply the same
        for (float& value : x) value = float_from_bf16(bf16_from_float(value));
        for (float& value : w) value = float_from_bf16(bf16_from_float(value));
      }
      const auto want = onednn(x, w, rows, inputs, outputs);
      for (const InstructionSet set : instruction_sets()) {
        const auto kernels = cases::kernels(type, set, 2);
        const auto matrix = kernels->load(ElementType::kF32, cases::bytes_of(w), outputs, inputs);
        std::vector<float> out(want.size());
        kernels->multiply(view<2>(x, {rows, inputs}), *matrix, {}, false, view<2>(out, {rows, outputs}));
        // K roundings of partial sums of size √K/3 on either side.
        const double tolerance =
            2 * static_cast<double>(inputs) * std::sqrt(static_cast<double>(inputs)) * 0x1p-24;
        for (std::size_t i = 0; i < out.size(); ++i)
          ASSERT_NEAR(out[i], want[i], tolerance) << kernels->description();
      }
    }
  }
}

}  // namespace
}  // namespace dspark
