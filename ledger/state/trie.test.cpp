#include "ledger/state/trie.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/transaction.hpp"

#include <doctest/doctest.h>

#include <map>

namespace trie_test {

using namespace swarm;
using namespace swarm::ledger;
using swarm::testing::says;

namespace {

struct by_bytes { // std::less on vectors of bytes trips a false warning of g++ 12
  bool operator()(const bytes& a, const bytes& b) const { return as_text(a) < as_text(b); }
};
using entries = std::map<bytes, bytes, by_bytes>;

hash32 hash_of(std::string_view hex) {
  return *fixed_from_hex<32>(hex);
}

bytes text(std::string_view from) {
  return to_bytes(as_bytes(from));
}

/// Stored nodes in a map, as a store would keep them.
struct memory_nodes {
  std::map<hash32, bytes> nodes;
  std::size_t reads = 0;

  void take(node_batch batch) {
    for (auto& [hash, rlp] : batch) {
      CHECK(keccak256(rlp) == hash);
      nodes[hash] = std::move(rlp);
    }
  }
  node_source source() {
    return [this](const hash32& hash) -> result<bytes> {
      ++reads;
      auto found = nodes.find(hash);
      if (found == nodes.end()) return fail(errc::not_found, "no node");
      return found->second;
    };
  }
};

/// The naive twin: the root by the definition (Yellow Paper appendix D), from all entries at once.
bytes naive_node(const std::vector<std::pair<bytes, bytes>>& items, std::size_t depth) {
  auto put = [](rlp_writer& out, const bytes& node) {
    if (node.size() < 32)
      out.encoded(node);
    else
      out.string(keccak256(node).view());
  };
  rlp_writer out;
  out.begin_list();
  if (items.size() == 1) {
    out.string(hex_prefix(bytes_view(items[0].first).subspan(depth), true)).string(items[0].second);
    return out.end_list().take();
  }
  auto common = depth;
  while (std::all_of(items.begin(), items.end(), [&](const auto& item) {
    return item.first.size() > common && item.first[common] == items[0].first[common];
  }))
    ++common;
  if (common > depth) {
    out.string(hex_prefix(bytes_view(items[0].first).subspan(depth, common - depth), false));
    put(out, naive_node(items, common));
    return out.end_list().take();
  }
  for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
    std::vector<std::pair<bytes, bytes>> below;
    for (const auto& item : items)
      if (item.first.size() > depth && item.first[depth] == nibble) below.push_back(item);
    if (below.empty())
      out.string({});
    else
      put(out, naive_node(below, depth + 1));
  }
  auto here =
      std::find_if(items.begin(), items.end(), [&](const auto& i) { return i.first.size() == depth; });
  out.string(here == items.end() ? bytes{} : here->second);
  return out.end_list().take();
}

hash32 naive_root(const entries& from) {
  if (from.empty()) return empty_trie_root;
  std::vector<std::pair<bytes, bytes>> items;
  for (const auto& [key, value] : from)
    items.emplace_back(to_nibbles(key), value);
  return keccak256(naive_node(items, 0));
}

hash32 root_of(const entries& from) {
  trie out(nullptr);
  for (const auto& [key, value] : from)
    REQUIRE(out.put(key, value));
  return out.root();
}

/// Short keys over few letters, so that keys are prefixes of each other and branches collapse.
bytes some_key(seeded_random& random) {
  bytes key(random.below(5));
  for (auto& byte : key)
    byte = static_cast<std::uint8_t>(random.below(3) * 0x11 + random.below(2));
  return key;
}

bytes some_value(seeded_random& random) {
  bytes value(1 + random.below(random.below(4) == 0 ? 60 : 4));
  for (auto& byte : value)
    byte = static_cast<std::uint8_t>(random.below(256));
  return value;
}

} // namespace

TEST_CASE("V7: roots of the published examples") {
  CHECK(root_of({}) == hash_of("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"));
  entries dogs{
      {text("doe"), text("reindeer")}, {text("dog"), text("puppy")}, {text("dogglesworth"), text("cat")}};
  CHECK(root_of(dogs) == hash_of("8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3"));
  entries secure;
  for (const auto& [key, value] : dogs)
    secure[to_bytes(keccak256(key).view())] = value;
  CHECK(root_of(secure) == hash_of("d4cd937e4a4368d7931a9cf51686b7e10abb3dce38a39000fd7902a092b64585"));
}

TEST_CASE("V7: a root node with an embedded branch and leaf") {
  trie food(nullptr);
  REQUIRE(food.put(as_bytes("foo"), text("bar")));
  REQUIRE(food.put(as_bytes("food"), text("bass")));
  node_batch batch;
  CHECK(food.commit(batch) == hash_of("17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3"));
  REQUIRE(batch.size() == 1);
  CHECK(to_hex(batch[0].second, false)
        == "e08400666f6fda808080808080c634846261737380808080808080808083626172");
  auto back = decode_trie_node(batch[0].second);
  REQUIRE(back);
  CHECK(encode_trie_node(**back, [](const hash32&, const bytes&, const trie_node_ptr&) {}).rlp
        == batch[0].second);
}

