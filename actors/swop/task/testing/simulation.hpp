#pragma once

#include "actors/swop/task/events.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "contracts/testing/naive_taskrunner.hpp"
#include "contracts/testing/taskrunner_probe.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// SWOPs in one thread: runner and task machines against the real contracts in memory, with made-up clock,
/// network, programs and operators. Everything follows from the seed.
namespace swarm::swop::testing {

/// What may go wrong, as probabilities of a thousand unless said otherwise. All faults stop at `quiet_at`.
struct scenario {
  std::vector<std::uint32_t> slots; ///< of each SWOP
  duration quiet_at{};
  duration delay_max{}; ///< of one message
  std::uint32_t slow_message = 0;
  std::uint32_t lost_call = 0; ///< half of them have been executed all the same
  std::uint32_t lost_event = 0;
  std::uint32_t stale_read = 0;      ///< by an SN that lags behind
  std::uint32_t bad_program = 0;     ///< crashes, hangs, or gets lost, at each of its steps
  std::uint32_t bad_preparation = 0; ///< of a part, a start, a piece of work
  std::uint32_t deaf_manager = 0; ///< does not carry out what it is told, or does not tell what has happened
  std::uint32_t unknown_sl = 0;   ///< says another account each time, which nobody knows
  std::uint32_t accidents = 0;    ///< number of: deaths of SWOPs and of their actors
  bool operators_act = false;     ///< assign, retry, reset and dismiss until it is quiet

  static scenario draw(seeded_random& random);
  std::string describe() const;
};

/// What a simulation has seen.
struct figures {
  std::uint64_t calls = 0; ///< of SWOPs
  std::uint64_t refused = 0;
  std::uint64_t reports = 0;
  std::uint64_t parts = 0;
  std::uint64_t pairs_complete = 0;
  std::uint64_t runs_complete = 0;
  std::uint64_t runs_failed = 0;
  std::uint64_t adopted = 0;   ///< parts that a killed SWOP, or a crashed actor of it, found again
  std::uint64_t stuck = 0;     ///< runs that waited for a program that hung
  duration longest_cleaning{}; ///< from a reset to the end of the last program
  duration last_run{};         ///< from assign to the end of the run, in the end

  figures& operator+=(const figures& other);
};

class simulation {
public:
  simulation(std::uint64_t seed, const scenario& what);
  ~simulation();

  /// Runs until the last SWOP has left. Returns what was broken; empty when nothing was.
  std::string run();
  /// What happened: one line per event.
  const std::vector<std::string>& trace() const { return trace_; }
  const figures& seen() const { return seen_; }

private:
  struct host;
  struct program;
  struct program_key;
  struct task_actor;
  struct perform_runner;
  struct perform_task;
  using thunk = std::function<void()>;
  struct outcome {
    bool ok = false;
    std::uint64_t block_num = 0;
  };

  // simulation.cpp: time, chance, the SN
  void at(time_point when, thunk what) { queue_.emplace(when, std::move(what)); }
  void after(duration pause, thunk what) { at(now_ + pause, std::move(what)); }
  bool chance(std::uint32_t of_thousand) { return random_.below(1000) < of_thousand; }
  bool fault(std::uint32_t of_thousand) { return now_ < quiet_ && chance(of_thousand); }
  duration between(std::int64_t from_ms, std::int64_t to_ms);
  duration message_delay();
  void note(const host* of, std::string text);
  void broken(std::string what);
  std::uint64_t now_ms() const;
  template <class Args>
  outcome execute(const address& caller, const Args& args);
  template <class Args>
  void submit(host& n, const Args& args, const std::function<void(bool, std::uint64_t)>& done);
  void compare_with_twin();
  void take_events(const address& caller);
  void read_contract(host& n);

  // simulated_swop.cpp: a SWOP's process, its runner and its task
  void boot(host& n);
  void kill(host& n, std::string_view how);
  void start_runner(host& n);
  void crash_runner(host& n);
  void crash_task(host& n);
  void leave(host& n);
  void tick_runner(host& n);
  void in_runner(host& n, duration pause, thunk what);
  void in_task(host& n, duration pause, thunk what);
  void drain_runner(host& n);
  void clean(host& n);
  void begin_task(host& n);
  void start_task(host& n);
  void drain_task(host& n);
  void arm_task(host& n);
  void tick_task(host& n);
  void list(host& n);
  void work(host& n, std::uint64_t serial, std::uint64_t left);
  void end_work(host& n, failure why);

  // simulated_programs.cpp
  void start_program(host& n, const program_key& key);
  void train(host& n, const program_key& key, std::uint64_t left);
  void end(host& n, const program_key& key, failure why);
  void tell_end(host& n, const program_key& key);
  void changed(host& n);
  bool misbehave(host& n, const program_key& key);
  program* find(host& n, const program_key& key);

  // simulated_operator.cpp
  void accident();
  void act();
  void dismiss_the_dead();
  void check();
  std::string check_waiting();
  void finish();
  void expect_no_programs();
  void last_run();
  void look_at_last_run();
  void say_goodbye();

  seeded_random random_;
  scenario scenario_;
  time_point now_{};
  time_point quiet_{};
  std::multimap<time_point, thunk> queue_;
  contracts::memory_world world_;
  address taskrunner_;
  address operator_;
  contracts::naive_taskrunner twin_;
  std::vector<std::unique_ptr<host>> swops_;
  std::vector<std::string> trace_;
  std::string broken_;
  figures seen_;
  std::uint16_t next_sl_ = 10'000;
  bool over_ = false;
  time_point assigned_at_{};
  time_point reset_at_{};
};

} // namespace swarm::swop::testing
