#include "ledger/state/proof.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/formats/rlp.hpp"
#include "ledger/state/testing/state_test_store.hpp"

#include <doctest/doctest.h>

namespace state_proof_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

address account_number(std::uint64_t number) {
  address out;
  put_be64(out.data() + 12, number);
  return out;
}

/// Accounts 0 to 49; account i has i slots, slot k holds k * k + 1.
struct world {
  world() {
    state_overlay overlay(memory.store, empty_trie_root);
    for (std::uint64_t i = 0; i < 50; ++i) {
      REQUIRE(overlay.set_nonce(account_number(i), i + 1));
      for (std::uint64_t k = 0; k < i; ++k)
        REQUIRE(overlay.store(account_number(i), u256(k), u256(k * k + 1)));
    }
    root = memory.take(overlay.commit());
  }
  account_proof prove(std::uint64_t number, const std::vector<hash32>& slots) {
    return state_view(memory.store, root).prove(account_number(number), slots).value();
  }
  memory_state memory;
  hash32 root;
};

/// Flips every bit of a proof in turn, and counts the lies that are not noticed.
std::size_t lies_passed(const hash32& root, const address& who, const account_proof& honest) {
  std::size_t passed = 0;
  const auto try_lie = [&](const account_proof& lie) {
    passed += verify_account_proof(root, who, lie) ? 1 : 0;
  };
  const auto bend_nodes = [&](auto nodes_of) {
    for (std::size_t i = 0; i < nodes_of(honest).size(); ++i)
      for (std::size_t k = 0; k < nodes_of(honest)[i].size(); ++k) {
        auto lie = honest; // NOLINT(performance-unnecessary-copy-initialization): it is changed
        const_cast<std::vector<bytes>&>(nodes_of(lie))[i][k] ^= 1;
        try_lie(lie);
      }
  };
  bend_nodes([](const account_proof& of) -> const std::vector<bytes>& { return of.nodes; });
  for (std::size_t s = 0; s < honest.slots.size(); ++s) {
    bend_nodes([s](const account_proof& of) -> const std::vector<bytes>& { return of.slots[s].nodes; });
    auto lie = honest;
    lie.slots[s].value[31] ^= 1;
    try_lie(lie);
    lie = honest;
    if (!lie.slots[s].nodes.empty()) {
      lie.slots[s].nodes.pop_back();
      try_lie(lie);
    }
  }
  auto lie = honest;
  lie.item.nonce += 1;
  try_lie(lie);
  lie = honest;
  lie.item.code_hash[0] ^= 1;
  try_lie(lie);
  lie = honest;
  lie.item.storage_root[0] ^= 1;
  try_lie(lie);
  return passed;
}

} // namespace

TEST_CASE("an honest account proof verifies, present or absent, and no lie does") {
  world on;
  const std::vector<hash32> slots{u256(3), u256(1000)};
  for (const std::uint64_t number : {1u, 4u, 49u, 999u}) {
    CAPTURE(number);
    const auto proof = on.prove(number, slots);
    const auto verified = verify_account_proof(on.root, account_number(number), proof);
    CHECK_MESSAGE(verified, (verified ? "" : verified.error().message));
    CHECK(lies_passed(on.root, account_number(number), proof) == 0);
  }
}

TEST_CASE("account and slots are read from their proofs") {
  world on;
  const auto proof = on.prove(20, {u256(3), u256(19), u256(20)});
  const auto item = verify_account(on.root, account_number(20), proof.nodes);
  REQUIRE(item);
  REQUIRE(*item);
  CHECK((*item)->nonce == 21);
  CHECK(*verify_slot((*item)->storage_root, u256(3), proof.slots[0].nodes) == u256(10));
  CHECK(*verify_slot((*item)->storage_root, u256(19), proof.slots[1].nodes) == u256(362));
  CHECK(verify_slot((*item)->storage_root, u256(20), proof.slots[2].nodes)->is_zero());
  CHECK(*verify_account(on.root, account_number(77), on.prove(77, {}).nodes) == std::nullopt);
  CHECK(verify_slot(empty_trie_root, u256(1), {})->is_zero());
}

TEST_CASE("a proof is good for its own key and root alone") {
  world on;
  const auto proof = on.prove(20, {u256(3)});
  CHECK_FALSE(verify_account(on.root, account_number(21), proof.nodes));
  CHECK_FALSE(verify_account(keccak256("another"), account_number(20), proof.nodes));
  CHECK_FALSE(verify_account_proof(on.root, account_number(21), proof));
  CHECK_FALSE(verify_account_proof(on.root, account_number(20), on.prove(21, {u256(3)})));
  auto moved = proof;
  moved.slots[0].key = u256(4);
  CHECK_FALSE(verify_account_proof(on.root, account_number(20), moved));
}

TEST_CASE("values that the state never holds are refused") {
  trie odd(nullptr);
  const auto who = account_number(1);
  const auto slot = static_cast<hash32>(u256(1));
  const auto shown_as = [&](bytes_view key, bytes value) {
    odd = trie(nullptr);
    REQUIRE(odd.put(key, std::move(value)));
    return *odd.prove(key);
  };
  auto nodes = shown_as(keccak256(who.view()).view(), {0xc0});
  CHECK_FALSE(verify_account(odd.root(), who, nodes));
  nodes = shown_as(keccak256(slot.view()).view(), {0x80}); // zero
  CHECK_FALSE(verify_slot(odd.root(), slot, nodes));
  nodes = shown_as(keccak256(slot.view()).view(), {0x82, 0x00, 0x01}); // leading zero
  CHECK_FALSE(verify_slot(odd.root(), slot, nodes));
  nodes = shown_as(keccak256(slot.view()).view(), {0xc0});
  CHECK_FALSE(verify_slot(odd.root(), slot, nodes));
}

} // namespace state_proof_test
