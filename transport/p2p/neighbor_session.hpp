#pragma once

#include "transport/p2p/conduct.hpp"
#include "transport/p2p/send_queue.hpp"
#include "transport/p2p/txn_relay.hpp"

#include <map>
#include <utility>
#include <variant>

/// One connection to a neighbor, without socket, clock or threads: the shell feeds frames and time, carries
/// out the actions in their order and takes frames to send whenever the socket has room for them.
namespace swarm::p2p {

namespace action {
/// A hello came that proves its account, which may be this node's own. The shell decides and calls `admit` or
/// `close` before the next frame.
struct greeted {
  hello from;
};
struct deliver_consensus {
  bytes message;
};
struct deliver_signs {
  std::vector<bytes> raw;
};
struct deliver_head {
  head_facts now;
};
/// Transactions, and in the same order their hashes.
struct deliver_txns {
  std::vector<bytes> raw;
  std::vector<hash32> hashes;
};
/// The neighbor can give these: ask with `ask_txns`.
struct txns_heard {
  std::vector<hash32> hashes;
};
/// Answer with `answer_txns`.
struct txns_wanted {
  std::uint64_t id = 0;
  std::vector<hash32> hashes;
};
/// The neighbor was asked for these and does not give them.
struct txns_missed {
  std::vector<hash32> hashes;
};
/// Answer with `answer_blocks`.
struct blocks_wanted {
  std::uint64_t id = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::size_t bytes_max = 0;
};
struct deliver_blocks {
  std::uint64_t first = 0;
  std::vector<sealed_block> blocks;
};
/// Answer with `answer_part`.
struct part_wanted {
  std::uint64_t id = 0;
  bytes question;
  std::size_t bytes_max = 0;
};
/// The answer to `ask_part`.
struct deliver_part {
  std::uint64_t tag = 0;
  bytes answer;
};
/// Answer with `answer_neighbors`.
struct neighbors_wanted {};
struct neighbors_heard {
  std::vector<peer_entry> neighbors;
};
/// For the log.
struct offence {
  std::string reason;
  double points = 0;
  double sum = 0;
};
/// The last action: the session is over. `refuse` says that the neighbor misbehaved and must not be accepted
/// for a while.
struct close {
  std::string reason; ///< fits into a close frame; for the logs of both ends
  bool refuse = false;
};
} // namespace action
using session_action =
    std::variant<action::greeted, action::deliver_consensus, action::deliver_head, action::deliver_signs,
                 action::deliver_txns, action::txns_heard, action::txns_wanted, action::txns_missed,
                 action::blocks_wanted, action::deliver_blocks, action::part_wanted, action::deliver_part,
                 action::neighbors_wanted, action::neighbors_heard, action::offence, action::close>;

struct session_counters {
  std::uint64_t frames_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_out = 0;
};

class neighbor_session {
public:
  /// Says `own` at once, and takes an answer in the same version only. It must be signed. The certificates are those of
  /// this connection.
  neighbor_session(const session_options& options, hello own, const hash32& own_certificate,
                   const hash32& peer_certificate, time_point now);
  /// Waits for the other's hello and answers with the one of `own` that has the same version. There is at least one, the
  /// versions rise by one, and all are signed.
  neighbor_session(const session_options& options, std::vector<hello> own, const hash32& own_certificate,
                   const hash32& peer_certificate, time_point now);

  // Events
  /// A message came. `decoded` is what `decode` made of its `size` bytes, or an error if it is no
  /// binary message.
  void on_frame(result<frame> decoded, std::size_t size, time_point now);
  /// `listening` says that the shell reads from the neighbor; otherwise the neighbor's silence means nothing.
  void tick(time_point now, bool listening);
  /// The answer to `greeted`. `points` are for offences of the neighbor's earlier sessions.
  void admit(double points, time_point now);
  /// Pings at once, so that a dead connection is noticed soon.
  void probe(time_point now);
  /// Ends the session because the shell decided so; the `close` action follows.
  void close(std::string reason, bool refuse = false);
  void penalize(std::string_view reason, double points, time_point now);

