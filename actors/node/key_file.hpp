#pragma once

#include "ledger/formats/keys.hpp"

#include <string>

namespace swarm::actors {

/// Reads a key file: a regular file that neither group nor others can access, with 64 hexadecimal digits (an
/// optional 0x in front, white space around). Errors name the path and the remedy.
result<ledger::private_key> load_key(const std::string& path);

/// `load_key`, or, when there is no such file, a new random key stored there: mode 0600, complete and on disk
/// before the name appears, and never over a file that is already there. The directory must exist.
result<ledger::private_key> load_or_make_key(const std::string& path);

} // namespace swarm::actors
