#pragma once

#include "contracts/organisations/motion_records.hpp"
#include "contracts/organisations/records.hpp"

namespace swarm::contracts {

/// Fails when what the motion asks for cannot be done as things are, and says why.
result<> check_possible(const organisation_records& records, const motion& what);

/// Does what the motion asks for, which is possible. A removed organisation has no votes any more.
organisation_event carry_out(const organisation_records& records, const motion& what,
                             std::uint64_t block_num);

} // namespace swarm::contracts
