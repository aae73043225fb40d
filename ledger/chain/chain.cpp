#include "ledger/chain/chain.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "ledger/chain/chain_parts.hpp"
#include "ledger/chain/store_check.hpp"
#include "ledger/formats/header_rules.hpp"

#include <tuple>
#include <unordered_set>

namespace swarm::ledger {

namespace {

constexpr std::string_view log_source = "swarm.ledger";
/// A proposer needs one candidate, a validator one for each failed round; older ones are dropped.
constexpr std::size_t candidates_max = 4;
/// Room in a block for what is neither transactions nor seals: header and list prefixes.
constexpr std::size_t block_frame_max = 2048;

tl::unexpected<error> other_chain(const std::filesystem::path& dir, const genesis_params& there,
                                  std::string_view difference) {
  return fail(
      chain_errc::other_chain,
      "{}: holds another chain (id {}): {}; choose another data directory, or start with that chain's "
      "parameters",
      dir.string(), there.chain_id, difference);
}

std::string_view difference_of(const genesis_params& a, const genesis_params& b) {
  if (a.chain_id != b.chain_id) return "the chain id differs";
  if (a.validators != b.validators) return "its first validators differ";
  if (a.founders != b.founders) return "its founders differ";
  if (a.timestamp != b.timestamp) return "its genesis timestamp differs";
  if (a.rules != b.rules) return "it began with another version of the rules";
  return "its block gas limit differs";
}

/// The parameters to go on with: those in the directory, or those asked for when it holds no chain.
result<genesis_params> choose_params(const chain_options& options,
                                     const std::optional<stored_identity>& stored) {
  std::optional<genesis_params> wanted;
  if (options.genesis) {
    SWARM_TRY(wanted, normalize(*options.genesis));
  }
  if (!stored) {
    if (wanted) return *wanted;
    return fail(chain_errc::no_chain, "{}: holds no chain yet, and nothing says which one to make",
                options.dir.string());
  }
  auto decoded = decode_genesis(stored->genesis_params);
  if (!decoded) return fail_with(std::move(decoded).error(), options.dir.string());
  auto found = std::move(*decoded);
  if (wanted && *wanted != found) return other_chain(options.dir, found, difference_of(*wanted, found));
  return found;
}

/// Compares what a proposed header claims with what executing its transactions made.
result<> check_outcome(const block_header& claimed, const block_header& made) {
  const auto at = claimed.block_num;
  auto differs = [&](chain_errc rule, std::string_view what, bytes_view want, bytes_view have) {
    return fail(rule, "block {}: its {} is {}, executing it gives {}", at, what, to_hex(want), to_hex(have));
  };
  if (claimed.gas_used != made.gas_used)
    return fail(chain_errc::gas_used, "block {}: claims {} gas, executing it takes {}", at, claimed.gas_used,
                made.gas_used);
  if (claimed.receipts_root != made.receipts_root)
    return differs(chain_errc::receipts_root, "receipts root", claimed.receipts_root.view(),
                   made.receipts_root.view());
  if (claimed.logs_bloom != made.logs_bloom)
    return fail(chain_errc::logs_bloom, "block {}: its bloom is not that of its logs", at);
  if (claimed.state_root != made.state_root)
    return differs(chain_errc::state_root, "state root", claimed.state_root.view(), made.state_root.view());
  if (claimed.txns_root != made.txns_root)
    return differs(chain_errc::txns_root, "transactions root", claimed.txns_root.view(),
                   made.txns_root.view());
  return {};
}

} // namespace

chain_source::chain_source(const chain_options& options, genesis_params params,
                           std::unique_ptr<block_store> opened)
    : genesis(std::move(params)), contracts(options.contracts), limits(options.limits),
      store(std::move(opened)), blocks(*store, genesis.chain_id, limits.block_cache_bytes),
      state([on = store.get()](const hash32& hash) { return on->trie_node(hash); },
            [on = store.get()](const hash32& hash) { return on->code(hash); }, limits.view_cache_bytes) {}

chain::parts::parts(chain_options opts, std::shared_ptr<chain_source> from)
    : options(std::move(opts)), source(std::move(from)),
      state([on = source->store.get()](const hash32& hash) { return on->newest_node(hash); },
            [on = source->store.get()](const hash32& hash) { return on->newest_code(hash); },
            options.limits.node_cache_bytes),
      now(std::make_shared<chain_view::parts>(chain_view::parts{source, &state, nullptr, {}})),
      window(std::make_shared<chain_window>(options.limits.pool)),
      pruner(now, *source->store, options.limits), genesis(source->genesis), contracts(source->contracts),
      store(source->store.get()), blocks(source->blocks), pool(window->pool()), head(now->head),
      gaps(now->gaps) {}

chain::chain(std::unique_ptr<parts> own) : chain_view(own->now), parts_(std::move(own)) {}
chain::~chain() {
  parts_->store->close();
}

std::shared_ptr<const chain_window> chain::window() const {
  return parts_->window;
}

result<std::unique_ptr<chain>> chain::open(chain_options options) {
  SWARM_TRY(auto store, block_store::open({.dir = options.dir,
                                           .cache_bytes = options.limits.store_cache_bytes,
                                           .space_reserve_bytes = options.space_reserve_bytes,
                                           .write_buffer_bytes = options.limits.store_write_buffer_bytes,
                                           .log_bytes = options.limits.store_log_bytes,
                                           .env = options.env}));
  SWARM_TRY(const bool unfinished, store->under_repair());
  if (unfinished)
    return fail(store_errc::damaged, "{}: a repair was interrupted; {}", options.dir.string(), damage_remedy);
  SWARM_TRY(auto stored, store->identity());
  SWARM_TRY(auto params, choose_params(options, stored));
  auto source = std::make_shared<chain_source>(options, std::move(params), std::move(store));
  auto own = std::make_unique<parts>(std::move(options), source);
  SWARM_TRY(auto first, make_genesis(own->state, own->genesis, own->options.contracts));
  source->genesis_hash = block_hash(first.header);
  if (!stored) {
    SWARM_CHECK(own->write_genesis(first));
  } else if (stored->genesis_hash != source->genesis_hash) {
    return other_chain(own->options.dir, own->genesis, "its contracts are not those of this swarmd");
  }
  SWARM_CHECK(own->load_head());
  own->show();
  return std::unique_ptr<chain>(new chain(std::move(own)));
}

result<> chain::parts::write_genesis(const genesis_block& first) {
  auto block = std::make_shared<executed_block>();
  block->header = first.header;
  complete(*block);
  stored_identity identity{genesis.chain_id, source->genesis_hash, encode_genesis(genesis)};
  const auto records =
      options.first_records ? options.first_records(source->genesis_hash) : std::vector<consensus_record>{};
  return blocks.write(block, first.state, {}, records, &identity);
}

result<> chain::parts::load_head() {
  SWARM_TRY(auto stored, store->head());
  if (!stored)
    return fail(store_errc::damaged, "{}: the head is missing; {}", options.dir.string(), damage_remedy);
  SWARM_TRY(auto block, blocks.by_num(stored->block_num));
  if (!block || block->hash != stored->hash)
    return fail(store_errc::damaged, "{}: block {}, the head, is missing or another; {}",
                options.dir.string(), stored->block_num, damage_remedy);
  auto readable = state_view(state, block->header.state_root).account_of(system_account());
  if (!readable || !*readable)
    return fail(store_errc::damaged, "{}: the state after block {} is unreadable{}{}; {}",
                options.dir.string(), stored->block_num, readable ? "" : ": ",
                readable ? "" : readable.error().message, damage_remedy);
  SWARM_TRY(gaps, stored_gaps(*store));
  head = std::move(block);
  auto seals = blocks.seals_of(head->header.block_num);
  if (!seals || !*seals)
    return fail(store_errc::damaged, "{}: column seals, block {}: missing or another; {}",
                options.dir.string(), head->header.block_num, damage_remedy);
  head_seals = std::move(**seals);
  return check_recent_blocks(*store, *head, gaps, genesis.chain_id);
}

// Pool

result<hash32> chain::submit(bytes_view raw) {
  SWARM_TRY(auto txn, transaction::decode(raw, chain_id()));
  return submit(std::move(txn));
}

result<hash32> chain::submit(transaction txn) {
  SWARM_ASSERT(txn.chain_id() == chain_id());
  auto hash = txn.hash();
  if (parts_->pool.find(hash) == nullptr) { // else the pool refuses it without the work below
    SWARM_CHECK(check_executable(txn.fields(), parts_->head->header.gas_limit));
    SWARM_CHECK(txn.recover_sender());
  } else {
    txn = *parts_->pool.find(hash);
  }
  if (parts_->options.admits) SWARM_CHECK(parts_->options.admits(txn, txn.sender()));
  SWARM_TRY(const auto organisation, parts_->check_space(txn));
  SWARM_TRY(auto account, account_of(txn.sender()));
  SWARM_CHECK(parts_->window->change(
      [&](mempool& pool) { return pool.add(std::move(txn), account.nonce, organisation); }));
  if (parts_->options.on_accepted) parts_->options.on_accepted(*parts_->pool.find(hash));
  return hash;
}

bool chain::has_executable() const {
  return parts_->pool.has_executable();
}

const transaction* chain::find_pending(const hash32& hash) const {
  return parts_->pool.find(hash);
}

std::vector<bytes> chain::waiting_txns(std::size_t max) const {
  std::vector<bytes> out;
  for (const auto* txn : parts_->pool.executable(max))
    out.push_back(to_bytes(txn->raw()));
  return out;
}

result<std::uint64_t> chain::pending_nonce(const address& account) const {
  return parts_->window->pending_nonce(account);
}

// Blocks

result<candidate_ptr> chain::build_block(std::uint64_t timestamp, const address& proposer,
                                         std::size_t txns_max, std::uint64_t round_num) {
  const auto& parent = *parts_->head;
  SWARM_TRY(auto context,
            parts_->next_context(proposer, std::max(timestamp, parent.header.timestamp), round_num));
  block_executor executor(parts_->state, parts_->contracts, std::move(context), parent);
  SWARM_CHECK(executor.open(parts_->head_seals));
  const auto frame_max = block_frame_max + encode_seals(parts_->head_seals).size();
  std::vector<hash32> hopeless;
  std::unordered_set<address> stuck; // senders whose later transactions can no longer follow
  for (const auto* txn : parts_->pool.executable(std::min(txns_max, block_txns_max))) {
    if (stuck.contains(txn->sender())) continue;
    if (executor.size() + txn->raw().size() + frame_max > block_size_max) break;
    auto added = parts_->add_admitted(executor, *txn);
    if (added) continue;
    stuck.insert(txn->sender());
    if (added.error().is(execution_errc::gas_above_block)) continue; // it waits for the next block
    hopeless.push_back(txn->hash());
    if (added.error().is(pool_errc::no_member)) continue;
    if (added.error().category == error_category(space_errc{})) {
      parts_->tell_of_space(added.error());
      continue;
    }
    if (!is_not_executable(added.error()) && !added.error().is(errc::internal))
      return tl::unexpected(std::move(added).error());
    log::error(log_source, "transaction {} is dropped, it cannot be executed: {}", to_hex(txn->hash().view()),
               added.error().message);
  }
  for (const auto& hash : hopeless)
    parts_->window->change([&](mempool& pool) { pool.remove(hash); });
  SWARM_TRY(auto made, executor.finish());
  parts_->remember(made);
  return made;
}

result<candidate_ptr> chain::validate_block(const block& proposed) {
  auto hash = block_hash(proposed.header);
  for (const auto& known : parts_->candidates)
    if (known->block->hash == hash && known->block->parent_seals == proposed.parent_seals
        && known->block->txns.size() == proposed.txns.size()
        && std::equal(proposed.txns.begin(), proposed.txns.end(), known->block->txns.begin(),
                      [](const auto& a, const auto& b) { return a.hash() == b.hash(); }))
      return known;
  SWARM_TRY(auto made, parts_->execute(proposed, hash, body_state::unchecked));
  parts_->remember(made);
  return made;
}

result<candidate_ptr> chain::parts::execute(const block& proposed, const hash32& hash, body_state body) {
  const auto& parent = *head;
  const auto& header = proposed.header;
  if (header.parent_hash != parent.hash || header.block_num != parent.header.block_num + 1)
    return fail(chain_errc::unknown_parent, "block {} on {} does not follow the head, block {} {}",
                header.block_num, to_hex(header.parent_hash.view()), parent.header.block_num,
                to_hex(parent.hash.view()));
  SWARM_CHECK(check_header(header, parent.header, parent.hash));
  SWARM_CHECK(check_parent_seals(header, proposed.parent_seals));
  SWARM_CHECK(check_seals_of_head(proposed));
  if (proposed.txns.size() > block_txns_max)
    return fail(block_errc::too_many_txns, "block {}: {} transactions, at most {} are allowed",
                header.block_num, proposed.txns.size(), block_txns_max);
  SWARM_TRY(auto context, next_context(header.coinbase, header.timestamp, made_in_round(header)));
  block_executor executor(state, contracts, std::move(context), parent);
  SWARM_CHECK(executor.open(proposed.parent_seals));
  for (const auto& given : proposed.txns) {
    const auto* waiting = given.sender_known() ? nullptr : pool.find(given.hash());
    auto txn = waiting != nullptr ? *waiting : given; // the sender of the pool's copy is recovered already
    SWARM_CHECK(txn.recover_sender());
    if (auto added = executor.add(std::move(txn)); !added) {
      if (!is_not_executable(added.error())) return tl::unexpected(std::move(added).error());
      return fail(chain_errc::txn_not_executable, "block {}: transaction {}: {}", header.block_num,
                  to_hex(given.hash().view()), added.error().message);
    }
  }
  const auto* known_root = body == body_state::checked ? &header.txns_root : nullptr;
  SWARM_TRY(auto made, executor.finish(known_root));
  SWARM_CHECK(check_outcome(header, made->block->header));
  SWARM_ASSERT(made->block->hash == hash); // every field has been compared
  if (made->block->encoded_size > block_size_max)
    return fail(block_errc::too_large, "block {}: {} bytes, at most {} are allowed", header.block_num,
                made->block->encoded_size, block_size_max);
  return made;
}

result<> chain::parts::add_admitted(block_executor& executor, const transaction& txn) const {
  if (options.admits && !options.admits(txn, txn.sender()))
    return fail(pool_errc::no_member, "its sender is no member any more");
  return executor.add(txn);
}

result<std::uint16_t> chain::parts::check_space(const transaction& txn) {
  if (contracts.space() == nullptr) return 0;
  if (!space_state || space_state->first != head->hash)
    space_state.emplace(std::piecewise_construct, std::forward_as_tuple(head->hash),
                        std::forward_as_tuple(state, head->header.state_root));
  const auto time = std::max(options.now ? options.now() : 0, head->header.timestamp);
  SWARM_TRY(const auto next, next_context({}, time));
  auto account = ledger::check_space(space_state->second, next, txn, contracts);
  if (account) return account->organisation;
  if (!is_not_executable(account.error())) space_state.reset(); // stored state could not be read
  tell_of_space(account.error());
  return tl::unexpected(std::move(account).error());
}

void chain::parts::tell_of_space(const error& why) {
  if (!why.is(space_errc::day_full)) return;
  if (told_of_space.size() >= told_of_space_max) told_of_space.clear();
  if (told_of_space.insert(why.message).second) log::warning(log_source, "{}", why.message);
}

result<block_context> chain::parts::next_context(const address& proposer, std::uint64_t timestamp,
                                                 std::uint64_t made_in) {
  SWARM_TRY(auto out, context_on(*head, state_view(state, head->header.state_root), genesis,
                                 source->genesis_hash, proposer, timestamp, made_in));
  SWARM_CHECK(check_rules_known(out, options.rules_known));
  return out;
}

result<> chain::check_rules() const {
  SWARM_CHECK(parts_->next_context({}, parts_->head->header.timestamp));
  return {};
}

result<std::vector<address>> chain::parts::sealers_of_head() {
  auto before = head->header;
  // A snapshot is taken where the validators after a block are those who sealed it.
  if (!gaps.lacks_state(before.block_num - 1)) {
    SWARM_TRY(before, blocks.header_of(before.block_num - 1));
  }
  return read_validators(state_view(state, before.state_root));
}

/// The seals that this node has need no further look. Another quorum's are as good.
result<> chain::parts::check_seals_of_head(const block& proposed) {
  if (proposed.parent_seals == head_seals) return {};
  const auto at = proposed.header.block_num;
  if (head->header.block_num == 0)
    return fail(seal_errc::not_a_validator, "block {}: nobody seals the genesis block", at);
  SWARM_TRY(const auto sealers, sealers_of_head());
  const auto digest =
      seal_digest(genesis.chain_id, source->genesis_hash, head->hash, proposed.parent_seals.round_num);
  auto sealed = check_seals(proposed.parent_seals, digest, sealers, seal_quorum(sealers.size()));
  if (!sealed)
    return fail_with(std::move(sealed).error(), fmt::format("block {}: the seals of its parent", at));
  return {};
}

void chain::parts::remember(const candidate_ptr& made) {
  if (candidates.size() >= candidates_max) candidates.erase(candidates.begin());
  candidates.push_back(made);
}

/// Called after a failed write, when what was being written may or may not be on disk.
result<> chain::parts::recover_store() {
  if (!store->needs_recovery()) return {};
  SWARM_CHECK(store->recover());
  SWARM_TRY(auto stored, store->head());
  if (stored && stored->hash == head->hash) return {};
  const auto before = head->header.block_num;
  SWARM_CHECK(load_head());
  log::warning(log_source, "blocks {} to {} {} are on disk although writing them seemed to fail", before + 1,
               head->header.block_num, to_hex(head->hash.view()));
  candidates.clear();
  show();
  return advance_pool_to_head();
}

void chain::parts::show() {
  SWARM_ASSERT(!store->has_collected()); // others see only what is on disk
  auto place = *now;
  place.state = &source->state;
  window->show(
      std::make_shared<const chain_view>(std::make_shared<const chain_view::parts>(std::move(place))));
}

result<> chain::parts::advance_pool_to_head() {
  const state_view at_head(state, head->header.state_root);
  for (const auto& sender : pool.senders()) {
    SWARM_TRY(const auto found, at_head.account_of(sender));
    if (found) window->change([&](mempool& waiting) { waiting.advance(sender, found->nonce); });
  }
  return {};
}

void chain::parts::advance_pool(const executed_block& block) {
  std::unordered_map<address, std::uint64_t> nonces;
  for (const auto& txn : block.txns)
    nonces[txn.sender()] = txn.fields().nonce + 1;
  window->change([&](mempool& waiting) {
    for (const auto& [sender, nonce] : nonces)
      waiting.advance(sender, nonce);
  });
}

void chain::parts::set_head(const block_ptr& block, const seal_record& seals) {
  head = block;
  head_seals = seals;
  candidates.clear();
  show();
  advance_pool(*block);
}

result<block_ptr> chain::commit(const candidate_ptr& candidate, const seal_record& seals,
                                std::span<const consensus_record> records) {
  SWARM_ASSERT(candidate != nullptr && candidate->block != nullptr && candidate->changes != nullptr);
  SWARM_CHECK(parts_->recover_store());
  auto block = candidate->block;
  if (block->hash == parts_->head->hash) return block;
  if (block->header.parent_hash != parts_->head->hash)
    return fail(chain_errc::stale_candidate, "block {} was made on top of {}, the head is block {} {}",
                block->header.block_num, to_hex(block->header.parent_hash.view()),
                parts_->head->header.block_num, to_hex(parts_->head->hash.view()));
  const auto changes = candidate->changes; // `candidate` may be one of those that set_head drops
  auto started = std::chrono::steady_clock::now();
  SWARM_CHECK(parts_->blocks.write(block, changes->state, seals, records));
  parts_->last_block = changes->timing;
  parts_->last_block.write = std::chrono::steady_clock::now() - started;
  parts_->set_head(block, seals);
  return block;
}

result<block_ptr> chain::import_block(const block& received, const seal_record& seals,
                                      std::span<const consensus_record> records) {
  SWARM_TRY(auto made, validate_block(received));
  return commit(made, seals, records);
}

// Records

result<> chain::write_records(std::span<const consensus_record> records) {
  SWARM_CHECK(parts_->recover_store());
  return parts_->store->write_records(records);
}

result<std::optional<bytes>> chain::record_of(std::string_view key) const {
  return parts_->store->record_of(key);
}

result<bool> chain::prune() {
  SWARM_CHECK(parts_->recover_store());
  return parts_->pruner.step(parts_->gaps);
}

chain_stats chain::stats() const {
  auto store = parts_->store->stats();
  return {.pool_txns = parts_->pool.txn_count(),
          .pool_bytes = parts_->pool.byte_count(),
          .pool_senders = parts_->pool.sender_count(),
          .node_cache_bytes =
              parts_->state.nodes().cache_bytes() + parts_->source->state.nodes().cache_bytes(),
          .block_cache_bytes = parts_->blocks.cache_bytes(),
          .states_from = parts_->store->states_from(),
          .store_bytes = store.disk_bytes,
          .store_memory_bytes = store.memory_bytes,
          .last_block = parts_->last_block};
}

} // namespace swarm::ledger
