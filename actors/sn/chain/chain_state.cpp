#include "actors/sn/chain/chain_state.hpp"

#include "base/log.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "ledger/formats/transaction.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

chain_state::chain_state(std::shared_ptr<const sn_context> from)
    : context(std::move(from)), pause(200ms, 10s, get_be64(context->key->account().data())) {}

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
          {"store_bytes", stats.store_bytes},
          {"store_memory_bytes", stats.store_memory_bytes},
          {"last_block_execute_us", micros(stats.last_block.execute)},
          {"last_block_roots_us", micros(stats.last_block.roots)},
          {"last_block_write_us", micros(stats.last_block.write)},
          {"snapshot", snapshot_json(*snapshot)}};
}

namespace {

/// What cannot be read is missing, which makes consensus careful.
std::vector<consensus::record_entry> stored_records(const ledger::chain& from) {
  std::vector<consensus::record_entry> out;
  for (const auto key : consensus::record_keys)
    if (auto value = from.record_of(key); value && *value) out.push_back({key, std::move(**value)});
  return out;
}

/// A busy chain makes so many blocks while a node restarts.
constexpr std::uint64_t snapshot_gap_sensible = 1'000;

void warn_of_small_gap(const sn_context& context) {
  const auto gap = context.options.snapshot_gap;
  if (gap == 0 || gap >= snapshot_gap_sensible) return;
  log::warning(context.log_source,
               "--snapshot-gap {}: this SN will take a snapshot whenever it was away for a moment, and every "
               "one leaves out states that it never gets again; choose at least {}, or 0 for never",
               gap, snapshot_gap_sensible);
}

/// Whether this key never had a chain: a key whose chain was deleted must not claim that it has signed
/// nothing. The mark stands beside the key, and before the chain.
result<bool> is_first_chain(const std::filesystem::path& data_dir) {
  const auto mark = data_dir / "chain.made";
  std::error_code failure;
  if (std::filesystem::exists(mark, failure)) return false;
  const int fd = ::open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const bool kept = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!kept) return fail(errc::io, "{}: cannot be written: {}", mark.string(), std::strerror(errno));
  return true;
}

} // namespace

result<> open_chain(chain_state& s, std::optional<ledger::genesis_params> genesis,
                    std::function<void(const ledger::transaction&)> on_accepted) {
  ledger::chain_options options;
  options.dir = s.context->options.data_dir / "chain";
  options.genesis = std::move(genesis);
  options.contracts = contracts::make_contracts();
  options.on_accepted = std::move(on_accepted);
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
  s.snapshot = std::make_unique<sync::snapshot_driver>(*s.chain, sync::driver_options{});
  s.server = std::make_unique<sync::snapshot_server>(*s.chain,
                                                     contracts::event_topic<contracts::validators_changed>());
  warn_of_small_gap(*s.context);
  const auto& head = *s.chain->head();
  log::info(s.context->log_source, "chain {} with genesis {}, at block {} {}", s.chain->chain_id(),
            to_hex(s.chain->genesis_hash().view()), head.header.block_num, to_hex(head.hash.view()));
  return {};
}

namespace {

/// A view of a contract, as this node.
result<bytes> ask(const chain_state& s, const address& contract, bytes input) {
  const ledger::call_request request{
      .from = s.context->key->account(), .to = contract, .input = std::move(input)};
  SWARM_TRY(auto answer, s.chain->call(request));
  return std::move(answer.output);
}

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

/// Whether a transaction of this node waits for a block.
result<bool> has_pending(const chain_state& s) {
  SWARM_TRY(const auto stored, s.chain->account_of(s.context->key->account()));
  SWARM_TRY(const auto next, s.chain->pending_nonce(s.context->key->account()));
  return next != stored.nonce;
}

result<std::vector<contracts::node_view>> registered_nodes(const chain_state& s) {
  std::vector<contracts::node_view> out;
  const auto registry = contracts::node_registry_address();
  SWARM_TRY(const auto count_raw, ask(s, registry, contracts::encode_node_count()));
  SWARM_TRY(const auto count, contracts::decode_node_count(count_raw));
  while (out.size() < count) {
    SWARM_TRY(const auto raw,
              ask(s, registry, contracts::encode_nodes(out.size(), contracts::page_entries_max)));
    SWARM_TRY(auto page, contracts::decode_nodes(raw));
    if (page.empty()) break;
    out.insert(out.end(), page.begin(), page.end());
  }
  return out;
}

} // namespace

