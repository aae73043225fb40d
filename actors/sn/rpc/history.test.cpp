#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "base/testing/wording.hpp"
#include "ledger/snapshot/testing/snapshot_fixture.hpp"

#include <doctest/doctest.h>

namespace history_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using swarm::testing::says;

namespace {

/// A node that takes a snapshot of a chain with one transaction in each block.
struct newcomer : rpc_node {
  rpc_node from_there;

  void grow(std::uint64_t blocks) {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      from_there.submit(txn(next_++));
      from_there.seal();
    }
  }
  static ledger::transaction txn(std::uint64_t nonce) {
    return make_txn(test_key(9), nonce, input_of(op::emit, word(1), word(2)));
  }
  void follow(std::uint64_t to) {
    for (auto i = chain->head()->header.block_num + 1; i <= to; ++i) {
      const auto block = *from_there.chain->block_by_num(i);
      served->on_block(chain->import_block(block->content(), **from_there.chain->seals_of(i)).value(), now);
    }
  }
  void adopt(std::uint64_t block_num) {
    sync::test::take_state(*chain, *from_there.chain, block_num);
    sync::chain_snapshots snapshots(*chain);
    served->on_block(snapshots.adopt(sync::test::past(*from_there.chain, block_num), {}).value(), now);
  }
  void take_history(std::uint64_t last, std::uint64_t first) {
    std::vector<sync::verified_block> blocks;
    for (auto i = last; i >= first; --i)
      blocks.push_back(sync::test::past(*from_there.chain, i));
    REQUIRE(sync::chain_snapshots(*chain).store_past(blocks));
  }
  std::vector<std::string> send_sync(std::uint64_t nonce) {
    return post(
        fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"eth_sendRawTransactionSync","params":["{}"]}})",
                    nonce, to_hex(txn(nonce).raw())));
  }
  static json::object answer(const std::vector<std::string>& from, std::size_t index = 0) {
    return json::parse(from.at(index)).as_object();
  }

private:
  std::uint64_t next_ = 0;
};

bool says_try_again(const json::object& answer) {
  return answer.at("error").at("data").at("reason") == "history_incomplete"
         && says(rpc_node::error_text(answer), "history is being fetched: try again");
}

} // namespace

TEST_CASE("who waits for a transaction that a snapshot skipped is told to try again, until it is here") {
  newcomer node;
  node.grow(5); // nonces 0 to 4 in blocks 1 to 5
  node.follow(1);
  CHECK(node.send_sync(2).empty()); // in block 3, which is skipped
  CHECK(node.send_sync(4).empty()); // in block 5, the pivot
  CHECK(node.send_sync(5).empty()); // not yet anywhere
  node.adopt(5);
  REQUIRE(node.sent.size() == 2);
  CHECK(newcomer::answer(node.sent, 0).at("result").at("blockNumber") == "0x5");
  CHECK(newcomer::answer(node.sent, 1).at("id") == 2);
  CHECK(says_try_again(newcomer::answer(node.sent, 1)));
  CHECK(node.served->waiting() == 1);

  const auto again = newcomer::answer(node.send_sync(2));
  CHECK(says_try_again(again));
  CHECK(rpc_node::error_text(again).starts_with("-32000 nonce too low"));
  node.take_history(4, 3);
  CHECK(newcomer::answer(node.send_sync(2)).at("result").at("blockNumber") == "0x3");
  CHECK(says_try_again(newcomer::answer(node.send_sync(1))));
  node.take_history(2, 2);
  CHECK(newcomer::answer(node.send_sync(1)).at("result").at("blockNumber") == "0x2");

  // With all of history the answer is certain.
  const auto never = make_txn(test_key(9), 1, input_of(op::emit, word(3), word(4)));
  const auto refused = node.call("eth_sendRawTransactionSync", fmt::format("[\"{}\"]", to_hex(never.raw())));
  CHECK(rpc_node::error_text(refused).starts_with("-32000 nonce too low"));
  CHECK(json::serialize(refused).find("history") == std::string::npos);
  node.grow(1);
  node.sent.clear();
  node.follow(6);
  REQUIRE(node.sent.size() == 1);
  CHECK(newcomer::answer(node.sent).at("result").at("blockNumber") == "0x6");
}

TEST_CASE("who waits gets its receipt also if the blocks were not shown one by one") {
  newcomer node;
  node.grow(3);
  CHECK(node.send_sync(0).empty());
  CHECK(node.send_sync(2).empty());
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto block = *node.from_there.chain->block_by_num(i);
    REQUIRE(node.chain->import_block(block->content(), **node.from_there.chain->seals_of(i)));
  }
  node.served->on_block(node.chain->head(), node.now);
  REQUIRE(node.sent.size() == 2);
  CHECK(newcomer::answer(node.sent, 0).at("result").at("blockNumber") == "0x3");
  CHECK(newcomer::answer(node.sent, 1).at("result").at("blockNumber") == "0x1");
}

TEST_CASE("a block filter loses no block to a gap in history") {
  newcomer node;
  const auto id = fmt::format("[{}]", node.text("eth_newBlockFilter"));
  node.grow(6);
  node.follow(2);
  node.adopt(5);
  node.follow(6);
  const auto hashes = [&](std::uint64_t first, std::uint64_t last) {
    json::array out;
    for (auto i = first; i <= last; ++i)
      out.push_back(js(hex((*node.from_there.chain->block_by_num(i))->hash)));
    return json::serialize(out);
  };
  CHECK(node.text("eth_getFilterChanges", id) == hashes(1, 2));
  CHECK(node.error("eth_getFilterChanges", id).starts_with("-32001 block 3 is not here yet"));
  node.take_history(4, 4);
  CHECK(node.error("eth_getFilterChanges", id).starts_with("-32001 block 3 is not here yet"));
  node.take_history(3, 3);
  CHECK(node.text("eth_getFilterChanges", id) == hashes(3, 6));
  CHECK(node.text("eth_getFilterChanges", id) == "[]");
}

} // namespace history_test
