#pragma once

#include "ledger/state/state_overlay.hpp"

#include <functional>
#include <map>
#include <set>

namespace swarm::sync {

enum class part_kind : std::uint8_t { account_node, storage_node, code };

/// A part of the state, by its hash.
struct state_part {
  part_kind kind = part_kind::account_node;
  hash32 hash;
  auto operator<=>(const state_part&) const = default;
};

/// What is missing of the state below one root, and in which order it may be stored: a node only together
/// with or after everything below it, the root last. So whatever is stored is whole, at every moment, and a
/// walk that was cut short is taken up again by starting anew: what is stored needs no second look.
///
/// The deepest parts are asked for first, which keeps what waits for its children small. No I/O but `stored`.
class state_walk {
public:
  /// Whether a part is stored, and so everything below it.
  using presence = std::function<result<bool>(const state_part&)>;

  state_walk(const hash32& root, presence stored) : root_(root), stored_(std::move(stored)) {}
  /// Before everything else.
  result<> begin();

  /// Up to `max` parts that are not asked for; they are from now on.
  std::vector<state_part> next(std::size_t max);
  /// It did not come: give it out again.
  void again(const state_part& what);
  /// A part of this hash, which the caller computed. Nothing happens if it is not wanted (any more).
  /// `errc::corrupt`: its hash is right and yet it is no node, so the state itself is broken.
  result<> take(const hash32& hash, bytes raw);

  /// Everything came; it may not be stored yet.
  bool complete() const { return begun_ && items_.empty(); }
  /// What may be stored now, children first; all of it in one batch. `stored` is to know of it once the next
  /// batch is taken.
  ledger::state_batch take_batch();
  std::size_t batch_bytes() const { return batch_bytes_; }

  std::size_t to_ask() const { return to_ask_; } ///< about
  std::size_t waiting() const { return items_.size(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; } ///< of nodes that wait for what is below them
  std::uint64_t parts_done() const { return parts_done_; }
  std::uint64_t bytes_done() const { return bytes_done_; }

private:
  struct item {
    std::size_t depth = 0;
    bytes raw;             ///< empty until it comes
    std::size_t below = 0; ///< parts that are missing below it
    std::vector<state_part> above;
    bool asked = false;
  };
  using item_map = std::map<state_part, item>;

  result<> want(const state_part& what, const state_part* above, std::size_t depth);
  result<> take_one(item_map::iterator which, bytes raw);
  result<std::vector<state_part>> parts_below(part_kind kind, bytes_view raw) const;
  void finish(const state_part& what);

  hash32 root_;
  presence stored_;
  bool begun_ = false;
  item_map items_;
  std::map<std::size_t, std::vector<state_part>, std::greater<>> queue_; ///< by depth; may hold stale ones
  std::size_t to_ask_ = 0;
  std::size_t waiting_bytes_ = 0;
  ledger::state_batch batch_;
  std::set<state_part> in_batch_; ///< of this batch and the last one
  std::set<state_part> in_last_batch_;
  std::size_t batch_bytes_ = 0;
  std::uint64_t parts_done_ = 0;
  std::uint64_t bytes_done_ = 0;
};

} // namespace swarm::sync
