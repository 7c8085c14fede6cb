#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/demand/assumption.h"
#include "sim/demand/demand_form.h"
#include "sim/planning/plan_search.h"

namespace dspark {

/// One policy on one kind of machine with one size of batch.
struct NamedCandidate {
  std::string policy = {};   // as written
  std::string machine = {};  // the user's name of it
  int max_num_seqs = 0;
  ReplicaHardware hardware = {};
  Value scenario = {};  // an experiment point without `workload.arrivals`
  std::string name() const;
};

/// How demand answers to the cost of a request.
struct DemandAnswer {
  std::unique_ptr<const DemandForm> form = {};
  double pass_through = 1;
  std::vector<Assumption> assumptions = {};
  /// Requests over those at the baseline, where a request costs `cost` of what it did.
  double requests_ratio(double cost_ratio) const;
};

/// A file of `dspark plan`, read and validated: traffic, promise, candidates.
struct PlanFile {
  std::string path = {};
  std::string title = {};
  std::uint64_t seed = 1;
  PlanRequest request = {};
  std::vector<double> rates = {};  // requests/s through the day; one: all day
  double mean_rate() const;
  std::optional<Value> trace = {};  // the block of an azure_trace, in the place of Poisson arrivals
  double trace_rate = 0;            // requests/s of it as recorded
  std::vector<ServiceLimit> limits = {};
  std::int64_t requests = 500;       // measured per replication
  std::int64_t warmup_requests = 0;  // 0: the larger of 200 and two per running request
  std::vector<NamedCandidate> candidates = {};
  std::string baseline = {};  // one of the policies; empty: none is compared with
  double forecast_error = 0;  // share of the peak
  std::optional<DemandAnswer> demand = {};
  std::map<std::string, std::string> inputs = {};  // contents of the files it names, by path as written

  std::int64_t warmup_of(int max_num_seqs) const;
};

/// The point of a candidate with these arrivals, as experiments write it.
Value candidate_point(const NamedCandidate& candidate, const Value& arrivals, std::int64_t warmup_requests,
                      std::int64_t requests);

/// Reads the file with the --set options applied. All errors are found, in the order of their positions;
/// nullopt where there was any.
std::optional<PlanFile> read_plan_file(const std::string& path, const std::vector<std::string>& set_options,
                                       Errors& errors);

/// The parameters of such a file, for the reference page.
std::vector<ParameterRecord> describe_plan_file();

}  // namespace dspark
