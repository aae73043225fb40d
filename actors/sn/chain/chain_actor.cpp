#include "actors/sn/chain/chain_actor.hpp"

#include "actors/node/identity.hpp"
#include "actors/sn/chain/chain_state.hpp"
#include "actors/sn/chain/double_votes.hpp"
#include "actors/sn/chain/organisation_vote.hpp"
#include "actors/sn/chain/rules_upkeep.hpp"
#include "actors/sn/chain/snapshot_shell.hpp"
#include "actors/sn/chain/training_reset.hpp"
#include "actors/sn/chain/turns.hpp"
#include "actors/sn/membership/chain_facts.hpp"
#include "actors/sn/membership/founders.hpp"
#include "actors/sn/membership/registration_judge.hpp"
#include "actors/sn/proofs/make_proof.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "contracts/organisations/client.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block_txns = 1000;
constexpr auto commit_retry = 1s;
constexpr auto upkeep_interval = 1s;
/// One part of pruning takes some milliseconds: a block waits for no more, and the thread is nearly free.
constexpr auto prune_interval = 200ms;
constexpr std::size_t regossip_txns = 1000;

using self_pointer = role_actor<chain_state>*;

time_point now() {
  return std::chrono::steady_clock::now();
}

template <class Event>
void tell_consensus(self_pointer self, Event event) {
  self->tell(sibling(*self, "consensus"), std::move(event));
}

/// Tells consensus that transactions wait: once for each head, and again when consensus starts.
void offer_work(self_pointer self) {
  auto& s = self->state();
  if (s.told_of_work || !s.chain->has_executable()) return;
  s.told_of_work = true;
  tell_consensus(self, consensus::work_available{});
}

// What consensus wants

void introduce_chain(self_pointer self) {
  auto& s = self->state();
  if (!s.chain) return;
  s.unwritten.clear(); // they were of a consensus actor that has ended
  auto validators = s.chain->validators_after(s.chain->head()->header.block_num);
  if (!validators) return self->fail(validators.error());
  auto head = head_for_consensus(s);
  if (!head) return self->fail(head.error());
  consensus_ready out{{s.chain->chain_id(), s.chain->genesis_hash()},
                      {std::move(*head), std::move(*validators), {}}};
  for (const auto key : consensus::record_keys) {
    auto value = s.chain->record_of(key);
    if (!value) return self->fail(value.error());
    if (*value) out.start.records.push_back({key, std::move(**value)});
  }
  tell_consensus(self, std::move(out));
  s.told_of_work = false;
  offer_work(self);
}

/// Ends the process where rules begin that it does not know; any other error is this actor's.
void stop_for(self_pointer self, const error& why) {
  if (!why.is(ledger::chain_errc::unknown_rules)) return self->fail(why);
  self->end_process(1, why.message);
}

/// Names the validators that lose their seats with these blocks, on every SN.
void name_liars(chain_state& s, const std::vector<ledger::block_ptr>& blocks) {
  for (const auto& block : blocks)
    for (const auto& proved : double_votes_in(*block)) {
      auto& one = s.double_votes[proved.account];
      one = {registered_name_of(*s.chain, proved.account), block->header.block_num};
      log::warning(
          s.context->log_source,
          "the validator {} {} has lost its seat: block {} proves that it signed two different {}s for "
          "block {}, round {}",
          to_hex(proved.account.view()), one.node.who(), one.proved_in,
          to_string(static_cast<ledger::vote_kind>(proved.kind)), proved.block_num, proved.round_num);
    }
}

