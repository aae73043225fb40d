#include "actors/ui/worker.hpp"

namespace swarm::ui {

worker::worker(std::size_t waiting_max, std::size_t threads) : waiting_max_(waiting_max) {
  while (threads_.size() < threads)
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

worker::~worker() {
  for (auto& each : threads_)
    each.request_stop(); // all of them before the first is waited for
}

bool worker::add(job what) {
  const std::lock_guard lock(mutex_);
  if (jobs_.size() >= waiting_max_) return false;
  jobs_.push_back(std::move(what));
  came_.notify_one();
  return true;
}

std::size_t worker::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void worker::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    job next;
    {
      std::unique_lock lock(mutex_);
      if (!came_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    next(stop);
  }
}

} // namespace swarm::ui
