#pragma once

#include "actors/supervision/role_actor.hpp"

#include <caf/actor_addr.hpp>

#include <functional>
#include <string>

namespace swarm::actors {

/// An actor that works for another one beside it, below the same supervisor: a merge, a check. There is at most one.
class worker_slot {
public:
  using make_spec = std::function<child_spec(std::string name)>;
  /// Told once why the worker cannot be started or has died; never after `end` or `is_done`.
  using on_failure = std::function<void(std::string why)>;

  /// Starts a worker of this name in place of the one that there is, when whatever else has the name has ended.
  void start(role_base* self, std::string name, make_spec make, on_failure failed);
  /// Ends the worker without waiting for it.
  void end(role_base* self);
  /// For a down handler; what comes after a good end changes nothing.
  void take_down(const caf::down_msg& down);
  bool is(std::string_view name) const { return !name_.empty() && name_ == name; }

private:
  void add(role_base* self, const std::string& name, const make_spec& make);
  void fail(const std::string& why);

  std::string name_; ///< empty: nobody works
  caf::actor_addr worker_;
  on_failure failed_;
};

/// Removes the workers beside this actor that one before it has started, as nobody waits for them any more.
void remove_workers(role_base& self);

} // namespace swarm::actors
