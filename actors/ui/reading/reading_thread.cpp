#include "actors/ui/reading/reading_thread.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

namespace swarm::ui {

namespace {

constexpr auto between_looks = std::chrono::milliseconds(100);
constexpr auto idle_look = std::chrono::milliseconds(chain_reader::signs_ms);

} // namespace

reading_thread::reading_thread(make_network sns, tell to, std::shared_ptr<proved_reports> proved,
                               std::string log_source)
    : make_network_(std::move(sns)), tell_(std::move(to)), proved_(std::move(proved)),
      log_source_(std::move(log_source)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void reading_thread::wants(const std::set<std::string>& topics) {
  const std::lock_guard lock(mutex_);
  if (topics_ == topics) return;
  topics_ = topics;
  due_ = true;
  came_.notify_all();
}

void reading_thread::may_ask(bool may) {
  const std::lock_guard lock(mutex_);
  may_ask_ = may;
  due_ = true;
  came_.notify_all();
}

void reading_thread::look_now() {
  const std::lock_guard lock(mutex_);
  due_ = true;
  came_.notify_all();
}

/// Waits until there is a reason to look; false: the thread is to end.
bool reading_thread::wait(const std::stop_token& stop, std::set<std::string>& topics) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    came_.wait_for(lock, stop, idle_look, [this] { return due_; });
    due_ = false;
    topics = topics_;
    if (may_ask_ && !topics.empty() && !stop.stop_requested()) return true;
  }
  return false;
}

void reading_thread::run(const std::stop_token& stop) {
  const auto sns = make_network_(stop);
  chain_reader reader(proved_);
  std::set<std::string> topics;
  std::string last_trouble;
  while (wait(stop, topics)) {
    const auto now_ms = unix_milliseconds();
    const auto looked = reader.look(*sns, topics, now_ms);
    const auto trouble = looked ? std::string{} : looked.error().message;
    if (!trouble.empty() && trouble != last_trouble && !stop.stop_requested())
      log::warning(log_source_, "the chain cannot be read: {}", trouble);
    last_trouble = trouble;
    tell_(reader.take(topics, now_ms), looked ? now_ms : 0);
    std::unique_lock lock(mutex_);
    std::condition_variable_any pause;
    pause.wait_for(lock, stop, between_looks, [] { return false; });
  }
}

} // namespace swarm::ui
