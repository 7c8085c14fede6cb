#pragma once

#include "tests/sim/engine/law_checker.h"
#include "tests/sim/small_system.h"

namespace dspark::testing {

/// Runs a built system until so many replies are whole, or nothing is pending; `laws` sees every event.
inline Simulation::Stop run_under_laws(SmallSystem& system, LawChecker& laws, std::int64_t replies) {
  system.simulation->watch(laws);
  return system.simulation->run(
      [&] {
        laws.event_passed(system.simulation->now(), holdings_of(*system.engine));
        return laws.finished() >= replies;
      },
      nullptr);
}

}  // namespace dspark::testing
