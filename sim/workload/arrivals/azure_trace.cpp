#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "sim/random/variates.h"
#include "sim/table/csv.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

struct TraceRow {
  VirtualTime arrival = 0;  // since the first row
  std::int32_t prompt_tokens = 1;
  std::int32_t output_tokens = 1;
};

/// Two digits (or more, where `digits` says so) at `text[at]`, in 0..max.
std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t digits, int max) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  const char* begin = text.data() + at;
  const auto [end, status] = std::from_chars(begin, begin + digits, value);
  if (status != std::errc() || end != begin + digits || value < 0 || value > max) return std::nullopt;
  return value;
}

/// Days since 1970-01-01 of a Gregorian date (Howard Hinnant's civil calendar arithmetic).
std::int64_t days_from_civil(int year, int month, int day) {
  year -= month <= 2;
  const int era = year / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146097 + day_of_era - 719468;
}

/// "2023-11-16 18:17:03.9799600" as nanoseconds since 1970.
std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (text.size() < kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0' && text[i] != kForm[i]) return std::nullopt;
  }
  const auto year = digits_at(text, 0, 4, 9999), month = digits_at(text, 5, 2, 12),
             day = digits_at(text, 8, 2, 31);
  const auto hour = digits_at(text, 11, 2, 23), minute = digits_at(text, 14, 2, 59),
             second = digits_at(text, 17, 2, 60);
  if (!year || !month || !day || !hour || !minute || !second || *year < 1970 || *year > 2261 || *month < 1 ||
      *day < 1) {
    return std::nullopt;
  }
  std::int64_t nanoseconds = 0;
  if (text.size() > kForm.size()) {
    const std::string_view fraction = text.substr(kForm.size());
    if (fraction[0] != '.' || fraction.size() < 2 || fraction.size() > 10) return std::nullopt;
    const auto value = digits_at(fraction, 1, fraction.size() - 1, 999999999);
    if (!value) return std::nullopt;
    nanoseconds = *value;
    for (std::size_t i = fraction.size(); i < 10; ++i) nanoseconds *= 10;
  }
  const std::int64_t seconds =
      ((days_from_civil(*year, *month, *day) * 24 + *hour) * 60 + *minute) * 60 + *second;
  return seconds * 1'000'000'000 + nanoseconds;
}

Result<std::vector<TraceRow>> read_trace(InputFile file) {
  const auto table = CsvTable::parse(std::move(file));
  if (!table) return table.error();
  const auto stamp = table->column("TIMESTAMP");
  if (!stamp) return stamp.error();
  const auto prompts = table->numbers("ContextTokens", 0, 1 << 23);
  if (!prompts) return prompts.error();
  const auto outputs = table->numbers("GeneratedTokens", 0, 1 << 23);
  if (!outputs) return outputs.error();
  std::vector<TraceRow> rows;
  std::int64_t first = 0;
  for (std::size_t row = 0; row < table->rows(); ++row) {
    const auto time = parse_timestamp(table->field(row, *stamp));
    if (!time) {
      return table->error(row, *stamp, fmt::format("'{}' is not a time", table->field(row, *stamp)),
                          "expected 2023-11-16 18:17:03.9799600");
    }
    if (row == 0) first = *time;
    const VirtualTime arrival = *time - first;
    if (arrival < 0 || (!rows.empty() && arrival < rows.back().arrival)) {
      return table->error(row, *stamp, "arrivals must not go back in time");
    }
    for (const auto& [name, tokens] :
         {std::pair{"ContextTokens", (*prompts)[row]}, {"GeneratedTokens", (*outputs)[row]}}) {
      if (tokens != std::floor(tokens))
        return table->error(row, *table->column(name), "a length must be a whole number");
    }
    // A reply of no tokens is still answered with one (the end of text).
    rows.push_back({arrival, std::max(1, static_cast<std::int32_t>((*prompts)[row])),
                    std::max(1, static_cast<std::int32_t>((*outputs)[row]))});
  }
  return rows;
}

class TraceSource final : public Source {
 public:
  TraceSource(const std::vector<TraceRow>& rows, double time_scale, double keep, const RequestShapes& shapes,
              RandomKey key)
      : rows_(rows), time_scale_(time_scale), keep_(keep), shapes_(shapes), key_(key) {}

  void start(ArrivalSink& sink) override { emit_next(0, sink); }
  void arrived(const RequestSpec& spec, ArrivalSink& sink) override { emit_next(spec.ordinal + 1, sink); }
  void finished(const RequestSpec&, VirtualTime, ArrivalSink&) override {}
  void lost(const RequestSpec&, VirtualTime, ArrivalSink&) override {}

 private:
  void emit_next(std::uint32_t row, ArrivalSink& sink) {
    for (; row < rows_.size(); ++row) {
      if (keep_ < 1 && uniform_variate({key_, Stream::kThinning, 0, row}) >= keep_) continue;
      RequestSpec spec;
      spec.ordinal = row;
      spec.arrival = to_virtual_time(to_seconds(rows_[row].arrival) * time_scale_);
      spec.prompt_tokens = rows_[row].prompt_tokens;
      spec.output_end = rows_[row].output_tokens;
      shapes_.shape(key_, spec);
      sink.emit(spec);
      return;
    }
  }

  const std::vector<TraceRow>& rows_;
  double time_scale_;
  double keep_;
  const RequestShapes& shapes_;
  RandomKey key_;
};

}  // namespace

/// Recorded traffic: columns TIMESTAMP, ContextTokens, GeneratedTokens, as the Azure Public Dataset publishes
/// its LLM inference traces of 2023. Replies end where the trace's did, unforeseen by the server.
///
///     arrivals: {azure_trace: {file: traces/azure_2023_conv.csv, time_scale: 2}}
class AzureTrace final : public ArrivalProcess {
 public:
  explicit AzureTrace(Parameters& parameters)
      : time_scale_(
            parameters.number("time_scale", {.min = 1e-3,
                                             .max = 1e3,
                                             .default_value = 1,
                                             .meaning = "factor on all gaps: 2 stretches to half the rate"})),
        keep_(parameters.number("keep",
                                {.min = 1e-4,
                                 .max = 1,
                                 .default_value = 1,
                                 .meaning = "share of the rows kept, drawn anew in each replication"})) {
    InputFile file = parameters.file("file", "CSV with columns TIMESTAMP, ContextTokens, GeneratedTokens");
    if (file.content.empty()) return;  // the error is already there, or this is only a listing
    auto rows = read_trace(std::move(file));
    if (rows) {
      rows_ = *std::move(rows);
    } else {
      parameters.add_error(rows.error());
    }
  }

  std::unique_ptr<Source> start(const RequestShapes& shapes, RandomKey key) const override {
    return std::make_unique<TraceSource>(rows_, time_scale_, keep_, shapes, key);
  }
  bool brings_lengths() const override { return true; }
  double recorded_rate() const override {
    if (rows_.size() < 2 || rows_.back().arrival == 0) return 0;
    return static_cast<double>(rows_.size() - 1) / to_seconds(rows_.back().arrival);
  }

 private:
  double time_scale_;
  double keep_;
  std::vector<TraceRow> rows_;
};

template std::unique_ptr<const ArrivalProcess> construct_arrivals<AzureTrace>(Parameters&);

}  // namespace dspark
