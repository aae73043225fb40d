#include "actors/supervision/probe.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

std::int64_t unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t not_negative(std::int64_t value) {
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

} // namespace

std::int64_t probe_now() noexcept {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

probe::probe() : since_ns_(probe_now()), started_unix_ms_(unix_ms()) {}

void probe::begin(const char* type, std::int64_t now_ns, bool from_mailbox) noexcept {
  if (from_mailbox) mailbox_.fetch_sub(1, std::memory_order_relaxed);
  since_ns_.store(now_ns, std::memory_order_relaxed);
  current_.store(type, std::memory_order_release);
}

void probe::end(std::int64_t now_ns, bool from_mailbox, bool put_back) noexcept {
  busy_ns_.fetch_add(now_ns - since_ns_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  current_.store(nullptr, std::memory_order_release);
  since_ns_.store(now_ns, std::memory_order_relaxed);
  if (put_back)
    mailbox_.fetch_add(1, std::memory_order_relaxed);
  else if (from_mailbox)
    handled_.fetch_add(1, std::memory_order_relaxed);
}

void probe::publish(std::string state, std::string detail) {
  const std::lock_guard lock(text_mutex_);
  state_ = std::move(state);
  detail_ = std::move(detail);
}

void probe::publish_state(std::string state) {
  const std::lock_guard lock(text_mutex_);
  state_ = std::move(state);
}

bool probe::is_stopping() const noexcept {
  return std::string_view(phase_.load(std::memory_order_acquire)) == "stopping";
}

void probe::set_ended() noexcept {
  phase_.store("ended", std::memory_order_release);
  current_.store(nullptr, std::memory_order_release);
  ended_.store(true, std::memory_order_release);
}

std::uint64_t probe::mailbox() const noexcept {
  return ended() ? 0 : not_negative(mailbox_.load(std::memory_order_relaxed));
}

void probe::read(actor_status& out, std::int64_t now_ns) const {
  // A message may begin or end between these loads. The numbers are for people and wrong by one
  // message at worst.
  const auto* current = current_.load(std::memory_order_acquire);
  const auto spent = not_negative(now_ns - since_ns_.load(std::memory_order_relaxed));
  const bool is_ended = ended();
  out.phase = phase_.load(std::memory_order_acquire);
  out.actor_id = actor_id.load(std::memory_order_relaxed);
  out.detached = detached.load(std::memory_order_relaxed);
  out.mailbox = mailbox();
  out.handled = handled_.load(std::memory_order_relaxed);
  out.refused = refused_.load(std::memory_order_relaxed);
  out.busy_ns = not_negative(busy_ns_.load(std::memory_order_relaxed));
  out.started_unix_ms = started_unix_ms_;
  out.current = current ? current : "";
  out.current_ns = current ? spent : 0;
  out.idle_ns = current || is_ended ? 0 : spent;
  if (current) out.busy_ns += spent;
  const std::lock_guard lock(text_mutex_);
  out.state = state_;
  out.detail = detail_;
}

actor_record::actor_record(std::string path, std::string kind)
    : path_(std::move(path)), kind_(std::move(kind)) {}

void actor_record::note_error(std::string text) {
  const std::lock_guard lock(mutex_);
  last_error_ = std::move(text);
  last_error_unix_ms_ = unix_ms();
}

std::string actor_record::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::uint64_t actor_record::add_tracer(tracer fun) {
  const std::lock_guard lock(mutex_);
  tracers_.emplace_back(next_tracer_, std::make_shared<const tracer>(std::move(fun)));
  traced_.store(true, std::memory_order_relaxed);
  return next_tracer_++;
}

void actor_record::remove_tracer(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tracers_, [&](const auto& each) { return each.first == number; });
  traced_.store(!tracers_.empty(), std::memory_order_relaxed);
}

void actor_record::trace(trace_event event) const {
  using namespace std::chrono;
  event.path = path_;
  event.unix_us = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  std::vector<std::shared_ptr<const tracer>> listeners;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, fun] : tracers_)
      listeners.push_back(fun);
  }
  for (const auto& fun : listeners)
    (*fun)(event);
}

void actor_record::read(actor_status& out) const {
  out.path = path_;
  out.kind = kind_;
  out.restarts = restarts();
  const std::lock_guard lock(mutex_);
  out.last_error = last_error_;
  out.last_error_unix_ms = last_error_unix_ms_;
}

} // namespace swarm::actors
