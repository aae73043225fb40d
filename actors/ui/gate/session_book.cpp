#include "actors/ui/gate/session_book.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <iterator>

namespace swarm::ui {

namespace {

std::string digits_of(const hash32& number) {
  return to_hex(number.view()).substr(2);
}

hash32 hash_of(std::string_view text) {
  return sha256(as_bytes(text));
}

} // namespace

std::string_view to_string(rights what) {
  return what == rights::acts ? "operator" : "reader";
}

session_book::session_book(std::function<hash32()> random) : random_(std::move(random)) {
  make_token();
}

void session_book::make_token() {
  token_ = digits_of(random_());
  token_hash_ = hash_of(token_);
}

std::optional<std::string> session_book::exchange(std::string_view token, std::uint64_t now_ms) {
  if (hash_of(token) != token_hash_) return std::nullopt;
  make_token();
  make_room(now_ms);
  auto cookie = digits_of(random_());
  sessions_[hash_of(cookie)] = {"the link of the start", rights::acts, now_ms + life_ms};
  return cookie;
}

void session_book::make_room(std::uint64_t now_ms) {
  std::erase_if(sessions_, [now_ms](const auto& each) { return each.second.expires_ms <= now_ms; });
  if (sessions_.size() < sessions_max) return;
  sessions_.erase(
      std::ranges::min_element(sessions_, {}, [](const auto& each) { return each.second.expires_ms; }));
}

std::optional<browser_session> session_book::find(std::string_view cookie, std::uint64_t now_ms) const {
  const auto found = sessions_.find(hash_of(cookie));
  if (found == sessions_.end() || found->second.expires_ms <= now_ms) return std::nullopt;
  return found->second;
}

void session_book::end(std::string_view cookie) {
  sessions_.erase(hash_of(cookie));
}

} // namespace swarm::ui
