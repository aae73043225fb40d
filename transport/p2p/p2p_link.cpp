#include "transport/p2p/p2p_link.hpp"

namespace swarm::p2p {

/// Destroyed when the socket has written the frame or given it up.
struct link::write_token {
  std::weak_ptr<link> owner;
  shared_bytes frame;

  write_token(std::weak_ptr<link> of, shared_bytes what) : owner(std::move(of)), frame(std::move(what)) {}
  write_token(const write_token&) = delete;
  write_token& operator=(const write_token&) = delete;
  ~write_token() {
    if (const auto alive = owner.lock()) alive->written(frame->size());
  }
};

void link::attach(std::shared_ptr<transport::ws_session> socket) {
  std::lock_guard lock(mutex_);
  socket_ = std::move(socket);
  if (closing_) socket_->close(closing_->first, closing_->second);
  send_what_fits();
}

void link::begin(const transport::peer_info& remote, neighbor_session session) {
  std::lock_guard lock(mutex_);
  remote_ = remote;
  session_.emplace(std::move(session));
  send_what_fits();
}

void link::hang_up(transport::ws_close_code code, const std::string& reason) {
  std::lock_guard lock(mutex_);
  if (closing_) return;
  closing_ = {code, reason};
  waiting_ = false;
  if (socket_) socket_->close(code, reason);
}

bool link::listening() const {
  std::lock_guard lock(mutex_);
  return socket_ && socket_->status().reading;
}

/// The caller holds the mutex.
void link::send_what_fits() {
  while (session_ && socket_ && !closing_) {
    if (const auto next = session_->next_to_send(in_flight_)) {
      in_flight_ += next->size();
      const auto token = std::make_shared<const write_token>(weak_from_this(), next);
      // Errors are ignored, as a closed socket tells its owner.
      (void)socket_->send({token, *next}, false);
    } else if (!session_->waiting_to_send()) {
      waiting_ = false;
      return;
    } else if (waiting_.exchange(true)) {
      return;
    } // else it looks once more, as something may have been written before `waiting_` was set
  }
}

/// It runs on the thread that dropped the token, maybe within `send_what_fits`, so it takes no lock.
void link::written(std::size_t size) {
  in_flight_ -= size;
  if (!waiting_) return;
  io_.post([weak = weak_from_this()] {
    if (const auto alive = weak.lock()) {
      std::lock_guard lock(alive->mutex_);
      alive->send_what_fits();
    }
  });
}

transport::peer_info link::remote() const {
  std::lock_guard lock(mutex_);
  return remote_;
}

std::shared_ptr<const neighbor_facts> link::facts() const {
  std::lock_guard lock(mutex_);
  return facts_;
}

void link::set_facts(neighbor_facts facts) {
  std::lock_guard lock(mutex_);
  facts_ = std::make_shared<const neighbor_facts>(std::move(facts));
}

std::string link::name() const {
  std::lock_guard lock(mutex_);
  if (facts_) return facts_->name();
  if (remote_.address.empty()) return order ? order->endpoint : std::string("unknown");
  return fmt::format("{} (certificate {}, {})", host_port(remote_.address, remote_.port),
                     to_hex(remote_.cert_fingerprint.view().first(8), false), remote_.cert_subject);
}

neighbor_status link::status(time_point now) const {
  std::lock_guard lock(mutex_);
  neighbor_status out;
  out.id = id;
  if (facts_) out.facts = *facts_;
  out.connected_for = now - created;
  if (!session_) return out;
  const auto& counters = session_->counters();
  out.head = session_->neighbor_head();
  out.round_trip = session_->round_trip();
  out.frames_in = counters.frames_in;
  out.frames_out = counters.frames_out;
  out.bytes_in = counters.bytes_in;
  out.bytes_out = counters.bytes_out;
  out.queued_bytes = session_->queue().queued_bytes() + in_flight_;
  out.gossip_dropped = session_->queue().gossip_dropped();
  out.offence_points = session_->points(now);
  return out;
}

} // namespace swarm::p2p
