#pragma once

#include "actors/sn_client/session/events.hpp"
#include "contracts/registry/client.hpp"

/// Whether the certificate that an SN presents is one that an SN of the network has registered.
namespace swarm::session {

/// What is to be read about an SN that names this account as its own and has presented this certificate;
/// `sn_record::read` takes the answers.
std::vector<rpc_call> questions_about_sn(const address& sn, const event::presented& certificate);

/// What the chain says of an SN.
struct sn_record {
  /// The chain has some, as far as anything about this SN shows it; on one without them any certificate will do.
  bool organisations = false;
  contracts::node_view node;
  contracts::pending_view waits;

  /// From the last responses of a batch, which ended with `questions_about_sn`.
  static result<sn_record> read(const std::vector<boost::json::value>& from);

  /// Why it is no SN of this network, in words; empty: it is one.
  std::string trouble() const;
  /// The same, and why this certificate is not its own. One that it has registered, and that waits for vouches, is:
  /// only the SN itself could register it.
  std::string trouble_with(const event::presented& certificate) const;
};

} // namespace swarm::session
