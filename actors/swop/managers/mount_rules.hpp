#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace swarm::managers {

/// Which paths of the host no mount may show, whoever asks for it.
class mount_rules {
public:
  /// Nothing in `hidden` may be shown, but for what lies in one of `shown`.
  static result<mount_rules> make(std::vector<std::filesystem::path> hidden,
                                  std::vector<std::filesystem::path> shown);

  /// Fails with manager_errc::path_missing or path_not_allowed. Links are followed before anything is compared.
  result<> check(const mount& each) const;

private:
  mount_rules() = default;

  std::vector<std::filesystem::path> hidden_, shown_; ///< canonical
};

} // namespace swarm::managers
