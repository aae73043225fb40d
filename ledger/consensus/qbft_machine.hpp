#pragma once

#include "ledger/consensus/events.hpp"
#include "ledger/consensus/message_park.hpp"
#include "ledger/consensus/signing.hpp"

#include <deque>
#include <map>

namespace swarm::consensus {

/// Deliberate mistakes for the test that shows that the simulator finds them. Only tests name this type; no
/// option of the program leads here.
struct planted_bugs {
  bool quorum_two_f_plus_one = false; ///< votes counted against 2f + 1
  bool lock_on_timeout_only =
      false; ///< the certificate is kept when a timer expires, lost when a round is jumped
  bool count_signatures = false;    ///< a justification counts signatures instead of authors
  bool send_before_persist = false; ///< messages leave before what they depend on is on disk
};

struct machine_options {
  signing_domain domain;
  duration round_timeout_base = std::chrono::seconds(1); ///< of round 0; doubles with each round
  std::uint32_t round_timeout_doublings_max = 6;
  duration resend_interval = std::chrono::seconds(1); ///< between repetitions while a height stays undecided
  park_limits parking;
  planted_bugs planted;
};

/// For status and tests.
struct machine_status {
  std::uint64_t block_num = 0; ///< being agreed
  std::uint64_t round_num = 0;
  bool validator = false;
  bool silent = false; ///< a validator that does not sign, for want of its record
  bool active = false; ///< there is work, or a vote
  bool decided = false;
  address proposer; ///< of this round
  std::size_t quorum = 0;
  std::size_t prepares = 0;      ///< distinct authors in this round
  std::size_t commits = 0;       ///< the same
  std::size_t round_changes = 0; ///< authors in this round or beyond
  std::optional<prepared_claim> prepared;
  std::vector<address> silent_validators; ///< nothing heard of them in this round
  std::size_t parked_messages = 0;
  std::size_t parked_bytes = 0;
};

/// QBFT (EEA QBFT specification; reference: Dafny model 3e2aeee) for one height after the other, without I/O,
/// clock, threads or randomness: the same events give the same actions, byte for byte.
///
/// - Everything that a message depends on is durable before the message leaves: messages wait inside for
///   `persisted`. A restarted node says the same bytes again, and never another digest for the same height,
///   round and kind of vote.
/// - The certificate is kept when the quorum of prepares is complete, whatever happens afterwards.
/// - Every entry into a round beyond 0 sends a round change. A timer leads beyond round r > 0 only when a
/// quorum
///   is known to be in r or beyond: a lonely node waits in round 1 and repeats itself, and nodes are never
///   more than one round apart for long.
/// - Round 0 begins when there is work: `work_available`, or a valid proposal. An idle chain is silent.
/// - With one validator nothing is persisted or sent: its seal leaves with the durable block or not at all.
/// - Deciding is one step: from then on the height ignores everything until `head_changed`.
class qbft_machine {
public:
  qbft_machine(machine_options options, signature_scheme scheme);

  std::vector<action> step(event what);
  machine_status status() const;

  /// What the store must write in one batch with block `block_num` when it came by synchronisation
  /// (`commit_block` brings its own). Empty when this node may not claim to remember.
  std::vector<record_entry> records_with_block(std::uint64_t block_num) const;

private:
  /// One proposal that was accepted, and the votes for it.
  struct ballot {
    enum class verdict : std::uint8_t { pending, good, bad };
    proposed_block block;
    signature65 signature; ///< the proposer's
    verdict validity = verdict::pending;
    bool prepared = false;
    std::map<address, signed_prepare> prepares;
    std::map<address, signature65> seals;
  };
  /// What an author says of the round it is in.
  struct round_change_vote {
    signed_round_change vote;
    std::optional<certificate> proof;
  };
  /// A message of this node, kept to be repeated.
  struct own_message {
    std::uint64_t round_num = 0;
    hash32 digest;
    shared_bytes raw;
    std::uint64_t token = 0; ///< durable from here on
  };
  struct held_message {
    std::uint64_t token = 0;
    shared_bytes raw;
  };
  struct laggard {
    std::uint64_t answered = 0; ///< blocks sent since the head changed
    bool sync_hinted = false;
  };
  enum class memory : std::uint8_t { whole, lost };

  // qbft_machine.cpp: events
  void on(start&& what);
  void on(message&& what);
  void on(peer_connected what);
  void on(peer_gone what);
  void on(timer_fired what);
  void on(work_available);
  void on(block_built&& what);
  void on(block_validated what);
  void on(persisted what);
  void on(head_changed&& what);
};

} // namespace swarm::consensus
