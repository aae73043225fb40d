#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::actors {

/// What one actor tells about itself, copied at one moment. Times are nanoseconds of the monotonic clock
/// unless the name says `unix`.
struct actor_status {
  std::string path;   ///< "/sn/chain"
  std::string kind;   ///< "supervisor" or "worker"
  std::string phase;  ///< starting, running, stopping, ended (not restarted yet)
  std::string state;  ///< the state struct's own words, as last published
  std::string detail; ///< JSON text from the state struct, may be empty
  std::uint64_t actor_id = 0;
  std::uint64_t mailbox = 0; ///< messages waiting, those set aside (skipped) included, the current one not
  std::uint64_t handled = 0; ///< since the last start
  std::uint64_t refused = 0; ///< unexpected messages, and messages beyond the mailbox limit
  std::uint64_t busy_ns = 0; ///< time spent in handlers since the last start, the current one included
  std::uint64_t restarts = 0;
  std::string last_error; ///< outlives restarts
  std::int64_t last_error_unix_ms = 0;
  std::string current;          ///< type of the message being handled, empty when idle
  std::uint64_t current_ns = 0; ///< time in it
  std::uint64_t idle_ns = 0;    ///< time since the last message, 0 while busy
  std::int64_t started_unix_ms = 0;
  bool detached = false;
};

/// The counters of an actor since its last start. The actor writes them and anybody reads them without
/// waiting, so even an actor that is stuck in a handler can be examined.
class probe {
public:
  probe();

  // Written by the actor
  void enqueued() noexcept { mailbox_.fetch_add(1, std::memory_order_relaxed); }
  /// To be called when a message left the mailbox without being counted as handled.
  void forgotten() noexcept { mailbox_.fetch_sub(1, std::memory_order_relaxed); }
  /// `type` must live as long as the process (see message_text.hpp).
  void begin(const char* type, std::int64_t now_ns, bool from_mailbox = true) noexcept;
  void end(std::int64_t now_ns, bool from_mailbox = true, bool put_back = false) noexcept;
  /// Counts a refused message and returns how many there are now.
  std::uint64_t refuse() noexcept { return refused_.fetch_add(1, std::memory_order_relaxed) + 1; }
  void publish(std::string state, std::string detail);
  void publish_state(std::string state);
  void set_phase(const char* phase) noexcept { phase_.store(phase, std::memory_order_release); }
  void set_ended() noexcept;

  // Read by anybody
  std::uint64_t mailbox() const noexcept;
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// Whether the phase is "stopping".
  bool is_stopping() const noexcept;
  /// Fills every field that this probe knows.
  void read(actor_status& out, std::int64_t now_ns) const;

  std::atomic<std::uint64_t> actor_id = 0;
  std::atomic<bool> detached = false;

private:
  std::atomic<std::int64_t> mailbox_ = 0;
  std::atomic<std::uint64_t> handled_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::int64_t> busy_ns_ = 0;
  std::atomic<const char*> current_ = nullptr;
  std::atomic<std::int64_t> since_ns_ = 0;
  std::atomic<const char*> phase_ = "starting";
  std::atomic<bool> ended_ = false;
  std::int64_t started_unix_ms_ = 0;
  mutable std::mutex text_mutex_;
  std::string state_;
  std::string detail_;
};

/// One line of a trace.
struct trace_event {
  std::int64_t unix_us = 0;
  std::string path;
  std::string event;   ///< message, slow, failed, refused, started, ended
  std::string type;    ///< message type
  std::string text;    ///< the message in short, or the reason
  std::string from;    ///< path of the sender, empty when unknown
  std::int64_t ns = 0; ///< time spent, for slow and failed
};

using tracer = std::function<void(const trace_event&)>;

/// What an actor keeps across restarts: counters, last error, tracers. There is one for each path.
class actor_record {
public:
  actor_record(std::string path, std::string kind);

  const std::string& path() const { return path_; }
  const std::string& kind() const { return kind_; }

  void note_error(std::string text);
  void note_restart() noexcept { restarts_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t restarts() const noexcept { return restarts_.load(std::memory_order_relaxed); }
  std::string last_error() const;

  /// Calls `fun` for every event of this actor until `remove_tracer`. It runs on the actor's own thread, so
  /// it must be quick and must not throw. Returns the number for `remove_tracer`.
  std::uint64_t add_tracer(tracer fun);
  void remove_tracer(std::uint64_t number);
  bool traced() const noexcept { return traced_.load(std::memory_order_relaxed); }
  void trace(trace_event event) const;

  void read(actor_status& out) const;

private:
  const std::string path_;
  const std::string kind_;
  std::atomic<std::uint64_t> restarts_ = 0;
  std::atomic<bool> traced_ = false;
  mutable std::mutex mutex_;
  std::string last_error_;
  std::int64_t last_error_unix_ms_ = 0;
  std::uint64_t next_tracer_ = 1;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const tracer>>> tracers_;
};

/// Monotonic nanoseconds, the clock of the probes.
std::int64_t probe_now() noexcept;

} // namespace swarm::actors
