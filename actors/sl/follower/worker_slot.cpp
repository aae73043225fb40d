#include "actors/sl/follower/worker_slot.hpp"

#include "actors/sl/follower/worker_names.hpp"
#include "actors/supervision/paths.hpp"

#include <caf/actor_cast.hpp>

#include <algorithm>

namespace swarm::actors {

using namespace std::chrono_literals;

void worker_slot::start(role_base* self, std::string name, make_spec make, on_failure failed) {
  end(self);
  name_ = std::move(name);
  failed_ = std::move(failed);
  const auto go = [this, self, mine = name_, make = std::move(make)] { add(self, mine, make); };
  // One of that name that is being ended, or that a former actor started, must end first.
  if (!self->dir().status(sibling(*self, name_))) return go();
  self->ask(parent_path(*self), 10s, remove_child{name_})
      .then([go](const child_removed&) { go(); }, [go](caf::error&) { go(); });
}

void worker_slot::add(role_base* self, const std::string& name, const make_spec& make) {
  if (!is(name)) return; // no longer wanted
  self->ask(parent_path(*self), 10s, add_child{make(name)})
      .then(
          [this, self, name](const child_added& added) {
            if (!is(name)) return;
            const auto handle = self->dir().find(added.path);
            // One that has ended already has sent its result, if it had one, before this message.
            if (!handle) return fail("it has died");
            worker_ = handle.address();
            self->monitor(handle);
          },
          [this, name](caf::error& why) {
            if (is(name)) fail(text_of(why));
          });
}

void worker_slot::end(role_base* self) {
  // It is sent without a sender, as the answer is not needed.
  if (!name_.empty()) self->dir().send(parent_path(*self), remove_child{name_});
  name_.clear();
  worker_ = {};
}

void worker_slot::take_down(const caf::down_msg& down) {
  if (!name_.empty() && down.source == worker_) fail("it has died: " + text_of(down.reason));
}

void worker_slot::fail(const std::string& why) {
  name_.clear();
  worker_ = {};
  failed_(why);
}

void remove_workers(role_base& self) {
  for (const auto& status : self.dir().list()) {
    const auto is_its = [&](std::string_view prefix) {
      return status.path.starts_with(sibling(self, prefix));
    };
    if (std::ranges::none_of(worker_prefixes, is_its)) continue;
    const auto name = status.path.substr(parent_path(self).size() + 1);
    if (name.find('/') == name.npos) self.dir().send(parent_path(self), remove_child{name});
  }
}

} // namespace swarm::actors
