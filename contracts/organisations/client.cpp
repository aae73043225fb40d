#include "contracts/organisations/client.hpp"

#include "base/hash.hpp"
#include "contracts/abi/client_side.hpp"

#include <algorithm>

namespace swarm::contracts {

hash32 motion_key(admit_organisation_args args) {
  std::sort(args.anchors.begin(), args.anchors.end());
  return keccak256(encode(args));
}
hash32 motion_key(const remove_organisation_args& args) {
  return keccak256(encode(args));
}
hash32 motion_key(set_anchors_args args) {
  std::sort(args.anchors.begin(), args.anchors.end());
  return keccak256(encode(args));
}
hash32 motion_key(const set_limits_args& args) {
  return keccak256(encode(args));
}

} // namespace swarm::contracts

template struct swarm::contracts::abi::client_side<swarm::contracts::organisation_registry_interface>;
