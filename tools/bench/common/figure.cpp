#include "tools/bench/common/figure.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace swarm::bench {

void tell(const figure& what) {
  boost::json::object out{{"name", what.name},
                          {"value", what.value},
                          {"unit", what.unit},
                          {"reference", what.reference},
                          {"reference_value", what.reference_value},
                          {"ratio", what.ratio},
                          {"target", nullptr},
                          {"met", nullptr}};
  if (what.ratio_least) {
    out["target"] = *what.ratio_least;
    out["met"] = what.ratio >= *what.ratio_least;
  }
  std::printf("%s\n", boost::json::serialize(out).c_str());
}

} // namespace swarm::bench
