#include "actors/sn/rpc/service.hpp"

#include "actors/sn/rpc/format.hpp"
#include "ledger/state/execute.hpp"

namespace swarm::rpc {

namespace json = boost::json;

namespace {

constexpr std::size_t small_body_bytes = 64 * 1024;

json::value envelope(json::value id, method_result from) {
  json::object out{{"jsonrpc", "2.0"}, {"id", std::move(id)}};
  if (from) {
    out["result"] = std::move(*from);
    return out;
  }
  out["error"] = error_json(from.error());
  return out;
}

/// Collects the answers of a batch, in order; sends them once all are there.
struct batch {
  std::vector<std::string> responses; ///< empty: a notification has none
  std::size_t missing = 0;
  std::function<void(std::string)> send;

  void take(std::size_t index, std::string response) {
    responses[index] = std::move(response);
    if (--missing > 0) return;
    std::string out;
    for (const auto& one : responses) {
      if (one.empty()) continue;
      out += out.empty() ? '[' : ',';
      out += one;
    }
    if (!out.empty()) out += ']';
    send(std::move(out));
  }
};

/// Deep nesting is refused while parsing: no call needs more than a few levels.
result<json::value> parse(const std::string& body) {
  json::parse_options limits;
  limits.max_depth = 16;
  boost::system::error_code failure;
  auto out = json::parse(body, failure, {}, limits);
  if (failure) return fail(rpc_errc::parse_error, "not JSON: {}", failure.message());
  return out;
}

} // namespace

struct service::room {
  std::size_t bytes = 0;

