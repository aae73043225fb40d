#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/state/state_overlay.hpp"
#include "ledger/state/testing/state_test_store.hpp"

#include <doctest/doctest.h>

#include <map>

namespace state_state_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

hash32 hash_of(std::string_view hex) {
  return *fixed_from_hex<32>(hex);
}

address some_address(std::uint64_t number) {
  address out;
  put_be64(out.data() + 12, number);
  return out;
}

/// What an overlay is compared with: a map, of which a snapshot is a copy.
struct twin_account {
  std::uint64_t nonce = 0;
  bytes code;
  std::map<hash32, hash32> slots;
};
using twin = std::map<address, twin_account>;

/// Does the same to an overlay and to its twin.
struct overlay_and_twin {
  state_overlay overlay;
  twin& expected;
  std::vector<std::pair<state_overlay::snapshot, twin>> saved{};

  void step(seeded_random& random) {
    auto who = some_address(random.below(4));
    auto& model = expected[who];
    switch (random.below(6)) {
    case 0:
      model.nonce = 1 + random.below(3);
      REQUIRE(overlay.set_nonce(who, model.nonce));
      break;
    case 1:
      model.code = {0xfe, static_cast<std::uint8_t>(random.below(4))};
      REQUIRE(overlay.set_code(who, model.code));
      break;
    case 2:
      saved.emplace_back(overlay.take_snapshot(), expected);
      break;
    case 3:
      if (saved.empty()) break;
      saved.resize(1 + random.below(saved.size()));
      overlay.revert(saved.back().first);
      expected = saved.back().second;
      break;
    default: {
      auto key = u256(random.below(6));
      auto value = random.below(3) == 0 ? u256(0) : u256(random());
      model.slots[key] = value;
      REQUIRE(overlay.store(who, key, value));
    }
    }
  }
};

/// What is stored under `root` is what the twin holds, and `root` is that of tries without a store.
void check_stored(memory_state& memory, const hash32& root, const twin& expected) {
  trie naive(nullptr);
  state_view view(memory.store, root);
  for (const auto& [who, model] : expected) {
    trie storage(nullptr);
    account item{.nonce = model.nonce};
    for (const auto& [key, value] : model.slots) {
      CHECK(*view.storage_of(who, key) == value);
      if (!value.is_zero())
        REQUIRE(storage.put(keccak256(key.view()).view(), rlp_string(u256(value).minimal())));
    }
    CHECK(*view.code_of(who) == model.code);
    item.storage_root = storage.root();
    item.code_hash = keccak256(model.code);
    CHECK(**view.account_of(who) == item);
    REQUIRE(naive.put(keccak256(who.view()).view(), encode_account(item)));
  }
  REQUIRE(root == naive.root());
}

} // namespace

