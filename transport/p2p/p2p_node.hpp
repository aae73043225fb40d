#pragma once

#include "transport/http/http_server.hpp"
#include "transport/io_runtime.hpp"
#include "transport/p2p/p2p_options.hpp"
#include "transport/tls/tls_identity.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace swarm::p2p {

/// Names a connection to a neighbor; a number is never used twice.
using neighbor_id = sync::neighbor_id;

struct neighbor_facts {
  address account;                                                 ///< proved
  hash32 cert_fingerprint;                                         ///< SHA-256 of its certificate
  std::shared_ptr<const transport::certificate_facts> certificate; ///< what it says
  std::shared_ptr<const transport::certificate_facts> anchor; ///< of the organisation that vouches for it
  std::string endpoint; ///< host:port where it says others reach it, empty for none
  std::string remote;   ///< numeric address and port of this connection
  std::string program;
  bool validates = false;        ///< wishes to be a validator; the chain knows whether it is one
  bool dialled = false;          ///< by this node
  std::uint64_t version = 0;     ///< of the protocol, that both speak
  std::uint64_t rules_known = 0; ///< the newest rules of the chain that it knows; 0: it did not say
  head_facts head;               ///< when it connected

  /// Account, certificate and endpoint, as they stand in the log.
  std::string name() const;
};

/// Reading from a neighbor pauses while too many of its credits are held. So a credit must be passed along
/// with its message to where that is really handled.
using credit = std::shared_ptr<void>;

/// Called on the runtime's threads, for one neighbor one after the other: `on_neighbor` first,
/// `on_neighbor_gone` last and exactly once. There is never more than one neighbor of an account. They must
/// be short, and may call the node but not stop it.
struct p2p_callbacks {
  /// Why a certificate cannot be that of a neighbor, in words for its owner; empty words: it can. Without this every
  /// trusted certificate can. `dialled`: by this node.
  std::function<std::string(const transport::peer_info&, bool dialled)> unwanted;
  /// What people call the organisation that vouches for a certificate; by default the subject of its anchor.
  transport::organisation_namer organisation_of;
  /// What was sent to this account before may be lost, so the owner must send again what it needs.
  std::function<void(neighbor_id, const neighbor_facts&)> on_neighbor;
  std::function<void(neighbor_id, const std::string& reason)> on_neighbor_gone;
  std::function<void(neighbor_id, bytes message, credit)> on_consensus;
  /// Transactions that were not heard of lately; they are not verified.
  std::function<void(neighbor_id, std::vector<bytes> raw, credit)> on_txns;
  std::function<void(neighbor_id, const head_facts&)> on_head;
  /// Signs of life of any nodes; they are not verified.
  std::function<void(neighbor_id, std::vector<bytes> raw, credit)> on_signs;
  /// A question for blocks: it must be answered with `answer_blocks`, if need be with none.
  std::function<void(neighbor_id, std::uint64_t request_id, std::uint64_t first, std::uint64_t count,
                     std::size_t bytes_max)>
      on_blocks_wanted;
  /// A question about a snapshot: answer with `answer_part`.
  std::function<void(neighbor_id, std::uint64_t request_id, bytes question, std::size_t bytes_max, credit)>
      on_part_wanted;
  /// The answer to `ask_part`.
  std::function<void(neighbor_id, std::uint64_t tag, bytes answer, credit)> on_part;
  /// The answer to `ask_blocks`; no blocks means that the neighbor does not have block `first`.
  std::function<void(neighbor_id, std::uint64_t first, std::vector<sealed_block>, credit)> on_blocks;
};

struct neighbor_status {
  neighbor_id id = 0;
  neighbor_facts facts;
  head_facts head;
  duration connected_for{};
  std::optional<duration> round_trip; ///< of the last ping
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::size_t queued_bytes = 0;
  std::uint64_t gossip_dropped = 0; ///< gossip of transactions dropped, as it is slow
  double offence_points = 0;
};
struct target_status {
  std::string endpoint;
  bool configured = false;
  std::optional<address> account; ///< the account that answered there
  std::uint64_t failures = 0;     ///< in a row
  std::string last_failure;
};
struct refusal_status {
  address account;
  std::string reason;
  duration remaining{};
};
struct p2p_status {
  std::uint16_t port = 0;
  std::vector<neighbor_status> neighbors;
  std::vector<target_status> targets;
  std::vector<refusal_status> refused;
  std::size_t newcomers = 0;    ///< connections without a hello yet
  std::uint64_t unwanted = 0;   ///< connections refused so far for their certificates
  std::string last_unwanted;    ///< who the last of these was, and why it was refused
  std::uint64_t over_share = 0; ///< connections refused or displaced so far, as their organisation has others
  std::string last_over_share;  ///< who the last of these was
};