result<> introduce_self(chain_state& s) {
  SWARM_TRY(const bool busy, has_pending(s));
  if (busy || s.leaving) return {};
  const auto& options = s.context->options;
  const auto endpoint = s.context->p2p_endpoint();
  const contracts::register_node_args wanted{
      contracts::node_type::sn, s.context->identity->fingerprint(), {}, options.node_name, endpoint};
  const auto registry = contracts::node_registry_address();
  SWARM_TRY(const auto raw, ask(s, registry, contracts::encode_node(s.context->key->account())));
  const auto known = contracts::decode_node(raw);
  if (!known || !known->active || known->cert_fingerprint != wanted.cert_fingerprint
      || known->endpoint != wanted.endpoint || known->name != wanted.name)
    SWARM_CHECK(submit_own(s, registry, contracts::encode_register_node(wanted)));
  for (const auto& name : options.contracts) {
    SWARM_TRY(const auto code, s.chain->code_of(contracts::training_address(name)));
    if (!code.empty()) continue;
    log::info(s.context->log_source, "making the training contract '{}'", name);
    SWARM_CHECK(
        submit_own(s, contracts::training_registry_address(), contracts::encode_create_training(name)));
  }
  return {};
}

result<json::object> leave_network(chain_state& s) {
  const auto registry = contracts::node_registry_address();
  const auto own = s.context->key->account();
  const auto head_num = s.chain->head()->header.block_num;
  SWARM_TRY(const auto raw, ask(s, registry, contracts::encode_node(own)));
  SWARM_TRY(const auto known, contracts::decode_node(raw));
  SWARM_TRY(const auto validators, s.chain->validators_after(head_num));
  const bool validates = std::find(validators.begin(), validators.end(), own) != validators.end();
  SWARM_TRY(const bool busy, has_pending(s));
  if (s.leaving && !known.active && !validates && !busy)
    return json::object{{"left", true}, {"block_num", known.since_block}};
  if (known.active && !busy) {
    SWARM_TRY(const auto outcome,
              s.chain->call({.from = own, .to = registry, .input = contracts::encode_leave_node()}));
    if (outcome.status != ledger::call_status::ok)
      return fail(errc::denied, "this SN cannot leave: {}", contracts::revert_text(outcome.output));
    log::info(s.context->log_source, "leaving the network, as the operator wishes");
    SWARM_CHECK(submit_own(s, registry, contracts::encode_leave_node()));
  }
  s.leaving = true;
  return json::object{{"left", false}, {"block_num", head_num}};
}

std::vector<std::string> p2p_endpoints(const chain_state& s) {
  std::vector<std::string> out;
  const auto nodes = registered_nodes(s);
  if (!nodes) return out;
  for (const auto& node : *nodes)
    if (node.type == contracts::node_type::sn && node.active && !node.endpoint.empty())
      out.push_back(node.endpoint);
  return out;
}

result<> vote_on_members(chain_state& s, time_point now) {
  SWARM_TRY(const bool busy, has_pending(s));
  if (busy) return {};
  const auto registry = contracts::node_registry_address();
  membership::network_view view;
  view.self = s.context->key->account();
  view.connected = s.neighbors;
  SWARM_TRY(view.validators, s.chain->validators_after(s.chain->head()->header.block_num));
  SWARM_TRY(const auto members_raw, ask(s, registry, contracts::encode_validator_members()));
  SWARM_TRY(view.members, contracts::decode_validator_members(members_raw));
  SWARM_TRY(view.nodes, registered_nodes(s));
  for (const auto& neighbor : view.connected)
    s.last_seen[neighbor.account] = now;
  std::erase_if(s.last_seen, [&](const auto& one) {
    return std::find(view.members.begin(), view.members.end(), one.first) == view.members.end();
  });
  for (const auto& member : view.members)
    view.absent[member] = now - s.last_seen.try_emplace(member, now).first->second;
  std::vector<address> subjects = view.members;
  for (const auto& neighbor : view.connected)
    subjects.push_back(neighbor.account);
  for (const auto& subject : subjects) {
    SWARM_TRY(const auto raw, ask(s, registry, contracts::encode_voters_on(subject)));
    SWARM_TRY(const auto voters, contracts::decode_voters_on(raw));
    if (std::find(voters.begin(), voters.end(), view.self) != voters.end()) view.voted_on.insert(subject);
  }
  const auto next = membership::next_vote(view);
  if (!next) return {};
  log::info(s.context->log_source, "{} {} {} the validators", next->discard ? "no longer voting" : "voting",
            next->add ? "for adding" : "for removing", to_hex(next->account.view()));
  return submit_own(s, registry,
                    next->discard ? contracts::encode_discard_validator_vote(next->account)
                                  : contracts::encode_propose_validator_vote(next->account, next->add));
}

} // namespace swarm::actors
