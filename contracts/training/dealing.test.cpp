#include "contracts/training/dealing.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "contracts/training/commitment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace training_dealing_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

address peer(std::uint8_t number) {
  address out;
  out.fill(number);
  return out;
}

std::vector<checker> some_candidates(seeded_random& random, std::size_t count, std::uint64_t organisations) {
  std::vector<checker> out;
  for (std::size_t i = 0; i < count; ++i) {
    checker one;
    put_be64(one.account.data(), i);
    one.organisation = static_cast<organisation_id>(1 + random.below(organisations));
    one.set_aside = random.below(6) == 0;
    out.push_back(one);
  }
  return out;
}

std::vector<organisation_id> organisations_of(const std::vector<checker>& candidates,
                                              const std::vector<std::size_t>& order) {
  std::vector<organisation_id> out;
  for (const auto at : order)
    out.push_back(candidates[at].organisation);
  return out;
}

std::size_t distinct(const std::vector<organisation_id>& all) {
  return std::set<organisation_id>(all.begin(), all.end()).size();
}

/// Checks the deal of `chunks` in the order of these organisations; returns how many chunks each organisation checks.
std::map<organisation_id, std::uint64_t> check_deal(const std::vector<organisation_id>& seats,
                                                    std::uint64_t chunks) {
  const deal made(seats, chunks);
  std::vector<std::set<std::uint64_t>> drawn(seats.size());
  std::map<organisation_id, std::uint64_t> by_organisation;
  const auto organisations = distinct(seats);
  const auto copies = std::min(checks_per_chunk, organisations == 1 ? seats.size() : organisations);
  for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto places = made.places_of(chunk);
    CHECK(std::set<std::size_t>(places.begin(), places.end()).size() == copies);
    std::set<organisation_id> of;
    for (const auto place : places) {
      drawn[place].insert(chunk);
      of.insert(seats[place]);
      ++by_organisation[seats[place]];
    }
    CHECK(of.size() == std::min(copies, organisations));
  }
  std::uint64_t most = 0;
  for (std::size_t place = 0; place < seats.size(); ++place) {
    const std::vector<std::uint64_t> own(drawn[place].begin(), drawn[place].end());
    CHECK(made.chunks_of(place) == own);
    CHECK(made.count_of(place) == own.size());
    most = std::max<std::uint64_t>(most, own.size());
  }
  CHECK(made.count_max() == most);
  return by_organisation;
}

} // namespace

TEST_CASE("every chunk is dealt to different peers, of different organisations, and to all alike") {
  seeded_random random(5);
  for (int i = 0; i < 400; ++i) {
    const auto candidates = some_candidates(random, 1 + random.below(12), 1 + random.below(5));
    const auto order =
        deal_order(keccak256(fmt::format("mix {}", i)), 99, candidates); // 99: nobody is of the leader's
    REQUIRE(!order.empty());
    const auto seats = organisations_of(candidates, order);
    const auto chunks = 1 + random.below(40);
    const auto shares = check_deal(seats, chunks);
    std::uint64_t least = chunks * checks_per_chunk, most = 0;
    for (const auto& [organisation, share] : shares) {
      least = std::min(least, share);
      most = std::max(most, share);
    }
    if (shares.size() == distinct(seats)) CHECK(most - least <= checks_per_chunk);
  }
}

TEST_CASE("the leader's organisation checks only where others are too few, and who is set aside only for "
          "want of others") {
  seeded_random random(7);
  for (int i = 0; i < 400; ++i) {
    constexpr organisation_id leaders = 1;
    const auto candidates = some_candidates(random, 1 + random.below(9), 1 + random.below(4));
    const auto order = deal_order(keccak256(fmt::format("mix {}", i)), leaders, candidates);
    REQUIRE(!order.empty());
    std::set<organisation_id> others, fresh_others;
    for (const auto& one : candidates)
      if (one.organisation != leaders) {
        others.insert(one.organisation);
        if (!one.set_aside) fresh_others.insert(one.organisation);
      }
    std::set<organisation_id> chosen;
    for (const auto at : order)
      chosen.insert(candidates[at].organisation);
    const auto wanted = fresh_others.empty() ? others : fresh_others;
    for (const auto organisation : wanted)
      CHECK(chosen.contains(organisation));
    if (wanted.size() >= checks_per_chunk) CHECK(!chosen.contains(leaders));
    for (const auto at : order)
      if (candidates[at].set_aside) CHECK((fresh_others.empty() || candidates[at].organisation == leaders));
    // Those of one organisation stand beside each other.
    const auto seats = organisations_of(candidates, order);
    std::set<organisation_id> over;
    for (std::size_t at = 1; at < seats.size(); ++at)
      if (seats[at] != seats[at - 1]) CHECK(over.insert(seats[at - 1]).second);
  }
}

