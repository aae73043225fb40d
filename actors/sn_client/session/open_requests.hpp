#pragma once

#include "actors/sn_client/session/json_rpc.hpp"
#include "base/clock.hpp"
#include "ledger/proof/witness.hpp"

#include <map>
#include <optional>
#include <variant>

namespace swarm::session {

/// What an SN was asked for.
namespace question {
struct introduction {}; ///< which chain, how far, who it is, and does it know this node
struct validator_changes {};
struct others_to_compare {};
struct same_network {};
struct freshness {}; ///< the head, and what the validators say of theirs
struct receipt {
  std::uint64_t nonce = 0;
};
struct receipt_proof {
  std::uint64_t nonce = 0;
  call_receipt told;
  bool again = false; ///< asked when the validators who sealed its block were not known
};
struct account_count {};
struct standing {}; ///< is this node a member
struct contract {
  std::uint64_t version = 0; ///< of what is followed
};
struct subscription {
  std::uint64_t version = 0;
};
struct other_sns {};
struct sign_of_life {
  std::uint64_t before = 0; ///< the last serial before its own that this process knew
};
struct lie_report {};
struct unsubscription {};
struct own_ask {
  std::uint64_t key = 0; ///< in own_asks
};
} // namespace question
using any_question =
    std::variant<question::introduction, question::validator_changes, question::others_to_compare,
                 question::same_network, question::freshness, question::receipt, question::receipt_proof,
                 question::account_count, question::standing, question::contract, question::subscription,
                 question::other_sns, question::sign_of_life, question::lie_report, question::unsubscription,
                 question::own_ask>;

/// The batches of one connection that are not answered yet. Answers come in any order; what was not asked, or
/// is answered already, is passed over.
class open_requests {
public:
  struct answered {
    any_question what;
    std::vector<boost::json::value> responses; ///< objects, one for each call
    std::vector<rpc_call> calls;               ///< as given to `add`
    ledger::known_witness_ptr has;
  };

  /// The batch has the ids `first_id` to `first_id + count - 1`, above all before; `count` is not 0.
  /// `calls`, `has`: whatever they are to be checked against.
  void add(std::uint64_t first_id, std::size_t count, any_question what, time_point now,
           std::vector<rpc_call> calls = {}, ledger::known_witness_ptr has = nullptr);
  /// The batch that this response was the last one of.
  std::optional<answered> take(boost::json::value response);
  /// Since when the SN owes an answer.
  std::optional<time_point> oldest() const;
  std::size_t size() const { return batches_.size(); }

private:
  struct batch {
    std::uint64_t first_id = 0;
    any_question what;
    time_point asked_at;
    std::vector<boost::json::value> responses; ///< null until it is here
    std::size_t missing = 0;
    std::vector<rpc_call> calls;
    ledger::known_witness_ptr has;
  };
  std::map<std::uint64_t, batch> batches_; ///< by last id
};

} // namespace swarm::session
