#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// Who is logged in: a one-time token is exchanged for a cookie, and the cookie stands for a session until it expires. Of
/// both only hashes are kept, so that comparing them tells nothing about them.
namespace swarm::ui {

/// `reader` sees everything that is shown; `acts` may change things as well.
enum class rights : std::uint8_t { reads, acts };
/// "reader", "operator".
std::string_view to_string(rights what);

struct browser_session {
  std::string name; ///< for people: how it got in
  rights may = rights::reads;
  std::uint64_t expires_ms = 0; ///< since 1970
};

/// Not for several threads at once.
class session_book {
public:
  static constexpr std::size_t sessions_max = 64; ///< the one that expires first gives way
  static constexpr std::uint64_t life_ms = 12 * 3600 * 1000ull;

  /// `random` gives 256 bits that nobody can guess.
  explicit session_book(std::function<hash32()> random);

  /// The present token, in the form that `exchange` takes: 64 hexadecimal digits.
  const std::string& token() const { return token_; }
  /// The cookie's value for a new session of an operator. None: that is not the token. There is another token afterwards.
  std::optional<std::string> exchange(std::string_view token, std::uint64_t now_ms);
  /// None: there is no such session, or no longer.
  std::optional<browser_session> find(std::string_view cookie, std::uint64_t now_ms) const;
  void end(std::string_view cookie);
  std::size_t count() const { return sessions_.size(); }

private:
  void make_token();
  void make_room(std::uint64_t now_ms);

  std::function<hash32()> random_;
  std::string token_;
  hash32 token_hash_;
  std::map<hash32, browser_session> sessions_; ///< by the hash of the cookie's value
};

} // namespace swarm::ui