TEST_CASE("a thousand keys of one organisation check no more than one key of another") {
  std::vector<organisation_id> seats(1000, 1);
  for (organisation_id other = 2; other <= 5; ++other)
    seats.push_back(other);
  const auto shares = check_deal(seats, 2000);
  for (const auto& [organisation, share] : shares)
    CHECK(share == 800);
  // With one other organisation, that one checks all.
  const auto two = check_deal({1, 1, 1, 1, 2}, 100);
  CHECK(two.at(2) == 100);
  CHECK(two.at(1) == 100);
}

TEST_CASE("with one other peer it checks all; with nobody there is nothing to deal") {
  const deal one({4}, 3);
  CHECK(one.chunks_of(0) == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(one.places_of(2) == std::vector<std::size_t>{0});
  CHECK(deal_order({}, 1, {}).empty());
  CHECK(deal({}, 3).places_of(1).empty());
  CHECK(deal({}, 3).count_max() == 0);
}

TEST_CASE("the deal of given seeds is always the same") {
  hash32 mix;
  for (std::uint8_t i = 1; i <= 4; ++i)
    mix = mixed_with(mix, peer(i), keccak256(fmt::format("seed {}", i)));
  CHECK(to_hex(mix.view(), false) == "eaa1f8ffd03426887215721a5d9c9decfe2e297fba49e431c3ec8324657f61e2");
  const std::vector<checker> candidates{{peer(1), 1}, {peer(2), 2}, {peer(3), 2}, {peer(4), 3}, {peer(5), 3}};
  CHECK(deal_order(mix, 1, candidates) == std::vector<std::size_t>{4, 3, 2, 1});
  const deal made({2, 2, 3, 3}, 5);
  CHECK(made.chunks_of(0) == std::vector<std::uint64_t>{0, 2, 4});
  CHECK(made.chunks_of(1) == std::vector<std::uint64_t>{1, 3});
  CHECK(made.chunks_of(2) == std::vector<std::uint64_t>{1, 3});
  CHECK(made.chunks_of(3) == std::vector<std::uint64_t>{0, 2, 4});
}

TEST_CASE("whoever reveals another one's seed does not take it out of the mix") {
  const auto seed = keccak256("a seed");
  const auto once = mixed_with({}, peer(1), seed);
  const auto twice = mixed_with(once, peer(2), seed);
  CHECK(!twice.is_zero());
  CHECK(twice != once);
  CHECK(mixed_with(mixed_with({}, peer(2), seed), peer(1), seed) == twice);
}

TEST_CASE("seeds are a chain that is revealed backwards") {
  const auto seed = keccak256("s");
  CHECK(seed_link(seed, 0) == seed);
  CHECK(seed_link(seed, 2) == keccak256(keccak256(seed.view()).view()));
  CHECK(seed_link(seed_link(seed, 5), 1) == seed_link(seed, 6));
}

TEST_CASE("a small merge goes to all who check it") {
  CHECK(is_checked_whole(1, 16));
  CHECK_FALSE(is_checked_whole(1, 17));
  CHECK(is_checked_whole(5 * model_chunk_bytes, 3));
  CHECK_FALSE(is_checked_whole(5 * model_chunk_bytes + 1, 3));
  CHECK_FALSE(is_checked_whole(~std::uint64_t{0}, ~std::size_t{0}));
  CHECK(is_checked_by_all(model_bytes_max, 2));
  CHECK_FALSE(is_checked_by_all(model_bytes_max, 3));
  const deal made({1, 1, 2}, 3, true);
  const std::vector<std::uint64_t> all{0, 1, 2};
  for (std::size_t place = 0; place < 3; ++place) {
    CHECK(made.chunks_of(place) == all);
    CHECK(made.count_of(place) == 3);
    CHECK(made.places_of(place) == std::vector<std::size_t>{0, 1, 2});
  }
  CHECK(made.count_max() == 3);
  CHECK(deal({}, 3, true).count_max() == 0);
}

TEST_CASE("a merge is dealt out by chunks where its method allows that") {
  CHECK(chunks_to_deal(1, merge_method::mean) == 1);
  CHECK(chunks_to_deal(model_chunk_bytes, merge_method::coordmedian) == 1);
  CHECK(chunks_to_deal(model_chunk_bytes + 1, merge_method::trimmedmean) == 2);
  for (const auto whole : {merge_method::geomedian, merge_method::krum, merge_method::multikrum,
                           merge_method::clippedmean, merge_method::custom})
    CHECK(chunks_to_deal(10 * model_chunk_bytes, whole) == 1);
}

} // namespace training_dealing_test
