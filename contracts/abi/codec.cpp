#include "contracts/abi/codec.hpp"

namespace swarm::contracts::abi {

void append_type(std::string& list, const std::string& name) {
  if (!list.empty()) list += ',';
  list += name;
}

} // namespace swarm::contracts::abi
