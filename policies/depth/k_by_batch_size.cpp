#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

constexpr int kLargestBatch = 1 << 20;
constexpr int kLargestK = 64;

/// From so many running requests on, k draft tokens each, until the next entry.
struct Entry {
  int from = 1;
  int k = 0;
};

/// Reads the table in both published ways of writing it; what is wrong becomes an error with its place.
class TableReader {
 public:
  explicit TableReader(Parameters& parameters) : parameters_(parameters) {}

  /// Rows [first, last, k].
  std::vector<Entry> ranges(const Value::List& rows) {
    std::vector<Entry> table;
    int last = 0;
    for (const Value& row : rows) {
      const auto* cells = row.list();
      if (!cells || cells->size() != 3) {
        parameters_.add_error("'table': a row is [first, last, k]", row.position,
                              "for example [[1, 4, 7], [5, 16, 3]]");
        return {};
      }
      const auto from = whole((*cells)[0], "the first batch size of a row", 1, kLargestBatch);
      const auto to = whole((*cells)[1], "the last batch size of a row", 1, kLargestBatch);
      const auto k = whole((*cells)[2], "k", 0, kLargestK);
      if (!from || !to || !k) return {};
      if (table.empty() && *from != 1) {
        parameters_.add_error(fmt::format("'table': the first row must start at batch size 1, not {}", *from),
                              (*cells)[0].position);
      } else if (*from <= last) {
        parameters_.add_error(
            fmt::format("'table': a row starts at {}, but the row before it ends at {}", *from, last),
            (*cells)[0].position, "rows come in rising order and do not overlap");
      }
      if (*to < *from) {
        parameters_.add_error(fmt::format("'table': a row ends at {}, before its start {}", *to, *from),
                              (*cells)[1].position);
      }
      last = std::max(last, *to);
      table.push_back({*from, *k});
    }
    return table;
  }

  /// A map from batch size to k.
  std::vector<Entry> schedule(const Value::Map& entries, bool keys_are_upper) {
    std::vector<Entry> table;
    int previous = 0;
    for (const Value::Entry& entry : entries) {
      const auto key = whole({entry.key, entry.key_position}, "a batch size", 1, kLargestBatch);
      const auto k = whole(entry.value, "k", 0, kLargestK);
      if (!key || !k) return {};
      if (*key <= previous) {
        parameters_.add_error(fmt::format("'table': batch size {} comes after {}", *key, previous),
                              entry.key_position, "batch sizes come in rising order");
      } else if (!keys_are_upper && table.empty() && *key != 1) {
        parameters_.add_error(
            fmt::format("'table': the first lower bound must be batch size 1, not {}", *key),
            entry.key_position);
      }
      table.push_back({keys_are_upper ? previous + 1 : *key, *k});
      previous = *key;
    }
    if (keys_are_upper) table.push_back({previous + 1, 0});
    return table;
  }

 private:
  std::optional<int> whole(const Value& value, std::string_view what, int least, int largest) {
    const std::string* text = value.scalar();
    const auto parsed = text ? parse_integer(*text) : std::nullopt;
    if (parsed && *parsed >= least && *parsed <= largest) return static_cast<int>(*parsed);
    parameters_.add_error(fmt::format("'table': {} must be an integer in {} .. {}, not {}", what, least,
                                      largest, text ? "'" + *text + "'" : describe(value)),
                          value.position);
    return std::nullopt;
  }

  Parameters& parameters_;
};

}  // namespace

/// One k for the batch, looked up by the number of requests in decode. The table is written as either of the
/// two engines that have one writes it. There is no default: a table fits one machine, drafter and traffic.
///
/// A list is vLLM's `num_speculative_tokens_per_batch_size` (issue 4565, PR 45953): rows [first, last, k],
/// the first row from batch size 1. A gap between rows, and whatever is above the last row, has the k of the
/// row before it.
///
///     policy: {k_by_batch_size: {table: [[1, 4, 7], [5, 16, 3], [17, 256, 1]]}}
///
/// A map is TensorRT-LLM's `draft_len_schedule` (PR 10860). Its keys are upper bounds, and above the last of
/// them nothing is drafted; older releases read them as lower bounds, the first of which had to be 1.
///
///     policy: {k_by_batch_size: {table: {4: 4, 8: 2, 32: 1}}}
///     policy: {k_by_batch_size: {table: {1: 4, 5: 2, 9: 1, 33: 0}, keys: lower_bounds}}   # the same
///
/// k is cut to the drafter's block size, as in vLLM. Requests still in prefill are not counted: they draft
/// nothing yet. Lossless: k is known before anything is drawn.
class KByBatchSize final : public DepthPolicy {
 public:
  explicit KByBatchSize(Parameters& parameters) {
    const Value* written =
        parameters.raw("table", "list of [first, last, k], or map from batch size to k",
                       "k by running requests; every batch size has one", /*optional=*/false);
    const bool keys_are_upper =
        parameters.choice("keys", {.options = {"upper_bounds", "lower_bounds"},
                                   .default_value = "upper_bounds",
                                   .meaning = "how the batch sizes of a map are read"}) == "upper_bounds";
    if (written && !written->map() && parameters.given("keys")) {
      parameters.add_error("'keys' does not apply to a table that is a list", parameters.position_of("keys"));
    }
    if (written) read(parameters, *written, keys_are_upper);
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    blocks.set_all(std::min(k_at(view.requests()), view.block_size));
    return PlanAnswer::kVerifyAll;
  }

 private:
  void read(Parameters& parameters, const Value& written, bool keys_are_upper) {
    TableReader reader(parameters);
    if (written.map() && !written.map()->empty()) {
      table_ = reader.schedule(*written.map(), keys_are_upper);
    } else if (written.list() && !written.list()->empty()) {
      table_ = reader.ranges(*written.list());
    } else {
      parameters.add_error("'table' must be a list of [first, last, k] or a map from batch size to k",
                           written.position, "for example [[1, 4, 7], [5, 16, 3]] or {4: 4, 8: 2, 32: 1}");
    }
  }

  int k_at(int requests) const {
    const auto above = std::upper_bound(table_.begin(), table_.end(), requests,
                                        [](int n, const Entry& entry) { return n < entry.from; });
    return above == table_.begin() ? 0 : std::prev(above)->k;
  }

  std::vector<Entry> table_;  // rising in `from`
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<KByBatchSize>(Parameters&);

}  // namespace dspark
