#pragma once
// What all servers share. Included by .cpp files only.
#include "transport/detail/asio.hpp"

#include <condition_variable>
#include <mutex>
#include <unordered_map>

namespace swarm::transport {

/// Accepts connections and knows those that live. A server derives from it, listens on `acceptor`, then calls
/// `begin`. `self` keeps the server alive while something is under way.
template <class Protocol, class Connection>
struct listener {
  static constexpr std::chrono::milliseconds accept_pause{100};

  io_runtime& io;
  asio::any_io_executor strand;
  typename Protocol::acceptor acceptor;
  std::atomic<bool> stopping{false};

  std::mutex mutex; ///< guards what follows
  std::condition_variable changed;
  bool accepting = false;
  std::uint64_t next_id = 0;
  std::unordered_map<std::uint64_t, std::weak_ptr<Connection>> connections;

  explicit listener(io_runtime& runtime)
      : io(runtime), strand(asio::make_strand(runtime.internals().context)), acceptor(strand) {}
  virtual ~listener() = default;
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// Takes a new connection in, unless a limit forbids it.
  virtual void admit(typename Protocol::socket socket) = 0;
  virtual void accept_failed(const error_code&) {}

  void begin(std::string name, std::shared_ptr<void> self) {
    accepting = true;
    spawn(strand, std::move(name), [this, self = std::move(self)] { return accept_loop(self); });
  }

  void run(std::uint64_t id, std::string name, const std::shared_ptr<Connection>& connection) {
    {
      std::lock_guard lock(mutex);
      connections[id] = connection;
    }
    spawn(connection->strand(), std::move(name), [connection] { return connection->run(); });
  }

  /// Calls `what` of every connection, outside of the lock.
  void for_all(void (Connection::*what)()) {
    std::vector<std::shared_ptr<Connection>> alive;
    {
      std::lock_guard lock(mutex);
      for (auto& [id, weak] : connections)
        if (auto connection = weak.lock()) alive.push_back(std::move(connection));
    }
    for (auto& connection : alive)
      ((*connection).*what)();
  }

  void stop_accepting(std::shared_ptr<void> self) {
    asio::post(strand, [this, self = std::move(self)] {
      error_code ignored;
      acceptor.close(ignored);
    });
  }

  /// Not on a thread of the runtime.
  bool gone_within(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, limit,
                            [this] { return (!accepting && connections.empty()) || io.stopped(); });
  }
  /// Wakes now and then to see whether the runtime was stopped meanwhile, which ends connections without a
  /// word.
  void wait_until_gone() {
    while (!gone_within(std::chrono::milliseconds{50})) {
    }
  }

private:
  task<> accept_loop([[maybe_unused]] std::shared_ptr<void> self) {
    asio::steady_timer pause(strand);
    while (!stopping) {
      asio::any_io_executor next = asio::make_strand(io.internals().context);
      auto [ec, socket] = co_await acceptor.async_accept(next, use_tuple);
      if (stopping || ec == asio::error::operation_aborted) break;
      if (!ec) {
        admit(std::move(socket));
        continue;
      }
      // Out of files or memory: accepting again at once would only spin.
      accept_failed(ec);
      pause.expires_after(accept_pause);
      [[maybe_unused]] auto [ignored] = co_await pause.async_wait(use_tuple);
    }
    // A server that was stopped before it came here has not closed it yet, and its port is free once this is over.
    error_code ignored;
    acceptor.close(ignored);
    std::lock_guard lock(mutex);
    accepting = false;
    changed.notify_all();
  }
};

} // namespace swarm::transport
