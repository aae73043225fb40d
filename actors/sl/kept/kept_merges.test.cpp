#include "actors/sl/kept/kept_merges.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace kept_merges_test {

using namespace swarm;
using swarm::actors::kept_merge;
using swarm::actors::kept_merges;

namespace {

kept_merge merge(std::uint64_t round_num, const std::string& training = "ours",
                 std::uint64_t generation = 1) {
  hash32 digest;
  digest[0] = static_cast<std::uint8_t>(generation);
  digest[1] = static_cast<std::uint8_t>(training.back());
  digest[31] = static_cast<std::uint8_t>(round_num);
  digest[30] = static_cast<std::uint8_t>(round_num >> 8);
  return {training, generation, round_num, digest, 500};
}

bool everything(const hash32&) {
  return true;
}

std::vector<std::uint64_t> rounds(const kept_merges& of) {
  std::vector<std::uint64_t> out;
  for (const auto& each : of.list())
    out.push_back(each.round_num);
  return out;
}

using numbers = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("the last merges of a training are kept, each noted once") {
  kept_merges kept(3);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    CHECK(kept.note(merge(round), everything));
    CHECK_FALSE(kept.note(merge(round), everything));
  }
  CHECK(rounds(kept) == numbers{3, 4, 5});
  CHECK(kept.digests() == std::set<hash32>{merge(3).digest, merge(4).digest, merge(5).digest});
  CHECK_FALSE(kept.note(merge(4), everything)); // an SN that is behind
  CHECK_FALSE(kept.note({"ours", 1, 6, {}, 0}, everything));
  CHECK(rounds(kept) == numbers{3, 4, 5});
}

TEST_CASE("only what is in the store counts, but the newest may be on its way") {
  kept_merges kept(2);
  std::set<hash32> here{merge(1).digest, merge(2).digest};
  const auto stored = [&](const hash32& digest) { return here.contains(digest); };
  for (std::uint64_t round = 1; round <= 3; ++round)
    kept.note(merge(round), stored);
  CHECK(rounds(kept) == numbers{1, 2, 3});
  kept.note(merge(4), stored); // that of round 3 never came
  CHECK(rounds(kept) == numbers{1, 2, 4});
  here.insert(merge(4).digest);
  kept.note(merge(5), stored);
  CHECK(rounds(kept) == numbers{2, 4, 5});
}

TEST_CASE("none is kept when none are to be") {
  kept_merges kept(0);
  kept.note(merge(1), everything);
  CHECK(kept.list().empty());
}

TEST_CASE("each training has its own, and the one that was seen longest ago goes first") {
  kept_merges kept(2);
  for (std::size_t i = 0; i < kept_merges::trainings_max + 2; ++i)
    for (std::uint64_t round = 1; round <= 3; ++round)
      kept.note(merge(round, fmt::format("training-{}", static_cast<char>('a' + i))), everything);
  CHECK(kept.list().size() == 2 * kept_merges::trainings_max);
  CHECK(kept.list().front().training == "training-c");
  CHECK(kept.find(merge(3, "training-d").digest)->training == "training-d");
  CHECK(kept.find(merge(3, "training-a").digest) == nullptr);
}

TEST_CASE("the merges from before a reset stay until newer ones take their places") {
  kept_merges kept(3);
  for (std::uint64_t round = 7; round <= 9; ++round)
    kept.note(merge(round), everything);
  kept.note(merge(1, "ours", 2), everything);
  CHECK(rounds(kept) == numbers{8, 9, 1});
}

TEST_CASE("what is needed, and the last merge of the training under way, do not go") {
  kept_merges kept(3);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    kept.note(merge(round, "other"), everything);
    kept.note(merge(round), everything);
  }
  const auto o = [](std::uint64_t round) { return merge(round, "other").digest; };
  const auto m = [](std::uint64_t round) { return merge(round).digest; };
  CHECK(kept.spare("ours", {}) == std::vector<hash32>{o(1), m(1), o(2), m(2), o(3)});
  CHECK(kept.spare("ours", {m(2), o(1)}) == std::vector<hash32>{m(1), o(2), o(3)});
  CHECK(kept.spare("", {}).size() == 6);
}

TEST_CASE("the record is read as it was written, and what is no merge in it is left out") {
  const std::vector<kept_merge> merges{merge(1, "other"), merge(300)};
  const auto text = actors::text_of(merges);
  CHECK(actors::parse_kept_merges(text) == merges);
  CHECK(actors::parse_kept_merges("") == std::vector<kept_merge>{});
  const auto digest = to_hex(merge(1).digest.view());
  for (const auto& bad : std::vector<std::string>{
           "ours 1 1", "ours 1 1 0x12 500", "ours 1 1 " + digest, "ours x 1 " + digest + " 5",
           "two words 1 1 " + digest + " 5", "../up 1 1 " + digest + " 5", "ours 1 1 " + digest + " 5 more",
           "ours 1 1 0x" + std::string(64, '0') + " 5", std::string(1000, '\0')})
    CHECK(actors::parse_kept_merges(bad + "\n" + text) == merges);
}

} // namespace kept_merges_test
