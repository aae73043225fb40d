#include "ledger/chain/genesis.hpp"

#include "ledger/chain/chain_rules.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/formats/transaction.hpp"
#include "ledger/state/execute.hpp"

#include <set>

namespace swarm::ledger {

namespace {

constexpr std::uint64_t params_version = 10;       // 2 to 8: swarmd 0.1
constexpr std::uint64_t params_of_first_rules = 9; // without the version of the rules
constexpr std::uint64_t chain_id_slot = 0;

hash32 word_of(const address& who) {
  hash32 out;
  std::copy(who.begin(), who.end(), out.begin() + 12);
  return out;
}

result<> put_system_account(state_overlay& state, const genesis_params& params) {
  const auto self = system_account();
  SWARM_CHECK(state.set_nonce(self, 1)); // an account without nonce and code would count as empty (EIP-161)
  return state.store(self, u256(chain_id_slot), u256(params.chain_id));
}

result<> put_validators(state_overlay& state, const genesis_params& params) {
  const auto self = validators_account();
  SWARM_CHECK(state.set_nonce(self, 1));
  SWARM_CHECK(state.store(self, u256(validator_count_slot), u256(params.validators.size())));
  for (std::size_t i = 0; i < params.validators.size(); ++i)
    SWARM_CHECK(state.store(self, u256(first_validator_slot + i), word_of(params.validators[i])));
  if (params.rules != rules_first)
    SWARM_CHECK(state.store(self, u256(rules_slot), word_of(rules_schedule{.version = params.rules})));
  return {};
}

result<> put_contracts(state_overlay& state, const genesis_params& params,
                       const native_contract_set& contracts) {
  for (const auto& item : contracts.genesis) {
    SWARM_CHECK(state.set_nonce(item.where, 1)); // as any contract (EIP-161)
    SWARM_CHECK(state.set_code(item.where, contract_table::code_of_kind(item.kind)));
    for (const auto& [slot, value] : item.storage)
      SWARM_CHECK(state.store(item.where, slot, value));
    if (!item.founders_storage) continue;
    for (const auto& [slot, value] : item.founders_storage(params.founders))
      SWARM_CHECK(state.store(item.where, slot, value));
  }
  return {};
}

/// Sorts a founder's anchors and validators.
result<> normalize(founder& one) {
  if (const auto trouble = trouble_with_organisation_name(one.name); !trouble.empty())
    return fail(chain_errc::bad_genesis, "genesis: the name of a founder {}", trouble);
  if (one.anchors.empty() || one.anchors.size() > founder_anchors_max)
    return fail(chain_errc::bad_genesis, "genesis: the founder {} has {} anchors, must be 1 to {}", one.name,
                one.anchors.size(), founder_anchors_max);
  std::sort(one.anchors.begin(), one.anchors.end());
  if (one.anchors.front().is_zero())
    return fail(chain_errc::bad_genesis, "genesis: an anchor of the founder {} is zero", one.name);
  std::sort(one.validators.begin(), one.validators.end());
  return {};
}

/// Sorts the founders and checks that nothing is claimed twice. `validators` are sorted.
result<> normalize(std::vector<founder>& founders, const std::vector<address>& validators) {
  if (founders.size() > founders_max)
    return fail(chain_errc::bad_genesis, "genesis: {} founders, must be at most {}", founders.size(),
                founders_max);
  std::set<std::string> names;
  std::set<hash32> anchors;
  std::vector<address> theirs;
  for (auto& one : founders) {
    SWARM_CHECK(normalize(one));
    if (!names.insert(organisation_name_key(one.name)).second)
      return fail(chain_errc::bad_genesis, "genesis: two founders are named {}", one.name);
    for (const auto& anchor : one.anchors)
      if (!anchors.insert(anchor).second)
        return fail(chain_errc::bad_genesis, "genesis: the anchor {} of the founder {} is named twice",
                    to_hex(anchor.view()), one.name);
    theirs.insert(theirs.end(), one.validators.begin(), one.validators.end());
  }
  std::sort(founders.begin(), founders.end(),
            [](const founder& a, const founder& b) { return a.name < b.name; });
  std::sort(theirs.begin(), theirs.end());
  if (!founders.empty() && theirs != validators)
    return fail(chain_errc::bad_genesis, "genesis: each validator must be of exactly one founder");
  return {};
}

template <class List>
void write_list(rlp_writer& out, const List& items) {
  out.begin_list();
  for (const auto& one : items)
    out.string(one.view());
  out.end_list();
}

/// Reads a list of at most `count_max` items of `Size` bytes.
template <std::size_t Size, class Item>
result<> read_list(rlp_reader& from, std::string_view what, std::size_t count_max, std::vector<Item>& into) {
  SWARM_TRY(auto items, from.list(what));
  while (!items.at_end() && into.size() <= count_max) {
    SWARM_TRY(auto one, items.template fixed<Size>(what));
    into.emplace_back(one);
  }
  return items.finish();
}

result<founder> read_founder(rlp_reader& from) {
  founder out;
  SWARM_TRY(auto reader, from.list("founder"));
  SWARM_TRY(const auto name, reader.string("name"));
  out.name = as_text(name);
  SWARM_CHECK(read_list<32>(reader, "anchor", founder_anchors_max, out.anchors));
  SWARM_CHECK(read_list<20>(reader, "validator", validators_max, out.validators));
  SWARM_CHECK(reader.finish());
  return out;
}

result<> check_version(std::uint64_t version) {
  if (version == params_version || version == params_of_first_rules) return {};
  if (version < params_of_first_rules)
    return fail(chain_errc::other_version,
                "this chain was made by swarmd 0.1, and this swarmd has other rules: begin a new one");
  return fail(chain_errc::other_version,
              "this chain was made by a newer swarmd, which has other rules: use that one");
}

} // namespace

result<genesis_params> normalize(genesis_params params) {
  auto& set = params.validators;
  std::sort(set.begin(), set.end());
  if (set.empty() || set.size() > validators_max)
    return fail(chain_errc::bad_genesis, "genesis: {} validators, must be 1 to {}", set.size(),
                validators_max);
  if (std::adjacent_find(set.begin(), set.end()) != set.end())
    return fail(chain_errc::bad_genesis, "genesis: a validator is named twice");
  if (set.front().is_zero())
    return fail(chain_errc::bad_genesis, "genesis: the zero address is no validator");
  if (params.chain_id == 0 || params.chain_id > chain_id_max)
    return fail(chain_errc::bad_genesis, "genesis: chain id {}, must be 1 to {}", params.chain_id,
                chain_id_max);
  if (params.block_gas_limit < 1'000'000 || params.block_gas_limit > block_gas_limit_max)
    return fail(chain_errc::bad_genesis, "genesis: block gas limit {}, must be 1000000 to {}",
                params.block_gas_limit, block_gas_limit_max);
  if (params.timestamp > header_number_max)
    return fail(chain_errc::bad_genesis, "genesis: timestamp {}, must be seconds since 1970",
                params.timestamp);
  if (params.rules < rules_first)
    return fail(chain_errc::bad_genesis, "genesis: version {} of the rules, must be {} or more", params.rules,
                rules_first);
  SWARM_CHECK(normalize(params.founders, set));
  return params;
}

bytes encode_genesis(const genesis_params& params) {
  rlp_writer out;
  // A chain that began with the first rules keeps the bytes that it always had: they are compared.
  const bool is_first = params.rules == rules_first;
  out.begin_list().number(is_first ? params_of_first_rules : params_version).number(params.chain_id);
  out.number(params.timestamp).number(params.block_gas_limit);
  if (!is_first) out.number(params.rules);
  write_list(out, params.validators);
  out.begin_list();
  for (const auto& one : params.founders) {
    out.begin_list().string(as_bytes(one.name));
    write_list(out, one.anchors);
    write_list(out, one.validators);
    out.end_list();
  }
  return out.end_list().end_list().take();
}

result<genesis_params> decode_genesis(bytes_view raw) {
  genesis_params out;
  SWARM_TRY(auto reader, rlp_reader::open(raw, "genesis"));
  SWARM_TRY(auto version, reader.number("version"));
  SWARM_CHECK(check_version(version));
  SWARM_TRY(out.chain_id, reader.number("chain id"));
  SWARM_TRY(out.timestamp, reader.number("timestamp"));
  SWARM_TRY(out.block_gas_limit, reader.number("gas limit"));
  if (version != params_of_first_rules) {
    SWARM_TRY(out.rules, reader.number("rules"));
    if (out.rules <= rules_first)
      return fail(chain_errc::bad_genesis, "genesis: version {} of the rules is not said in this form",
                  out.rules);
  }
  SWARM_CHECK(read_list<20>(reader, "validator", validators_max, out.validators));
  SWARM_TRY(auto founders, reader.list("founders"));
  SWARM_CHECK(reader.finish());
  while (!founders.at_end() && out.founders.size() <= founders_max) {
    SWARM_TRY(auto one, read_founder(founders));
    out.founders.push_back(std::move(one));
  }
  SWARM_CHECK(founders.finish());
  return normalize(std::move(out));
}

result<genesis_block> make_genesis(state_store& empty, const genesis_params& params,
                                   const native_contract_set& contracts) {
  state_overlay state(empty, empty_trie_root);
  SWARM_CHECK(put_system_account(state, params));
  SWARM_CHECK(put_contracts(state, params, contracts));
  SWARM_CHECK(put_validators(state, params));
  genesis_block out;
  SWARM_TRY(out.state, state.commit());
  out.header.state_root = out.state.root;
  out.header.gas_limit = params.block_gas_limit;
  out.header.timestamp = params.timestamp;
  out.header.extra_data = to_bytes(as_bytes(extra_data_vanity));
  SWARM_CHECK(check_genesis_header(out.header));
  return out;
}

result<hash32> genesis_hash_of(const genesis_params& params, const native_contract_set& contracts) {
  const node_source nothing = [](const hash32&) -> result<bytes> {
    return fail(errc::not_found, "no state");
  };
  state_store empty(nothing, nothing, 0);
  SWARM_TRY(const auto first, make_genesis(empty, params, contracts));
  return block_hash(first.header);
}

result<std::vector<address>> read_validators(const state_view& state) {
  SWARM_TRY(auto count, state.storage_of(validators_account(), u256(validator_count_slot)));
  if (!u256(count).fits_u64() || u256(count).to_u64() > validators_max)
    return fail(errc::corrupt, "state: the number of validators is damaged");
  std::vector<address> out;
  for (std::uint64_t i = 0; i < u256(count).to_u64(); ++i) {
    SWARM_TRY(auto word, state.storage_of(validators_account(), u256(first_validator_slot + i)));
    SWARM_TRY(auto who, address::from_view(word.view().subspan(12)));
    out.emplace_back(who);
  }
  return out;
}

} // namespace swarm::ledger
