#include "sim/table/rounds_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "policies/invariant.h"
#include "policies/nearest_name.h"
#include "sim/table/csv.h"

namespace dspark {
namespace {

constexpr std::size_t kMaxDomains = 4096;
constexpr std::size_t kMaxDomainBytes = 64;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kMaxIdentifier = std::int64_t{1} << 53;

/// The header line, found before the table is parsed: its length is checked first.
struct Header {
  int line = 0;
  std::string_view text;
};

Header find_header(std::string_view rest) {
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    if (!text.starts_with('#') && text.find_first_not_of(" \t\r") != std::string_view::npos) {
      return {line, text};
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return {};
}

/// Reads one table. Every `read_…` returns the first error.
class Reader {
 public:
  explicit Reader(InputFile file) : file_(std::move(file)) {}

  Result<Rounds> read(RoundsForm form) {
    if (auto wrong = parse_table()) return *std::move(wrong);
    if (auto wrong = form == RoundsForm::kRounds ? read_rounds() : read_gate_rows(form)) {
      return *std::move(wrong);
    }
    if (const auto fault = find_fault(rounds_)) {
      // Gate columns have other names; their ranges were checked where they were read.
      const auto column = table_->column(fault->column);
      return table_->error(fault->row, column ? *column : 0, fault->message, fault->advice);
    }
    return std::move(rounds_);
  }

 private:
  using Failure = std::optional<Error>;

  Failure parse_table() {
    const auto source = std::make_shared<const std::string>(file_.path);
    if (file_.content.size() > kMaxRoundsBytes) {
      return Error{fmt::format("more than {} MiB", kMaxRoundsBytes >> 20), {source}, "split the recording"};
    }
    const std::string_view text = file_.content;
    const auto fields =
        std::count(text.begin(), text.end(), ',') + std::count(text.begin(), text.end(), '\n');
    if (static_cast<std::size_t>(fields) > kMaxRoundsFields) {
      return Error{fmt::format("more than {} million fields", kMaxRoundsFields / 1'000'000),
                   {source},
                   "split the recording"};
    }
    const Header header = find_header(text);
    const auto columns = std::count(header.text.begin(), header.text.end(), ',') + 1;
    constexpr std::ptrdiff_t kMaxColumns = 7 + 6 * kMaxRecordedBlockSize;
    if (columns > kMaxColumns) {
      return Error{fmt::format("{} columns", columns),
                   {source, header.line, 1},
                   fmt::format("a table of rounds has at most {}", kMaxColumns)};
    }
    header_line_ = header.line;
    auto table = CsvTable::parse(std::move(file_));
    if (!table) return table.error();
    table_ = *std::move(table);
    return std::nullopt;
  }

  Error header_error(std::string message, std::string advice = {}) const {
    return {std::move(message),
            {std::make_shared<const std::string>(table_->path()), header_line_, 1},
            std::move(advice)};
  }

  Failure read_rounds() {
    if (auto wrong = read_block_size()) return wrong;
    if (auto wrong = read_integers("request", kMaxIdentifier, rounds_.request)) return wrong;
    if (auto wrong = read_integers("round", kMaxIdentifier, rounds_.round)) return wrong;
    if (auto wrong = read_integers("drafted", kMaxRecordedBlockSize, rounds_.drafted)) return wrong;
    if (auto wrong = read_integers("verified", kMaxRecordedBlockSize, rounds_.verified)) return wrong;
    if (auto wrong = read_integers("accepted", kMaxRecordedBlockSize, rounds_.accepted)) return wrong;
    rounds_.anchor_position.assign(table_->rows(), -1);
    if (table_->column("anchor_position")) {
      if (auto wrong = read_integers("anchor_position", kMaxIdentifier, rounds_.anchor_position, true))
        return wrong;
    }
    if (auto wrong = read_domains("domain")) return wrong;
    if (rounds_.block_size == 0) {
      rounds_.block_size = std::max(1, *std::max_element(rounds_.drafted.begin(), rounds_.drafted.end()));
    }
    for (const RoundSignal& signal : round_signals()) {
      if (auto wrong = read_signal(signal)) return wrong;
    }
    return std::nullopt;
  }

  /// γ from the names `signal_1 … signal_γ`; refuses unknown names and gaps.
  Failure read_block_size() {
    static const std::vector<std::string> kPlain{"request", "round",    "anchor_position", "domain",
                                                 "drafted", "verified", "accepted"};
    std::map<std::string, std::vector<int>> positions;  // of each signal
    for (const std::string& name : table_->columns()) {
      if (std::find(kPlain.begin(), kPlain.end(), name) != kPlain.end()) continue;
      const auto position = position_of(name);
      if (name == "commits") {
        return header_error("this table has the form commits, category, a0 .. a{D-1}",
                            "say whether its estimates are conditional or cumulative");
      }
      if (!position) {
        std::vector<std::string> known = kPlain;
        for (const RoundSignal& signal : round_signals()) known.push_back(fmt::format("{}_1", signal.name));
        return header_error(fmt::format("unknown column '{}'", name), known_names_advice(name, known));
      }
      positions[name.substr(0, name.rfind('_'))].push_back(*position);
      rounds_.block_size = std::max(rounds_.block_size, *position);
    }
    for (auto& [signal, given] : positions) {
      std::sort(given.begin(), given.end());
      for (int k = 1; k <= rounds_.block_size; ++k) {
        if (given.size() >= static_cast<std::size_t>(k) && given[static_cast<std::size_t>(k - 1)] == k)
          continue;
        return header_error(
            fmt::format("no column '{}_{}'", signal, k),
            fmt::format("{} is needed at every position 1 .. {}, or at none", signal, rounds_.block_size));
      }
    }
    return std::nullopt;
  }

  /// k of `signal_k`, 1..64.
  static std::optional<int> position_of(std::string_view name) {
    const std::size_t line = name.rfind('_');
    if (line == std::string_view::npos) return {};
    const std::string_view digits = name.substr(line + 1);
    const auto known = [&](const RoundSignal& signal) { return name.substr(0, line) == signal.name; };
    if (digits.empty() || digits.front() == '0' || std::ranges::none_of(round_signals(), known)) return {};
    const auto value = parse_integer(digits);
    if (!value || *value < 1 || *value > kMaxRecordedBlockSize) return {};
    return static_cast<int>(*value);
  }

  template <class T>
  Failure read_integers(const std::string& name, std::int64_t max, std::vector<T>& out,
                        bool may_be_missing = false) {
    const auto index = table_->column(name);
    if (!index) return header_error(index.error().message, index.error().advice);
    out.clear();
    out.reserve(table_->rows());
    for (std::size_t row = 0; row < table_->rows(); ++row) {
      const std::string_view text = table_->field(row, *index);
      if (text.empty() && may_be_missing) {
        out.push_back(-1);
        continue;
      }
      const auto value = parse_integer(text);
      if (!value)
        return table_->error(row, *index, fmt::format("{} must be an integer, not '{}'", name, text));
      if (*value < 0 || *value > max) {
        return table_->error(row, *index, fmt::format("{} = {} is out of range", name, text),
                             fmt::format("0 .. {}", max));
      }
      out.push_back(static_cast<T>(*value));
    }
    return std::nullopt;
  }

  Failure read_domains(const std::string& name) {
    rounds_.domain.assign(table_->rows(), -1);
    const auto index = table_->column(name);
    if (!index) return std::nullopt;
    std::map<std::string_view, std::int32_t> known;
    for (std::size_t row = 0; row < table_->rows(); ++row) {
      const std::string_view text = table_->field(row, *index);
      if (text.empty()) continue;
      if (text.size() > kMaxDomainBytes) {
        return table_->error(row, *index, fmt::format("a {} of more than {} bytes", name, kMaxDomainBytes));
      }
      const auto [at, is_new] = known.emplace(text, static_cast<std::int32_t>(known.size()));
      if (is_new) {
        if (known.size() > kMaxDomains) {
          return table_->error(row, *index, fmt::format("more than {} different domains", kMaxDomains));
        }
        rounds_.domain_names.emplace_back(text);
      }
      rounds_.domain[row] = at->second;
    }
    return std::nullopt;
  }

  Failure read_signal(const RoundSignal& signal) {
    std::vector<float>& column = rounds_.*signal.column;
    if (!table_->column(fmt::format("{}_1", signal.name))) return std::nullopt;
    column.assign(table_->rows() * static_cast<std::size_t>(rounds_.block_size), kMissing);
    for (int k = 1; k <= rounds_.block_size; ++k) {
      const std::string name = fmt::format("{}_{}", signal.name, k);
      const std::size_t index = *table_->column(name);
      for (std::size_t row = 0; row < table_->rows(); ++row) {
        if (table_->field(row, index).empty()) continue;
        const auto value = read_number(row, index, name, signal.max);
        if (!value) return value.error();
        column[rounds_.at(row, k)] = static_cast<float>(*value);
      }
    }
    return std::nullopt;
  }

  Result<double> read_number(std::size_t row, std::size_t column, std::string_view name, double max) const {
    const std::string_view text = table_->field(row, column);
    const auto value = parse_number(text);
    if (!value) return table_->error(row, column, fmt::format("{} must be a number, not '{}'", name, text));
    if (*value >= 0 && *value <= max) return *value;
    return table_->error(row, column, fmt::format("{} = {} is out of range", name, text),
                         fmt::format("0 .. {}", number_text(max)));
  }

  Failure read_gate_rows(RoundsForm form) {
    const std::size_t rows = table_->rows();
    int depth = 0;
    while (depth < kMaxRecordedBlockSize && table_->column(fmt::format("a{}", depth))) ++depth;
    if (depth == 0)
      return header_error("no column 'a0'", "this form has columns commits, category, a0 .. a{D-1}");
    const std::size_t others = table_->column("category") ? 2 : 1;
    if (auto wrong = read_integers("commits", depth, rounds_.accepted)) return wrong;
    if (table_->columns().size() != others + static_cast<std::size_t>(depth)) {
      return header_error(
          "a column that is none of commits, category, a0 .. a{D-1}, or a gap in a0 .. a{D-1}");
    }
    if (auto wrong = read_domains("category")) return wrong;
    rounds_.block_size = depth;
    rounds_.drafted.assign(rows, depth);
    rounds_.verified.assign(rows, depth);
    rounds_.round.assign(rows, 0);
    rounds_.anchor_position.assign(rows, -1);
    rounds_.confidence.assign(rows * static_cast<std::size_t>(depth), kMissing);
    for (std::size_t row = 0; row < rows; ++row) rounds_.request.push_back(static_cast<std::int64_t>(row));
    std::vector<double> before(rows, 1);
    for (int k = 1; k <= depth; ++k) {
      const std::string name = fmt::format("a{}", k - 1);
      const std::size_t column = *table_->column(name);
      for (std::size_t row = 0; row < rows; ++row) {
        const auto estimate = read_number(row, column, name, 1);
        if (!estimate) return estimate.error();
        double confidence = *estimate;
        if (form == RoundsForm::kGateCumulative) {
          if (*estimate > before[row]) {
            return table_->error(
                row, column,
                fmt::format("{} = {} is above the estimate before it", name, table_->field(row, column)),
                "cumulative estimates never rise; are these conditional ones?");
          }
          confidence = before[row] > 0 ? *estimate / before[row] : 0;
          before[row] = *estimate;
        }
        rounds_.confidence[rounds_.at(row, k)] = static_cast<float>(confidence);
      }
    }
    return std::nullopt;
  }

  InputFile file_;
  std::optional<CsvTable> table_;
  int header_line_ = 0;
  Rounds rounds_;
};

/// As CsvTable reads a field back.
bool is_plain(const std::string& name) {
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == ',' || c == '"' || (static_cast<unsigned char>(c) < ' ' && c != '\t');
  });
}

}  // namespace

