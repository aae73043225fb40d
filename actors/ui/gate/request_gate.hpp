#pragma once

#include "base/endpoint.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Which requests are looked at, before anybody asks who sends them. A page of another site can make its visitors'
/// browsers send whatever it likes to this port, and by a name of its own that leads here (DNS rebinding) even read the
/// answers; so nothing is served to requests by other names or of other pages, whatever their method.
namespace swarm::ui {

/// One request as it came.
struct asked {
  std::string_view method;
  std::string_view target;
  const std::vector<std::pair<std::string, std::string>>& headers;
  bool has_tls = true;
  bool is_upgrade = false; ///< it asks for a WebSocket
};

struct refused_request {
  unsigned status = 403;
  std::string why; ///< in words that quote nothing of the request
};

/// The names of the page.
class request_gate {
public:
  static constexpr std::size_t target_bytes_max = 2048;

  /// `address` and `port` are those that it listens on; loopback names count always. Of `more` a port 0 stands for
  /// that port, and for none, as behind a reverse proxy.
  request_gate(const std::string& address, std::uint16_t port, const std::vector<endpoint>& more);

  /// Why the request is refused; none: it may go on.
  std::optional<refused_request> look(const asked& request) const;

private:
  struct name {
    std::string authority; ///< as in a Host header, in small letters
    bool is_given = false; ///< by the operator: a proxy may have taken the TLS off
  };
  void add(std::string_view host, std::uint16_t port, bool is_given);
  const name* find(std::string_view authority) const;

  std::vector<name> names_;
};

/// The values of a cookie; a request may have several of one name.
std::vector<std::string_view> cookies_of(const std::vector<std::pair<std::string, std::string>>& headers,
                                         std::string_view name);

} // namespace swarm::ui
