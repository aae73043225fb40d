#include "ledger/consensus/quorum.hpp"

#include <algorithm>

namespace swarm::consensus {

bool is_validator(std::span<const address> validators, const address& who) {
  return std::binary_search(validators.begin(), validators.end(), who);
}

} // namespace swarm::consensus
