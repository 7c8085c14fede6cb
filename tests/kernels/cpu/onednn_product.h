#pragma once

#include <algorithm>
#include <cstdint>
#include <dnnl.hpp>

#include "kernels/kernels.h"

namespace dspark {

/// x · wᵀ as oneDNN does it best: weights in the layout that it asks for, activations in the type of the
/// weights, both made before. The numbers are all the same.
class OneDnnProduct {
 public:
  OneDnnProduct(std::int64_t inputs, std::int64_t outputs, std::int64_t rows, ElementType type)
      : OneDnnProduct(
            inputs, outputs, rows,
            type == ElementType::kF32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16) {}

  dnnl::memory make_weights() const { return filled(dnnl::memory(description_.weights_desc(), engine_)); }

  void multiply(const dnnl::memory& weights) {
    product_.execute(stream_, {{DNNL_ARG_SRC, input_}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, output_}});
    stream_.wait();
  }

 private:
  using Desc = dnnl::memory::desc;
  using Tag = dnnl::memory::format_tag;

  OneDnnProduct(std::int64_t inputs, std::int64_t outputs, std::int64_t rows, dnnl::memory::data_type type)
      : description_(
            dnnl::matmul::desc(Desc({rows, inputs}, type, Tag::ab), Desc({inputs, outputs}, type, Tag::any),
                               Desc({rows, outputs}, dnnl::memory::data_type::f32, Tag::ab)),
            engine_),
        product_(description_),
        input_(filled(dnnl::memory(description_.src_desc(), engine_))),
        output_(description_.dst_desc(), engine_) {}

  static dnnl::memory filled(dnnl::memory memory) {
    std::fill_n(static_cast<char*>(memory.get_data_handle()), memory.get_desc().get_size(), 0x3c);
    return memory;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul product_;
  dnnl::memory input_, output_;
};

}  // namespace dspark
