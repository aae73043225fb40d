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

/// Finds what is missing of the state below one root, and in which order it may be stored: a node only
/// together with or after everything below it, the root last. So whatever is stored is whole at every moment,
/// and a walk that was cut short simply starts anew: what is stored is not looked at again.
///
/// The deepest parts are asked for first, which keeps the number of nodes that wait for their children small.
/// The only I/O is `stored`.
class state_walk {
public:
  /// Whether a part is stored, and so everything below it.
  using presence = std::function<result<bool>(const state_part&)>;

  state_walk(const hash32& root, presence stored) : root_(root), stored_(std::move(stored)) {}
  /// To be called before everything else.
  result<> begin();

  /// Up to `max` parts that are to be asked for; from now on they count as asked for.
  std::vector<state_part> next(std::size_t max);
  /// The part did not come: `next` shall return it again.
  void again(const state_part& what);
  /// Takes the part with this hash, which the caller computed. A part that is not wanted (any more) is
  /// ignored. Fails with `errc::corrupt` when the part is no node although its hash is right: then the state
  /// itself is broken.
  result<> take(const hash32& hash, const bytes& raw);

  /// Whether everything has come; it may not be stored yet.
  bool complete() const { return begun_ && items_.empty(); }
  /// What may be stored now, children first, in one batch. `stored` must know of it when the next
  /// batch is taken.
  ledger::state_batch take_batch();
  std::size_t batch_bytes() const { return batch_bytes_; }

  std::size_t to_ask() const { return to_ask_; } ///< approximate
  std::size_t waiting() const { return items_.size(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; } ///< of nodes that wait for parts below them
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
  std::map<std::size_t, std::vector<state_part>, std::greater<>> queue_; ///< by depth; some may be unwanted
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
