#pragma once

#include "base/merge_method.hpp"
#include "contracts/organisations/interface.hpp"

#include <vector>

/// How the chunks of a proposed merge are dealt out to those who make them again. Pure: the contract, the peers and whoever
/// repeats a round compute the same.
namespace swarm::contracts {

/// So many peers make each chunk again, where there are so many.
inline constexpr std::size_t checks_per_chunk = 2;
/// A merge is checked whole by everybody who checks it where that makes no more chunks for all of them together.
inline constexpr std::uint64_t whole_checks_max = 16;
/// The chunk size of model files (merge/model/manifest.hpp).
inline constexpr std::uint64_t model_chunk_bytes = std::uint64_t{1} << 20;
/// The largest model file, as there.
inline constexpr std::uint64_t model_bytes_max = std::uint64_t{1} << 40;

/// Whether a chunk of the merge follows from the same chunk of each contribution.
bool is_elementwise(const merge_method& method);
/// In how many chunks a merge of `size` bytes, at least 1, is dealt out: one when its method needs whole models.
std::uint64_t chunks_to_deal(std::uint64_t size, const merge_method& method);
/// Whether so many `checkers` each make all of a merge of `size` bytes, at least 1, again: it is small.
bool is_checked_whole(std::uint64_t size, std::size_t checkers);
/// The same, or as there are no more checkers than each chunk has. Nobody has to draw lots then.
bool is_checked_by_all(std::uint64_t size, std::size_t checkers);

/// The mix of a proposal's seeds starts as zero, and is the same in whatever order they come. As the account is mixed in,
/// nobody takes another one's seed out of the mix by revealing the same.
hash32 mixed_with(const hash32& mix, const address& account, const hash32& seed);

/// One that can check a proposal.
struct checker {
  address account;
  organisation_id organisation = 0;
  bool set_aside = false; ///< it checks only where otherwise nobody did
};

/// Who of `candidates` checks, as positions among them: organisation by organisation in an order that follows from `mix`,
/// and so do those of one. Of the leader's organisation there are some only where the others are of fewer than
/// `checks_per_chunk` organisations.
std::vector<std::size_t> deal_order(const hash32& mix, organisation_id leaders_organisation,
                                    const std::vector<checker>& candidates);

/// `who` of `candidates` in such an order.
std::vector<std::size_t> in_deal_order(const hash32& mix, const std::vector<checker>& candidates,
                                       std::vector<std::size_t> who);

/// What each place in that order checks. A chunk goes to places of different organisations, to one of each where there are
/// fewer than `checks_per_chunk`, and to different places of one where there is but one. Each organisation gets as many
/// chunks as any other, so that many keys draw no more than one; and within it, each place. Or all chunks go to all places.
class deal {
public:
  /// `organisations` of the places in their order, those of one organisation beside each other.
  deal(const std::vector<organisation_id>& organisations, std::uint64_t chunks, bool all_to_all = false);
  /// As `places_of_units` says (sharding.hpp), for units of so many chunks.
  deal(std::size_t places, std::vector<std::vector<std::size_t>> places_of_units, std::uint64_t unit_chunks,
       std::uint64_t chunks);

  std::size_t places() const { return places_; }
  /// The places that check `chunk`, all different; none when there are no places.
  std::vector<std::size_t> places_of(std::uint64_t chunk) const;
  /// What `place` checks, in ascending order.
  std::vector<std::uint64_t> chunks_of(std::size_t place) const;
  std::uint64_t count_of(std::size_t place) const;
  /// The most that any place checks.
  std::uint64_t count_max() const;

private:
  struct group {
    std::size_t first = 0;
    std::size_t size = 0;
  };
  /// The chunk of which `group` has turn `turn`, which may be beyond the last one.
  std::uint64_t chunk_at(std::size_t group, std::uint64_t turn) const;
  std::vector<std::uint64_t> chunks_of_units(std::size_t place) const;

  std::size_t places_;
  std::uint64_t chunks_;
  bool all_to_all_ = false;
  std::vector<group> groups_; ///< one for each organisation
  std::vector<std::size_t> group_of_;
  std::size_t copies_ = 0; ///< of each chunk
  std::vector<std::vector<std::size_t>>
      units_;                         ///< the places of each; empty for a merge that the leader made
  std::vector<std::uint64_t> counts_; ///< and the chunks of each place
  std::uint64_t unit_chunks_ = 1;
};

} // namespace swarm::contracts
