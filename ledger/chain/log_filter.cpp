#include "ledger/chain/log_filter.hpp"

#include <algorithm>

namespace swarm::ledger {

bool log_filter::matches(const log_entry& entry) const {
  auto among = [](const auto& set, const auto& value) {
    return set.empty() || std::find(set.begin(), set.end(), value) != set.end();
  };
  if (!among(addresses, entry.emitter) || topics.size() > entry.topics.size()) return false;
  for (std::size_t i = 0; i < topics.size(); ++i)
    if (!among(topics[i], entry.topics[i])) return false;
  return true;
}

} // namespace swarm::ledger
