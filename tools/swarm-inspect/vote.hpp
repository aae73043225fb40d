#pragma once

#include "tools/swarm-inspect/session.hpp"

#include <filesystem>
#include <map>

/// Votes of an organisation, cast through one of its SNs.
namespace swarm::inspect {

struct vote_request {
  std::string motion; ///< "admit", "remove", "replace CA", "set limits", "take back"
  std::string organisation;
  std::filesystem::path file; ///< with CA certificates, for "admit" and "replace CA"
  std::map<std::string, std::uint64_t> limits;
  std::string key; ///< of the motion, for "take back"
};

/// Has the SN vote, and waits until the vote is in a block. What came of it, as the SN says.
result<boost::json::object> cast_vote(session& to, const vote_request& request);

/// The same for a person.
std::string vote_view(const vote_request& request, const boost::json::object& outcome);

} // namespace swarm::inspect
