#include "actors/sl/channel/channel.hpp"

#include "actors/sl/sl_context.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/supervision/tick.hpp"

namespace swarm::actors {

namespace {

/// How long the channel waits for a program to read its last words.
constexpr auto farewell_max = std::chrono::milliseconds(500);

struct channel_state {
  explicit channel_state(std::shared_ptr<program_link> to) : link(std::move(to)) {}
  std::string status() const { return link->status(); }
  std::string detail_json() const { return link->detail_json(); }

  std::shared_ptr<program_link> link;
  std::optional<caf::error> stop_reason; ///< set when told to stop; the program is still to be told
};

using self_pointer = role_actor<channel_state>*;

void end(self_pointer self, caf::error reason) {
  self->state().link->close();
  self->quit(std::move(reason));
}

void work(self_pointer self) {
  const auto follower = sibling(*self, sl_names::follower);
  auto done = self->state().link->work();
  std::visit(
      [&](auto&& news) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(news)>, std::monostate>)
          // A follower that is not there asks when it is started again.
          self->tell(follower, std::forward<decltype(news)>(news));
      },
      std::move(done.event));
  if (done.state) self->tell(follower, std::move(*done.state));
  if (done.program_left && self->state().stop_reason) return end(self, *self->state().stop_reason);
  if (done.more) self->send(self, link_news{}); // orders come in between
}

/// Tells a program that waits for an answer that there will be none, and ends.
void stop(self_pointer self, caf::error reason) {
  auto& s = self->state();
  if (s.stop_reason) return;
  if (!s.link->take_leave("this SL was told to stop; start it again, then the program"))
    return end(self, std::move(reason));
  s.stop_reason = std::move(reason);
  self->delayed_send(self, farewell_max, tick{});
}

caf::behavior channel_behavior(self_pointer self) {
  const auto opened = self->state().link->open(
      [env = self->shared_env(), path = self->path()] { env->dir.send(path, link_news{}); });
  if (!opened) {
    self->fail_start(opened.error());
    return {[](link_news) {}};
  }
  self->on_stop([self](caf::error reason) { stop(self, std::move(reason)); });
  self->send(self, link_news{}); // for items that came while there was no channel
  return {
      [=](link_news) { work(self); },
      [=](tick) {
        if (const auto& reason = self->state().stop_reason) end(self, *reason);
      },
  };
}

} // namespace

start_function channel_actor(std::shared_ptr<program_link> link) {
  return role<channel_state>(channel_behavior, std::move(link));
}

void tell_channel(role_base& self, program_link& link, any_link_item item) {
  link.put(std::move(item));
  self.tell(sibling(self, sl_names::channel), link_news{});
}

} // namespace swarm::actors
