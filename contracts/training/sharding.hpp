#pragma once

#include "contracts/training/dealing.hpp"

#include <vector>

/// How a merge is given out in shards, one for each of its makers, and how such a merge is dealt out to those who check it.
/// Pure, as dealing.hpp: the contract, the peers and whoever repeats a round compute the same.
namespace swarm::contracts {

/// A maker's shard has at least so many units, where there are chunks enough, and at most twice as many.
inline constexpr std::uint64_t units_per_shard_min = 4;

/// Since this version of the chain's rules merges by methods that look at whole models are made in shards, too (measures.hpp).
inline constexpr std::uint64_t rules_with_measures = 3;

/// Whether merges of so many models by this method may be made in shards.
bool may_be_sharded(const merge_method& method, std::size_t models, std::uint64_t rules);
/// Whether so many makers make a merge of `size` bytes in shards, if its method allows that: it has more than one chunk and
/// is too large for all but one of them to make all of it again.
bool is_sharded(std::uint64_t size, std::size_t makers);

/// Of what a shard consists: chunks, or units of them.
struct run {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t end() const { return first + count; }
  bool operator==(const run&) const = default;
};

/// How `chunks` chunks are given out. A unit is 2^k of them, or what is left at the end, and has one hash: the node at level
/// k of the tree over the hashes of all chunks (base/hash_tree.hpp). The shard of a maker is a run of units; those of two
/// makers differ by one unit at most, and with fewer chunks than makers the last ones have none.
class shard_plan {
public:
  /// Both are at least 1.
  shard_plan(std::uint64_t chunks, std::uint32_t makers);

  std::uint64_t chunks() const { return chunks_; }
  std::uint32_t makers() const { return makers_; }
  unsigned unit_level() const { return level_; }
  std::uint64_t unit_chunks() const { return std::uint64_t{1} << level_; }
  std::uint64_t units() const { return ((chunks_ - 1) >> level_) + 1; }
  /// Of the maker at `place`.
  run units_of(std::uint32_t place) const;
  run chunks_of(std::uint32_t place) const;
  run chunks_of_unit(std::uint64_t unit) const;
  std::uint32_t place_of_unit(std::uint64_t unit) const;
  std::uint32_t place_of_chunk(std::uint64_t chunk) const { return place_of_unit(chunk >> level_); }

private:
  std::uint64_t chunks_;
  std::uint32_t makers_;
  unsigned level_ = 0;
};
/// Of a merge of `size` bytes, at least 1.
shard_plan plan_of(std::uint64_t size, std::uint32_t makers);

/// Who has made a shard: its maker, or the leader in its place.
struct shard_author {
  address account;
  organisation_id organisation = 0;
  bool operator==(const shard_author&) const = default;
};

/// Who of `candidates` checks a merge that was made in shards, as positions among them in the order of the deal, which is as
/// in `deal_order`. Who is set aside does only where the others are of fewer than `checks_per_chunk` organisations.
std::vector<std::size_t> shard_deal_order(const hash32& mix, const std::vector<checker>& candidates);

/// What each of `seats`, in that order, checks. A unit goes to places of different organisations, and to none of its author's
/// where there are two others; with one other, to that and to another one of its author's; never to its author.
/// Each organisation gets as many units as another, and within it each place, as far as that allows: units are dealt one of
/// each maker after the other, each to those organisations that have had the fewest.
deal deal_shards(const std::vector<checker>& seats, const shard_plan& plan,
                 const std::vector<shard_author>& authors);

/// Whether each unit goes to all `candidates` but its author anyhow, so that nobody has to draw lots.
bool is_dealt_to_all(const std::vector<address>& candidates, const shard_plan& plan,
                     const std::vector<shard_author>& authors);

} // namespace swarm::contracts
