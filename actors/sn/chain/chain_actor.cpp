#include "actors/sn/chain/chain_actor.hpp"

#include "actors/sn/chain/chain_state.hpp"
#include "actors/sn/chain/snapshot_shell.hpp"
#include "actors/sn/membership/join.hpp"
#include "actors/sn/proofs/make_proof.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block_txns = 1000;
constexpr auto commit_retry = 1s;
constexpr auto upkeep_interval = 1s;
constexpr unsigned upkeeps_per_sign = 2; ///< of life
constexpr std::size_t regossip_txns = 1000;

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

/// What JSON-RPC has not done yet comes after the messages that wait here, those of consensus first.
void after_requests(self_pointer self) {
  auto& s = self->state();
  if (s.service->busy() && !std::exchange(s.requests_due, true)) self->send(self, requests_due{});
  offer_work(self);
}

// -- what consensus wants

consensus::chain_head head_of(const ledger::executed_block& block) {
  return {block.header.block_num, block.hash, block.header.coinbase};
}

void introduce_chain(self_pointer self) {
  auto& s = self->state();
  if (!s.chain) return;
  s.unwritten.clear(); // of a consensus that is no more
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

network_facts facts_of(const chain_state& s, std::vector<address> validators) {
  const auto& head = *s.chain->head();
  return {{s.chain->chain_id(), s.chain->genesis_hash()},
          {head.header.block_num, head.hash},
          std::move(validators)};
}

/// The chain has a new head.
void head_moved(self_pointer self, const ledger::block_ptr& block) {
  auto& s = self->state();
  if (!s.trouble.empty())
    log::info(s.context->log_source, "the disk takes blocks again, at block {}", block->header.block_num);
  s.trouble.clear();
  s.built.reset();
  s.validated.reset();
  s.told_of_work = false;
  s.service->on_block(block);
  auto validators = s.chain->validators_after(block->header.block_num);
  if (!validators) return self->fail(validators.error());
  self->tell(sibling(*self, "peers"), facts_of(s, *validators));
  tell_consensus(self, consensus::head_changed{head_of(*block), std::move(*validators)});
  offer_work(self);
}

void introduce_network(self_pointer self) {
  auto& s = self->state();
  if (!s.chain) return;
  auto validators = s.chain->validators_after(s.chain->head()->header.block_num);
  if (!validators) return self->fail(validators.error());
  self->tell(sibling(*self, "peers"), facts_of(s, std::move(*validators)));
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
  if (s.validated && s.validated->block->hash == block.hash) return s.validated;
  SWARM_TRY(const auto decoded, ledger::decode_block(*block.raw, s.chain->chain_id()));
  return s.chain->validate_block(decoded);
}

void validate(self_pointer self, const consensus::validate_block& what) {
  auto& s = self->state();
  const auto candidate = candidate_for(s, what.block);
  if (candidate) s.validated = *candidate;
  if (!candidate && candidate.error().category == error_category(ledger::store_rule{}))
    return self->fail(candidate.error()); // of this node, not of the block
  if (!candidate)
    log::warning(s.context->log_source, "block {} of {} is refused: {}", what.block.block_num,
                 to_hex(what.block.proposer.view()), candidate.error().message);
  tell_consensus(self,
                 consensus::block_validated{what.block.block_num, what.block.hash, candidate.has_value()});
}

bool is_disk_trouble(const error& why) {
  return why.is(ledger::store_rule::disk_full) || why.is(ledger::store_rule::io);
}

/// A disk that refuses is asked again until it takes what it was given: nothing is confirmed
/// before, nothing lost.
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

/// In the order in which consensus said them: a record that waits for the disk must not come after
/// a newer one.
void write_records(self_pointer self) {
  auto& s = self->state();
  for (; !s.unwritten.empty(); s.unwritten.pop_front()) {
    const auto& next = s.unwritten.front();
    // Late: the block came by synchronisation meanwhile, with newer records.
    if (next.block_num > s.chain->head()->header.block_num) {
      if (auto written = s.chain->write_records(next.entries); !written) {
        if (!try_again(self, written.error(), records_due{})) self->fail(written.error());
        return;
      }
      s.trouble.clear();
    }
    tell_consensus(self, consensus::persisted{next.token});
  }
}

void persist(self_pointer self, const consensus::persist& what) {
  self->state().unwritten.push_back(what);
  if (self->state().unwritten.size() == 1) write_records(self); // otherwise the disk is to be asked again
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

void import_blocks(self_pointer self, const import_range& what) {
  auto& s = self->state();
  std::vector<ledger::sealed_block_view> range;
  range.reserve(what.blocks.size());
  for (std::size_t i = 0; i < what.blocks.size(); ++i)
    range.push_back({what.blocks[i]->block, what.blocks[i]->seals, what.records[i]});
  auto done = s.chain->import_range(what.first, range);
  // On disk now, and only now anybody is told.
  for (std::size_t i = 0; i + 1 < done.blocks.size(); ++i)
    s.service->on_block(done.blocks[i]);
  if (!done.blocks.empty()) head_moved(self, done.blocks.back());
  const auto head_num = s.chain->head()->header.block_num;
  if (!done.refused) return tell_consensus(self, range_imported{head_num});
  const bool blame = !is_disk_trouble(*done.refused);
  tell_consensus(self, range_refused{head_num + 1, blame, std::move(*done.refused)});
}

/// Feeds the driver of snapshots; the head may move.
template <class Event>
void step_snapshot(self_pointer self, const Event& event) {
  auto& s = self->state();
  if (!s.snapshot) return;
  event(*s.snapshot);
  if (const auto adopted = carry_out_snapshot(self)) head_moved(self, adopted);
}

// -- what neighbors say and want

/// Transactions of other SNs' pools. Refusals are no offence: a pool may be ahead of this one's chain.
void take_txns(self_pointer self, const neighbor_txns& what) {
  for (const auto& raw : what.raw) {
    auto taken = self->state().chain->submit(raw);
    if (!taken)
      log::debug(self->state().context->log_source, "a neighbor's transaction: {}", taken.error().message);
  }
  offer_work(self);
}

/// Signs of life that a neighbor hands on; what is news here goes on to the others.
void take_signs(self_pointer self, const neighbor_signs& what) {
  auto& s = self->state();
  if (!s.chain) return;
  for (const auto& raw : what.raw) {
    const auto taken = s.service->take_sign(raw, now());
    if (!taken) {
      self->tell(sibling(*self, "peers"), consensus::penalize{what.neighbor, taken.error()});
      return;
    }
    if (taken->news) self->tell(sibling(*self, "peers"), gossip_sign{raw});
  }
}

/// This SN's own sign of life tells where its JSON-RPC server is.
void say_alive(self_pointer self) {
  auto& s = self->state();
  s.last_serial = std::max(unix_milliseconds(), s.last_serial + 1);
  auto raw = ledger::encode_sign_of_life(s.last_serial, s.context->api_endpoint(), *s.context->key,
                                         s.chain->chain_id(), s.chain->genesis_hash());
  const auto taken = s.service->take_sign(raw, now());
  if (!taken) return self->note_error(taken.error().message);
  s.last_serial = std::max(s.last_serial, taken->last_serial);
  if (taken->news) self->tell(sibling(*self, "peers"), gossip_sign{std::move(raw)});
}

void answer_blocks(self_pointer self, const blocks_wanted& what) {
  const auto& chain = *self->state().chain;
  blocks_found out{what.neighbor, what.request_id, {}};
  std::size_t size = 0;
  for (auto i = what.first; i < what.first + what.count && i <= chain.head()->header.block_num; ++i) {
    auto found = chain.sealed_block_of(i);
    if (!found || !*found) break;
    sync::sealed_block one{std::move((*found)->block), std::move((*found)->seals)};
    if (!out.blocks.empty() && size + one.size() > what.bytes_max) break;
    size += one.size();
    out.blocks.push_back(std::move(one));
  }
  self->tell(sibling(*self, "peers"), std::move(out));
}

/// Who is connected now; a newcomer is told what waits here, as it may have missed it.
void note_neighbors(self_pointer self, const neighbors_seen& what) {
  auto& s = self->state();
  const bool more = what.nodes.size() > s.neighbors.size();
  s.neighbors = what.nodes;
  if (more)
    for (auto& raw : s.chain->waiting_txns(regossip_txns))
      self->tell(sibling(*self, "peers"), gossip_txn{std::move(raw)});
}

void look_after_network(self_pointer self) {
  auto& s = self->state();
  s.service->on_time(now());
  if (s.upkeeps++ % upkeeps_per_sign == 0) say_alive(self);
  self->tell(sibling(*self, "peers"), dial_neighbors{p2p_endpoints(s)});
  for (const auto& done : {introduce_self(s), vote_on_members(s, now())})
    if (!done) self->note_error(done.error().message);
  offer_work(self);
}

// -- joining

void begin(self_pointer self) {
  auto& s = self->state();
  s.client.reset();
  self->env().methods.forward("chain", self->path());
  self->env().methods.forward("nodes", self->path());
  self->env().methods.forward("proof", self->path());
  self->env().methods.forward("leave", self->path());
  self->env().methods.forward("consensus", sibling(*self, "consensus"));
  self->env().methods.forward("peers", sibling(*self, "peers"));
  s.service->on_news([env = self->shared_env(), neighbors = sibling(*self, "peers")](bytes raw) {
    env->dir.send(neighbors, gossip_sign{std::move(raw)});
  });
  introduce_network(self);
  introduce_chain(self);
  look_after_network(self);
}

result<> open(self_pointer self, std::optional<ledger::genesis_params> genesis) {
  auto env = self->shared_env();
  const auto neighbors = sibling(*self, "peers");
  return open_chain(self->state(), std::move(genesis), [env, neighbors](const ledger::transaction& txn) {
    env->dir.send(neighbors, gossip_txn{to_bytes(txn.raw())});
  });
}

void ask_sentinel(self_pointer self) {
  auto& s = self->state();
  const auto& options = s.context->options;
  if (!s.client) s.client = std::make_shared<transport::http_client>(*s.context->io, s.context->identity);
  const auto host = options.sentinel_api_service ? options.sentinel_api_service->host : options.sentinel_ip;
  const auto port =
      options.sentinel_api_service ? options.sentinel_api_service->port : options.sentinel_api_port;
  ask_network_entry(
      *s.client, host, port,
      [env = self->shared_env(), path = self->path(),
       sn = transport::host_port(host, port)](result<network_entry> found) {
        env->dir.send(path, entry_found{sn, std::make_shared<result<network_entry>>(std::move(found))});
      });
}

void join(self_pointer self, const entry_found& found) {
  auto& s = self->state();
  if (s.chain) return;
  const auto& entry = *found.entry;
  if (!entry) {
    if (s.pause.attempts() % 10 == 0)
      log::warning(s.context->log_source,
                   "Unable to contact API-Server {}: {}; trying again until it answers", found.sn,
                   entry.error().message);
    self->delayed_send(self, s.pause.next(), sentinel_due{});
    return;
  }
  if (auto opened = open(self, entry->genesis); !opened) return self->end_process(1, opened.error().message);
  if (s.chain->genesis_hash() != entry->genesis_hash)
    return self->end_process(
        1, fmt::format(
               "the SN {} has a chain with genesis {}, this swarmd makes {} of its parameters: the contracts "
               "differ; run the same version on both",
               found.sn, to_hex(entry->genesis_hash.view()), to_hex(s.chain->genesis_hash().view())));
  self->tell(sibling(*self, "peers"), dial_neighbors{entry->p2p_endpoints});
  begin(self);
}

/// Opens the chain, or starts to ask for one.
result<> start(self_pointer self) {
  const auto& context = *self->state().context;
  std::optional<ledger::genesis_params> genesis;
  if (context.options.sentinel) genesis.emplace().validators = {context.key->account()};
  auto opened = open(self, std::move(genesis));
  if (opened) {
    begin(self);
    return {};
  }
  if (context.options.sentinel || !opened.error().is(ledger::chain_rule::no_chain)) return opened;
  ask_sentinel(self);
  return {};
}

caf::behavior chain_behavior(self_pointer self) {
  if (auto started = start(self); !started) {
    self->fail_start(started.error());
    return {[](tick) {}};
  }
  self->delayed_send(self, upkeep_interval, tick{});
  return {
      [=](rpc_request& request) {
        auto& s = self->state();
        if (!s.chain)
          return request.reply(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":")"
                               R"(this SN has no chain yet, it is asking the sentinel; try again"}})");
        s.service->handle(std::move(request.body),
                          {std::move(request.neighbor), request.session, std::move(request.reply)}, now());
        after_requests(self);
      },
      [=](requests_due) {
        auto& s = self->state();
        s.requests_due = false;
        s.service->go_on(now());
        after_requests(self);
      },
      [=](const session_gone& gone) {
        if (auto& service = self->state().service) service->session_gone(gone.session);
      },
      [=](const entry_found& found) { join(self, found); },
      [=](sentinel_due) { ask_sentinel(self); },
      // consensus
      [=](consensus_wanted) { introduce_chain(self); },
      [=](const consensus::build_block& what) { build(self, what); },
      [=](const consensus::validate_block& what) { validate(self, what); },
      [=](const consensus::persist& what) { persist(self, what); },
      [=](records_due) { write_records(self); },
      [=](const consensus::commit_block& what) { commit(self, what); },
      [=](const import_range& what) { import_blocks(self, what); },
      // neighbors
      [=](network_wanted) { introduce_network(self); },
      [=](const neighbor_txns& what) { take_txns(self, what); },
      [=](const neighbor_signs& what) { take_signs(self, what); },
      [=](const blocks_wanted& what) { answer_blocks(self, what); },
      [=](const neighbors_seen& what) { note_neighbors(self, what); },
      [=](const part_wanted& what) { answer_part_question(self, what); },
      [=](const part_found& what) {
        step_snapshot(self,
                      [&](auto& driver) { driver.on_part(what.neighbor, what.tag, what.answer, now()); });
      },
      [=](const snapshot_neighbors& what) {
        self->state().pivot_told = false; // who asks may have started anew
        step_snapshot(self, [&](auto& driver) {
          driver.set_neighbors(what.all, what.candidates, now());
          driver.tick(now());
        });
      },
      [=](tick) {
        if (self->state().chain) look_after_network(self);
        self->delayed_send(self, upkeep_interval, tick{});
      },
      [=](const admin_query& query) -> caf::result<std::string> {
        if (!self->state().chain) return self->state().detail_json();
        if (query.method == "proof") {
          auto proof = audit::answer_proof(*self->state().chain, query.params);
          if (!proof) return to_caf(proof.error());
          return std::move(*proof);
        }
        if (query.method == "leave") {
          auto left = leave_network(self->state());
          offer_work(self);
          if (!left) return to_caf(left.error());
          return json::serialize(*left);
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
