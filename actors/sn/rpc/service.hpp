#pragma once

#include "actors/sn/rpc/filters.hpp"
#include "actors/sn/rpc/lie_reports.hpp"
#include "actors/sn/rpc/liveness.hpp"
#include "actors/sn/rpc/responder.hpp"
#include "actors/sn/rpc/seat_watch.hpp"
#include "actors/sn/rpc/turns.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain_window.hpp"

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <variant>

namespace swarm::rpc {

struct service_limits {
  rate_limits rate;
  filter_table::limits filters;
  std::size_t response_bytes_max = 32 * 1024 * 1024; ///< of one request or one batch
};

/// The events of a service.
namespace event {
/// One request or a batch.
struct text {
  std::string body;
  caller from;
};
/// Answers action::submit: the transaction's hash when the pool took it in, or the reason why not.
struct submitted {
  std::uint64_t token = 0;
  result<hash32> outcome;
};
/// A block is final, and the chain's window shows it.
struct block_final {
  ledger::block_ptr block;
};
/// A WebSocket has ended, and its subscriptions with it.
struct session_gone {
  std::uint64_t session = 0;
};
/// To come about once a second: ends waits that have lasted too long.
struct tick {};
} // namespace event

/// What a service asks of its shell.
namespace action {
/// Hand the transaction to the chain's pool, and answer with event::submitted before any event::block_final
/// that contains it. Its sender is known, if it has one. With `wait` no answer is needed when it is in the
/// pool, new or not, as the caller waits for its receipt.
struct submit {
  std::uint64_t token = 0;
  ledger::transaction txn;
  bool wait = false;

  bool must_answer(const result<hash32>& outcome) const {
    return !wait || !(outcome || outcome.error().is(ledger::pool_errc::already_known));
  }
};
/// Hand these requests to a reader.
struct read {
  text_part part;
};
/// Send other SNs a sign of life that is new here.
struct tell_sign {
  bytes raw;
};
} // namespace action
using service_action = std::variant<action::submit, action::read, action::tell_sign>;

/// Ethereum's JSON-RPC over one chain, plus swarm_* methods. It takes texts apart, hands requests that only
/// read to a reader (reader.hpp), and answers the rest itself: transactions, receipts that are waited for,
/// subscriptions, who is alive. It has no sockets: texts go in and out. An answer that must wait for a block
/// comes with the block or with a tick.
///
/// Blocks are final when they are seen: latest, safe, finalized and pending are one block, no log is ever
/// removed, and a filter is a place in the chain. Every client, known by its certificate, has a bounded rate
/// of work, number of filters and size of answers; all those of one organisation together have half of what there is.
///
/// Beyond the execution API: eth_sendRawTransactionSync (EIP-7966) answers with the receipt and may be
/// repeated with the same transaction; the reason history_incomplete in an error means that the transaction
/// may be final already. Receipts carry Besu's `revertReason`; swarm_heartbeat(sign of life) answers with
/// the last serial known before; swarm_validatorSigns() shows those of the validators; swarm_silentNodes(),
/// swarm_nodes(), swarm_apiEndpoints() (JSON-RPC servers of SNs that are alive), swarm_genesis() (what an
/// SN needs to join: parameters, hash, endpoints); swarm_reportLie(certificate, about) takes what a member says of
/// another SN.
class service final : public responder {
public:
  static constexpr std::size_t batch_max = 256;
  static constexpr std::size_t submissions_max = 16384;  ///< transactions that the chain has not answered yet
  static constexpr std::size_t subscriptions_max = 4096; ///< of all sessions
  static constexpr std::size_t organisation_subscriptions_max = subscriptions_max / 2;
  static constexpr std::size_t client_subscriptions_max = 256;
  static constexpr std::size_t session_subscriptions_max = 64;
  /// The most addresses and topics of a subscription: every log of every block is compared with them.
  static constexpr std::size_t subscription_alternatives_max = 64;
  static constexpr std::size_t waiting_max = 16384; ///< callers waiting for a receipt
  static constexpr std::size_t organisation_waiting_max = waiting_max / 2;
  static constexpr std::size_t client_waiting_max = 4096;
  static constexpr std::size_t gone_max = 4096; ///< former members that are remembered
  static constexpr duration receipt_wait = std::chrono::seconds(20);

  /// `own`: the account of this SN.
  service(std::shared_ptr<const ledger::chain_window> chain, time_point now,
          const service_limits& limits = {}, const address& own = {});

  /// Takes a text. It is handled at once as far as a slice and earlier texts allow, the rest in `go_on`.
  /// Clients take turns.
  void step(event::text what, time_point now);
  void step(const event::submitted& what, time_point now);
  /// Answers those who wait, and notifies those who subscribed.
  void step(const event::block_final& what, time_point now);
  void step(const event::session_gone& what, time_point now);
  void step(event::tick what, time_point now);
  /// What is to be done since the last call, in order.
  std::vector<service_action> take_actions() { return std::exchange(actions_, {}); }

  struct sign_taken {
    bool news = false;             ///< other SNs should be told
    std::uint64_t last_serial = 0; ///< the last one known of its account before
  };
  /// Takes a sign of life (ledger::sign_of_life) from a client, another SN or this one. Fails for one that
  /// nobody honest sends.
  result<sign_taken> take_sign(bytes_view raw, time_point now);
  /// All nodes of the registry at the head, with the time since their last sign of life.
  result<boost::json::array> nodes_json(time_point now);
  /// The same of those that are members and have a place in the network, this SN and SWCIs left out; SNs first, and no more
  /// than `most`.
  struct silence {
    contracts::node_type type;
    std::string name;
    duration lasts;
  };
  std::vector<silence> silences(time_point now, std::size_t most);