/// What the chain knows of SNs.
struct known_sns {
  struct sn {
    address account;
    hash32 certificate;
    std::string endpoint; ///< where it can be dialled; empty: nowhere
  };
  struct owner {
    std::uint64_t organisation = 0; ///< its number
    std::size_t places = 0;         ///< of its SNs, beside its validators
  };
  std::vector<sn> sns;             ///< the registered ones, all of them
  std::map<hash32, owner> anchors; ///< whose they are; without an owner each is an organisation of its own
};

/// Makes the signature of this node's account over a digest. It may be called on any thread.
using signer = std::function<signature(const hash32& digest)>;

/// The connections of this SN to others. All functions may be called from any thread and return at once.
class p2p_node {
public:
  /// Begins to listen and dial at once. Errors are net_errc::in_use, net_errc::address, and
  /// frame_errc::bad_endpoint for an endpoint in the options.
  static result<std::unique_ptr<p2p_node>> start(transport::io_runtime& io,
                                                 std::shared_ptr<const transport::tls_identity> identity,
                                                 address account, signer sign, p2p_options options,
                                                 head_facts head, p2p_callbacks callbacks);
  /// Stops.
  ~p2p_node();
  p2p_node(const p2p_node&) = delete;
  p2p_node& operator=(const p2p_node&) = delete;

  std::uint16_t port() const;
  /// Closes all connections in order. No callback is called after it has returned. It must not be called
  /// from a callback.
  void stop();

  /// Sends to every neighbor that `to` accepts, or to all without it. A neighbor whose queue cannot take it
  /// is disconnected.
  void broadcast_consensus(bytes message, const std::function<bool(const neighbor_facts&)>& to = {});
  /// Returns false when there is no such neighbor.
  bool send_consensus(neighbor_id neighbor, bytes message);
  /// Spreads a transaction that this node accepted, whoever it came from, to all neighbors that do not
  /// know it yet.
  void gossip_txn(bytes raw);
  /// Sets the node's head, and sends it to `neighbor` or to everybody.
  void announce_head(const head_facts& head, std::optional<neighbor_id> neighbor = std::nullopt);
  /// Sets the node's head, and sends it to every neighbor that `to` accepts.
  void announce_head_to(const head_facts& head, const std::function<bool(const neighbor_facts&)>& to);
  /// Sends at most `signs_max` signs of life to every neighbor.
  void send_signs(std::vector<bytes> raw);
  /// Asks for at most `blocks_max` blocks. Returns false when there is no such neighbor or too many questions
  /// to it are open.
  bool ask_blocks(neighbor_id neighbor, std::uint64_t first, std::uint64_t count);
  /// Sends as many of `blocks`, from the first on, as fit.
  void answer_blocks(neighbor_id neighbor, std::uint64_t request_id, std::vector<sealed_block> blocks);
  /// `tag` comes back with the answer. Returns false when there is no such neighbor or too many questions to
  /// it are open.
  bool ask_part(neighbor_id neighbor, std::uint64_t tag, bytes question);
  void answer_part(neighbor_id neighbor, std::uint64_t request_id, bytes answer);
  /// Gives the neighbor points for something that no honest one does. At `offence_points_max` in sum it is
  /// disconnected and refused for a while.
  void penalize(neighbor_id neighbor, std::string_view reason, double points);
  /// Ends the connection, as going away (1001); neither side holds it against the other, so it is dialled
  /// again.
  void disconnect(neighbor_id neighbor, const std::string& reason);
  /// Dials `endpoint` as if it had been in the options.
  result<> dial(const std::string& endpoint);
  /// Who is a validator, and which SNs are registered: for these most places are kept. Registered ones are dialled, too,
  /// until they are no more.
  void set_validators(const std::vector<address>& accounts);
  void set_known(known_sns known);
  p2p_status status() const;
  /// The status of a neighbor, if there is such a one.
  std::optional<neighbor_status> status(neighbor_id neighbor) const;

  struct impl;

private:
  explicit p2p_node(std::shared_ptr<impl> from) : impl_(std::move(from)) {}
  std::shared_ptr<impl> impl_;
};

} // namespace swarm::p2p
