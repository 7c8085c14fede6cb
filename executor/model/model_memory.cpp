#include "executor/model/model_memory.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

#include "executor/model/kv_cache.h"
#include "executor/model/layer_buffers.h"
#include "executor/model/tensor_names.h"

namespace dspark {
namespace {

constexpr std::size_t kPanel = 32;
constexpr std::size_t kMostFileBytes = std::size_t{1} << 16;

std::size_t rounded_up(std::size_t number, std::size_t multiple) {
  return (number + multiple - 1) / multiple * multiple;
}

std::size_t weight_bytes(const ModelTensor& tensor, ElementType type) {
  const auto& shape = tensor.expected.shape;
  if (!tensor.is_matrix()) return rounded_up(shape[0] * sizeof(float), 64);
  return rounded_up(shape[0], kPanel) * rounded_up(shape[1], 2) * (type == ElementType::kF32 ? 4 : 2);
}

std::string amount(std::size_t bytes) {
  const auto mebibytes = static_cast<double>(bytes) / (1 << 20);
  return mebibytes < 1000 ? fmt::format("{:.1f} MiB", mebibytes)
                          : fmt::format("{:.1f} GiB", mebibytes / 1024);
}

/// The beginning of a small file of the system; empty where there is none.
std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostFileBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The number at the beginning of a text, behind spaces. Nothing for "max".
std::optional<std::size_t> number_in(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

/// The number behind `key` at the beginning of a line.
std::optional<std::size_t> number_of(std::string_view text, std::string_view key) {
  for (std::size_t line = 0; line < text.size();) {
    if (text.substr(line).starts_with(key)) return number_in(text.substr(line + key.size()));
    const std::size_t end = text.find('\n', line);
    if (end == std::string_view::npos) break;
    line = end + 1;
  }
  return std::nullopt;
}

struct GroupFiles {
  const char* limit;
  const char* used;
  const char* droppable;  // of memory.stat
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "inactive_file "};

/// What a group leaves; nothing where it has no limit.
std::optional<std::size_t> left_in(const std::string& folder, const GroupFiles& files) {
  const auto limit = number_in(text_of(folder + "/" + files.limit));
  const auto used = number_in(text_of(folder + "/" + files.used));
  if (!limit || !used) return std::nullopt;
  const std::size_t droppable = number_of(text_of(folder + "/memory.stat"), files.droppable).value_or(0);
  const std::size_t taken = *used - std::min(*used, droppable);
  return *limit - std::min(*limit, taken);
}

/// The group of a line of /proc/self/cgroup ("0::/a/b", "4:memory:/a/b") and all above it.
void take_least(const std::string& mount, std::string group, const GroupFiles& files,
                std::optional<AvailableMemory>& least) {
  for (;;) {
    const auto left = left_in(mount + group, files);
    if (left && (!least || *left < least->bytes))
      least = AvailableMemory{*left, fmt::format("{} of the control group", files.limit)};
    if (group.empty()) return;
    group.resize(group.find_last_of('/') == std::string::npos ? 0 : group.find_last_of('/'));
  }
}

}  // namespace

ModelMemory predict_memory(const ModelPlan& plan, const ModelUse& use, const TensorLayout& layout) {
  ModelMemory memory;
  for (const ModelTensor& tensor : model_tensors(plan, layout))
    memory.weights += weight_bytes(tensor, use.weight_type);
  memory.kv_cache = use.kv_tokens * kv_bytes_per_token(plan, use.cache_type);
  for (const std::size_t numbers :
       LayerBuffers::numbers(plan, use.max_rows, use.max_logit_rows, use.kept_layers))
    memory.step_buffers += numbers * sizeof(float);
  return memory;
}

std::optional<AvailableMemory> available_memory(const std::string& root) {
  std::optional<AvailableMemory> least;
  if (const auto kibibytes = number_of(text_of(root + "/proc/meminfo"), "MemAvailable:"))
    least = AvailableMemory{*kibibytes * 1024, "MemAvailable of /proc/meminfo"};
  const std::string groups = text_of(root + "/proc/self/cgroup");
  for (std::size_t line = 0; line < groups.size();) {
    const std::size_t end = std::min(groups.find('\n', line), groups.size());
    const std::string_view entry = std::string_view(groups).substr(line, end - line);
    const std::size_t first = entry.find(':');
    const std::size_t second = first == std::string_view::npos ? first : entry.find(':', first + 1);
    line = end + 1;
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = entry.substr(first + 1, second - first - 1);
    std::string group(entry.substr(second + 1));
    if (group == "/") group.clear();
    if (controllers.empty()) take_least(root + "/sys/fs/cgroup", group, kVersion2, least);
    if (controllers == "memory") take_least(root + "/sys/fs/cgroup/memory", group, kVersion1, least);
  }
  return least;
}

std::optional<Error> check_memory(const ModelMemory& needed, const ModelUse& use,
                                  const std::optional<AvailableMemory>& available) {
  if (!available || needed.total() <= available->bytes) return std::nullopt;
  return Error{
      fmt::format(
          "the model needs {}: {} for weights, {} for keys and values of {} tokens, {} for steps of {} "
          "rows; {} are available",
          amount(needed.total()), amount(needed.weights), amount(needed.kv_cache), use.kv_tokens,
          amount(needed.step_buffers), use.max_rows, amount(available->bytes)),
      {},
      available->source};
}

}  // namespace dspark