/// The chain has new blocks, and with them a new head.
void head_moved(self_pointer self, std::vector<ledger::block_ptr> blocks) {
  auto& s = self->state();
  const auto block = blocks.back();
  name_liars(s, blocks);
  s.metrics->got(blocks, *s.chain, now());
  if (!s.trouble.empty())
    log::info(s.context->log_source, "the disk takes blocks again, at block {}", block->header.block_num);
  s.trouble.clear();
  s.built.reset();
  s.validated.reset();
  s.told_of_work = false;
  if (auto known = look_at_rules(s); !known) return stop_for(self, known.error());
  self->tell(sibling(*self, "rpc"), blocks_final{blocks});
  self->tell(sibling(*self, "vouching"), blocks_final{std::move(blocks)});
  auto validators = s.chain->validators_after(block->header.block_num);
  if (!validators) return self->fail(validators.error());
  self->tell(sibling(*self, peers_hub), facts_of(s, *validators));
  auto head = head_for_consensus(s);
  if (!head) return self->fail(head.error());
  tell_consensus(self, consensus::head_changed{std::move(*head), std::move(*validators)});
  offer_work(self);
}

void introduce_network(self_pointer self) {
  auto& s = self->state();
  if (!s.chain) return;
  auto validators = s.chain->validators_after(s.chain->head()->header.block_num);
  if (!validators) return self->fail(validators.error());
  self->tell(sibling(*self, peers_hub), facts_of(s, std::move(*validators)));
}

void build(self_pointer self, const consensus::build_block& what) {
  auto& s = self->state();
  consensus::block_built out{what.block_num, what.round_num, {}};
  if (what.block_num == s.chain->head()->header.block_num + 1) {
    auto candidate =
        s.chain->build_block(unix_seconds(), s.context->key->account(), block_txns, what.round_num);
    if (!candidate) return self->fail(candidate.error());
    const auto& block = *(*candidate)->block;
    if (!block.txns.empty()) {
      s.built = *candidate;
      auto raw =
          what.encoded ? std::make_shared<const bytes>(ledger::encode_block(block.content())) : nullptr;
      out.block = consensus::own_block(block.header, block.hash, std::move(raw));
    }
  }
  if (!out.block) s.told_of_work = false;
  tell_consensus(self, std::move(out));
}

/// The candidate for a block that consensus names: one that was made or validated here, or one that is
/// executed now.
result<ledger::candidate_ptr> candidate_for(const chain_state& s, const consensus::proposed_block& block) {
  if (s.built && s.built->block->hash == block.hash) return s.built;
  if (s.validated && s.validated->block->hash == block.hash) return s.validated;
  SWARM_TRY(const auto decoded, ledger::decode_block(*block.raw, s.chain->chain_id()));
  return s.chain->validate_block(decoded);
}

void validate(self_pointer self, const consensus::validate_block& what) {
  auto& s = self->state();
  if (s.chain->head()->header.block_num >= what.block.block_num)
    return; // it came by synchronisation meanwhile; consensus is told of the new head
  const auto candidate = candidate_for(s, what.block);
  if (candidate) s.validated = *candidate;
  if (!candidate && candidate.error().category == error_category(ledger::store_errc{}))
    return self->fail(candidate.error()); // this node is at fault, not the block
  if (!candidate)
    log::warning(s.context->log_source, "block {} of {} is refused: {}", what.block.block_num,
                 to_hex(what.block.proposer.view()), candidate.error().message);
  const bool early =
      candidate && ledger::is_early((*candidate)->block->header, s.chain->head()->header, unix_seconds());
  tell_consensus(
      self, consensus::block_validated{what.block.block_num, what.block.hash, candidate.has_value(), early});
}

bool is_disk_trouble(const error& why) {
  return why.is(ledger::store_errc::disk_full) || why.is(ledger::store_errc::io);
}

/// When the disk refuses, the same work is tried again until it succeeds: nothing is confirmed before, and
/// nothing is lost.
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

