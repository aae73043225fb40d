#pragma once
// For p2p_node only.
#include "transport/p2p/neighbor_book.hpp"
#include "transport/p2p/neighbor_session.hpp"
#include "transport/p2p/p2p_node.hpp"
#include "transport/ws/websocket.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace swarm::p2p {

/// One connection: a socket and, once it is open, a session. It sends what the session gives as fast as the
/// socket takes it. All functions may be called from any thread.
class link : public std::enable_shared_from_this<link> {
public:
  /// With an `order` the connection is dialled, as dial number `number`.
  link(transport::io_runtime& io, neighbor_id name_of, std::optional<neighbor_book::dial_order> dialled_for,
       std::uint64_t dial_number)
      : id(name_of), order(std::move(dialled_for)), number(dial_number),
        created(std::chrono::steady_clock::now()), io_(io) {}

  const neighbor_id id;
  const std::optional<neighbor_book::dial_order> order;
  const std::uint64_t number; ///< of this node's dials; 0 if it was accepted
  const time_point created;

  void attach(std::shared_ptr<transport::ws_session> socket);
  /// The connection is open: the first frames are sent.
  void begin(const transport::peer_info& remote, neighbor_session session);
  /// Runs `event` on the session, if there is one, sends, and returns the session's actions.
  template <class Event>
  std::vector<session_action> with(const Event& event) {
    std::lock_guard lock(mutex_);
    if (!session_) return {};
    event(*session_);
    auto out = session_->take_actions();
    send_what_fits();
    return out;
  }
  /// Closes after what the socket has already was sent.
  void hang_up(transport::ws_close_code code, const std::string& reason);
  /// Whether it reads from the neighbor: not while too many of its messages are being handled.
  bool listening() const;

  transport::peer_info remote() const;
  /// The facts of the neighbor; null until it is admitted.
  std::shared_ptr<const neighbor_facts> facts() const;
  void set_facts(neighbor_facts facts);
  /// A name for the log, even before the hello.
  std::string name() const;
  neighbor_status status(time_point now) const;

  // The order of callbacks
  /// Calls back unless the neighbor is gone; on_neighbor must be the `first` call. Returns whether it did.
  template <class Call>
  bool say(const Call& call, bool first = false) {
    std::lock_guard lock(speaking_);
    if (gone_ || announced_ == first) return false;
    announced_ = true;
    call();
    return true;
  }
  /// Whether the last callback was made or will not be made any more.
  bool is_gone() const {
    std::lock_guard lock(speaking_);
    return gone_;
  }
  /// Makes the last callback, if there was a first one.
  template <class Call>
  void say_last(const Call& call) {
    std::lock_guard lock(speaking_);
    if (!std::exchange(gone_, true) && announced_) call();
  }

  // Of the node, under its mutex
  bool admitted = false;
  bool dropped = false;
  std::string end_reason;
  bool quiet = false; ///< its end is not reported
  connection_facts connection;

private:
  struct write_token;
  void send_what_fits();
  void written(std::size_t size);

  transport::io_runtime& io_;
  mutable std::mutex mutex_;
  std::optional<neighbor_session> session_;
  std::shared_ptr<transport::ws_session> socket_;
  std::optional<std::pair<transport::ws_close_code, std::string>> closing_;
  transport::peer_info remote_;
  std::shared_ptr<const neighbor_facts> facts_;
  std::atomic<std::size_t> in_flight_{0}; ///< bytes handed to the socket and not yet written
  std::atomic<bool> waiting_{false};      ///< the session has more to send when something is written
  mutable std::mutex speaking_;
  bool announced_ = false;
  bool gone_ = false;
};

} // namespace swarm::p2p
