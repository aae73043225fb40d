#pragma once

#include "actors/sn/rpc/filters.hpp"
#include "actors/sn/rpc/liveness.hpp"
#include "actors/sn/rpc/params.hpp"
#include "actors/sn/rpc/rate_limit.hpp"
#include "actors/sn/rpc/turns.hpp"
#include "base/hash.hpp"
#include "contracts/registry/client.hpp"
#include "transport/http/http.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace swarm::rpc {

/// Who asks. `session` is 0 for a plain request; a WebSocket's number lets it subscribe.
struct caller {
  transport::peer_info peer;
  std::uint64_t session = 0;
  std::function<void(std::string)> send; ///< answers and, for a session, notifications; any thread
};

struct service_limits {
  rate_limits rate;
  filter_table::limits filters;
  std::size_t response_bytes_max = 32 * 1024 * 1024; ///< of one request or one batch
};

/// Ethereum's JSON-RPC over one chain, plus swarm_* methods. Belongs to the thread that owns the chain. No
/// sockets: text in, text out; an answer that has to wait for a block comes when `on_block` or `on_time`
/// brings it.
///
/// Blocks are final when they are seen: latest, safe, finalized and pending are one block, no log is ever
/// removed, and a filter is a place in the chain. Every client, known by its certificate, has a bounded rate
/// of work, number of filters and size of answers.
///
/// Beyond the execution API: eth_sendRawTransactionSync (EIP-7966) answers with the receipt and may be
/// repeated with the same transaction; the reason history_incomplete in an error means that the transaction may
/// be final already. Receipts carry Besu's `revertReason`; swarm_heartbeat(sign of life)
/// answers with the last serial known; swarm_silentNodes(), swarm_nodes(), swarm_apiEndpoints() (JSON-RPC
/// servers of SNs that are alive), swarm_genesis() (what an SN needs to join: parameters, hash, endpoints).
class service {
public:
  static constexpr std::size_t batch_max = 256;
  static constexpr std::uint64_t slice_units = 1'000;    ///< of work, about 20 ms; see `go_on`
  static constexpr std::size_t subscriptions_max = 4096; ///< of all sessions
  static constexpr std::size_t client_subscriptions_max = 256;
  static constexpr std::size_t session_subscriptions_max = 64;
  /// Addresses and topics that a subscription looks for: every log of every block is compared with them.
  static constexpr std::size_t subscription_alternatives_max = 64;
  static constexpr std::size_t waiting_max = 16384; ///< callers waiting for a receipt
  static constexpr std::size_t client_waiting_max = 4096;
  static constexpr duration receipt_wait = std::chrono::seconds(20);
  static constexpr std::size_t proof_slots_max = 256;
  static constexpr std::uint64_t fee_history_max = 1024;
  static constexpr std::size_t reward_percentiles_max = 100;

  service(ledger::chain& chain, time_point now, service_limits limits = {})
      : chain_(chain), limits_(limits), limiter_(limits.rate), filters_(limits.filters),
        last_block_(chain.head()->header.block_num), now_(now) {}

  /// One request or a batch. Done at once as far as `slice_units` and those who came before allow, the rest
  /// in `go_on`: the chain has more important things to do between.
  void handle(std::string body, caller from, time_point now);
  /// To be called while `busy`: does the next slice of work, of which one request may be more.
  /// Clients take turns.
  void go_on(time_point now);
  bool busy() const { return under_way_ || !queue_.empty(); }
  /// A block was committed: wakes those who wait, tells those who subscribed.
  void on_block(const ledger::block_ptr& block);
  /// Ends waits that have lasted too long, forgets filters that nobody asks for.
  void on_time(time_point now);
  void session_gone(std::uint64_t session);
  struct sign_taken {
    bool news = false;             ///< others should hear it
    std::uint64_t last_serial = 0; ///< of its account
  };
  /// A sign of life (ledger::sign_of_life), from a client, another SN or this one. An error: nobody honest
  /// sends this.
  result<sign_taken> take_sign(bytes_view raw, time_point now);
  /// Called with the signs of life that clients bring and that are news.
  void on_news(std::function<void(bytes)> call) { on_news_ = std::move(call); }

