#pragma once

#include "base/hash.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/snapshot/chain_snapshots.hpp"
#include "ledger/sync/state_walk.hpp"

#include <doctest/doctest.h>

#include <map>

/// A chain to take snapshots of, for tests.
namespace swarm::sync::test {

using namespace swarm::ledger;
using namespace swarm::ledger::test;

constexpr std::uint8_t registry_kind = 8;
inline const hash32 change = keccak256("changed");

/// Stands for the NodeRegistry: its input is the next validators.
class set_contract final : public native_contract {
public:
  call_outcome call(contract_host& host, const call_context& context, bytes_view input) const override {
    for (std::size_t i = 0; i < input.size() / 20; ++i) {
      hash32 word;
      std::copy_n(input.begin() + static_cast<std::ptrdiff_t>(20 * i), 20, word.begin() + 12);
      host.store(context.self, u256(first_validator_slot + i), word);
    }
    host.store(context.self, u256(validator_count_slot), u256(input.size() / 20));
    host.emit({context.self, {change}, {}});
    return {};
  }
};

inline chain_options options_for(const std::filesystem::path& dir) {
  auto out = test_options(dir);
  out.contracts.kinds.push_back({registry_kind, std::make_shared<set_contract>()});
  out.contracts.genesis.push_back({validators_account(), registry_kind, {}});
  return out;
}

/// A chain whose blocks are sealed as they must be, with some state and changes of validators.
struct source {
  temp_dir dir;
  std::unique_ptr<chain> on;
  std::map<address, private_key> keys;
  std::map<std::uint8_t, std::uint64_t> nonces;
  std::uint64_t slots = 0;

  explicit source(std::uint64_t length) {
    auto opened = chain::open(options_for(dir / "chain"));
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    on = std::move(*opened);
    for (std::uint8_t i = 1; i <= 6; ++i)
      keys.emplace(test_key(i).account(), test_key(i));
    grow(length);
  }
  void submit(const address& to, bytes input) {
    txn_fields fields;
    fields.nonce = nonces[9]++;
    fields.gas_limit = 5'000'000;
    fields.to = to;
    fields.data = std::move(input);
    const auto taken = on->submit(make_signed(fields, test_key(9), default_chain_id)->raw());
    REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().message));
  }
  void grow(std::uint64_t blocks) {
    const std::map<std::uint64_t, std::vector<std::uint8_t>> changes{
        {10, {1, 2, 3}}, {30, {1, 2, 3, 4}}, {31, {2, 3, 4, 5}}, {64, {2, 3, 4}}, {90, {3, 4, 5, 6}}};
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const auto next = on->head()->header.block_num + 1;
      for (int k = 0; k < 3; ++k) {
        ++slots;
        submit(test_address(), input_of(op::store, word(slots), word(slots * 7)));
        submit(test_address(), input_of(op::emit, word(next), word(slots)));
      }
      if (changes.contains(next)) {
        bytes set;
        std::vector<address> sorted;
        for (const auto key : changes.at(next))
          sorted.push_back(test_key(key).account());
        std::sort(sorted.begin(), sorted.end());
        for (const auto& who : sorted)
          append(set, who.view());
        submit(validators_account(), std::move(set));
      }
      seal(next);
    }
  }
  void seal(std::uint64_t next) {
    const auto validators = *on->validators_after(next - 1);
    auto made = on->build_block(1000 + next, validators.front(), 1000);
    REQUIRE(made);
    seal_record seals{.round_num = next % 2, .seals = {}};
    const auto digest =
        seal_digest(on->chain_id(), on->genesis_hash(), (*made)->block->hash, seals.round_num);
    for (std::size_t i = 0; i < seal_quorum(validators.size()); ++i)
      seals.seals.push_back({keys.at(validators[i]).sign_recoverable(digest)});
    REQUIRE(on->commit(*made, seals));
  }
};

/// The whole state after a block of another chain, as a snapshot would bring it.
inline void take_state(chain& to, chain& from, std::uint64_t block_num) {
  state_walk walk((*from.block_by_num(block_num))->header.state_root,
                  [](const state_part&) -> result<bool> { return false; });
  chain_snapshots theirs(from), own(to);
  REQUIRE(walk.begin());
  while (!walk.complete()) {
    for (const auto& part : walk.next(100))
      REQUIRE(walk.take(part.hash,
                        part.kind == part_kind::code ? *theirs.code(part.hash) : *theirs.node(part.hash)));
    REQUIRE(own.store_state(walk.take_batch()));
  }
}

/// A block as it comes from a neighbor.
inline verified_block past(chain& from, std::uint64_t block_num) {
  const auto raw = chain_snapshots(from).past_block(block_num);
  REQUIRE(raw);
  REQUIRE(*raw);
  auto out = check_past_block(**raw, block_num, (*from.block_by_num(block_num))->hash, {}, from.chain_id());
  REQUIRE_MESSAGE(out, (out ? "" : out.error().message));
  return std::move(*out);
}

} // namespace swarm::sync::test
