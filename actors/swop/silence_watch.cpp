#include "actors/swop/silence_watch.hpp"

#include "base/log.hpp"

namespace swarm::actors {

silence_watch::silence_watch(told tell, std::chrono::milliseconds most)
    : thread_([this, most, say = std::move(tell)](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        for (auto seen = heard_; !stop.stop_requested(); seen = heard_)
          if (!changed_.wait_for(lock, stop, most, [&] { return heard_ != seen; }) && !stop.stop_requested())
            say(most);
      }) {}

void silence_watch::heard() {
  const std::lock_guard lock(mutex_);
  ++heard_;
  changed_.notify_all();
}

silence_watch::told said_in_log(std::string log_source, std::string what) {
  return [from = std::move(log_source), of = std::move(what)](std::chrono::milliseconds most) {
    log::warning(from, "{}: the container engine has said nothing for {:g} s; it is waited for", of,
                 std::chrono::duration<double>(most).count());
  };
}

} // namespace swarm::actors
