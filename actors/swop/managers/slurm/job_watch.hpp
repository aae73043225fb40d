#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/slurm/jobs.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace swarm::managers::slurm {

/// What Slurm says of the jobs whose names begin with `prefix`. A thread asks, at most once a second, as the scheduler has others
/// to answer, too, and only while somebody wants to know. Nobody waits for a scheduler that is away: its commands try for
/// ten seconds and longer. All functions may be called from any thread.
class job_cache {
public:
  /// `tell`: gets a line when Slurm does not answer, once, and when it does again.
  job_cache(std::string prefix, std::function<void(std::string)> tell);

  const std::string& prefix() const { return prefix_; }
  /// Of the job of this name; an empty state when Slurm knows none, or does not answer and has not said anything of it before.
  job_fact fact(const std::string& name);
  /// Whether a job of which nothing is known may be there all the same: the scheduler did not answer.
  bool may_live();
  /// What is known is not new enough any more: a job was submitted.
  void ask_anew();

private:
  using time_point = std::chrono::steady_clock::time_point;

  void run(const std::stop_token& stop);
  void note(bool was_away, const result<job_states>& now);

  const std::string prefix_;
  const std::function<void(std::string)> tell_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  job_states known_;
  std::optional<time_point> known_at_; ///< when it was asked for
  time_point asked_at_{};              ///< the last time
  time_point needed_{};                ///< what was asked for before says too little
  bool away_ = false;                  ///< the last time there was no answer
  bool asking_ = false;                ///< at this moment
  std::jthread thread_;                ///< last: it uses the others
};

/// A thread that looks at programs as long as one of them has not ended, and tells of each that has. A look may take seconds.
class job_watch {
public:
  job_watch(std::function<std::vector<program>()> list, std::function<void(const std::string&)> end,
            std::function<void(const std::string&)> on_end);
  ~job_watch();
  job_watch(const job_watch&) = delete;
  job_watch& operator=(const job_watch&) = delete;

  /// A program that was started just now: it is told of even if it has ended before the next look.
  void expect(const std::string& name);
  /// If the program has not ended by then, `end` is called with its name.
  void end_after(const std::string& name, std::chrono::milliseconds patience);

private:
  void run(const std::stop_token& stop);
  void look();

  std::function<std::vector<program>()> list_;
  std::function<void(const std::string&)> end_, on_end_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::set<std::string> lived_; ///< at the last look, or were started since
  std::map<std::string, std::chrono::steady_clock::time_point> end_at_;
  std::jthread thread_;
};

} // namespace swarm::managers::slurm
