#pragma once

#include "actors/sn_client/session/json_rpc.hpp"

namespace swarm::swci {

/// The network of one context, as commands see it. Calls block; they fail with errc::cancelled when the command is
/// cancelled, with errc::unavailable when no SN answers in time.
class network {
public:
  virtual ~network() = default;

  /// The responses to a batch of questions, one for each.
  virtual result<std::vector<boost::json::value>> ask(std::vector<session::rpc_call> calls) = 0;
  /// Has a contract called by a transaction, and waits until that is final. A revert is an error with its text.
  virtual result<> submit(const address& to, bytes input, std::string what) = 0;
  /// This SWCI's account in it.
  virtual address account() const = 0;
  /// Why no SN can be asked now; empty when one can.
  virtual std::string trouble() const = 0;
};

} // namespace swarm::swci
