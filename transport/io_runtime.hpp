#pragma once

#include "base/clock.hpp"

#include <functional>
#include <memory>

namespace swarm::transport {

/// A timer under way. Copies name the same timer; dropping them does not cancel it.
class timer_handle {
public:
  timer_handle() = default;
  /// After this returns the function is not started any more. If it runs already, this does not wait
  /// for its end.
  void cancel();

  struct state;
  explicit timer_handle(std::shared_ptr<state> from) : state_(std::move(from)) {}

private:
  std::shared_ptr<state> state_;
};

/// The threads on which all sockets and timers of the process run. It must outlive every server, client
/// and session made with it. Functions handed to it must not throw and must be short, as they hold up
/// other connections.
class io_runtime {
public:
  /// Starts `threads` (at least 1) threads at once. It also raises the process's limit of open files as far
  /// as the system allows, as every connection is one.
  explicit io_runtime(unsigned threads = 2);
  /// Stops.
  ~io_runtime();
  io_runtime(const io_runtime&) = delete;
  io_runtime& operator=(const io_runtime&) = delete;

  /// Ends the threads after the functions that run now; whatever else waits is dropped. It must not be called
  /// from a thread of the runtime itself, and may be called twice.
  void stop();
  bool stopped() const;

  /// Runs `fn` soon on one of the threads, never inside this call.
  void post(std::function<void()> fn);
  /// Runs `fn` once after `delay`.
  timer_handle after(duration delay, std::function<void()> fn);
  /// True on one of the runtime's threads.
  bool on_io_thread() const;

  struct impl;
  /// For the other files of this folder.
  impl& internals() { return *impl_; }

private:
  std::unique_ptr<impl> impl_;
};

} // namespace swarm::transport
