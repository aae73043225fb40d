#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/organisations/interface.hpp"

/// The OrganisationRegistry for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with the
/// structs of interface.hpp.
namespace swarm::contracts {

inline result<organisation_event> decode_organisation_event(const std::vector<hash32>& topics,
                                                            bytes_view data) {
  return decode_event<organisation_registry_interface>(topics, data);
}

/// The key of the motion that the calls vote on which say the same as this one.
hash32 motion_key(admit_organisation_args args);
hash32 motion_key(const remove_organisation_args& args);
hash32 motion_key(set_anchors_args args);
hash32 motion_key(const set_limits_args& args);

} // namespace swarm::contracts
