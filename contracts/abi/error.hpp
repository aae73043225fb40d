#pragma once

#include "base/bytes.hpp"

namespace swarm::contracts::abi {

/// Revert data, Error(string): 08c379a0 and the text.
bytes encode_error(std::string_view text);

/// What revert data says, for people: the text of Error(string), the number of Panic(uint256), or
/// the first bytes.
std::string describe_error(bytes_view data);

} // namespace swarm::contracts::abi
