#include "actors/sl/files/chain_reader.hpp"

#include "actors/sl/files/known_merges.hpp"
#include "contracts/abi/function.hpp"
#include "merge/testing/models.hpp"

#include <doctest/doctest.h>

namespace chain_reader_test {

using namespace swarm;
using namespace swarm::actors;
namespace json = boost::json;

namespace {

constexpr std::uint64_t base = std::uint64_t{77} << 32;

json::value says(std::string_view text) {
  return json::object{{"result", text}};
}

json::value gives(const bytes& output) {
  return says(to_hex(output));
}

/// The answer of a chain where one node is registered, and the training has `peers` peers.
session::action::answered answer_to(const session::event::ask& question, std::size_t peers = 0) {
  using contracts::abi::encode_answer;
  contracts::node_view node;
  node.active = true;
  node.type = contracts::node_type::sl;
  contracts::head_view head;
  head.round_num = 3;
  std::vector<json::value> responses{says("0x7"),
                                     gives(encode_answer(node)),
                                     gives(encode_answer(head)),
                                     gives(encode_answer(std::vector<contracts::check_in_view>(2))),
                                     gives(encode_answer(contracts::merge_view{})),
                                     gives(encode_answer(contracts::checks_view{})),
                                     gives(encode_answer(contracts::shards_view{}))};
  while (responses.size() < question.calls.size()) {
    const auto here = std::min(peers, contracts::page_entries_max);
    peers -= here;
    responses.push_back(gives(encode_answer(std::vector<contracts::peer_view>(here))));
  }
  return {question.id, std::move(responses), question.asker};
}

} // namespace

TEST_CASE("the gate's question is one batch, and its answer comes back under the gate's own number") {
  chain_reader reader(base);
  std::optional<session::event::ask> again;
  const auto question = reader.ask({5, "t", address{}}, "files");
  CHECK(question.id == base + 5);
  CHECK(question.asker == "files");
  REQUIRE(question.calls.size() == 8);
  CHECK(question.calls[0].method == "eth_blockNumber");
  const auto read = reader.take(answer_to(question), again);
  REQUIRE(read);
  CHECK(read->id == 5);
  REQUIRE_MESSAGE(read->outcome, (read->outcome ? "" : read->outcome.error().message));
  CHECK(read->outcome->block_num == 7);
  CHECK(read->outcome->node.active);
  CHECK(read->outcome->training.head.round_num == 3);
  CHECK(read->outcome->training.check_ins.size() == 2);
  CHECK(read->outcome->training.peers.empty());
  CHECK_FALSE(reader.take(answer_to(question), again)); // once
}

TEST_CASE("a training with more peers than a page has is read page by page, and from then on at once") {
  chain_reader reader(base);
  std::optional<session::event::ask> again;
  CHECK_FALSE(reader.take(answer_to(reader.ask({1, "t", address{}}, "files"), 300), again));
  REQUIRE(again);
  CHECK(again->calls.size() == 9);
  const auto question = *std::exchange(again, std::nullopt);
  const auto read = reader.take(answer_to(question, 300), again);
  REQUIRE(read);
  CHECK(read->id == 1);
  CHECK(read->outcome->training.peers.size() == 300);
  CHECK(reader.ask({2, "t", address{}}, "files").calls.size() == 9);
}

TEST_CASE("an answer to another reader, and what is none, is passed over or an error") {
  chain_reader reader(base);
  std::optional<session::event::ask> again;
  auto question = reader.ask({1, "t", address{}}, "files");
  auto other = answer_to(question);
  other.id = 1;
  CHECK_FALSE(reader.take(other, again));
  for (const auto& odd : {json::value(nullptr), json::value(7), says("zz"), json::value(json::array())}) {
    question = reader.ask({1, "t", address{}}, "files");
    const auto read = reader.take({question.id, std::vector<json::value>(7, odd), "files"}, again);
    REQUIRE(read);
    CHECK_FALSE(read->outcome);
  }
  question = reader.ask({2, "t", address{}}, "files");
  const auto failed = reader.take({question.id, fail(errc::unavailable, "no SN"), "files"}, again);
  REQUIRE(failed);
  CHECK_FALSE(failed->outcome);
  question = reader.ask({3, "t", address{}}, "files");
  CHECK_FALSE(reader.take({question.id, std::vector<json::value>{}, "files"}, again)->outcome);
  CHECK_FALSE(again);
}

TEST_CASE("known merges are there in the next life, whatever became of the file") {
  const merge::testing::temp_directory folder;
  const std::filesystem::path file = folder.file("merges");
  CHECK(read_known_merges(file).empty());
  hash32 one, two;
  one[0] = 1;
  two[31] = 2;
  const std::vector<gate::model_gate::merge> merges{{one, "a.b"}, {two, "c"}};
  REQUIRE(write_known_merges(file, merges));
  CHECK(read_known_merges(file) == merges);
  REQUIRE(write_known_merges(file, {merges[1]}));
  CHECK(read_known_merges(file) == std::vector{merges[1]});
  merge::testing::write_file(file.native(), to_bytes(as_bytes(to_hex(one.view()) + " no/name\nzz t\n"
                                                              + to_hex(two.view()) + " t\n0x12")));
  CHECK(read_known_merges(file) == std::vector<gate::model_gate::merge>{{two, "t"}});
}

} // namespace chain_reader_test