  // What to send; all do nothing unless the session is open
  void send_consensus(shared_bytes encoded);
  void send_head(const head_facts& now);
  /// Sends a frame of signs, which is dropped when too much waits.
  void send_signs(shared_bytes encoded);
  /// `starts_here` says that the transaction came from no neighbor, so nobody else spreads it.
  void gossip(const hash32& hash, const shared_bytes& raw, bool starts_here, time_point now);
  /// Returns the hashes that cannot be asked for now, because too many questions are open.
  std::vector<hash32> ask_txns(std::span<const hash32> hashes, time_point now);
  void answer_txns(std::uint64_t id, std::vector<bytes> raw);
  /// Returns false when the session is not open or too many questions are.
  bool ask_blocks(std::uint64_t first, std::uint64_t count, time_point now);
  void answer_blocks(std::uint64_t id, std::vector<sealed_block> blocks);
  /// `tag` comes back with the answer. Returns false when the session is not open or too many questions are.
  bool ask_part(std::uint64_t tag, bytes question, time_point now);
  void answer_part(std::uint64_t id, bytes answer);
  void answer_neighbors(std::vector<peer_entry> neighbors);

  std::vector<session_action> take_actions() { return std::exchange(actions_, {}); }
  /// See `send_queue::take`.
  shared_bytes next_to_send(std::size_t in_flight);
  bool waiting_to_send() const { return phase_ != phase::over && (greeting_ || queue_.waiting()); }

  bool open() const { return phase_ == phase::open; }
  bool over() const { return phase_ == phase::over; }
  const head_facts& neighbor_head() const { return neighbor_head_; }
  double points(time_point now) const { return score_.points(now); }
  std::optional<duration> round_trip() const { return round_trip_; }
  const session_counters& counters() const { return counters_; }
  const send_queue& queue() const { return queue_; }

private:
  enum class phase { greeting, greeted, open, over };
  struct asked_blocks {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    time_point since;
  };
  struct asked_txns {
    std::vector<hash32> hashes;
    time_point since;
  };
  struct asked_part {
    std::uint64_t tag = 0;
    time_point since;
  };
  struct served_blocks {
    std::uint64_t id = 0;
    std::size_t bytes_max = 0;
    time_point since;
  };
  struct sent_ping {
    std::uint64_t nonce = 0;
    time_point sent;
  };

  bool allow(frame_kind kind, double units, time_point now);
  void offend(const std::string& reason, double points, time_point now);
  void send_control(const frame& what);
  void ask_neighbors(time_point now);
  void forget_old_questions(time_point now);
  void watch_silence(time_point now, bool listening);
  result<> check(const hello& from) const;
  /// Why a hello of that version is none for this node, as text for both ends.
  std::string not_spoken(std::string_view version) const;
  /// Own hello of that version, or null.
  const hello* own_of(std::uint64_t version) const;

  void on(hello from, time_point now);
  void on(head from, time_point now);
  void on(ping from, time_point now);
  void on(pong from, time_point now);
  void on(consensus from, time_point now);
  void on(txns from, time_point now);
  void on(txn_hashes from, time_point now);
  void on(get_txns from, time_point now);
  void on(got_txns from, time_point now);
  void on(get_blocks from, time_point now);
  void on(got_blocks from, time_point now);
  void on(get_part from, time_point now);
  void on(got_part from, time_point now);
  void on(get_neighbors from, time_point now);
  void on(got_neighbors from, time_point now);
  void on(signs from, time_point now);

  session_options options_;
  std::vector<hello> own_; ///< by version
  hash32 own_certificate_;
  hash32 peer_certificate_;
  phase phase_ = phase::greeting;
  time_point started_;
  time_point last_heard_;
  std::vector<token_bucket> buckets_;
  offence_score score_;
  shared_bytes greeting_; ///< the hello, until it is sent
  bool greeted_ = false;  ///< whether it has been made
  send_queue queue_;
  recent_hashes known_txns_; ///< transactions that the neighbor said it has
  recent_hashes told_txns_;  ///< transactions of which the neighbor was told, or will be
  head_facts neighbor_head_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, asked_blocks> asked_blocks_;
  std::map<std::uint64_t, asked_txns> asked_txns_;
  std::size_t hashes_asked_ = 0;
  std::vector<served_blocks> served_blocks_;
  std::map<std::uint64_t, asked_part> asked_parts_;
  std::map<std::uint64_t, time_point> served_parts_;
  std::optional<sent_ping> ping_;
  time_point next_ping_;
  std::optional<duration> round_trip_;
  bool neighbors_asked_ = false;
  time_point next_ask_neighbors_;
  session_counters counters_;
  std::vector<session_action> actions_;
};

} // namespace swarm::p2p
