#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace swarm::actors {

/// What a service manager (systemd, `Type=notify`) is told: datagrams of lines such as "READY=1" to the socket that it
/// names in $NOTIFY_SOCKET, a path or, behind an '@', an abstract name. Without that variable nobody is told anything.
class service_notices {
public:
  /// As the environment of this process says.
  service_notices();

  /// True when the datagram is on its way. Never blocks; may be called from any thread.
  bool tell(std::string_view lines) const;
  /// How often "WATCHDOG=1" is to be told: half of what $WATCHDOG_USEC allows. Zero: nobody waits for it.
  std::chrono::microseconds sign_of_life_every() const { return every_; }

private:
  std::string address_; ///< as in sockaddr_un; empty: nobody listens
  std::chrono::microseconds every_{};
};

} // namespace swarm::actors
