#include "actors/swop/managers/kubernetes/log_keeper.hpp"

#include <condition_variable>

namespace swarm::kubernetes {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds begin_most{500};

void append(std::string& to, std::string_view piece) {
  to += piece;
  if (to.size() > 2 * log_keeper::bytes_max) to.erase(0, to.size() - log_keeper::bytes_max);
}

} // namespace

struct log_keeper::reading {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  bool begun = false, ended = false;
  clock::time_point since = clock::now();
  std::jthread thread; ///< the last one, as it uses the rest
};

log_keeper::~log_keeper() = default;

result<std::string> log_keeper::last(const std::string& pod, const std::string& container,
                                     std::size_t lines) const {
  std::string out;
  SWARM_CHECK(
      api_->log(pod, container, lines, false, {}, {}, [&](std::string_view piece) { append(out, piece); }));
  return out;
}

void log_keeper::follow(const std::string& program, const std::string& pod, const std::string& container) {
  auto one = std::make_shared<reading>();
  {
    const std::lock_guard lock(mutex_);
    if (!all_.emplace(program, one).second) return;
  }
  // The thread is joined by what it uses, so it has a plain pointer of that.
  one->thread = std::jthread([from = api_, pod, container, to = one.get()](const std::stop_token& stop) {
    std::ignore = from->log(
        pod, container, lines_max, true, stop,
        [to] {
          const std::lock_guard lock(to->mutex);
          to->begun = true;
          to->changed.notify_all();
        },
        [to](std::string_view piece) {
          const std::lock_guard lock(to->mutex);
          append(to->text, piece);
        });
    const std::lock_guard lock(to->mutex);
    to->begun = to->ended = true;
    to->changed.notify_all();
  });
  std::unique_lock lock(one->mutex);
  one->changed.wait_for(lock, begin_most, [&] { return one->begun; });
}

bool log_keeper::follows(const std::string& program) const {
  const std::lock_guard lock(mutex_);
  return all_.contains(program);
}

std::optional<std::string> log_keeper::take(const std::string& program, milliseconds patience) {
  std::shared_ptr<reading> one;
  {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(program);
    if (found == all_.end()) return std::nullopt;
    one = found->second;
  }
  const std::lock_guard lock(one->mutex);
  if (!one->ended && clock::now() < one->since + patience) return std::nullopt;
  return one->text;
}

void log_keeper::forget(const std::string& program) {
  std::shared_ptr<reading> gone; // outlives the lock, as its thread is joined
  const std::lock_guard lock(mutex_);
  if (const auto found = all_.find(program); found != all_.end()) {
    gone = std::move(found->second);
    all_.erase(found);
  }
}

} // namespace swarm::kubernetes
