#include "contracts/training/sharding.hpp"

#include "base/hash.hpp"
#include "base/hash_tree.hpp"
#include "base/random.hpp"
#include "contracts/training/measures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace training_sharding_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint64_t mib = model_chunk_bytes;

address peer(std::uint64_t number) {
  address out;
  put_be64(out.data() + 12, number + 1);
  return out;
}

/// Makers, who all may check, of organisations of these sizes.
std::vector<shard_author> makers_of(const std::vector<std::size_t>& sizes) {
  std::vector<shard_author> out;
  for (std::size_t of = 0; of < sizes.size(); ++of)
    for (std::size_t i = 0; i < sizes[of]; ++i)
      out.push_back({peer(out.size()), static_cast<organisation_id>(of + 1)});
  return out;
}
std::vector<checker> in_order(const hash32& mix, const std::vector<shard_author>& who) {
  std::vector<checker> all, out;
  for (const auto& one : who)
    all.push_back({one.account, one.organisation});
  for (const auto at : shard_deal_order(mix, all))
    out.push_back(all[at]);
  return out;
}

/// Checks what the rules say of each unit; returns how many each organisation checks.
std::map<organisation_id, std::uint64_t> check_deal(const std::vector<checker>& seats, const shard_plan& plan,
                                                    const std::vector<shard_author>& authors) {
  const auto made = deal_shards(seats, plan, authors);
  CHECK(made.places() == seats.size());
  std::map<organisation_id, std::uint64_t> shares;
  std::set<organisation_id> all;
  for (const auto& seat : seats)
    all.insert(seat.organisation);
  std::vector<std::vector<std::uint64_t>> drawn(seats.size());
  for (std::uint64_t chunk = 0; chunk < plan.chunks(); ++chunk) {
    const auto& author = authors[plan.place_of_chunk(chunk)];
    const auto places = made.places_of(chunk);
    const auto able =
        std::ranges::count_if(seats, [&](const auto& seat) { return seat.account != author.account; });
    CHECK(places.size() == std::min<std::size_t>(checks_per_chunk, static_cast<std::size_t>(able)));
    CHECK(std::set<std::size_t>(places.begin(), places.end()).size() == places.size());
    std::set<organisation_id> of;
    for (const auto place : places) {
      CHECK(seats[place].account != author.account);
      of.insert(seats[place].organisation);
      drawn[place].push_back(chunk);
      ++shares[seats[place].organisation];
    }
    auto others = all;
    others.erase(author.organisation);
    if (others.size() >= checks_per_chunk) {
      CHECK(of.size() == checks_per_chunk);
      CHECK(!of.contains(author.organisation));
    } else if (others.size() == 1) {
      CHECK(of.contains(*others.begin()));
    }
  }
  std::uint64_t most = 0;
  for (std::size_t place = 0; place < seats.size(); ++place) {
    CHECK(made.chunks_of(place) == drawn[place]);
    CHECK(made.count_of(place) == drawn[place].size());
    most = std::max<std::uint64_t>(most, drawn[place].size());
  }
  CHECK(made.count_max() == most);
  return shares;
}

} // namespace

TEST_CASE("a merge is made in shards where its method allows that and it is not checked whole anyhow") {
  CHECK_FALSE(is_sharded(1000 * mib, 1));
  CHECK_FALSE(is_sharded(16 * mib, 2));
  CHECK(is_sharded(16 * mib + 1, 2));
  CHECK_FALSE(is_sharded(5 * mib, 4));
  CHECK(is_sharded(5 * mib + 1, 4));
  CHECK_FALSE(is_sharded(mib, 1000));
  CHECK_FALSE(is_sharded(0, 1000));
  CHECK_FALSE(is_sharded(model_bytes_max + 1, 4));
  for (const auto kind : {merge_method::mean, merge_method::coordmedian, merge_method::trimmedmean})
    CHECK(may_be_sharded(kind, 1000, 1));
  for (const auto measured :
       {merge_method::geomedian, merge_method::krum, merge_method::multikrum, merge_method::clippedmean}) {
    CHECK(may_be_sharded(measured, measured_models_max, rules_with_measures));
    CHECK_FALSE(may_be_sharded(measured, measured_models_max + 1, rules_with_measures));
    CHECK_FALSE(may_be_sharded(measured, 8, rules_with_measures - 1));
  }
  CHECK_FALSE(may_be_sharded(merge_method::custom, 8, rules_with_measures));
}

