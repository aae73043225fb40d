#pragma once

#include "actors/ui/gate/session_book.hpp"
#include "config/members/member_rules.hpp"

#include <vector>

namespace swarm::ui {

/// What certificates let their owners do: fingerprints, as 0x and 64 digits, count whoever vouches for them; CNs only
/// of certificates of the page's own organisation, as another's authority could give any name to anybody.
struct access_rules {
  std::vector<std::string> readers; ///< none: every certificate of the own organisation that is for SWCI
  std::vector<std::string> operators;
};

/// None: it may not even look.
std::optional<rights> rights_of(const members::proved& who, bool is_own_organisation,
                                const members::member_rules& members, const access_rules& rules);

} // namespace swarm::ui
