#pragma once

#include "actors/ui/reading/chain_reader.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace swarm::ui {

/// Reads what is watched, on a thread of its own: soon after every new block, and now and then for signs of life, but at most
/// ten times a second, and not at all while nobody watches or no SN answers.
class reading_thread {
public:
  using make_network = std::function<std::unique_ptr<swci::network>(const std::stop_token&)>;
  using tell = std::function<void(std::vector<topic_read> topics, std::uint64_t read_ms)>;

  reading_thread(make_network sns, tell to, std::shared_ptr<proved_reports> proved, std::string log_source);

  void wants(const std::set<std::string>& topics);
  void may_ask(bool may);
  void look_now();

private:
  void run(const std::stop_token& stop);
  bool wait(const std::stop_token& stop, std::set<std::string>& topics);

  const make_network make_network_;
  const tell tell_;
  const std::shared_ptr<proved_reports> proved_;
  const std::string log_source_;
  std::mutex mutex_; ///< guards what follows, up to the thread
  std::condition_variable_any came_;
  std::set<std::string> topics_;
  bool may_ask_ = false;
  bool due_ = false;
  std::jthread thread_; ///< the first to go
};

} // namespace swarm::ui
