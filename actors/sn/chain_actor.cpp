#include "actors/sn/chain_actor.hpp"

#include "actors/interfaces.hpp"
#include "actors/paths.hpp"
#include "actors/sn/consensus_messages.hpp"
#include "actors/sn/rpc/service.hpp"
#include "base/log.hpp"
#include "contracts/contracts.hpp"
#include "contracts/training_client.hpp"
#include "ledger/consensus/quorum.hpp"
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
  bool told_of_work = false;   ///< since the head changed
  ledger::candidate_ptr built; ///< the last one this node made
  std::string trouble;         ///< with the disk
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

template <class Event>
void tell_consensus(self_pointer self, Event event) {
  self->tell(sibling(*self, "consensus"), std::move(event));
}

/// Transactions wait: consensus is told once for each head, and again when it starts.
void offer_work(self_pointer self) {
  auto& s = self->state();
  if (s.told_of_work || !s.chain->has_executable()) return;
  s.told_of_work = true;
  tell_consensus(self, consensus::work_available{});
}

// -- what consensus wants
// ----------------------------------------------------------------------------------------------

consensus::chain_head head_of(const ledger::executed_block& block) {
  return {block.header.block_num, block.hash, block.header.coinbase};
}

void introduce_chain(self_pointer self) {
  auto& s = self->state();
  const auto& head = *s.chain->head();
  auto validators = s.chain->validators_after(head.header.block_num);
  if (!validators) return self->fail(validators.error());
  consensus_ready out{{s.chain->chain_id(), s.chain->genesis_hash()},
                      {head_of(head), std::move(*validators), {}}};
  for (const auto key : consensus::record_keys) {
    auto value = s.chain->record_of(key);
    if (!value) return self->fail(value.error());
    if (*value) out.start.records.push_back({key, std::move(**value)});
  }
  tell_consensus(self, std::move(out));
  s.told_of_work = false;
  offer_work(self);
}

/// The chain has a new head.
void head_moved(self_pointer self, const ledger::block_ptr& block) {
  auto& s = self->state();
  if (!s.trouble.empty())
    log::info(s.context->log_source, "the disk takes blocks again, at block {}", block->header.block_num);
  s.trouble.clear();
  s.built.reset();
  s.told_of_work = false;
  s.service->on_block(block);
  auto validators = s.chain->validators_after(block->header.block_num);
  if (!validators) return self->fail(validators.error());
  tell_consensus(self, consensus::head_changed{head_of(*block), std::move(*validators)});
  offer_work(self);
}

void build(self_pointer self, const consensus::build_block& what) {
  auto& s = self->state();
  consensus::block_built out{what.block_num, what.round_num, {}};
  if (what.block_num == s.chain->head()->header.block_num + 1) {
    auto candidate = s.chain->build_block(unix_seconds(), s.context->key->account(), block_txns);
    if (!candidate) return self->fail(candidate.error());
    const auto& block = *(*candidate)->block;
    if (!block.txns.empty()) {
      s.built = *candidate;
      auto raw = what.encoded
                     ? std::make_shared<const bytes>(ledger::encode_block({block.header, block.txns}))
                     : nullptr;
      out.block = consensus::own_block(block.header, block.hash, std::move(raw));
    }
  }
  if (!out.block) s.told_of_work = false;
  tell_consensus(self, std::move(out));
}

/// The candidate for a block that consensus names: made here, or executed now.
result<ledger::candidate_ptr> candidate_for(const chain_state& s, const consensus::proposed_block& block) {
  if (s.built && s.built->block->hash == block.hash) return s.built;
  SWARM_TRY(const auto decoded, ledger::decode_block(*block.raw, s.chain->chain_id()));
  return s.chain->validate_block(decoded);
}

void validate(self_pointer self, const consensus::validate_block& what) {
  auto& s = self->state();
  const auto candidate = candidate_for(s, what.block);
  if (!candidate)
    log::warning(s.context->log_source, "block {} of {} is refused: {}", what.block.block_num,
                 to_hex(what.block.proposer.view()), candidate.error().message);
  tell_consensus(self,
                 consensus::block_validated{what.block.block_num, what.block.hash, candidate.has_value()});
}

