#include <cstdlib>
#include <new>

#include "tests/executor/model/decoder_steps.h"

// Counts what this program asks for; slow tests run without sanitizers, which bring an allocator of their
// own.
namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace dspark {
namespace {

TEST(DecoderMemory, AStepAllocatesNothing) {
  for (const char* name : {"qwen3_window_bias_yarn", "gemma3_caps_linear", "gemma4_per_layer_shared"}) {
    DecoderSteps steps(name, ElementType::kF32);
    const auto tokens = Reference(name).tokens();
    const std::vector<std::int32_t> first_row{0, 20, 29}, first_position{0, 3}, logit_rows{19, 28};
    const std::vector<std::int32_t> blocks{0, 1, 2, 3, 4, 5};
    const RaggedRows rows{first_row, first_position, {blocks.data(), {2, 3}}};
    const auto allocations_of_a_step = [&] {
      const std::size_t before = allocations;
      steps.decoder().forward(rows, tokens, steps.cache(), logit_rows);
      return allocations - before;
    };
    allocations_of_a_step();  // what the operators keep from their first call
    EXPECT_EQ(allocations_of_a_step(), 0u) << name;
  }
  const std::size_t before = allocations;
  EXPECT_EQ(std::vector<int>(3).size(), 3u);
  EXPECT_EQ(allocations - before, 1u) << "the count works";
}

}  // namespace
}  // namespace dspark