  /// The response as text, or an error in its place once the answers have grown too large.
  std::string fit(const json::value& id, method_result from, std::size_t bytes_max) {
    const bool refused = !from;
    auto text = json::serialize(envelope(id, std::move(from)));
    if (text.size() <= bytes || refused) {
      bytes -= std::min(bytes, text.size());
      return text;
    }
    bytes = 0;
    return json::serialize(envelope(id, too_large(bytes_max)));
  }
  static tl::unexpected<error> too_large(std::size_t bytes_max) {
    return fail(rpc_errc::answer_too_large, "response too large: over {} bytes; ask for less at a time",
                bytes_max);
  }
};

void service::handle(std::string body, caller from, time_point now) {
  const bool idle = !busy();
  const auto client = from.peer.cert_fingerprint;
  queue_.push(client, {std::move(body), std::move(from)});
  if (idle) go_on(now);
}

void service::go_on(time_point now) {
  now_ = now;
  slice_ = 0;
  while (busy() && slice_ < slice_units) {
    if (!under_way_) begin(queue_.pop());
    if (under_way_) answer_next();
  }
}

/// Parses a text, refuses it, or leaves it under way.
void service::begin(waiting_text next) {
  const auto& body = next.body;
  auto& from = next.from;
  const auto refuse = [&](error why) {
    from.send(json::serialize(envelope(nullptr, tl::unexpected(std::move(why)))));
  };
  // Who is over his rate gets no large text parsed; small ones are, so that the refusal has their id.
  if (body.size() > small_body_bytes)
    if (const auto admitted = admit(from.peer.cert_fingerprint); !admitted) return refuse(admitted.error());
  charge(from.peer.cert_fingerprint, body.size() / cost::body_bytes_per_unit);
  auto parsed = parse(body);
  if (!parsed) return refuse(parsed.error());
  std::function<void(std::size_t, std::string)> take;
  if (const auto* requests = parsed->if_array()) {
    if (requests->empty()) return refuse(fail(rpc_errc::invalid_request, "an empty batch").value());
    if (requests->size() > batch_max)
      return refuse(fail(rpc_errc::invalid_request, "a batch of {}, at most {} are answered",
                         requests->size(), batch_max)
                        .value());
    auto all = std::make_shared<batch>();
    all->responses.resize(requests->size());
    all->missing = requests->size();
    all->send = from.send;
    take = [all](std::size_t i, std::string response) { all->take(i, std::move(response)); };
  } else {
    take = [send = from.send](std::size_t, std::string response) { send(std::move(response)); };
  }
  under_way_.emplace(parsed_text{std::move(*parsed), 0, std::move(from),
                                 std::make_shared<room>(room{limits_.response_bytes_max}), std::move(take)});
}

/// Of the text that is under way, which ends with its last request.
void service::answer_next() {
  auto& current = *under_way_;
  const auto* list = current.requests.if_array();
  const auto i = current.next++;
  dispatch(list != nullptr ? (*list)[i] : current.requests, current.from, current.left,
           [take = current.take, i](std::string response) { take(i, std::move(response)); });
  if (list == nullptr || current.next == list->size()) under_way_.reset();
}

void service::charge(const hash32& client, std::uint64_t units) {
  limiter_.charge(client, units, now_);
  slice_ += units;
}

/// `done` gets nothing for a notification, which has no answer.
void service::dispatch(const json::value& request, const caller& from, const std::shared_ptr<room>& left,
                       std::function<void(std::string)> done) {
  const auto* object = request.if_object();
  const auto* method = object != nullptr ? object->if_contains("method") : nullptr;
  const auto* id_given = object != nullptr ? object->if_contains("id") : nullptr;
  const bool id_fits =
      id_given == nullptr || id_given->is_null() || id_given->is_string() || id_given->is_number();
  const bool notification = id_given == nullptr;
  const json::value id = notification || !id_fits ? json::value(nullptr) : *id_given;
  if (method == nullptr || !method->is_string() || !id_fits)
    return done(
        json::serialize(envelope(id, fail(rpc_errc::invalid_request, "a request has a method and an id"))));
  const bool is_call = method->get_string() == "eth_call" || method->get_string() == "eth_estimateGas";
  answer reply = [this, done = std::move(done), id, notification, left, is_call,
                  client = from.peer.cert_fingerprint](method_result from_method) {
    if (!from_method) from_method.error().without_reason = is_call;
    auto text =
        notification ? std::string{} : left->fit(id, std::move(from_method), limits_.response_bytes_max);
    charge(client, text.size() / cost::answer_bytes_per_unit);
    done(std::move(text));
  };
  if (auto admitted = admit(from.peer.cert_fingerprint); !admitted)
    return reply(tl::unexpected(admitted.error()));
  if (left->bytes == 0) return reply(room::too_large(limits_.response_bytes_max));
  const auto* given = object->if_contains("params");
  if (given != nullptr && !given->is_array() && !given->is_null())
    return reply(fail(rpc_errc::invalid_params, "params must be an array"));
  const json::array none;
  const params arguments(given != nullptr && given->is_array() ? given->get_array() : none);
  run({method->get_string().data(), method->get_string().size()}, arguments, from, std::move(reply));
}

void service::run(std::string_view method, const params& given, const caller& from, answer reply) {
  work_ = cost::request;
  if (method == "eth_sendRawTransactionSync") {
    work_ += cost::signature;
    send_sync(given, from, std::move(reply));
  } else if (const auto found = methods().find(method); found != methods().end()) {
    reply((this->*found->second)(given, from));
  } else {
    reply(
        fail(rpc_errc::method_not_found, "the method {} does not exist/is not available", shown(method, 64)));
  }
  charge(from.peer.cert_fingerprint, work_);
}

result<> service::admit(const hash32& client) {
  const auto wait = limiter_.wait_of(client, now_);
  if (wait == duration::zero()) return {};
  return fail(rpc_errc::rate_limited,
              "rate limit exceeded: this client asks for more work than {} units a second; wait {} ms",
              limits_.rate.units_per_second,
              std::chrono::duration_cast<std::chrono::milliseconds>(wait).count() + 1);
}

const std::map<std::string_view, service::handler>& service::methods() {
  static const std::map<std::string_view, handler> table{
      {"web3_clientVersion", &service::client_version},
      {"web3_sha3", &service::sha3},
      {"net_version", &service::net_version},
      {"net_listening", &service::net_listening},
      {"eth_chainId", &service::chain_id},
      {"eth_blockNumber", &service::block_number},
      {"eth_syncing", &service::syncing},
      {"eth_accounts", &service::accounts},
      {"eth_gasPrice", &service::zero_price},
      {"eth_maxPriorityFeePerGas", &service::zero_price},
      {"eth_feeHistory", &service::fee_history},
      {"eth_getBlockByNumber", &service::block_by_number},
      {"eth_getBlockByHash", &service::block_by_hash},
      {"eth_getBlockReceipts", &service::block_receipts},
      {"eth_getBlockTransactionCountByNumber", &service::block_txn_count_by_number},
      {"eth_getBlockTransactionCountByHash", &service::block_txn_count_by_hash},
      {"eth_getUncleCountByBlockNumber", &service::uncle_count_by_number},
      {"eth_getUncleCountByBlockHash", &service::uncle_count_by_hash},
      {"eth_getTransactionByBlockNumberAndIndex", &service::txn_by_block_number},
      {"eth_getTransactionByBlockHashAndIndex", &service::txn_by_block_hash},
      {"eth_getTransactionByHash", &service::txn_by_hash},
      {"eth_getTransactionReceipt", &service::txn_receipt},
      {"eth_getTransactionCount", &service::txn_count},
      {"eth_getBalance", &service::balance},
      {"eth_getCode", &service::code},
      {"eth_getStorageAt", &service::storage_at},
      {"eth_getProof", &service::proof},
      {"eth_call", &service::call},
      {"eth_estimateGas", &service::estimate_gas},
      {"eth_getLogs", &service::logs},
      {"eth_newFilter", &service::new_filter},
      {"eth_newBlockFilter", &service::new_block_filter},
      {"eth_getFilterChanges", &service::filter_changes},
      {"eth_getFilterLogs", &service::filter_logs},
      {"eth_uninstallFilter", &service::uninstall_filter},
      {"eth_sendRawTransaction", &service::send_raw},
      {"eth_subscribe", &service::subscribe},
      {"eth_unsubscribe", &service::unsubscribe},
      {"swarm_heartbeat", &service::heartbeat},
      {"swarm_silentNodes", &service::silent_nodes},
      {"swarm_apiEndpoints", &service::api_endpoints},
      {"swarm_nodes", &service::nodes},
      {"swarm_genesis", &service::genesis},
  };
  return table;
}

// -- transactions and those who wait for them

namespace {

tl::unexpected<error> perhaps_in_history(std::string_view what) {
  return fail(
      rpc_errc::history_incomplete,
      "{}; it may be final in a block that this SN does not have yet, as history is being fetched: try "
      "again, or ask another SN",
      what);
}

} // namespace

void service::send_sync(const params& given, const caller& from, answer done) {
  const auto raw = given.raw(0, "transaction");
  if (!raw) return done(tl::unexpected(raw.error()));
  const auto hash = keccak256(*raw);
  if (auto place = chain_.find_txn(hash);
      place && *place) // sent before, perhaps over a connection that broke
    return done(json::value(receipt_json(*(*place)->block, (*place)->index)));
  auto wait = receipt_wait;
  if (given.has(1)) {
    const auto asked = given.number(1, "timeout");
    if (!asked) return done(tl::unexpected(asked.error()));
    wait = std::min<duration>(wait, std::chrono::milliseconds(std::min<std::uint64_t>(*asked, 60'000)));
  }
  const auto& client = from.peer.cert_fingerprint;
  const auto own = waiting_by_.find(client);
  if (waiting_.size() >= waiting_max || (own != waiting_by_.end() && own->second >= client_waiting_max))
    return done(fail(rpc_errc::waiting_full,
                     "at most {} calls of one client, {} of all wait for receipts at a time; try again",
                     client_waiting_max, waiting_max));
  const auto submitted = chain_.submit(*raw);
  if (!submitted && submitted.error().is(ledger::execution_rule::nonce_too_low) && !chain_.history_complete())
    return done(perhaps_in_history(submitted.error().message));
  if (!submitted && !submitted.error().is(ledger::pool_rule::already_known))
    return done(tl::unexpected(submitted.error()));
  waiting_.push_back({hash, client, now_ + wait, std::move(done)});
  ++waiting_by_[client];
}

void service::on_block(const ledger::block_ptr& block) {
  const bool skipped = block->header.block_num > last_block_ + 1;
  last_block_ = std::max(last_block_, block->header.block_num);
  wake(*block);
  if (skipped) wake_skipped();
  notify(*block);
}

/// Blocks were taken over without being shown one by one, as with a snapshot: who waits for a transaction
/// that does not wait itself any more learns what is known.
void service::wake_skipped() {
  std::vector<std::pair<waiter, method_result>> ready;
  std::erase_if(waiting_, [&](waiter& one) {
    if (chain_.find_pending(one.txn) != nullptr) return false;
    const auto place = chain_.find_txn(one.txn);
    if (place && *place)
      ready.emplace_back(std::move(one), json::value(receipt_json(*(*place)->block, (*place)->index)));
    else if (!chain_.history_complete())
      ready.emplace_back(std::move(one), perhaps_in_history(fmt::format("transaction {} waits no more",
                                                                        to_hex(one.txn.view()))));
    else
      return false;
    return true;
  });
  for (auto& [one, outcome] : ready) {
    stop_waiting(one);
    one.done(std::move(outcome));
  }
}

void service::wake(const ledger::executed_block& block) {
  if (waiting_.empty()) return;
  std::unordered_map<hash32, std::size_t> index;
  for (std::size_t i = 0; i < block.txns.size(); ++i)
    index.emplace(block.txns[i].hash(), i);
  std::vector<std::pair<waiter, std::size_t>> ready;
  std::erase_if(waiting_, [&](waiter& one) {
    const auto found = index.find(one.txn);
    if (found == index.end()) return false;
    ready.emplace_back(std::move(one), found->second);
    return true;
  });
  for (auto& [one, at] : ready) {
    stop_waiting(one);
    one.done(json::value(receipt_json(block, at)));
  }
}

void service::stop_waiting(const waiter& one) {
  const auto own = waiting_by_.find(one.client);
  if (--own->second == 0) waiting_by_.erase(own);
}

void service::notify(const ledger::executed_block& block) {
  const auto tell = [](const std::string& id, const subscription& to, const std::string& what) {
    to.send(fmt::format(
        R"({{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{}","result":{}}}}})", id,
        what));
  };
  std::string head; // the same for all
  for (const auto& [id, to] : subscriptions_) {
    if (to.heads) {
      if (head.empty()) head = json::serialize(header_json(block));
      tell(id, to, head);
      continue;
    }
    for (const auto& hit : matching_logs(block, to.filter))
      tell(id, to, json::serialize(log_json(hit)));
  }
}

void service::on_time(time_point now) {
  now_ = now;
  filters_.expire(now);
  std::vector<waiter> late;
  std::erase_if(waiting_, [&](waiter& one) {
    if (one.until > now) return false;
    late.push_back(std::move(one));
    return true;
  });
  for (auto& one : late) {
    stop_waiting(one);
    failure why = fail(rpc_errc::receipt_timeout, "timeout: transaction {} is not final yet, it still waits",
                       to_hex(one.txn.view()))
                      .value();
    why.data = to_hex(one.txn.view());
    one.done(tl::unexpected(std::move(why)));
  }
}

void service::session_gone(std::uint64_t session) {
  std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second.session == session; });
}

} // namespace swarm::rpc
