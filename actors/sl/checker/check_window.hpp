#pragma once

#include "merge/methods/remerge.hpp"

#include <map>
#include <set>

/// Which chunks of which contributions a checker has in memory. Pure.
namespace swarm::actors {

/// Some chunks of a merge that are made again at a time, and what is needed for them. Contributions whose files are on this
/// node are read from there.
class check_window {
public:
  struct run {
    std::size_t input = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };

  /// The next of `todo` that fit into `bytes_max` of memory, at least one; they are taken out of it.
  check_window(const merge::remerge& again, std::vector<std::uint64_t>& todo, std::size_t remote_inputs,
               std::uint64_t bytes_max);
  check_window() = default;

  const std::vector<std::uint64_t>& chunks() const { return chunks_; }
  /// The runs of chunks that are missing of a contribution, each to be fetched at once.
  std::vector<run> missing_of(std::size_t input) const;
  void take(const run& which, bytes data);
  /// The chunks of each contribution that `chunks` need, ascending.
  const std::set<std::uint64_t>& needed() const { return needed_; }
  bytes_view bytes_of(std::size_t input, std::uint64_t chunk) const;

private:
  std::vector<std::uint64_t> chunks_;
  std::set<std::uint64_t> needed_;
  std::map<std::pair<std::size_t, std::uint64_t>, bytes> here_; ///< runs, by input and first chunk
};

} // namespace swarm::actors
