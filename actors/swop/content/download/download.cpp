#include "actors/swop/content/download/download.hpp"

#include "actors/swop/content/download/exchange.hpp"
#include "actors/swop/content/download/local_file.hpp"
#include "actors/swop/content/download/partial_file.hpp"
#include "base/back_off.hpp"

#include <condition_variable>
#include <mutex>

namespace swarm::content {

namespace {

using clock = std::chrono::steady_clock;

/// A try that brings this much is no failed one.
constexpr std::uint64_t worthwhile_bytes = 1 << 20;

bool may_pass(const error& why) {
  return why.is(content_errc::cut) || why.is(content_errc::unreachable) || why.is(content_errc::too_slow);
}
bool may_pass(long status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}
bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Waits, unless stopped before.
void pause(std::chrono::nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop, time, [] { return false; });
}

class downloading {
public:
  downloading(const download_request& what, const download_limits& limits, const std::stop_token& stop,
              const on_download_progress& progress, partial_file& partial)
      : what_(what), limits_(limits), stop_(stop), progress_(progress), partial_(partial),
        deadline_(clock::now() + limits.time_max) {}

  result<download_report> run(const url& from);

private:
  result<> fetch(const url& from);
  result<url> redirected(const url& from, const exchange_outcome& outcome) const;
  result<> from_server(const url& from);
  result<> on_head(const answer_head& head);
  result<> on_body(bytes_view data);
  result<> start_over(std::string version = {}) {
    left_before_ = 0;
    return partial_.restart(std::move(version));
  }
  void tell_trouble(std::uint64_t number) {
    now_.trouble = number;
    if (progress_) progress_(now_);
  }
  result<> check_room(std::uint64_t bytes) const;
  result<> check_digest();
  bool can_resume() const { return partial_.bytes() > 0 && (!partial_.version().empty() || what_.sha256); }