TEST_CASE("sums are packed in words in one way, and what is no sum is refused") {
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  CHECK(sums_of(merge_method::geomedian, 16) == 120);
  CHECK(sums_of(merge_method::clippedmean, 16) == 16);
  CHECK(sums_of(merge_method::mean, 16) == 0);
  const std::vector<double> sums{0, 1.5, infinite, 5e-324, 1.7e308};
  const auto words = pack_sums(sums);
  REQUIRE(words.size() == 2);
  CHECK(unpack_sums(words, 5).value() == sums);
  CHECK_FALSE(unpack_sums(words, 4)); // something stands behind the last one
  CHECK_FALSE(unpack_sums(words, 9));
  CHECK_FALSE(unpack_sums(std::span(words).first(1), 5));
  for (const double wrong : {-0.0, -1.0, -infinite, std::numeric_limits<double>::quiet_NaN()}) {
    const std::vector<double> bad{1, wrong};
    CHECK_FALSE(unpack_sums(pack_sums(bad), 2));
  }
  auto other = words;
  other[1].back() = 1;
  CHECK_FALSE(unpack_sums(other, 5));
  CHECK(digest_of_sums(words) != digest_of_sums(other));
}

TEST_CASE("makers have runs of units that differ by one, at most eight each, and together all chunks") {
  for (std::uint32_t makers = 1; makers <= 40; ++makers)
    for (std::uint64_t chunks = 1; chunks <= 400; ++chunks) {
      const shard_plan plan(chunks, makers);
      std::uint64_t units = 0, next_chunk = 0, least = chunks, most = 0;
      for (std::uint32_t place = 0; place < makers; ++place) {
        const auto own = plan.units_of(place);
        const auto run = plan.chunks_of(place);
        bool fits = own.first == units && run.first == next_chunk;
        units = own.end();
        next_chunk = run.end();
        least = std::min(least, own.count);
        most = std::max(most, own.count);
        for (auto unit = own.first; unit < own.end(); ++unit)
          fits = fits && plan.place_of_unit(unit) == place;
        for (auto chunk = run.first; chunk < run.end(); ++chunk)
          fits = fits && plan.place_of_chunk(chunk) == place;
        if (!fits) FAIL_CHECK(chunks, " chunks, ", makers, " makers, place ", place);
      }
      const bool are_enough = chunks >= units_per_shard_min * makers;
      if (units != plan.units() || next_chunk != chunks || most > 2 * units_per_shard_min || most - least > 1
          || (are_enough && least < units_per_shard_min)
          || plan.unit_chunks() != std::uint64_t{1} << plan.unit_level())
        FAIL_CHECK(chunks, " chunks, ", makers, " makers");
    }
  const auto largest = plan_of(model_bytes_max, 1024);
  CHECK(largest.unit_chunks() == 256);
  CHECK(largest.chunks_of(1023).end() == largest.chunks());
  CHECK(shard_plan(5, 8).units_of(6) == run{5, 0});
  CHECK(shard_plan(5, 8).chunks_of(7) == run{5, 0});
  CHECK(shard_plan(9, 2).chunks_of_unit(8) == run{8, 1});
  CHECK(shard_plan(19, 2).chunks_of_unit(9) == run{18, 1});
}

TEST_CASE("the roots of the makers' units are put together to the root of all chunks") {
  for (const auto& [chunks, makers] :
       std::vector<std::pair<std::uint64_t, std::uint32_t>>{{10, 4}, {33, 2}, {100, 3}, {5, 8}, {257, 8}}) {
    std::vector<hash32> leaves;
    for (std::uint64_t i = 0; i < chunks; ++i)
      leaves.push_back(keccak256(fmt::format("chunk {}", i)));
    const shard_plan plan(chunks, makers);
    std::vector<hash32> roots;
    for (std::uint32_t place = 0; place < makers; ++place) {
      const auto own = plan.chunks_of(place);
      const auto part = std::span(leaves).subspan(own.first, own.count);
      const auto made = tree_above(part, plan.unit_level());
      CHECK(made.size() == plan.units_of(place).count);
      roots.insert(roots.end(), made.begin(), made.end());
    }
    CHECK(tree_root(roots) == tree_root(leaves));
  }
}