TEST_CASE("V9: roots of transactions and receipts") {
  auto v4 = *from_hex("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080"
                      "25a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761a"
                      "ecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  auto v5 = *from_hex("02f889820539808080830186a094353535353535353535353535353535353535353580a460fe47b1000000"
                      "0000000000000000000000000000000000000000000000000000000005c080a0dc9d8337731fc688d09698"
                      "a01137d241bd2c175cb72f58a5c07ae839a024d275a012f9132e5439a071126677c04da7d50766f033fcce"
                      "40f0c5a7fc9953018a4717");
  std::vector<bytes> txns{v4};
  CHECK(ordered_trie_root(txns)
        == hash_of("36cf58bec935fe50593ac7443cb728dd37dedac603d60fddfae59fd3bdbfcd7f"));
  txns.push_back(v5);
  CHECK(ordered_trie_root(txns)
        == hash_of("976351dcbfde94701944181161ae0f9022e849b1a153d3295832fa51411bc6aa"));
  CHECK(ordered_trie_root({}) == empty_trie_root);

  std::vector<bytes> receipts{encode_receipt({.cumulative_gas_used = 21000})};
  CHECK(ordered_trie_root(receipts)
        == hash_of("056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2"));
  log_entry named;
  named.emitter = *fixed_from_hex<20>("3535353535353535353535353535353535353535");
  hash32 seven;
  seven[31] = 7;
  named.topics = {hash_of("a1d8f520a64bab9ad9290bd83b500985456a519f7e46997973855f7af866e3aa"), seven,
                  keccak256("hello")};
  named.data = *from_hex("0000000000000000000000000000000000000000000000000000000000000020"
                         "0000000000000000000000000000000000000000000000000000000000000003"
                         "4164610000000000000000000000000000000000000000000000000000000000");
  receipts.push_back(encode_receipt(
      {.type = txn_type::dynamic_fee, .ok = true, .cumulative_gas_used = 42000, .logs = {named}}));
  CHECK(ordered_trie_root(receipts)
        == hash_of("9d63407544b48da6f42881179ec2d0b31fd2fc63313a149835760af2f42a18c8"));
}

TEST_CASE("ordered roots agree with the definition over the step from 127 to 128") {
  for (std::size_t count : {1, 2, 127, 128, 129, 300}) {
    entries naive;
    std::vector<bytes> values;
    for (std::size_t i = 0; i < count; ++i) {
      values.emplace_back(40, static_cast<std::uint8_t>(i));
      naive[rlp_number(i)] = values.back();
    }
    CHECK(ordered_trie_root(values) == naive_root(naive));
  }
}

TEST_CASE("a trie behaves as a map and its root depends on the entries only") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    memory_nodes memory;
    trie_store store(memory.source(), seed % 2 == 0 ? 2000 : 1'000'000);
    entries expected;
    auto root = empty_trie_root;
    for (int block = 0; block < 12; ++block) {
      trie now(&store, root);
      for (int change = 0; change < 20; ++change) {
        auto key = some_key(random);
        if (random.below(5) < 2) {
          REQUIRE(now.erase(key));
          expected.erase(key);
        } else {
          auto value = some_value(random);
          REQUIRE(now.put(key, value));
          expected[key] = value;
        }
      }
      auto before = now.root();
      node_batch batch;
      root = now.commit(batch);
      memory.take(std::move(batch));
      CHECK(before == root);
      REQUIRE(root == naive_root(expected));
      REQUIRE(root == root_of(expected));
      for (int look = 0; look < 20; ++look) {
        auto key = some_key(random);
        auto got = now.get(key);
        REQUIRE(got);
        auto found = expected.find(key);
        CHECK(*got == (found == expected.end() ? std::optional<bytes>{} : std::optional{found->second}));
      }
    }
  }
}

TEST_CASE("a trie that loses all its entries is empty again") {
  memory_nodes memory;
  trie_store store(memory.source(), 0);
  seeded_random random(7);
  std::vector<bytes> keys;
  trie filled(&store);
  for (int i = 0; i < 200; ++i) {
    keys.push_back(to_bytes(keccak256(rlp_number(random.below(1000))).view()));
    REQUIRE(filled.put(keys.back(), bytes{1}));
  }
  node_batch batch;
  auto root = filled.commit(batch);
  memory.take(batch);
  trie emptied(&store, root);
  for (const auto& key : keys)
    REQUIRE(emptied.put(key, {}));
  CHECK(emptied.root() == empty_trie_root);
  CHECK(filled.get(keys[0])->has_value()); // the copy below the old root still stands
}

TEST_CASE("commit yields only nodes that are new") {
  memory_nodes memory;
  trie_store store(memory.source(), 1'000'000);
  trie entries_now(&store);
  for (std::uint64_t i = 0; i < 1000; ++i)
    REQUIRE(entries_now.put(keccak256(rlp_number(i)).view(), bytes(40, 1)));
  node_batch all;
  entries_now.commit(all);
  CHECK(all.size() > 1000);
  memory.take(std::move(all));
  REQUIRE(entries_now.put(keccak256(rlp_number(5)).view(), bytes(40, 2)));
  node_batch one;
  entries_now.commit(one);
  CHECK(one.size() >= 2);
  CHECK(one.size() <= 6);
  node_batch none;
  entries_now.commit(none);
  CHECK(none.empty());
}