TEST_CASE("V8: an account, a state and a storage root") {
  account rich;
  rich.balance = u256(1'000'000'000'000'000'000);
  auto raw = encode_account(rich);
  CHECK(
      to_hex(raw, false)
      == "f84c80880de0b6b3a7640000a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0c5d246"
         "0186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  CHECK(*decode_account(raw) == rich);
  CHECK(keccak256(bytes_view{}) == empty_code_hash);

  trie state(nullptr);
  auto who = *fixed_from_hex<20>("9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
  REQUIRE(state.put(keccak256(who.view()).view(), raw));
  CHECK(state.root() == hash_of("278826bd2324c8032cf02d26880cb3e3e91799c4f6c155a54e15b088d2ccdd1f"));

  memory_state memory;
  state_overlay overlay(memory.store, empty_trie_root);
  REQUIRE(overlay.set_nonce(who, 1));
  REQUIRE(overlay.store(who, hash32{}, u256(42)));
  auto root = memory.take(overlay.commit());
  auto stored = state_view(memory.store, root).account_of(who);
  REQUIRE(stored);
  REQUIRE(stored->has_value());
  CHECK((*stored)->storage_root
        == hash_of("81d1fa699f807735499cf6f7df860797cf66f6a66b565cfcda3fae3521eb6861"));
}

TEST_CASE("damaged accounts are refused") {
  auto raw = encode_account({});
  for (std::size_t i = 0; i < raw.size(); ++i)
    CHECK_FALSE(decode_account(bytes_view(raw).first(i)));
  raw.push_back(0);
  CHECK_FALSE(decode_account(raw));
}

TEST_CASE("an account that stays empty is not in the state") {
  memory_state memory;
  state_overlay overlay(memory.store, empty_trie_root);
  REQUIRE(overlay.nonce_of(some_address(1)));
  REQUIRE(overlay.set_nonce(some_address(2), 5));
  overlay.revert(0);
  REQUIRE(overlay.load(some_address(3), hash32{}));
  CHECK(memory.take(overlay.commit()) == empty_trie_root);
}

TEST_CASE("an overlay with snapshots behaves as a map that is copied") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    memory_state memory(seed % 3 == 0 ? 3000 : 1'000'000);
    twin expected;
    auto root = empty_trie_root;
    for (int block = 0; block < 8; ++block) {
      overlay_and_twin both{state_overlay(memory.store, root), expected};
      for (int step = 0; step < 60; ++step)
        both.step(random);
      for (auto& [who, model] : expected)
        for (auto& [key, value] : model.slots)
          CHECK(*both.overlay.load(who, key) == value);
      // An account with slots but neither nonce nor code is empty by EIP-161; contracts always have both.
      for (auto& [who, model] : expected) {
        model.nonce = std::max<std::uint64_t>(model.nonce, 1);
        REQUIRE(both.overlay.set_nonce(who, model.nonce));
      }
      root = memory.take(both.overlay.commit());
      check_stored(memory, root, expected);
    }
  }
}

TEST_CASE("account and slot proofs verify against the state root") {
  memory_state memory;
  state_overlay overlay(memory.store, empty_trie_root);
  for (std::uint64_t i = 0; i < 50; ++i) {
    REQUIRE(overlay.set_nonce(some_address(i), i + 1));
    for (std::uint64_t k = 0; k < i; ++k)
      REQUIRE(overlay.store(some_address(i), u256(k), u256(k * k + 1)));
  }
  auto root = memory.take(overlay.commit());
  state_view view(memory.store, root);
  std::vector<hash32> slots{u256(3), u256(1000)};
  auto proof = view.prove(some_address(20), slots);
  REQUIRE(proof);
  auto shown = verify_proof(root, keccak256(some_address(20).view()).view(), proof->nodes);
  REQUIRE(shown);
  CHECK(**shown == encode_account(proof->item));
  CHECK(proof->item.nonce == 21);
  REQUIRE(proof->slots.size() == 2);
  CHECK(proof->slots[0].value == u256(10));
  CHECK(proof->slots[1].value.is_zero());
  for (const auto& slot : proof->slots) {
    auto value = verify_proof(proof->item.storage_root, keccak256(slot.key.view()).view(), slot.nodes);
    REQUIRE(value);
    CHECK(value->has_value() == !slot.value.is_zero());
    if (*value) CHECK(**value == rlp_string(u256(slot.value).minimal()));
  }
  auto absent = view.prove(some_address(999), slots);
  REQUIRE(absent);
  CHECK(*verify_proof(root, keccak256(some_address(999).view()).view(), absent->nodes) == std::nullopt);
  CHECK(absent->item == account{});
  CHECK(absent->slots[0].nodes.empty());
}

TEST_CASE("state that cannot be read is an error, not an empty state") {
  memory_state memory;
  state_overlay overlay(memory.store, keccak256("gone"));
  CHECK(overlay.nonce_of(some_address(1)).error().is(errc::corrupt));
  CHECK(overlay.store(some_address(1), u256(1), u256(1)).error().is(errc::corrupt));
  CHECK(state_view(memory.store, keccak256("gone")).account_of(some_address(1)).error().is(errc::corrupt));
  CHECK(memory.store.code(keccak256("gone")).error().is(errc::corrupt));
}

} // namespace state_state_test
