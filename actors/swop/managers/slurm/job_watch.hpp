#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/slurm/jobs.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace swarm::managers::slurm {

/// What Slurm says of the jobs whose names begin with `prefix`. It is asked at most once a second, as the scheduler has others
/// to answer, too. All functions may be called from any thread.
class job_cache {
public:
  explicit job_cache(std::string prefix) : prefix_(std::move(prefix)) {}

  const std::string& prefix() const { return prefix_; }
  /// Of the job of this name; empty when Slurm knows none, or does not answer and has not said anything of it before.
  std::string state(const std::string& name);
  /// Whether a job of which nothing is known may be there all the same: the scheduler did not answer.
  bool may_live();
  void ask_anew();

private:
  void refresh();

  const std::string prefix_;
  std::mutex mutex_;
  job_states known_;
  bool answered_ = false; ///< the last time
  std::chrono::steady_clock::time_point next_{};
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
