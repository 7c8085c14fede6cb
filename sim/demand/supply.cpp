#include "sim/demand/supply.h"

namespace dspark {

#define SUPPLY(name, Class, meaning) \
  class Class;                       \
  extern template std::unique_ptr<const Supply> construct_supply<Class>(Parameters&, const EfficiencyGain&);
#include "sim/demand/supplies.inc"
#undef SUPPLY

const std::vector<SupplyEntry>& supplies() {
  static const std::vector<SupplyEntry> entries = {
#define SUPPLY(name, Class, meaning) {#name, meaning, &construct_supply<Class>},
#include "sim/demand/supplies.inc"
#undef SUPPLY
  };
  return entries;
}

}  // namespace dspark
