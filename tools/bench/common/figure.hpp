#pragma once

#include <optional>
#include <string_view>

namespace swarm::bench {

/// One measured figure, as tools/bench/bench.py reads it from a program's output.
struct figure {
  std::string_view name;
  double value = 0;
  std::string_view unit;
  std::string_view reference;        ///< what it is compared with, in words
  double reference_value = 0;        ///< in `unit`
  double ratio = 0;                  ///< of the two, larger is better
  std::optional<double> ratio_least; ///< the target; none: the figure only informs
};

/// Prints it on a line of its own.
void tell(const figure& what);

} // namespace swarm::bench
