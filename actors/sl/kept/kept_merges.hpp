#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace swarm::actors {

/// A merge that a training contract has, whose model an SL keeps.
struct kept_merge {
  std::string training;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
  std::uint64_t size = 0; ///< bytes of the model file, as the contract has it
  bool operator==(const kept_merge&) const = default;
};

/// Which merges an SL keeps: the last ones of each training that it had part in. Without I/O; whether a model is in
/// the store is asked.
class kept_merges {
public:
  static constexpr std::size_t trainings_max = 8; ///< those of which a merge was seen last
  static constexpr std::size_t file_bytes_max = std::size_t{4}
                                                << 20; ///< of the record: 8 x 1000 lines and more
  using is_stored = std::function<bool(const hash32&)>;

  /// Keeps `count` merges of each training; `former` are those of the node's last life, the oldest first.
  explicit kept_merges(std::size_t count, std::vector<kept_merge> former = {})
      : count_(count), merges_(std::move(former)) {}

  /// The contract has this merge. Its model may be in the store, or still be on its way. True when the record has changed.
  bool note(kept_merge merge, const is_stored& stored);

  /// The oldest first. The newest of a training may be one whose model is not in the store (yet).
  const std::vector<kept_merge>& list() const { return merges_; }
  std::set<hash32> digests() const;
  /// Those that may go when room is needed, the first one first: not the last merge of the training `followed`, from
  /// which it goes on, and none of `needed`.
  std::vector<hash32> spare(const std::string& followed, const std::set<hash32>& needed) const;
  /// Of this digest; null when none is kept.
  const kept_merge* find(const hash32& digest) const;

private:
  void tidy(const is_stored& stored);
  bool is_newest(std::size_t index) const;

  std::size_t count_;
  std::vector<kept_merge> merges_;
};

/// The record of kept merges in an SL's data directory, for its next life and for `swarm-inspect model`.
inline constexpr const char* kept_merges_name = "kept-merges";

/// A line for each merge: training, generation, round, digest, size.
std::string text_of(const std::vector<kept_merge>& merges);
/// What cannot be read in it is left out.
std::vector<kept_merge> parse_kept_merges(const std::string& text);
/// None when there is no such file, or none that can be read.
std::vector<kept_merge> read_kept_merges(const std::filesystem::path& data_dir);

} // namespace swarm::actors
