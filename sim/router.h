#pragma once

#include <cstddef>

#include "sim/workload/source.h"

namespace dspark {

/// Chooses the replica that serves a request. Even one replica is reached through a router, so that more of
/// them are data and not a new loop.
class Router {
 public:
  virtual ~Router() = default;
  virtual std::size_t route(const RequestSpec& spec, std::size_t replicas) = 0;
};

/// One replica: all requests go there.
class SingleReplicaRouter final : public Router {
 public:
  std::size_t route(const RequestSpec&, std::size_t) override { return 0; }
};

}  // namespace dspark
