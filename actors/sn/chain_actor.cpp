#include "actors/sn/chain_actor.hpp"

#include "actors/audit/make_proof.hpp"
#include "actors/paths.hpp"
#include "actors/sn/rpc/service.hpp"
#include "base/log.hpp"
#include "contracts/contracts.hpp"
#include "contracts/training_client.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block_txns = 1000;
constexpr auto commit_retry = 1s;

struct chain_state {
  explicit chain_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    if (!chain) return "no chain";
    if (!trouble.empty()) return trouble;
    const auto& head = *chain->head();
    return fmt::format("block {}, {} transactions wait, {} subscriptions", head.header.block_num,
                       chain->stats().pool_txns, service->subscriptions());
  }
  json::object summary() const;
  std::string detail_json() const { return chain ? json::serialize(summary()) : std::string{}; }

  std::shared_ptr<const sn_context> context;
  std::unique_ptr<ledger::chain> chain;
  std::unique_ptr<rpc::service> service;
  bool producing = false;          ///< a `produce_block` is on its way
  ledger::candidate_ptr unwritten; ///< could not be written yet
  std::string trouble;
};

json::object chain_state::summary() const {
  const auto& head = *chain->head();
  const auto stats = chain->stats();
  const auto micros = [](auto span) {
    return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  };
  return {{"chain_id", chain->chain_id()},
          {"genesis", to_hex(chain->genesis_hash().view())},
          {"block_num", head.header.block_num},
          {"block_hash", to_hex(head.hash.view())},
          {"state_root", to_hex(head.header.state_root.view())},
          {"timestamp", head.header.timestamp},
          {"account", to_hex(context->key->account().view())},
          {"pool_transactions", stats.pool_txns},
          {"pool_bytes", stats.pool_bytes},
          {"subscriptions", service->subscriptions()},
          {"waiting_for_receipts", service->waiting()},
          {"store_bytes", stats.store_bytes},
          {"store_memory_bytes", stats.store_memory_bytes},
          {"last_block_execute_us", micros(stats.last_block.execute)},
          {"last_block_roots_us", micros(stats.last_block.roots)},
          {"last_block_write_us", micros(stats.last_block.write)}};
}

using self_pointer = role_actor<chain_state>*;

time_point now() {
  return std::chrono::steady_clock::now();
}

void want_block(self_pointer self) {
  auto& s = self->state();
  if (s.producing || !s.chain->has_executable()) return;
  s.producing = true;
  self->send(self, produce_block{}); // behind the requests that wait already, so they share the block
}

/// Writes a candidate that this node, the only validator, has sealed. A disk that refuses is tried again
/// until it takes the block: nothing is confirmed before, nothing is lost.
void commit(self_pointer self, const ledger::candidate_ptr& candidate) {
  auto& s = self->state();
  const auto& block = *candidate->block;
  const auto digest = ledger::seal_digest(s.chain->chain_id(), s.chain->genesis_hash(), block.hash, 0);
  const ledger::seal_record seals{0, {{s.context->key->sign_recoverable(digest)}}};
  auto committed = s.chain->commit(candidate, seals);
  if (!committed) {
    s.unwritten = candidate;
    if (s.trouble.empty())
      log::error(s.context->log_source,
                 "cannot write block {}: {}; no transaction is confirmed until it can be written",
                 block.header.block_num, committed.error().message);
    s.trouble = "cannot write a block: " + committed.error().message;
    s.producing = true;
    self->delayed_send(self, commit_retry, produce_block{});
    return;
  }
  if (!s.trouble.empty())
    log::info(s.context->log_source, "block {} could be written now", block.header.block_num);
  s.trouble.clear();
  s.unwritten.reset();
  s.service->on_block(*committed);
  want_block(self);
}

void make_block(self_pointer self) {
  auto& s = self->state();
  s.producing = false;
  if (s.unwritten) return commit(self, s.unwritten);
  if (!s.chain->has_executable()) return;
  auto candidate = s.chain->build_block(unix_seconds(), s.context->key->account(), block_txns);
  if (!candidate) return self->fail(candidate.error());
  if ((*candidate)->block->txns.empty()) return;
  commit(self, *candidate);
}

// -- this node's own transactions
// -----------------------------------------------------------------------------------

