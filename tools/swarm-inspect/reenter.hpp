#pragma once

#include "ledger/consensus/messages.hpp"

#include <boost/json/fwd.hpp>

#include <filesystem>
#include <optional>

/// The operator's word that a validator which lost its record votes again.
namespace swarm::inspect {

struct reenter_request {
  std::filesystem::path data_dir; ///< of the process, which is stopped, or of its SN alone
  std::uint64_t block_num = 0;
  std::optional<std::uint64_t> round_num;
};

/// Signs the word with the key of the directory and writes it there; it is on disk when this returns. Takes
/// the lock of the chain. Errors say why not, and what to do.
result<consensus::reentry_statement> reenter(const reenter_request& request);

std::string reenter_view(const consensus::reentry_statement& word);
boost::json::object to_json(const consensus::reentry_statement& word);

} // namespace swarm::inspect