bool is_disk_trouble(const error& why) {
  return why.is(ledger::store_rule::disk_full) || why.is(ledger::store_rule::io);
}

/// A disk that refuses is asked again until it takes what it was given: nothing is confirmed before, nothing
/// lost.
template <class Work>
bool try_again(self_pointer self, const error& why, const Work& what) {
  auto& s = self->state();
  if (!is_disk_trouble(why)) return false;
  if (s.trouble.empty())
    log::error(s.context->log_source,
               "cannot write to the chain: {}; no transaction is confirmed until it can be written",
               why.message);
  s.trouble = "cannot write to the chain: " + why.message;
  self->delayed_send(self, commit_retry, what);
  return true;
}

void persist(self_pointer self, const consensus::persist& what) {
  if (auto written = self->state().chain->write_records(what.entries); !written) {
    if (!try_again(self, written.error(), what)) self->fail(written.error());
    return;
  }
  self->state().trouble.clear();
  tell_consensus(self, consensus::persisted{what.token});
}

void commit(self_pointer self, const consensus::commit_block& what) {
  auto& s = self->state();
  if (s.chain->head()->header.block_num >= what.block.block_num)
    return; // it came by synchronisation meanwhile
  const auto candidate = candidate_for(s, what.block);
  if (!candidate) return self->fail(candidate.error());
  auto committed = s.chain->commit(*candidate, what.seals, what.entries);
  if (committed) return head_moved(self, *committed);
  if (!try_again(self, committed.error(), what)) self->fail(committed.error());
}

// -- catching up
// -------------------------------------------------------------------------------------------------------

/// A block is final alone: seals of a quorum of the validators after its parent, and every rule of the chain.
result<ledger::block_ptr> import_one(chain_state& s, const sync::sealed_block& from,
                                     std::span<const ledger::consensus_record> records) {
  const auto head_num = s.chain->head()->header.block_num;
  SWARM_TRY(const auto block, ledger::decode_block(from.block, s.chain->chain_id()));
  SWARM_TRY(const auto seals, ledger::decode_seals(from.seals));
  SWARM_TRY(const auto validators, s.chain->validators_after(head_num));
  const auto digest = ledger::seal_digest(s.chain->chain_id(), s.chain->genesis_hash(),
                                          ledger::block_hash(block.header), seals.round_num);
  SWARM_CHECK(ledger::check_seals(seals, digest, validators, consensus::quorum_of(validators.size())));
  return s.chain->import_block(block, seals, records);
}

void import_blocks(self_pointer self, const import_range& what) {
  auto& s = self->state();
  ledger::block_ptr last;
  const auto finish = [&](auto answer) {
    if (last) head_moved(self, last);
    tell_consensus(self, std::move(answer));
  };
  for (std::size_t i = 0; i < what.blocks.size(); ++i) {
    const auto block_num = what.first + i;
    if (block_num <= s.chain->head()->header.block_num) continue; // consensus was faster
    auto imported = import_one(s, *what.blocks[i], what.records[i]);
    if (!imported) {
      const bool blame = !is_disk_trouble(imported.error());
      return finish(range_refused{block_num, blame, std::move(imported).error()});
    }
    if (last) s.service->on_block(last);
    last = std::move(*imported);
  }
  finish(range_imported{s.chain->head()->header.block_num});
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
  options.first_records = [account = s.context->key->account()](const hash32& genesis) {
    return consensus::initial_records(account, genesis);
  };
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
  self->delayed_send(self, 1s, tick{});
  return {
      [=](const rpc_request& request) {
        self->state().service->handle(request.body, {request.peer, request.session, request.reply}, now());
        offer_work(self);
      },
      [=](const session_gone& gone) { self->state().service->session_gone(gone.session); },
      [=](consensus_wanted) { introduce_chain(self); },
      [=](const consensus::build_block& what) { build(self, what); },
      [=](const consensus::validate_block& what) { validate(self, what); },
      [=](const consensus::persist& what) { persist(self, what); },
      [=](const consensus::commit_block& what) { commit(self, what); },
      [=](const import_range& what) { import_blocks(self, what); },
      [=](tick) {
        self->state().service->on_time(now());
        self->delayed_send(self, 1s, tick{});
      },
      [=](const admin_query& query) -> std::string {
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
