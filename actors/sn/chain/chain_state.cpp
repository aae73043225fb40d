#include "actors/sn/chain/chain_state.hpp"

#include "actors/sn/chain/chain_use.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"
#include "ledger/formats/transaction.hpp"

#include <filesystem>

namespace swarm::actors {

namespace json = boost::json;

json::object chain_state::summary() const {
  const auto& head = *chain->head();
  const auto stats = chain->stats();
  const auto micros = [](auto span) {
    return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  };
  json::array liars;
  for (const auto& [who, one] : double_votes)
    liars.push_back(json::object{{"account", to_hex(who.view())},
                                 {"name", one.node.name},
                                 {"organisation", one.node.organisation},
                                 {"proved_in_block", one.proved_in}});
  return {{"chain_id", chain->chain_id()},
          {"genesis", to_hex(chain->genesis_hash().view())},
          {"block_num", head.header.block_num},
          {"block_hash", to_hex(head.hash.view())},
          {"state_root", to_hex(head.header.state_root.view())},
          {"timestamp", head.header.timestamp},
          {"account", to_hex(context->key->account().view())},
          {"pool_transactions", stats.pool_txns},
          {"pool_bytes", stats.pool_bytes},
          {"states_from", stats.states_from},
          {"store_bytes", stats.store_bytes},
          {"store_memory_bytes", stats.store_memory_bytes},
          {"last_block_execute_us", micros(stats.last_block.execute)},
          {"last_block_roots_us", micros(stats.last_block.roots)},
          {"last_block_write_us", micros(stats.last_block.write)},
          {"chain_use", chain_use_json(*chain, unix_seconds())},
          {"double_votes", std::move(liars)},
          {"registrations_refused", registrations_refused},
          {"last_registration_refused", last_registration_refused},
          {"reentries", reentered.to_json()},
          {"snapshot", snapshot_json(*snapshot)}};
}

result<> chain_state::judge_registration(const contracts::register_node_args& args, const address& sender) {
  SWARM_CHECK(judge.check(*chain, contracts::statement_of(sender, args), args.proof));
  auto room = room_for_one_more(args.organisation, args.type);
  if (room) return {};
  ++registrations_refused;
  last_registration_refused = room.error().message;
  if (told_of_registrations.afford(args.organisation, std::chrono::steady_clock::now()))
    log::warning(context->log_source, "a registration is refused: {}", last_registration_refused);
  return room;
}

/// The contract refuses it, too, but only when there is room in a block for that.
result<> chain_state::room_for_one_more(contracts::organisation_id organisation, contracts::node_type role) {
  SWARM_TRY(const auto standing, membership::ask(*chain, contracts::node_registry_address(),
                                                 contracts::standing_args{organisation}));
  SWARM_TRY(const auto limits, membership::ask(*chain, contracts::organisation_registry_address(),
                                               contracts::organisation_args{organisation}));
  if (standing.nodes >= limits.limits.nodes)
    return fail(
        ledger::pool_errc::pool_full,
        "the organisation {} has {} nodes, all that its limit allows: one has to leave, or organisations "
        "vote for another limit",
        membership::name_of(*chain, organisation), standing.nodes);
  SWARM_CHECK(membership::room_in_seats(*chain, organisation, role, unix_seconds()));
  if (newcomers_budget.afford(organisation, std::chrono::steady_clock::now())) return {};
  return fail(ledger::pool_errc::pool_full,
              "the organisation {} registers more new nodes than this SN takes; try again in a moment",
              membership::name_of(*chain, organisation));
}

namespace {

/// Records that cannot be read count as missing; then consensus keeps silent.
std::vector<consensus::record_entry> stored_records(const ledger::chain& from) {
  std::vector<consensus::record_entry> out;
  for (const auto key : consensus::record_keys)
    if (auto value = from.record_of(key); value && *value) out.push_back({key, std::move(**value)});
  return out;
}

/// The smallest sensible --snapshot-gap: a busy chain makes so many blocks while a node restarts.
constexpr std::uint64_t snapshot_gap_sensible = 1'000;

void warn_of_small_gap(const sn_context& context) {
  const auto gap = context.options.snapshot_gap;
  if (gap == 0 || gap >= snapshot_gap_sensible) return;
  log::warning(context.log_source,
               "--snapshot-gap {}: this SN will take a snapshot whenever it was away for a moment, and every "
               "one leaves out states that it never gets again; choose at least {}, or 0 for never",
               gap, snapshot_gap_sensible);
}

/// Whether this key never had a chain. A key whose chain was deleted must not claim that it has signed
/// nothing, so a mark is put beside the key before the chain is made.
result<bool> is_first_chain(const std::filesystem::path& data_dir) {
  const auto mark = data_dir / "chain.made";
  auto made = create_file(mark, {});
  if (!made && made.error().is(file_errc::exists)) return false;
  SWARM_CHECK(std::move(made));
  return true;
}

} // namespace

result<> open_chain(chain_state& s, std::optional<ledger::genesis_params> genesis,
                    std::function<void(const ledger::transaction&)> on_accepted) {
  ledger::chain_options options;
  options.dir = s.context->options.data_dir / "chain";
  options.genesis = std::move(genesis);
  options.contracts = contracts::make_contracts();
  options.limits.keep_states = s.context->options.keep_states;
  options.on_accepted = std::move(on_accepted);
  options.admits = [&s](const ledger::transaction& txn, const address& sender) {
    return s.pool_rule.judge(*s.chain, txn, sender);
  };
  options.now = unix_seconds;
  options.rules_known = std::min(s.context->options.rules_known, ledger::rules_newest);
  if (options.genesis) {
    SWARM_TRY(const bool first, is_first_chain(s.context->options.data_dir));
    if (first)
      options.first_records = [account = s.context->key->account()](const hash32& genesis_hash) {
        return consensus::initial_records(account, genesis_hash);
      };
  }
  options.pivot_records = [account = s.context->key->account()](const ledger::chain& before,
                                                                std::uint64_t pivot_num) {
    return consensus::records_with_pivot(stored_records(before), account, before.genesis_hash(),
                                         before.head()->header.block_num, pivot_num);
  };
  SWARM_TRY(s.chain, ledger::chain::open(std::move(options)));
  SWARM_CHECK(s.chain->check_rules());
  if (auto known = convicted_on(*s.chain)) s.double_votes = std::move(*known);
  s.snapshot = std::make_unique<sync::snapshot_driver>(*s.chain, sync::driver_options{});
  s.server = std::make_unique<sync::snapshot_server>(*s.chain,
                                                     contracts::event_topic<contracts::validators_changed>());
  warn_of_small_gap(*s.context);
  if (const auto first = s.chain->stats().states_from; first > 0)
    log::info(s.context->log_source, "the states of blocks before {} are given up (--keep-states)", first);
  const auto& head = *s.chain->head();
  log::info(s.context->log_source, "chain {} with genesis {}, at block {} {}", s.chain->chain_id(),
            to_hex(s.chain->genesis_hash().view()), head.header.block_num, to_hex(head.hash.view()));
  return {};
}

result<hash32> submit_own(chain_state& s, const membership::action::submit& what) {
  const auto own = s.context->key->account();
  if (what.try_first) {
    SWARM_TRY(const auto outcome, s.chain->call({.from = own, .to = what.to, .input = what.input}));
    if (outcome.status != ledger::call_status::ok)
      return fail(errc::denied, "{}", contracts::revert_text(outcome.output));
  }
  ledger::txn_fields fields;
  SWARM_TRY(fields.nonce, s.chain->pending_nonce(own));
  fields.gas_limit = contracts::call_gas;
  fields.to = what.to;
  fields.data = what.input;
  SWARM_TRY(const auto txn, ledger::make_signed(std::move(fields), *s.context->key, s.chain->chain_id()));
  return s.chain->submit(txn.raw());
}

network_facts facts_of(const chain_state& s, std::vector<address> validators) {
  const auto& head = *s.chain->head();
  return {{s.chain->chain_id(), s.chain->genesis_hash()},
          {head.header.block_num, head.hash},
          std::move(validators)};
}

void show_reentry(chain_state& s, const consensus::reentry_seen& what) {
  if (!s.chain) return;
  if (const auto line = s.reentered.take(*s.chain, what.author, what.block_num))
    log::warning(s.context->log_source, "{}", *line);
}

result<membership::chain_facts> facts_for(chain_state& s, const membership::action::read_facts& what) {
  const auto& identity = *s.context->identity;
  SWARM_TRY(auto out,
            membership::read_chain_facts(*s.chain, s.context->key->account(), what, s.known_registry));
  out.identity = identity.fingerprint();
  out.expiry = identity.not_after();
  out.unix_now = unix_seconds();
  if (s.chain->genesis().founders.empty()) return out;
  SWARM_TRY(out.organisation, membership::ask(*s.chain, contracts::organisation_registry_address(),
                                              contracts::anchor_owner_args{identity.anchor()->fingerprint}));
  return out;
}

blocks_found blocks_for(const ledger::chain& chain, const blocks_wanted& what) {
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
  return out;
}

} // namespace swarm::actors