TEST_CASE("units go to two others than their author, of other organisations, and to all alike") {
  seeded_random random(9);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::size_t> sizes(1 + random.below(5));
    for (auto& size : sizes)
      size = 1 + random.below(4);
    auto authors = makers_of(sizes);
    const auto everybody = authors;
    if (random.below(3) == 0)
      authors[random.below(authors.size())] = {peer(500), 9}; // the leader, in its place
    auto who = everybody;
    if (who.size() > 1 && random.below(3) == 0)
      who.erase(who.begin() + static_cast<std::ptrdiff_t>(random.below(who.size())));
    const auto seats = in_order(keccak256(fmt::format("mix {}", i)), who);
    const shard_plan plan(1 + random.below(90), static_cast<std::uint32_t>(authors.size()));
    check_deal(seats, plan, authors);
  }
  // Organisations of one maker each, and of as many: none has more than its share.
  for (const auto& sizes : std::vector<std::vector<std::size_t>>{{1, 1, 1, 1}, {2, 2, 2}, {3, 3, 3, 3, 3}}) {
    const auto makers = makers_of(sizes);
    const shard_plan plan(4 * makers.size(), static_cast<std::uint32_t>(makers.size()));
    std::uint64_t least = ~std::uint64_t{0}, most = 0;
    for (const auto& [organisation, share] : check_deal(in_order(keccak256("mix"), makers), plan, makers)) {
      least = std::min(least, share);
      most = std::max(most, share);
    }
    CHECK(most - least <= 2);
  }
}

TEST_CASE("a hundred keys of one organisation check no more than one key of another can") {
  const auto makers = makers_of({100, 1, 1, 1});
  const shard_plan plan(4 * 103, 103);
  auto shares = check_deal(in_order(keccak256("mix"), makers), plan, makers);
  // Its own 400 units go to the three others; so of their 12 it checks what makes up for that.
  CHECK(shares[1] == 12);
  for (const organisation_id other : {2, 3, 4})
    CHECK(shares[other] >= 269);
  // With one other organisation, that one checks all that is not its own.
  const auto two = makers_of({100, 1});
  shares = check_deal(in_order(keccak256("mix"), two), shard_plan(4 * 101, 101), two);
  CHECK(shares[2] == 400);
}

TEST_CASE("who is set aside checks only where others are of fewer than two organisations") {
  std::vector<checker> all{{peer(1), 1}, {peer(2), 2, true}, {peer(3), 3}, {peer(4), 3}};
  auto order = shard_deal_order({}, all);
  CHECK(std::set<std::size_t>(order.begin(), order.end()) == std::set<std::size_t>{0, 2, 3});
  all[0].set_aside = true;
  CHECK(shard_deal_order({}, all).size() == 4);
  CHECK(shard_deal_order({}, {}).empty());
}

TEST_CASE("nobody draws lots where each unit goes to all others anyhow") {
  const auto makers = makers_of({1, 1, 1});
  const shard_plan plan(12, 3);
  CHECK(is_dealt_to_all({peer(0), peer(1), peer(2)}, plan, makers));
  CHECK(is_dealt_to_all({peer(0), peer(7)}, plan, makers));
  CHECK_FALSE(
      is_dealt_to_all({peer(0), peer(1), peer(7)}, plan, makers)); // all three could check what 2 has made
  CHECK_FALSE(is_dealt_to_all({peer(0), peer(1), peer(2), peer(3)}, plan, makers));
  const auto many = makers_of({1, 1, 1, 1});
  CHECK(is_dealt_to_all({peer(0), peer(1), peer(2)}, shard_plan(3, 4), many)); // the fourth makes nothing
  // With nobody but its author a unit is dealt to nobody.
  const auto alone = deal_shards({{peer(1), 2}}, plan, makers);
  CHECK(alone.places_of(5).empty());
  CHECK(alone.places_of(0) == std::vector<std::size_t>{0});
  CHECK(deal_shards({}, plan, makers).count_max() == 0);
}

TEST_CASE("the deal of given shards is always the same") {
  const auto makers = makers_of({1, 2, 1});
  const auto seats = in_order(keccak256("mix"), makers);
  const auto made = deal_shards(seats, shard_plan(8, 4), makers);
  std::string text;
  for (std::uint64_t chunk = 0; chunk < 8; ++chunk)
    for (const auto place : made.places_of(chunk))
      text += static_cast<char>('a' + seats[place].account.back());
  CHECK(text == "dedebebebebecbcb");
}

} // namespace training_sharding_test
