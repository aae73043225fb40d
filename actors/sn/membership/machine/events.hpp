#pragma once

#include "actors/sn/membership/machine/votes.hpp"
#include "base/result.hpp"
#include "transport/identity/registration_claim.hpp"

#include <map>
#include <string>
#include <variant>

/// What goes into the membership machine and what comes out. Each action says which event answers it.
namespace swarm::membership {

/// Whose a trust anchor is.
struct anchor_owner {
  std::uint16_t organisation = 0; ///< its id
  std::uint32_t p2p_places = 0;   ///< of its SNs, beside its validators
  bool operator==(const anchor_owner&) const = default;
};

/// What the chain says about its members, at its head.
struct chain_facts {
  std::uint64_t block_num = 0;
  bool pending = false;                     ///< a transaction of this node waits for a block
  std::optional<contracts::node_view> self; ///< this node in the registry; none: it never registered
  std::uint64_t removed = 0;     ///< block in which a node with `self`'s certificate was removed by vote
  contracts::pending_view waits; ///< what this node has registered and waits for vouches
  hash32 identity;               ///< of this node's certificate, as it is now
  std::uint64_t expiry = 0;      ///< likewise, in seconds since 1970
  std::uint64_t unix_now = 0;
  contracts::organisation_id organisation{}; ///< that the certificate's anchor belongs to
  transport::registration_chain chain;
  std::vector<address> validators;           ///< of the next block, sorted
  std::vector<address> members;              ///< validators and those who wait to be one
  std::vector<contracts::node_view> nodes;   ///< the SNs of the registry, in the order of registration
  std::vector<contracts::seat_power> powers; ///< organisations that could stop or fork the chain alone
  std::set<address> voted_on;                ///< members and connected SNs that this node's vote is open on
  std::set<address> barred;                  ///< connected SNs that lost their seats for ever
  std::set<address> homeless;                ///< members whose organisation was removed by votes
  std::vector<std::string> trainings_wanted; ///< those of `read_facts` that are not on the chain
  std::map<hash32, anchor_owner> anchors;    ///< of the organisations
};

/// What an SN of the network says to a newcomer.
struct network_entry {
  bytes genesis;                          ///< the parameters, encoded (ledger::encode_genesis)
  hash32 genesis_hash;                    ///< as the SN says
  hash32 own_genesis_hash;                ///< as this swarmd makes it of the parameters
  std::vector<std::string> p2p_endpoints; ///< where the SNs listen for each other
  std::string
      confirmed_by; ///< an SN of another organisation that shows the same network; empty: none was found
  std::string contradicted_by; ///< one that shows another network; empty: none did
};

/// What a transaction of this node is for.
enum class purpose { registration, training, vote, leave, evidence };

// Events

/// The first one.
struct start {};
/// Answers `set_timer`.
struct timer_fired {};
/// Answers `read_facts`.
struct facts_read {
  std::uint64_t serial = 0;
  result<chain_facts> facts;
};
/// Answers `read_facts` while there is no chain.
struct no_chain {};
/// Which SNs are connected, all of them.
struct neighbors_seen {
  std::vector<connected_node> nodes;
};
/// Answers `ask_sentinel`.
struct entry_found {
  result<network_entry> entry;
};
/// Consensus has seen a validator sign two different things for one place.
struct double_vote_seen {
  address author;
  bytes proof; ///< ledger/formats/double_vote.hpp
};
/// Answers `submit`: the pool has taken the transaction, or why not.
struct submitted {
  purpose what{};
  result<> outcome;
};
/// The operator wants this SN out of the network for good. Answered with `answer_leave`. To be repeated until
/// that says that it has left.
struct leave_wanted {};

// Actions

namespace action {
/// There is one timer; this replaces it.
struct set_timer {
  duration after{};
};
struct read_facts {
  std::uint64_t serial = 0;
  std::vector<address> connected;
  std::vector<std::string> trainings;
};
/// Make a transaction of this node that calls `to` with `input`. `try_first`: only if it would succeed at the
/// head; otherwise the outcome is `errc::denied` with the contract's reason.
struct submit {
  purpose what{};
  address to;
  bytes input;
  bool try_first = false;
};
/// Ask the SN that the operator named for the network's entry.
struct ask_sentinel {};
/// Make a chain from these parameters. Not answered: it is there, or the process ends.
struct open_chain {
  bytes genesis;
};
/// Other SNs may listen there.
struct dial {
  struct registered_sn {
    address account;
    hash32 certificate;
    std::string endpoint;
  };
  struct chain_knows {
    std::vector<registered_sn> sns; ///< all of them
    std::map<hash32, anchor_owner> anchors;
  };
  std::vector<std::string> endpoints;
  std::optional<chain_knows> known; ///< none: the chain was not asked
};
/// A line in the operator's log.
struct say {
  std::string text;
  bool warning = false;
};
/// To everybody who has asked since the last answer.
struct answer_leave {
  struct progress {
    bool left = false;
    std::uint64_t block_num = 0; ///< in which it left; before that, the head
  };
  result<progress> outcome;
};
/// This SN can never be part of that network: end the process with this message.
struct give_up {
  std::string why;
};
} // namespace action

using membership_action =
    std::variant<action::set_timer, action::read_facts, action::submit, action::ask_sentinel,
                 action::open_chain, action::dial, action::say, action::answer_leave, action::give_up>;

} // namespace swarm::membership