  /// What this SN should say on the chain about seats of nodes that are silent, or of whom that is said.
  std::vector<seat_watch::call> seat_calls(duration lease, std::uint64_t unix_s, time_point now);

  /// What members say of SNs that lied to them.
  lie_reports& lies() { return lies_; }
  const lie_reports& lies() const { return lies_; }

  /// Whether this or a `reader` has the method.
  static bool knows(std::string_view method);

  std::size_t subscriptions() const { return subscriptions_.size(); }
  std::size_t waiting_for_receipts() const { return waiting_.size(); }

private:
  using handler = method_result (service::*)(const params&, const caller&);
  struct subscription {
    std::uint64_t session;
    party of;
    bool heads = false; ///< newHeads, else logs
    ledger::log_filter filter;
    std::function<void(std::string)> send;
  };
  /// The reading requests of a batch that also sends transactions. They wait until the chain has answered the
  /// transactions, so that a client that asks for its next nonce in the same batch is not told one that it
  /// has just used.
  struct held_reads {
    text_part part;
    std::size_t open = 1; ///< unanswered transactions, plus one while the batch is being handled
  };
  /// A text whose turn has not come, or what is left of one.
  struct waiting_text {
    event::text fresh;
    std::optional<text_part> rest;
    std::shared_ptr<held_reads> held; ///< of the rest
  };
  /// A transaction that the chain was given and has not answered yet.
  struct submission {
    hash32 txn;
    reply done; ///< unless a receipt is waited for
    std::shared_ptr<held_reads> then;
  };
  /// Somebody who waits for the receipt of a transaction.
  struct waiter {
    hash32 txn;
    time_point until;
    reply done;
  };
  using waiter_map = std::map<std::uint64_t, waiter>;

  static const std::map<std::string_view, handler>& methods();
  bool waiting() const override { return !queue_.empty(); }
  std::optional<text_part> next() override;
  void set_aside(text_part rest) override;
  bool charge_turn(const party& of, std::uint64_t units) override {
    queue_.charge(of, units);
    return queue_.others_wait(of.organisation);
  }
  void run(std::string_view method, const params& given, const reply& to) override;
  void text_ended() override { release(std::exchange(held_, nullptr)); }
  void release(const std::shared_ptr<held_reads>& reads);
  void look_at_head() { view_ = chain_->view(); }

  // Transactions and those who wait for them
  void send_raw(const params& given, const reply& to);
  void send_sync(const params& given, const reply& to);
  void submit(bytes_view raw, std::optional<time_point> until, const reply& to);
  method_result receipt_or_trouble(const hash32& txn, const error& why) const;
  /// Takes the waiters for which `ended` is true out of `waiting_`.
  template <class Ended>
  std::vector<waiter> take_waiting(Ended ended);
  void stop_waiting(const caller& who);
  void wake(const ledger::executed_block& block);
  void wake_skipped();
  void notify(const ledger::executed_block& block);

  method_result client_version(const params&, const caller&);
  method_result net_version(const params&, const caller&);
  method_result net_listening(const params&, const caller&);
  method_result chain_id(const params&, const caller&);
  method_result block_number(const params&, const caller&);
  method_result syncing(const params&, const caller&);
  method_result accounts(const params&, const caller&);
  method_result coinbase(const params&, const caller&);
  method_result zero_price(const params&, const caller&);
  method_result subscribe(const params&, const caller&);
  method_result unsubscribe(const params&, const caller&);
  // swarm_*
  method_result heartbeat(const params&, const caller&);
  method_result silent_nodes(const params&, const caller&);
  method_result validator_signs(const params&, const caller&);
  method_result genesis(const params&, const caller&);
  method_result api_endpoints(const params&, const caller&);
  method_result nodes(const params&, const caller&);
  method_result report_lie(const params&, const caller&);
  std::string organisation_name(contracts::organisation_id id) const;
  result<const std::vector<contracts::node_view>*> registry();
  void note_gone(const std::vector<contracts::node_view>& before);

  std::shared_ptr<const ledger::chain_window> chain_;
  std::shared_ptr<const ledger::chain_view> view_; ///< for the event or request that is being handled
  text_answers::limits limits_;
  address own_;
  liveness liveness_;
  seat_watch seats_;
  std::uint64_t last_block_; ///< the last block that was reported
  turns<waiting_text> queue_;
  std::shared_ptr<held_reads> held_; ///< of the text that is being handled, if it has any
  std::vector<service_action> actions_;
  std::uint64_t next_token_ = 1;
  std::unordered_map<std::uint64_t, submission> submissions_;
  waiter_map waiting_;                                 ///< by token
  std::unordered_map<hash32, std::size_t> waiting_by_; ///< how many each client has
  std::unordered_map<hash32, std::size_t> waiting_by_organisation_;
  std::map<std::string, subscription> subscriptions_; ///< by id
  std::uint64_t next_subscription_ = 1;
  lie_reports lies_;
  std::vector<contracts::node_view> nodes_;
  std::uint64_t nodes_good_until_ = 0; ///< block time in which none of their memberships has expired
  std::unordered_set<address> gone_; ///< nodes other than SNs that ceased to be members since this SN started
  std::optional<hash32> nodes_root_; ///< storage root of the registry that `nodes_` was read at
};

} // namespace swarm::rpc
