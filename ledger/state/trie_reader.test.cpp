#include "ledger/state/trie_reader.hpp"

#include "base/hash.hpp"
#include "ledger/state/trie.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace trie_reader_test {

using namespace swarm;
using namespace swarm::ledger;

namespace {

/// A trie with `count` entries, and how often each of its nodes is asked for.
struct stored_trie {
  std::map<hash32, bytes> entries, nodes;
  std::map<hash32, int> asked;
  hash32 root;
  trie_store store{[this](const hash32& hash) -> result<bytes> {
                     ++asked[hash];
                     if (!nodes.contains(hash)) return fail(errc::not_found, "not there");
                     return nodes.at(hash);
                   },
                   0};

  explicit stored_trie(std::size_t count, std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    trie made(nullptr);
    while (entries.size() < count) {
      auto key = keccak256(u256(entries.size()).view());
      if (random() % 3 == 0 && !entries.empty()) { // one that has much in common with another
        key = std::next(entries.begin(), static_cast<std::ptrdiff_t>(random() % entries.size()))->first;
        key[random() % key.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
      }
      bytes value(1 + random() % 40, static_cast<std::uint8_t>(1 + random() % 255));
      REQUIRE(made.put(key.view(), value));
      entries[key] = std::move(value);
    }
    node_batch batch;
    root = made.commit(batch);
    for (auto& [hash, raw] : batch)
      nodes[hash] = std::move(raw);
  }
};

} // namespace

TEST_CASE("all entries are found, others are not, and each node is looked up once") {
  for (const std::size_t count : {0, 1, 2, 17, 400}) {
    stored_trie in(count, static_cast<std::uint32_t>(count));
    trie_reader reader(in.store, in.root);
    for (int round = 0; round < 2; ++round)
      for (const auto& [key, value] : in.entries) {
        const auto found = reader.find(key);
        REQUIRE(found);
        REQUIRE(*found != nullptr);
        CHECK(**found == value);
        for (const std::size_t at : {0, 1, 15, 31}) {
          auto other = key;
          other[at] ^= 0x11;
          const auto none = reader.find(other);
          REQUIRE(none);
          CHECK((*none != nullptr) == in.entries.contains(other));
        }
      }
    CHECK(in.asked.size() <= in.nodes.size());
    for (const auto& [hash, times] : in.asked)
      CHECK(times == 1);
  }
}

TEST_CASE("a missing node is an error each time, and no other entry's") {
  stored_trie in(300);
  std::size_t missing = 0;
  const auto leaf = std::ranges::find_if(in.nodes, [](const auto& each) {
                      return (*decode_trie_node(each.second))->is_leaf();
                    })->first;
  in.nodes.erase(leaf);
  trie_reader reader(in.store, in.root);
  for (const auto& [key, value] : in.entries)
    for (int round = 0; round < 2; ++round) {
      const auto found = reader.find(key);
      if (!found) {
        CHECK(found.error().is(errc::corrupt));
        ++missing;
      } else {
        REQUIRE(*found != nullptr);
        CHECK(**found == value);
      }
    }
  CHECK(missing == 2);
}

} // namespace trie_reader_test
