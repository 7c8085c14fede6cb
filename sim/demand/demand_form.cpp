#include "sim/demand/demand_form.h"

namespace dspark {

#define DEMAND_FORM(name, Class, meaning)                                                     \
  class Class;                                                                                \
  extern template std::unique_ptr<const DemandForm> construct_demand_form<Class>(Parameters&, \
                                                                                 const SegmentContext&);
#include "sim/demand/demand_forms.inc"
#undef DEMAND_FORM

const std::vector<DemandFormEntry>& demand_forms() {
  static const std::vector<DemandFormEntry> entries = {
#define DEMAND_FORM(name, Class, meaning) {#name, meaning, &construct_demand_form<Class>},
#include "sim/demand/demand_forms.inc"
#undef DEMAND_FORM
  };
  return entries;
}

}  // namespace dspark
