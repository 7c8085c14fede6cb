#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/batching/batching_policy_registry.h"
#include "policies/depth/depth_policy_registry.h"
#include "sim/acceptance/latent_acceptance.h"
#include "sim/hardware/modelled_runner.h"
#include "sim/simulation.h"
#include "sim/workload/arrival_process.h"
#include "tests/policies/written_values.h"

namespace dspark::testing {

/// Everything a simulation needs, small and adjustable; call `build` once the parts are set.
struct SmallSystem {
  EngineOptions options{.max_num_seqs = 8, .max_num_batched_tokens = 64, .kv_blocks = 64, .block_tokens = 4};
  StepCost::Parts cost_parts{.verify_affine = {.bias_seconds = 4e-3, .seconds_per_token = 1e-4}};
  std::vector<DomainLatent> domains{{{1.5, 1.0, 0.8, 0.6}, 1.2}};
  LatentSpread spread;
  std::string policy_name = "fixed";
  std::string policy_value = "3";
  Value policy_parameters = {};  // instead of the value
  std::string batching_name = "decode_first";
  std::string arrivals_name = "closed_loop";
  Value arrivals = written_map({{"users", written("12")}});
  Value workload =
      written_map({{"prompt_tokens", written_map({{"lognormal", written_map({{"median", written("10")},
                                                                             {"sigma", written("0.7")},
                                                                             {"max", written("60")}})}})},
                   {"output_tokens", written_map({{"lognormal", written_map({{"median", written("20")},
                                                                             {"sigma", written("0.5")},
                                                                             {"max", written("80")}})}})}});
  PrefillElsewherePrice elsewhere{.fixed_seconds = 0.01, .seconds_per_token = 1e-4};
  RandomKey key{1, 2};
  FileLoader files;  // for workloads that name a file

  // Something else in the place of a registered part, unless empty.
  std::function<std::unique_ptr<Runner>(Runner&)> runner_around;
  std::function<std::unique_ptr<DepthPolicy>()> own_policy;
  std::function<std::unique_ptr<Source>()> own_source;

  std::unique_ptr<StepCost> cost;
  std::shared_ptr<const AcceptanceModel> acceptance;  // from domains and spread unless set before `build`
  std::unique_ptr<ModelledRunner> runner;
  std::unique_ptr<Runner> outer_runner;
  std::unique_ptr<DepthPolicy> policy;
  std::unique_ptr<BatchingPolicy> batching;
  std::unique_ptr<const ArrivalProcess> process;
  std::unique_ptr<const RequestShapes> shapes;
  std::unique_ptr<Source> source;
  SingleReplicaRouter router;
  std::unique_ptr<Simulation> simulation;
  Engine* engine = nullptr;

  void build() {
    cost = std::make_unique<StepCost>(cost_parts);
    if (!acceptance) {
      acceptance = std::make_shared<LatentAcceptance>(domains, spread, std::vector<Miscalibration>{}, 0.7);
    }
    runner = std::make_unique<ModelledRunner>(*cost, *acceptance, key);
    Parameters parameters(policy_parameters, {}, policy_value.empty() ? Value{} : written(policy_value));
    policy = own_policy ? own_policy() : make_depth_policy(policy_name, parameters);
    Parameters none{Value{}};
    batching = make_batching_policy(batching_name, none);
    Parameters arrival_parameters(arrivals);
    for (const ArrivalEntry& entry : arrival_processes()) {
      if (entry.name == arrivals_name) process = entry.construct(arrival_parameters);
    }
    Parameters workload_parameters(workload, files);
    shapes = std::make_unique<RequestShapes>(workload_parameters, !process->brings_lengths());
    source = own_source ? own_source() : process->start(*shapes, key);
    simulation = std::make_unique<Simulation>(key, *source, router, elsewhere);
    if (runner_around) outer_runner = runner_around(*runner);
    engine = &simulation->add_replica(options, *batching, *policy, *cost,
                                      outer_runner ? *outer_runner : static_cast<Runner&>(*runner));
  }
};

}  // namespace dspark::testing
