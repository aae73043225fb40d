#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>

namespace swarm::doctor {

/// What `work()` gives, unless that takes too long: then it goes on by itself, and nobody waits for it. It may refer to
/// nothing that its caller owns.
template <class Work>
auto within(std::chrono::milliseconds limit, Work work) -> std::optional<decltype(work())> {
  auto promise = std::make_shared<std::promise<decltype(work())>>();
  auto outcome = promise->get_future();
  std::thread([promise, work = std::move(work)]() mutable { promise->set_value(work()); }).detach();
  if (outcome.wait_for(limit) != std::future_status::ready) return std::nullopt;
  return outcome.get();
}

} // namespace swarm::doctor