Result<Rounds> read_rounds_csv(InputFile file, RoundsForm form) { return Reader(std::move(file)).read(form); }

std::string rounds_csv(const Rounds& rounds) {
  for (const std::string& name : rounds.domain_names) DSPARK_INVARIANT(is_plain(name));
  std::string text = "request,round,anchor_position,domain,drafted,verified,accepted";
  for (int k = 1; k <= rounds.block_size; ++k) {
    for (const RoundSignal& signal : round_signals()) {
      if (!(rounds.*signal.column).empty()) text += fmt::format(",{}_{}", signal.name, k);
    }
  }
  text += '\n';
  auto out = std::back_inserter(text);
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    fmt::format_to(out, "{},{},", rounds.request[row], rounds.round[row]);
    if (rounds.anchor_position[row] >= 0) fmt::format_to(out, "{}", rounds.anchor_position[row]);
    text += ',';
    if (rounds.domain[row] >= 0) text += rounds.domain_names[static_cast<std::size_t>(rounds.domain[row])];
    fmt::format_to(out, ",{},{},{}", rounds.drafted[row], rounds.verified[row], rounds.accepted[row]);
    for (int k = 1; k <= rounds.block_size; ++k) {
      for (const RoundSignal& signal : round_signals()) {
        const std::vector<float>& column = rounds.*signal.column;
        if (column.empty()) continue;
        text += ',';
        const float value = column[rounds.at(row, k)];
        if (value == value) fmt::format_to(out, "{}", value);  // not NaN
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace dspark