result<> submit_own(chain_state& s, const address& to, bytes input) {
  ledger::txn_fields fields;
  SWARM_TRY(fields.nonce, s.chain->pending_nonce(s.context->key->account()));
  fields.gas_limit = contracts::call_gas;
  fields.to = to;
  fields.data = std::move(input);
  SWARM_TRY(const auto txn, ledger::make_signed(std::move(fields), *s.context->key, s.chain->chain_id()));
  SWARM_CHECK(s.chain->submit(txn.raw()));
  return {};
}

/// Registers this SN and makes the training contracts that its operator named, where the chain lacks them.
result<> introduce_self(chain_state& s) {
  const auto& options = s.context->options;
  const auto endpoint = options.sn_p2p_service
                            ? transport::host_port(options.sn_p2p_service->host, options.sn_p2p_service->port)
                            : transport::host_port(options.host_ip, options.sn_p2p_port);
  const contracts::register_node_args wanted{
      contracts::node_type::sn, s.context->identity->fingerprint(), {}, options.node_name, endpoint};
  const ledger::call_request ask{.from = s.context->key->account(),
                                 .to = contracts::node_registry_address(),
                                 .input = contracts::encode_node(s.context->key->account())};
  SWARM_TRY(const auto answer, s.chain->call(ask));
  const auto known = contracts::decode_node(answer.output);
  if (!known || !known->active || known->cert_fingerprint != wanted.cert_fingerprint
      || known->endpoint != wanted.endpoint || known->name != wanted.name)
    SWARM_CHECK(submit_own(s, contracts::node_registry_address(), contracts::encode_register_node(wanted)));
  for (const auto& name : options.contracts) {
    SWARM_TRY(const auto code, s.chain->code_of(contracts::training_address(name)));
    if (!code.empty()) continue;
    log::info(s.context->log_source, "making the training contract '{}'", name);
    SWARM_CHECK(
        submit_own(s, contracts::training_registry_address(), contracts::encode_create_training(name)));
  }
  return {};
}

result<> open_chain(chain_state& s) {
  ledger::chain_options options;
  options.dir = s.context->options.data_dir / "chain";
  options.contracts = contracts::make_contracts();
  if (s.context->options.sentinel) {
    ledger::genesis_params genesis;
    genesis.validators = {s.context->key->account()};
    options.genesis = genesis;
  }
  SWARM_TRY(s.chain, ledger::chain::open(std::move(options)));
  s.service = std::make_unique<rpc::service>(*s.chain, now());
  const auto& head = *s.chain->head();
  log::info(s.context->log_source, "chain {} with genesis {}, at block {} {}", s.chain->chain_id(),
            to_hex(s.chain->genesis_hash().view()), head.header.block_num, to_hex(head.hash.view()));
  return introduce_self(s);
}

caf::behavior chain_behavior(self_pointer self) {
  if (auto opened = open_chain(self->state()); !opened) {
    self->end_process(1, opened.error().message);
    return {[](tick) {}};
  }
  self->env().methods.forward("chain", self->path());
  self->env().methods.forward("nodes", self->path());
  self->env().methods.forward("proof", self->path());
  want_block(self);
  self->delayed_send(self, 1s, tick{});
  return {
      [=](const rpc_request& request) {
        self->state().service->handle(request.body, {request.peer, request.session, request.reply}, now());
        want_block(self);
      },
      [=](const session_gone& gone) { self->state().service->session_gone(gone.session); },
      [=](produce_block) { make_block(self); },
      [=](tick) {
        self->state().service->on_time(now());
        self->delayed_send(self, 1s, tick{});
      },
      [=](const admin_query& query) -> caf::result<std::string> {
        if (query.method == "proof") {
          auto proof = audit::answer_proof(*self->state().chain, query.params);
          if (!proof) return to_caf(proof.error());
          return std::move(*proof);
        }
        if (query.method != "nodes") return self->state().detail_json();
        auto nodes = self->state().service->nodes_json(now());
        return nodes ? json::serialize(json::object{{"nodes", std::move(*nodes)}}) : std::string("{}");
      },
  };
}

} // namespace

start_function chain_actor(std::shared_ptr<const sn_context> context) {
  return role<chain_state>(chain_behavior, std::move(context));
}

} // namespace swarm::actors
