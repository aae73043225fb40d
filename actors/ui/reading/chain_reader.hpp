#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/history/proved_reports.hpp"
#include "actors/ui/views/pictures.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <set>

namespace swarm::ui {

/// What a topic is now: its state, or why there is no such topic.
struct topic_read {
  std::string topic;
  std::variant<boost::json::object, std::string> what;
};

/// Reads what topics show, and again only what has changed: events of new blocks say which contracts did. An SN might
/// hide an event, so everything is read anew now and then. For one thread.
class chain_reader {
public:
  static constexpr std::uint64_t all_anew_ms = 30'000;
  static constexpr std::uint64_t signs_ms = 2'000; ///< between two looks at who is alive

  /// `proved`: is told what peers have reported; may be null.
  explicit chain_reader(std::shared_ptr<proved_reports> proved = {}) : proved_(std::move(proved)) {}
  /// Reads what these topics need. What was found before an error is kept; `take` has it.
  result<> look(swci::network& sns, const std::set<std::string>& topics, std::uint64_t now_ms);
  /// The topics as they are known now, of those that were asked for.
  std::vector<topic_read> take(const std::set<std::string>& topics, std::uint64_t now_ms) const;
  std::uint64_t block_num() const { return net_.block_num; }

private:
  struct sample {
    std::uint64_t ms = 0;
    std::uint64_t merged_round = 0;
    std::uint64_t epochs = 0; ///< of the peer that is least far
  };
  struct training_seen {
    training_picture picture;
    std::deque<sample> samples;
    bool is_stale = true;
    bool is_known = false;
  };
  struct taskrunner_seen {
    taskrunner_picture picture;
    bool is_stale = true;
    bool is_known = false;
  };

  result<> look_at_head(swci::network& sns, std::uint64_t now_ms);
  void take_block(const boost::json::value& block, std::uint64_t now_ms);
  void take_signs(const boost::json::value& nodes, std::uint64_t now_ms);
  void take_changes(const boost::json::value& logs, std::uint64_t up_to);
  void forget_everything();
  result<> look_at_network(swci::network& sns);
  result<> look_at_names(swci::network& sns);
  result<> look_at_training(swci::network& sns, training_seen& which, std::uint64_t now_ms);
  static void note_pace(training_seen& which, std::uint64_t now_ms);
  result<> look_at_tasks(swci::network& sns);
  result<> look_at_taskrunners(swci::network& sns);
  result<> look_at_taskrunner(swci::network& sns, taskrunner_seen& which);
  result<> learn_times(swci::network& sns, const taskrunner_picture& of);

  std::shared_ptr<proved_reports> proved_;
  network_picture net_;
  silence silent_;
  block_times times_;
  bool is_known_ = false; ///< something was read
  std::uint64_t signs_at_ms_ = 0;
  std::uint64_t all_at_ms_ = 0;
  bool nodes_stale_ = true, organisations_stale_ = true, names_stale_ = true, tasks_stale_ = true,
       taskrunner_names_stale_ = true;
  bool names_known_ = false, tasks_known_ = false, taskrunners_known_ = false, network_known_ = false;
  std::map<std::string, training_seen> trainings_;
  std::map<address, std::string> training_names_;
  std::map<std::string, contracts::task_view> tasks_;
  std::map<std::string, taskrunner_seen> taskrunners_;
  std::map<address, std::string> taskrunner_names_;
};

} // namespace swarm::ui
