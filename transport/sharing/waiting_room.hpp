#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace swarm::transport {

/// Connections that have not said who they are yet. There are few places, and a newcomer always gets one: when all are
/// taken, the oldest one of the group that has most of them goes. So who opens many loses his own, as long as others
/// come from elsewhere; and among equals everybody has as long as it takes for all places to be taken anew.
template <class Group>
class waiting_room {
public:
  explicit waiting_room(std::size_t places) : places_(places) {}

  /// A newcomer; ids grow. Returns the one that has to go for it, which counts as gone; none while there is room.
  std::optional<std::uint64_t> enter(std::uint64_t id, const Group& group) {
    waiting_.emplace(id, group);
    ++sizes_[group];
    if (waiting_.size() <= places_) return std::nullopt;
    std::size_t most = 0;
    for (const auto& [other, size] : sizes_)
      most = std::max(most, size);
    for (const auto& [oldest, of] : waiting_) // the oldest first
      if (sizes_.at(of) == most) {
        const auto out = oldest;
        leave(out);
        return out;
      }
    return std::nullopt;
  }
  /// It has said who it is, or it is gone. Returns whether it was waiting.
  bool leave(std::uint64_t id) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return false;
    const auto group = sizes_.find(found->second);
    if (--group->second == 0) sizes_.erase(group);
    waiting_.erase(found);
    return true;
  }
  std::size_t size() const { return waiting_.size(); }

private:
  std::size_t places_;
  std::map<std::uint64_t, Group> waiting_;
  std::map<Group, std::size_t> sizes_;
};

} // namespace swarm::transport
