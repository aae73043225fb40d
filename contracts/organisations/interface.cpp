#include "contracts/organisations/interface.hpp"

#include <array>

namespace swarm::contracts {

std::string_view to_string(motion_kind kind) {
  static constexpr std::array<std::string_view, 5> words{"none", "admit", "remove", "replace CA",
                                                         "set limits"};
  static_assert(words.size() == static_cast<std::size_t>(last_value(motion_kind{})) + 1);
  return words.at(static_cast<std::size_t>(kind));
}

} // namespace swarm::contracts