  std::size_t subscriptions() const { return subscriptions_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t filters() const { return filters_.size(); }
  /// All nodes of the registry at the head, with the time since their last sign of life.
  result<boost::json::array> nodes_json(time_point now);

private:
  using answer = std::function<void(method_result)>;
  using handler = method_result (service::*)(const params&, const caller&);
  struct subscription {
    std::uint64_t session;
    hash32 client;
    bool heads = false; ///< newHeads, else logs
    ledger::log_filter filter;
    std::function<void(std::string)> send;
  };
  struct waiter {
    hash32 txn;
    hash32 client;
    time_point until;
    answer done;
  };

  static const std::map<std::string_view, handler>& methods();
  struct room; ///< left for the answers to one text
  struct waiting_text {
    std::string body;
    caller from;
  };
  /// The text whose requests are being answered.
  struct parsed_text {
    boost::json::value requests; ///< one, or an array of them
    std::size_t next = 0;        ///< in the array
    caller from;
    std::shared_ptr<room> left;
    std::function<void(std::size_t, std::string)> take; ///< answers, by their place
  };
  void begin(waiting_text next);
  void answer_next();
  void charge(const hash32& client, std::uint64_t units);
  void dispatch(const boost::json::value& request, const caller& from, const std::shared_ptr<room>& left,
                std::function<void(std::string)> done);
  void run(std::string_view method, const params& given, const caller& from, answer reply);
  /// An error while the client has used up its rate.
  result<> admit(const hash32& client);
  void send_sync(const params& given, const caller& from, answer done);
  void stop_waiting(const waiter& one);
  void wake(const ledger::executed_block& block);
  void wake_skipped();
  void notify(const ledger::executed_block& block);

  // eth_*, net_*, web3_*
  method_result client_version(const params&, const caller&);
  method_result net_version(const params&, const caller&);
  method_result net_listening(const params&, const caller&);
  method_result sha3(const params&, const caller&);
  method_result chain_id(const params&, const caller&);
  method_result block_number(const params&, const caller&);
  method_result syncing(const params&, const caller&);
  method_result accounts(const params&, const caller&);
  method_result zero_price(const params&, const caller&);
  method_result fee_history(const params&, const caller&);
  method_result block_by_number(const params&, const caller&);
  method_result block_by_hash(const params&, const caller&);
  method_result block_receipts(const params&, const caller&);
  method_result block_txn_count_by_number(const params&, const caller&);
  method_result block_txn_count_by_hash(const params&, const caller&);
  method_result uncle_count_by_number(const params&, const caller&);
  method_result uncle_count_by_hash(const params&, const caller&);
  method_result txn_by_block_number(const params&, const caller&);
  method_result txn_by_block_hash(const params&, const caller&);
  method_result unknown_txn(const hash32& hash) const;
  method_result txn_by_hash(const params&, const caller&);
  method_result txn_receipt(const params&, const caller&);
  method_result txn_count(const params&, const caller&);
  method_result balance(const params&, const caller&);
  method_result code(const params&, const caller&);
  method_result storage_at(const params&, const caller&);
  method_result proof(const params&, const caller&);
  method_result call(const params&, const caller&);
  method_result estimate_gas(const params&, const caller&);
  method_result logs(const params&, const caller&);
  method_result new_filter(const params&, const caller&);
  method_result new_block_filter(const params&, const caller&);
  method_result filter_changes(const params&, const caller&);
  method_result filter_logs(const params&, const caller&);
  method_result uninstall_filter(const params&, const caller&);
  method_result send_raw(const params&, const caller&);
  method_result subscribe(const params&, const caller&);
  method_result unsubscribe(const params&, const caller&);
  // swarm_*
  method_result heartbeat(const params&, const caller&);
  method_result silent_nodes(const params&, const caller&);
  method_result genesis(const params&, const caller&);
  method_result api_endpoints(const params&, const caller&);
  method_result nodes(const params&, const caller&);

  /// Blocks and what they cost are counted as work.
  result<ledger::block_ptr> block_at(const std::optional<std::uint64_t>& num);
  result<ledger::block_ptr> block_with(const hash32& hash);
  result<ledger::block_ptr> block_of(const block_ref& which);
  /// The number of the block whose state a request is about; none for the head.
  result<std::optional<std::uint64_t>> state_of(const params& given, std::size_t index);
  result<boost::json::array> found_logs(const ledger::log_filter& filter);
  result<boost::json::array> found_logs(const ledger::log_filter& filter, ledger::log_query_work& work);
  result<ledger::log_filter> with_range(ledger::log_filter filter, const block_range& range) const;
  method_result add_filter(filter_table::filter made);
  result<filter_table::filter*> filter_of(const params& given, const caller& from);
  result<boost::json::array> new_blocks(filter_table::filter& which);
  result<boost::json::array> new_logs(filter_table::filter& which);
  result<const std::vector<contracts::node_view>*> registry();

  ledger::chain& chain_;
  service_limits limits_;
  liveness liveness_;
  rate_limiter limiter_;
  filter_table filters_;
  std::function<void(bytes)> on_news_;
  std::uint64_t last_block_; ///< that `on_block` brought
  time_point now_;
  turns<waiting_text> queue_;
  std::optional<parsed_text> under_way_;
  std::uint64_t slice_ = 0;                           ///< units charged since the slice began
  std::uint64_t work_ = 0;                            ///< units that the method being run has taken so far
  std::map<std::string, subscription> subscriptions_; ///< by id
  std::uint64_t next_subscription_ = 1;
  std::deque<waiter> waiting_;
  std::unordered_map<hash32, std::size_t> waiting_by_; ///< of each client that waits
  std::vector<contracts::node_view> nodes_;
  std::optional<hash32> nodes_root_; ///< storage root of the registry that `nodes_` was read at
};

} // namespace swarm::rpc