/// Writes records in the order in which consensus gave them: one that waits for the disk must not come after
/// a newer one.
void write_records(self_pointer self) {
  auto& s = self->state();
  for (; !s.unwritten.empty(); s.unwritten.pop_front()) {
    const auto& next = s.unwritten.front();
    // Otherwise it is too late: the block came by synchronisation meanwhile, with newer records.
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
  if (self->state().unwritten.size() == 1) write_records(self); // otherwise a retry is due already
}

void commit(self_pointer self, const consensus::commit_block& what) {
  auto& s = self->state();
  if (s.chain->head()->header.block_num >= what.block.block_num)
    return; // it came by synchronisation meanwhile
  const auto candidate = candidate_for(s, what.block);
  if (!candidate) return self->fail(candidate.error());
  auto committed = s.chain->commit(*candidate, what.seals, what.entries);
  if (committed) return head_moved(self, {*committed});
  if (!try_again(self, committed.error(), what)) self->fail(committed.error());
}

// Catching up

void import_blocks(self_pointer self, const import_range& what) {
  auto& s = self->state();
  std::vector<ledger::sealed_block_view> range;
  range.reserve(what.blocks.size());
  for (std::size_t i = 0; i < what.blocks.size(); ++i)
    range.push_back({what.blocks[i]->block, what.blocks[i]->seals, what.records[i]});
  auto done = s.chain->import_range(what.first, range);
  // The blocks are on disk now; only now others are told.
  if (!done.blocks.empty()) head_moved(self, std::move(done.blocks));
  const auto head_num = s.chain->head()->header.block_num;
  if (!done.refused) return tell_consensus(self, range_imported{head_num});
  const bool blame = !is_disk_trouble(*done.refused);
  tell_consensus(self, range_refused{head_num + 1, blame, std::move(*done.refused)});
}

/// Feeds the driver of snapshots, which may move the head.
template <class Event>
void step_snapshot(self_pointer self, const Event& event) {
  auto& s = self->state();
  if (!s.snapshot) return;
  event(*s.snapshot);
  if (const auto adopted = carry_out_snapshot(self)) head_moved(self, {adopted});
}

// What clients want

void show_chain(self_pointer self) {
  const auto& s = self->state();
  if (!s.chain) return;
  self->tell(sibling(*self, "rpc"), chain_shown{s.chain->window()});
  self->tell(sibling(*self, "vouching"), chain_shown{s.chain->window()});
}

void submit(self_pointer self, submit_txns& what) {
  auto& s = self->state();
  if (!s.chain) return; // this actor was restarted, and so was the one that asked
  txns_submitted out;
  for (auto& each : what.txns) {
    auto taken = s.chain->submit(std::move(each.txn));
    if (!taken) s.metrics->refused(taken.error());
    if (each.must_answer(taken)) out.outcomes.push_back({each.token, std::move(taken)});
  }
  offer_work(self);
  if (!out.outcomes.empty()) self->tell(sibling(*self, "rpc"), std::move(out));
}

// What neighbors say and want

/// Takes transactions of other SNs' pools. Refused ones are no offence: another SN may be ahead of this
/// one's chain.
void take_txns(self_pointer self, const neighbor_txns& what) {
  for (const auto& raw : what.raw) {
    auto taken = self->state().chain->submit(raw);
    if (!taken)
      log::debug(self->state().context->log_source, "a neighbor's transaction: {}", taken.error().message);
  }
  offer_work(self);
}

void answer_blocks(self_pointer self, const blocks_wanted& what) {
  self->tell(sibling(*self, peers_hub), blocks_for(*self->state().chain, what));
}

/// Sends waiting transactions to SNs that have connected since and may lack them.
void tell_newcomers(self_pointer self) {
  auto& s = self->state();
  if (!std::exchange(s.newcomers, false)) return;
  for (auto& raw : s.chain->waiting_txns(regossip_txns))
    self->tell(sibling(*self, peers_hub), gossip_txn{std::move(raw)});
}

void look_after_network(self_pointer self) {
  self->state().metrics->look(*self->state().chain, self->state().double_votes.size());
  tell_newcomers(self);
  offer_work(self);
}

// What membership wants

void tell_facts(self_pointer self, const membership::action::read_facts& what) {
  auto& s = self->state();
  const auto asker = sibling(*self, "membership");
  if (!s.chain)
    self->tell(asker, membership::no_chain{});
  else
    self->tell(asker, membership::facts_read{what.serial, facts_for(s, what)});
}

/// Vouches and the like. Another SN of the organisation may have been faster, so a refusal is no error.
void submit_for_vouching(self_pointer self, const submit_vouching& what) {
  auto& s = self->state();
  if (!s.chain) return;
  const auto done = submit_own(
      s, {membership::purpose::vote, contracts::node_registry_address(), what.input, what.try_first});
  if (!done) log::debug(s.context->log_source, "a call about another node: {}", done.error().message);
  offer_work(self);
}

void submit_own_txn(self_pointer self, const membership::action::submit& what) {
  if (!self->state().chain) return;
  result<> outcome;
  if (auto done = submit_own(self->state(), what); !done) outcome = tl::unexpected(std::move(done).error());
  self->tell(sibling(*self, "membership"), membership::submitted{what.what, std::move(outcome)});
  offer_work(self);
}

// Opening

void begin(self_pointer self) {
  self->env().methods.forward("chain", self->path());
  self->env().methods.forward("proof", self->path());
  self->env().methods.forward("reset", self->path());
  self->env().methods.forward("vote", self->path());
  self->env().methods.forward("rules", self->path());
  self->env().methods.forward("consensus", sibling(*self, "consensus"));
  self->env().methods.forward("peers", sibling(*self, peers_hub));
  show_chain(self);
  introduce_network(self);
  introduce_chain(self);
  look_after_network(self);
}

result<> open(self_pointer self, std::optional<ledger::genesis_params> genesis) {
  auto env = self->shared_env();
  const auto neighbors = sibling(*self, peers_hub);
  return open_chain(self->state(), std::move(genesis), [env, neighbors](const ledger::transaction& txn) {
    env->dir.send(neighbors, gossip_txn{to_bytes(txn.raw())});
  });
}

/// Begins a chain whose founders are the organisations that this SN trusts now.
result<> found_chain(self_pointer self) {
  const auto& context = *self->state().context;
  SWARM_TRY(auto genesis,
            membership::genesis_of_sentinel(tls_files_of(context.options.identity), context.key->account()));
  // Whoever is told to know less begins a chain that SNs of that release can join.
  genesis.rules = std::clamp(context.options.rules_known, ledger::rules_first, ledger::rules_newest);
  for (const auto& one : genesis.founders)
    log::info(context.log_source, "founder of the chain: the organisation '{}' with {} trusted CA{}",
              one.name, one.anchors.size(), one.validators.empty() ? "" : ", this SN's own");
  return open(self, std::move(genesis));
}

/// Gives up a part of the old states (--keep-states). What the disk refuses is tried again at the next call.
void prune(self_pointer self) {
  auto& s = self->state();
  if (!s.chain) return;
  const auto more = s.chain->prune();
  const auto trouble = more ? std::string{} : more.error().message;
  if (std::exchange(s.prune_trouble, trouble) != trouble && !trouble.empty())
    log::warning(s.context->log_source, "old states cannot be given up: {}", trouble);
}

/// Fails when a sentinel's directory holds a chain that another SN began.
result<> check_own_chain(const chain_state& s) {
  const std::vector<address> own{s.context->key->account()};
  if (!s.context->options.sentinel || s.chain->genesis().validators == own) return {};
  return fail(
      ledger::chain_errc::other_chain,
      "{}: holds a chain that another SN began; start this SN with the address of an SN of that network, "
      "or choose another data directory",
      s.context->options.data_dir.string());
}

/// Opens the chain of the data directory. Where there is none, the sentinel begins one; for a newcomer membership
/// finds out the parameters to make it from.
result<> start(self_pointer self) {
  auto& s = self->state();
  auto opened = open(self, {});
  if (!opened && !opened.error().is(ledger::chain_errc::no_chain)) return opened;
  if (!opened && !s.context->options.sentinel) return {};
  if (!opened) SWARM_CHECK(found_chain(self));
  SWARM_CHECK(check_own_chain(s));
  begin(self);
  return {};
}

result<> make_chain(self_pointer self, const membership::action::open_chain& what) {
  if (self->state().chain) return {};
  SWARM_TRY(auto genesis, ledger::decode_genesis(what.genesis));
  SWARM_CHECK(open(self, std::move(genesis)));
  begin(self);
  return {};
}

caf::result<std::string> answer_admin(self_pointer self, const admin_query& query) {
  auto& s = self->state();
  if (!s.chain) return s.detail_json();
  if (query.method == "proof") {
    auto proof = proofs::answer_proof(*s.chain, query.params);
    if (!proof) return to_caf(proof.error());
    return std::move(*proof);
  }
  if (query.method == "reset" || query.method == "vote" || query.method == "rules") {
    auto answer = query.method == "reset"  ? answer_reset(s, query.params)
                  : query.method == "vote" ? answer_vote(s, query.params)
                                           : answer_rules(s, query.params);
    if (!answer) return to_caf(answer.error());
    offer_work(self);
    return std::move(*answer);
  }
  return s.detail_json();
}

caf::behavior chain_behavior(self_pointer self) {
  const auto& context = *self->state().context;
  self->state().metrics.emplace(self->env().metrics, context.options.node_name, context.identity);
  if (auto started = start(self); !started) {
    self->fail_start(started.error());
    return {[](tick) {}};
  }
  self->delayed_send(self, upkeep_interval, tick{});
  self->delayed_send(self, prune_interval, states_due{});
  return {
      // JSON-RPC
      [=](window_wanted) { show_chain(self); },
      [=](submit_txns& what) { submit(self, what); },
      // membership
      [=](const membership::action::open_chain& what) {
        if (auto made = make_chain(self, what); !made) self->end_process(1, made.error().message);
      },
      [=](const membership::action::read_facts& what) { tell_facts(self, what); },
      [=](const membership::action::submit& what) { submit_own_txn(self, what); },
      [=](const submit_vouching& what) { submit_for_vouching(self, what); },
      // consensus
      [=](consensus_wanted) { introduce_chain(self); },
      [=](const consensus::build_block& what) { build(self, what); },
      [=](const consensus::validate_block& what) { validate(self, what); },
      [=](const consensus::persist& what) { persist(self, what); },
      [=](records_due) { write_records(self); },
      [=](const consensus::commit_block& what) { commit(self, what); },
      [=](const import_range& what) { import_blocks(self, what); },
      [=](const consensus::reentry_seen& what) { show_reentry(self->state(), what); },
      // neighbors
      [=](network_wanted) { introduce_network(self); },
      [=](const neighbor_txns& what) { take_txns(self, what); },
      [=](const blocks_wanted& what) { answer_blocks(self, what); },
      [=](newcomer) { self->state().newcomers = true; },
      [=](const part_wanted& what) { answer_part_question(self, what); },
      [=](const part_found& what) {
        step_snapshot(self,
                      [&](auto& driver) { driver.on_part(what.neighbor, what.tag, what.answer, now()); });
      },
      [=](const snapshot_neighbors& what) {
        self->state().pivot_told = false; // the asking actor may have been restarted
        step_snapshot(self, [&](auto& driver) {
          driver.set_neighbors(what.all, what.candidates, now());
          driver.tick(now());
        });
      },
      [=](tick) {
        if (self->state().chain) look_after_network(self);
        self->delayed_send(self, upkeep_interval, tick{});
      },
      [=](states_due) {
        prune(self);
        self->delayed_send(self, prune_interval, states_due{});
      },
      [=](const admin_query& query) { return answer_admin(self, query); },
  };
}

} // namespace

start_function chain_actor(std::shared_ptr<const sn_context> context) {
  return role<chain_state>(chain_behavior, std::move(context));
}

} // namespace swarm::actors
