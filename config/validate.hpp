#pragma once

#include "config/sources/raw.hpp"

namespace swarm::config {

/// What the rules of a role look at, and where they report mistakes.
class rule_context {
public:
  rule_context(const process_config& config, problems& into) : found(into), config_(config) {}

  /// " (host.yaml:3:14)", the place where a setting of a role was given; nothing for defaults.
  std::string given(std::string_view node, std::string_view key) const;

  problems& found;

private:
  const process_config& config_;
};

/// Checks the rules across settings: what each role needs, and which settings exclude each other, within a
/// role and between the roles of one process. Every message names the roles as `node_name` says.
void validate(const process_config& config, problems& found);

/// Settings that are overruled by others of the same role, one line each.
std::vector<std::string> overruled(const process_config& config);

} // namespace swarm::config