  const download_request& what_;
  const download_limits& limits_;
  const std::stop_token& stop_;
  const on_download_progress& progress_;
  partial_file& partial_;
  clock::time_point deadline_;
  download_progress now_;
  clock::time_point told_{};
  std::uint64_t left_before_ = 0; ///< bytes of an earlier call that are still in use
  bool resumed_ = false;          ///< by a range: the whole was not read in one answer
};

result<> downloading::check_room(std::uint64_t bytes) const {
  if (bytes <= limits_.bytes_max) return {};
  return fail(content_errc::too_large, "has more than the {} bytes that are allowed", limits_.bytes_max);
}

result<> downloading::on_head(const answer_head& head) {
  const bool goes_on = head.status == 206;
  if (goes_on && head.first != partial_.bytes()) {
    SWARM_CHECK(start_over());
    return fail(content_errc::cut, "the server sends another part than was asked for");
  }
  if (!goes_on) SWARM_CHECK(start_over(head.version));
  resumed_ = goes_on;
  now_.bytes_expected.reset();
  if (!head.bytes) return {};
  SWARM_CHECK(check_room(*head.bytes)); // first, so that the sum cannot overflow
  now_.bytes_expected = partial_.bytes() + *head.bytes;
  return check_room(*now_.bytes_expected);
}

result<> downloading::on_body(bytes_view data) {
  SWARM_CHECK(check_room(partial_.bytes() + data.size()));
  SWARM_CHECK(partial_.append(data));
  now_.bytes = partial_.bytes();
  const auto now = clock::now();
  if (progress_ && now - told_ >= std::chrono::milliseconds(250)) {
    told_ = now;
    progress_(now_);
  }
  return {};
}

result<url> downloading::redirected(const url& from, const exchange_outcome& outcome) const {
  if (outcome.redirect.empty())
    return fail(content_errc::refused, "answered with a redirect (status {}) to nowhere",
                outcome.head.status);
  auto to = read_url(outcome.redirect);
  if (!to || to->scheme == "file")
    return fail(content_errc::untrusted, "{} redirects to an address that is neither http nor https",
                from.host);
  if (from.scheme == "https" && to->scheme == "http" && !what_.sha256)
    return fail(content_errc::untrusted,
                "{} redirects from https to http, where anybody may change the file; give its digest (option "
                "Sha256) or another address",
                from.host);
  return to;
}

/// One answer of one server, redirects followed.
result<> downloading::from_server(const url& first) {
  auto from = first;
  for (unsigned hops = 0;; ++hops) {
    if (!can_resume() && partial_.bytes() > 0) SWARM_CHECK(start_over());
    exchange one{.where = &from,
                 .from = partial_.bytes(),
                 .of_version = partial_.version(),
                 .proxy = proxy_for(from.scheme, what_.variables),
                 .variables = &what_.variables,
                 .limits = &limits_,
                 .deadline = deadline_,
                 .on_head = [this](const answer_head& head) { return on_head(head); },
                 .on_body = [this](bytes_view data) { return on_body(data); },
                 .on_trouble = [this](std::uint64_t number) { tell_trouble(number); }};
    SWARM_TRY(const auto outcome, carry_out(one, stop_));
    const auto status = outcome.head.status;
    if (status == 200 || status == 206) return {};
    if (!is_redirect(status)) {
      tell_trouble(static_cast<std::uint64_t>(status));
      if (status == 416 && partial_.bytes() > 0) { // the file is shorter now
        SWARM_CHECK(start_over());
        return fail(content_errc::cut, "the file has another length now");
      }
      if (may_pass(status))
        return fail(content_errc::unreachable, "{} answers with status {}", from.host, status);
      if (status == 404 || status == 410)
        return fail(content_errc::not_found, "{} does not have it (status {})", from.host, status);
      return fail(content_errc::refused, "{} answers with status {}", from.host, status);
    }
    if (hops >= limits_.redirects_max)
      return fail(content_errc::too_many_redirects, "is redirected more than {} times",
                  limits_.redirects_max);
    SWARM_TRY(from, redirected(from, outcome));
  }
}

/// Until the file is here, or a trouble that will not pass.
result<> downloading::fetch(const url& from) {
  if (from.scheme == "file") {
    SWARM_CHECK(start_over());
    return read_local_file(
        from, what_.allowed, stop_, [this](const answer_head& head) { return on_head(head); },
        [this](bytes_view data) { return on_body(data); });
  }
  back_off pauses(limits_.pause_first, limits_.pause_max, 1);
  for (unsigned failed = 0;; ++now_.tries) {
    const auto before = partial_.bytes();
    auto done = from_server(from);
    if (done) return {};
    if (!may_pass(done.error())) return done;
    const bool moved = partial_.bytes() >= before + worthwhile_bytes;
    if (moved) pauses.reset();
    failed = moved ? 1 : failed + 1;
    const auto time = pauses.next();
    if (failed >= limits_.tries_max || clock::now() + time >= deadline_) return done;
    pause(time, stop_);
  }
}

result<> downloading::check_digest() {
  if (!what_.sha256) return {};
  const auto digest = partial_.finish_digest();
  if (digest == *what_.sha256) return {};
  return fail(content_errc::wrong_digest, "has the SHA-256 {} and not {}; the file is not used",
              to_hex(digest.view(), false), to_hex(what_.sha256->view(), false));
}

result<download_report> downloading::run(const url& from) {
  left_before_ = partial_.bytes();
  for (bool again = false;; again = true) {
    SWARM_CHECK(fetch(from));
    auto checked = check_digest();
    if (checked) break;
    // What an earlier try had left may be of another file; a second download decides.
    const bool mixed = resumed_ && !again;
    SWARM_CHECK(start_over());
    if (!mixed) return tl::unexpected(std::move(checked).error());
  }
  if (progress_) progress_(now_);
  return download_report{partial_.bytes(), left_before_, now_.tries};
}

} // namespace

result<download_report> download(const download_request& what, const download_limits& limits,
                                 const std::stop_token& stop, const on_download_progress& progress) {
  SWARM_TRY(const auto from, read_url(what.address));
  SWARM_TRY(auto partial, partial_file::open(what.partial, what.address));
  downloading job(what, limits, stop, progress, partial);
  auto done = job.run(from);
  if (done) {
    SWARM_CHECK(partial.publish(what.to));
    return done;
  }
  const auto& why = done.error();
  const bool worth_keeping =
      partial.bytes() > 0
      && (may_pass(why) || why.is(content_errc::stopped) || why.is(content_errc::out_of_time));
  if (!worth_keeping || !partial.keep()) partial.discard();
  return fail_with(why, from.shown);
}

} // namespace swarm::content