TEST_CASE("the node cache keeps within its bound and saves reads") {
  memory_nodes memory;
  trie_store big(memory.source(), 10'000'000);
  trie filled(&big);
  for (std::uint64_t i = 0; i < 1000; ++i)
    REQUIRE(filled.put(keccak256(rlp_number(i)).view(), bytes(40, 1)));
  node_batch batch;
  auto root = filled.commit(batch);
  memory.take(batch);

  trie_store small(memory.source(), 50'000);
  trie reading(&small, root);
  for (std::uint64_t i = 0; i < 1000; ++i)
    REQUIRE(reading.get(keccak256(rlp_number(i)).view()));
  CHECK(small.cache_bytes() <= 50'000);
  CHECK(small.cache_bytes() > 10'000);
  auto reads = memory.reads;
  REQUIRE(reading.get(keccak256(rlp_number(999)).view()));
  CHECK(memory.reads == reads);
  REQUIRE(trie(&big, root).get(keccak256(rlp_number(3)).view()));
  CHECK(memory.reads == reads);
}

TEST_CASE("a missing or damaged node is an error that names it") {
  memory_nodes memory;
  trie_store store(memory.source(), 0);
  auto root = keccak256("somewhere");
  auto missing = trie(&store, root).get(as_bytes("key"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(errc::corrupt));
  CHECK(says(missing.error(), to_hex(root.view())));
  memory.nodes[root] = {0xc1, 0x80};
  auto damaged = trie(&store, root).put(as_bytes("key"), {1});
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().is(errc::corrupt));
}

TEST_CASE("malformed nodes are refused") {
  const std::string empty16 = "80808080808080808080808080808080";
  for (const std::string& hex : {std::string(""), std::string("80"), std::string("c0"), std::string("c180"),
                                 std::string("c2c080"),                          // a list as path
                                 std::string("c3808080"), std::string("c28080"), // three items, no hex prefix
                                 std::string("c22080"),                          // a leaf without value
                                 std::string("c24101"), std::string("c20101"),   // bad flags, bad padding
                                 std::string("c22101"), std::string("c20080"),   // bad padding, no path
                                 std::string("c21101"),                          // a child of one byte
                                 "d0" + empty16, "d2" + empty16 + "8080", "d1" + empty16 + "c0"}) {
    CAPTURE(hex);
    auto raw = from_hex(hex);
    REQUIRE(raw);
    CHECK_FALSE(decode_trie_node(*raw));
  }
  CHECK(decode_trie_node(*from_hex("c22001")));
  CHECK(decode_trie_node(*from_hex("d1" + empty16 + "01")));
}

TEST_CASE("proofs show values and absence, and nothing else passes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    memory_nodes memory;
    trie_store store(memory.source(), 100'000);
    trie now(&store);
    entries expected;
    for (int i = 0; i < 30; ++i) {
      auto key = some_key(random);
      expected[key] = some_value(random);
      REQUIRE(now.put(key, expected[key]));
    }
    auto dirty_proof = now.prove(expected.begin()->first);
    node_batch batch;
    auto root = now.commit(batch);
    memory.take(std::move(batch));
    CHECK(*dirty_proof == *now.prove(expected.begin()->first));
    for (int i = 0; i < 40; ++i) {
      auto key = some_key(random);
      auto proof = *now.prove(key);
      auto shown = verify_proof(root, key, proof);
      REQUIRE(shown);
      auto found = expected.find(key);
      CHECK(*shown == (found == expected.end() ? std::optional<bytes>{} : std::optional{found->second}));

      auto bent = proof;
      auto& element = bent[random.below(bent.size())];
      element[random.below(element.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
      CHECK_FALSE(verify_proof(root, key, bent));
      auto cut = proof;
      cut.pop_back();
      CHECK_FALSE(verify_proof(root, key, cut));
      auto longer = proof;
      longer.push_back(proof.front());
      CHECK_FALSE(verify_proof(root, key, longer));
    }
  }
  CHECK(*verify_proof(empty_trie_root, as_bytes("x"), {}) == std::nullopt);
  CHECK(trie(nullptr).prove(as_bytes("x"))->empty());
}

TEST_CASE("a proof may list embedded nodes as elements of their own") {
  trie food(nullptr);
  REQUIRE(food.put(as_bytes("foo"), text("bar")));
  REQUIRE(food.put(as_bytes("food"), text("bass")));
  auto proof = *food.prove(as_bytes("food"));
  REQUIRE(proof.size() == 1);
  proof.push_back(*from_hex("da808080808080c634846261737380808080808080808083626172"));
  proof.push_back(*from_hex("c6348462617373"));
  CHECK(*verify_proof(food.root(), as_bytes("food"), proof) == text("bass"));
  proof[2] = *from_hex("c6348462617374");
  CHECK_FALSE(verify_proof(food.root(), as_bytes("food"), proof));
}

} // namespace trie_test
