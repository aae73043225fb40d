#pragma once

#include "base/endpoint.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::transport {

/// What went wrong with a proxy, not with the server behind it.
enum class proxy_errc {
  address = 1, ///< its address cannot be read, or it is of a kind that is not supported
  unreachable, ///< its name has no address, or nobody listens there
  login,       ///< it wants a login, or another one (407)
  refused,     ///< it does not open this way (403 and others)
  malformed,   ///< what it answers is no HTTP, or too long
};
constexpr std::string_view error_category(proxy_errc) {
  return "proxy";
}

/// Whether it is the proxy that failed: of the server behind it nothing is known then.
inline bool is_proxy_failure(const error& why) {
  return why.category == error_category(proxy_errc{});
}

/// A proxy that opens ways to servers by HTTP CONNECT.
struct proxy {
  endpoint where;
  std::string user; ///< empty with the password: it is told no login
  std::string password;

  bool has_login() const { return !user.empty() || !password.empty(); }
  /// "http://proxy.example.org:3128": for messages, so without the login.
  std::string shown() const { return "http://" + where.to_string(); }
};

/// Reads [http://][USER[:PASSWORD]@]HOST[:PORT][/...], as curl does: without a port it is 1080, and "%40" in the login
/// stands for '@'. Errors do not quote the text: it may hold a password.
result<proxy> parse_proxy(std::string_view text);
/// The text of `parse_proxy` for messages: `shown` of what it is, or "(not readable)".
std::string shown_proxy(std::string_view text);

/// Which servers are dialled by a proxy.
class proxy_rules {
public:
  /// All are dialled directly.
  proxy_rules() = default;
  /// `proxy_text` as of `parse_proxy`, or empty: none. `no_proxy` lists, with commas or blanks between them, hosts that
  /// are dialled directly: names, which stand for all that end in them, too ("example.org" and ".example.org" alike),
  /// addresses, networks ("10.0.0.0/8", "fd00::/8"), or "*" alone: all. A host that is dialled by its address is
  /// compared with addresses and networks only. These are curl's rules.
  static result<proxy_rules> make(std::string_view proxy_text, std::string_view no_proxy);

  /// By which proxy this name or address is dialled; null: directly. This host itself (localhost, 127.0.0.0/8, ::1) is
  /// never dialled by a proxy, whatever the rules say.
  const proxy* proxy_for(std::string_view host) const;
  /// Null: none.
  const proxy* any() const { return by_ ? &*by_ : nullptr; }

private:
  struct network {
    std::vector<std::uint8_t> address;
    unsigned bits;
  };
  void add_exception(std::string_view token);

  std::optional<proxy> by_;
  bool all_direct_ = false;
  std::vector<std::string> names_; ///< in lower case, without dots at the ends
  std::vector<network> networks_;
};

} // namespace swarm::transport
