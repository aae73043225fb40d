#pragma once

// For tests: a supervision tree that runs in the background, and actors that do what they are told.

#include "actors/supervision/process.hpp"
#include "actors/supervision/role_actor.hpp"

#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace swarm::actors::test {

/// What happened, in order: "+a" a started, "-a" a ended. Any thread may write and wait.
class journal {
public:
  void write(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
    }
    changed_.notify_all();
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::size_t count(std::string_view line) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), line));
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }
  /// Waits until there are `n` lines. The limit only ends a test that hangs.
  bool wait(std::size_t n) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return lines_.size() >= n; });
  }

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// Makes threads wait until it is opened.
class gate {
public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return waiting_ > 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

/// Polls a condition that nobody announces. The limit only ends a test that hangs.
template <class Condition>
bool eventually(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

struct do_crash {
  std::string why;
};
struct do_finish {};
struct do_wait {
  std::shared_ptr<gate> at;
};
struct get_handled {};
struct do_nothing {};
struct unknown_to_all {};

inline std::string to_string(const do_crash& c) {
  return "because " + c.why;
}

struct puppet_state {
  puppet_state(std::string name, std::shared_ptr<journal> log)
      : name_(std::move(name)), log_(std::move(log)) {
    log_->write("+" + name_);
  }
  puppet_state(const puppet_state&) = delete;
  puppet_state& operator=(const puppet_state&) = delete;
  ~puppet_state() { log_->write("-" + name_); }
  std::string status() const { return "puppet " + name_; }
  std::string detail_json() const { return R"({"puppet":")" + name_ + R"("})"; }

  int handled = 0;

private:
  std::string name_;
  std::shared_ptr<journal> log_;
};

} // namespace swarm::actors::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::do_crash)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::do_finish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::do_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::get_handled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::do_nothing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::test::unknown_to_all)

namespace swarm::actors::test {

inline caf::behavior puppet(role_actor<puppet_state>* self) {
  return {
      [](const do_crash& c) { throw std::runtime_error(c.why); },
      [self](do_finish) { self->finish(); },
      [](const do_wait& w) { w.at->pass(); },
      [self](do_nothing) { ++self->state().handled; },
      [self](get_handled) { return self->state().handled; },
  };
}

inline child_spec puppet_child(const std::string& name, const std::shared_ptr<journal>& log,
                               restart when = restart::permanent) {
  return {.name = name, .start = role<puppet_state>(puppet, name, log), .when = when};
}

/// Runs a tree until it ends by itself or the test ends it.
class running_tree {
public:
  explicit running_tree(supervisor_spec root, process_options options = {}) {
    options.handle_signals = false;
    const auto inner = std::move(options.prepare);
    options.prepare = [this, inner](const std::shared_ptr<environment>& made) {
      if (inner) inner(made);
      const std::lock_guard lock(mutex_);
      env_ = made;
      changed_.notify_all();
    };
    root.name = "root";
    thread_ = std::thread(
        [this, root = std::move(root), options = std::move(options)] { code_ = run_process(root, options); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return env_ != nullptr; });
  }
  ~running_tree() { end(); }

  environment& env() { return *env_; }
  directory& dir() { return env_->dir; }
  std::shared_ptr<environment> shared_env() { return env_; }

  /// The status of an actor, once it is there.
  actor_status status(std::string_view path) { return env_->dir.status(path).value_or(actor_status{}); }
  bool wait_running(const std::string& path) {
    return eventually([&] { return dir().find(path) && status(path).phase == "running"; });
  }
  /// Asks and waits for the answer.
  template <class Answer, class Request>
  result<Answer> ask(const std::string& path, Request request) {
    const auto dest = dir().find(path);
    if (!dest) return fail(errc::not_found, "nobody at {}", path);
    result<Answer> out = fail(errc::timeout, "no answer");
    // This runs on a thread of its own, since a thread that had a scoped actor keeps CAF's logger, for which
    // the actor system waits at its end.
    std::thread asking([&] {
      caf::scoped_actor self{dest->home_system()};
      self->request(dest, std::chrono::seconds(60), std::move(request))
          .receive([&](Answer& answer) { out = std::move(answer); },
                   [&](caf::error& e) { out = tl::unexpected(from_caf(e)); });
    });
    asking.join();
    return out;
  }
  /// Waits until the tree has ended by itself and returns its exit code.
  int wait() {
    if (thread_.joinable()) thread_.join();
    return code_;
  }
  int end() {
    if (thread_.joinable()) dir().send("/root", end_process{0, "end of the test"});
    return wait();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<environment> env_;
  std::thread thread_;
  int code_ = -1;
};

} // namespace swarm::actors::test
