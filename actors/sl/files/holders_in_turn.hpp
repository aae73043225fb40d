#pragma once

#include "actors/sl/files/model_fetch.hpp"
#include "base/endpoint.hpp"
#include "transport/errors.hpp"
#include "transport/http/http.hpp"
#include "transport/proxy/proxy.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <vector>

/// What all fetches from other nodes have in common: one holder after the other is asked.
namespace swarm::actors {

/// What a holder said in place of what it was asked for.
inline tl::unexpected<error> refusal_of_holder(const transport::http_response& response,
                                               std::string_view what) {
  constexpr std::size_t words_max = 200;
  auto words = response.body.substr(0, words_max);
  std::erase_if(words, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
  return fail(errc::not_found, "answers {} for the model's {}{}{}", response.status, what,
              words.empty() ? "" : ": ", words);
}

/// Whether a holder with this failure was there at all.
inline bool has_answered(const error& why) {
  return !(why.is(transport::net_errc::resolve) || why.is(transport::net_errc::connect)
           || why.is(transport::net_errc::handshake) || why.is(transport::net_errc::timeout)
           || transport::is_proxy_failure(why));
}

/// Hands `done` what the first of `holders` gives, or what each did wrong: errc::unavailable, or
/// fetch_errc::unreachable when none of those that there are has answered, fetch_errc::not_there when nobody listens
/// at the address of any.
template <class T>
void ask_in_turn(std::vector<rounds::holder> holders,
                 std::function<void(const endpoint&, std::function<void(result<T>)>)> ask,
                 std::function<void(result<T>)> done) {
  struct job : std::enable_shared_from_this<job> {
    std::vector<rounds::holder> all;
    std::function<void(const endpoint&, std::function<void(result<T>)>)> ask_one;
    std::function<void(result<T>)> tell;
    std::size_t next = 0;
    bool answered = false;
    bool is_there = false; ///< one of them failed otherwise than because nobody listens there
    std::string failures;

    void go_on() {
      if (next == all.size()) return give_up();
      const auto at = endpoint::parse(all[next].endpoint);
      if (!at) return failed(at.error());
      ask_one(*at, [self = this->shared_from_this()](result<T> got) {
        if (got) return self->tell(std::move(got));
        self->answered = self->answered || has_answered(got.error());
        self->is_there = self->is_there || !got.error().is(transport::net_errc::connect);
        self->failed(got.error());
      });
    }

    void failed(const error& why) {
      constexpr std::size_t failures_max = 600;
      if (!failures.empty()) failures += "; ";
      if (failures.size() < failures_max) failures += fmt::format("{}: {}", all[next].endpoint, why.message);
      ++next;
      go_on();
    }

    void give_up() {
      if (all.empty()) return tell(fail(errc::unavailable, "no other node is known to have it"));
      if (!answered)
        return tell(fail(is_there ? fetch_errc::unreachable : fetch_errc::not_there, "{}", failures));
      tell(fail(errc::unavailable, "{}", failures));
    }
  };
  auto work = std::make_shared<job>();
  work->all = std::move(holders);
  work->ask_one = std::move(ask);
  work->tell = std::move(done);
  work->go_on();
}

} // namespace swarm::actors
