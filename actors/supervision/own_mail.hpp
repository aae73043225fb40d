#pragma once

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/local_actor.hpp>
#include <caf/send.hpp>

#include <utility>

namespace swarm::actors {

/// Sends from any thread to the very actor that it was made of, and to no later one of its path: for answers to what that
/// one has asked, of which a restarted one knows nothing. Once that one has ended nothing is sent.
class own_mail {
public:
  explicit own_mail(const caf::local_actor& self) : to_(self.address()) {}

  template <class... Ts>
  void send(Ts&&... xs) const {
    if (const auto to = caf::actor_cast<caf::actor>(to_)) caf::anon_send(to, std::forward<Ts>(xs)...);
  }

private:
  caf::actor_addr to_;
};

} // namespace swarm::actors
