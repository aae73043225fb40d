#pragma once

#include "actors/swop/task/task_machine.hpp"

#include <doctest/doctest.h>

#include <map>

namespace swarm::swop::testing {

using namespace std::chrono_literals;

inline failure exited(std::uint64_t code) {
  return {task_failure::program_exited, code};
}

/// The host and the contract around a machine: programs that live as a test says, reports that are taken.
struct host {
  using key = std::pair<std::uint32_t, program_kind>;

  explicit host(std::uint32_t pairs, contracts::task_type type = contracts::task_type::run_swarm)
      : machine({type, pairs}) {
    part.status = part_status::active;
    part.pairs = pairs;
    views.resize(pairs);
    for (auto& each : views)
      each.status = part_status::active;
  }

  void begin() {
    machine.step(event::programs_seen{facts()}, now);
    machine.begin(now);
    read();
  }
  void prepared(failure why = {}) {
    machine.step(event::prepared{why}, now);
    settle();
  }
  void ends(std::uint32_t index, program_kind kind, failure why = {}) {
    now += 1ms;
    programs.at({index, kind}).outcome = why;
    programs.at({index, kind}).ended_ms = static_cast<std::uint64_t>(now.time_since_epoch() / 1ms);
    list();
  }
  void list() {
    machine.step(event::programs_seen{facts()}, now);
    settle();
  }
  void says(std::uint32_t index, session_state state, task_step step = task_step::training,
            std::uint64_t number = 0) {
    sessions[index] = {index, {}, state, step, number};
  }
  void pass(duration span) {
    const auto until = now + span;
    for (int i = 0; machine.wake_at() <= until; ++i) {
      REQUIRE(i < 10'000); // it does not ask to be woken for nothing
      now = std::max(now, machine.wake_at());
      machine.step(event::tick{}, now);
      settle();
    }
    now = until;
  }
  void stop(failure why = {}) {
    machine.step(event::stop{why}, now);
    settle();
  }

  bool running(std::uint32_t index, program_kind kind) const {
    const auto at = programs.find({index, kind});
    return at != programs.end() && !at->second.outcome;
  }
  std::vector<program_fact> facts() const {
    std::vector<program_fact> out;
    for (const auto& [name, fact] : programs)
      out.push_back(fact);
    return out;
  }

  /// Carries out what the machine wants until it wants nothing more.
  void settle() {
    for (auto wanted = machine.take_actions(); !wanted.empty(); wanted = machine.take_actions())
      for (const auto& each : wanted)
        std::visit([this](const auto& what) { this->carry_out(what); }, each);
  }
  void read() {
    if (deaf) return;
    machine.step(event::contract_seen{part, views}, now);
    settle();
  }

  task_machine machine;
  time_point now = time_point{} + 1h;
  std::map<key, program_fact> programs;
  std::map<key, failure> cannot_start;
  std::map<std::uint32_t, event::session_seen> sessions;
  contracts::swop_view part;
  std::vector<contracts::pair_view> views;
  std::vector<action::report> reports;
  std::vector<key> started, told_to_end;
  bool stubborn = false;                ///< programs do not end when they are told to
  bool deaf = false;                    ///< the SN is away
  std::optional<std::uint32_t> refused; ///< the contract takes no report on this pair
  bool knows_no_sl = false;             ///< nor one that names an SL
  bool silent = false;                  ///< no receipt ever comes
  int prepares = 0, works = 0, work_ends = 0, finished = 0;

private:
  void carry_out(const action::prepare&) { ++prepares; }
  void carry_out(const action::work&) { ++works; }
  void carry_out(const action::end_work&) { ++work_ends; }
  void carry_out(const action::finished&) { ++finished; }
  void carry_out(const action::read&) { read(); }
  void carry_out(const action::look& what) {
    auto answer = sessions[what.index];
    answer.index = what.index;
    machine.step(answer, now);
  }
  void carry_out(const action::start& what) {
    const key name{what.index, what.kind};
    started.push_back(name);
    if (const auto at = cannot_start.find(name); at != cannot_start.end())
      return machine.step(event::start_failed{what.index, what.kind, at->second}, now);
    REQUIRE(!programs.contains(name));
    programs[name] = {what.index, what.kind, 0, {}};
    machine.step(event::programs_seen{facts()}, now);
  }
  void carry_out(const action::end_program& what) {
    told_to_end.emplace_back(what.index, what.kind);
    if (stubborn) return;
    auto& fact = programs.at({what.index, what.kind});
    if (!fact.outcome) fact.outcome = failure{};
    machine.step(event::programs_seen{facts()}, now);
  }
  /// As the contract does it.
  void carry_out(const action::report& what) {
    reports.push_back(what);
    if (silent) return;
    if (deaf || (refused && what.index == refused) || (knows_no_sl && !what.sl.is_zero()))
      return machine.step(event::report_done{}, now);
    const auto write = [&](auto& to) {
      if (to.status == part_status::complete || to.status == part_status::failed) return;
      to.status = what.status;
      to.step = what.step;
      to.failure = what.why.code;
      to.number = what.why.code == task_failure::none ? what.number : what.why.number;
    };
    if (what.index) {
      write(views.at(*what.index));
      views.at(*what.index).sl = what.sl;
      const auto has_ended = [](const auto& each) {
        return each.status == part_status::complete || each.status == part_status::failed;
      };
      if (std::ranges::all_of(views, has_ended)) part.status = part_status::complete;
    } else {
      write(part);
    }
    machine.step(event::report_done{}, now);
  }
};

} // namespace swarm::swop::testing
