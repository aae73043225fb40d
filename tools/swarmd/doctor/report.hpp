#pragma once

#include "tools/swarmd/doctor/judge/line.hpp"

#include <string>
#include <vector>

namespace swarm::doctor {

/// What was found of one node.
struct node_report {
  std::string node; ///< its name; empty: the host, or the command line
  std::string role; ///< "SL"; empty with `node`
  doctor::lines lines;
};

/// The worst of all lines; `unchecked` is no fault.
verdict worst_of(const std::vector<node_report>& reports);
/// For people: a heading for each node, a line for each check, its remedy below, and the sum.
std::string text_of(const std::vector<node_report>& reports);
/// For tools, one JSON object; README.md describes it.
std::string json_of(const std::vector<node_report>& reports);

} // namespace swarm::doctor
