#pragma once

#include "contracts/runtime/typed_contract.hpp"
#include "contracts/taskrunner/state.hpp"

namespace swarm::contracts {

/// One call of a taskrunner: an overload of `on` per function, with the rules of interfaces/ITaskrunner.sol.
/// Changes are kept only when the result is good.
class taskrunner_call {
public:
  taskrunner_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), storage_(slots(host, context.self)) {}

  // assigning.cpp
  result<> on(const assign_args& args);
  result<> on(const assign_to_args& args);
  result<> on(const reset_taskrunner_args& args);
  result<> on(const reset_taskrunner_with_note_args& args);
  // listening.cpp
  result<> on(const listen_args& args);
  result<> on(const unlisten_args& args);
  result<> on(const enrol_args& args);
  // reports.cpp
  result<> on(const report_args& args);
  result<> on(const report_pair_args& args);
  // views.cpp
  result<reset_view> on(const last_taskrunner_reset_args& args) const;
  result<std::string> on(const taskrunner_name_args& args) const;
  result<taskrunner_head_view> on(const taskrunner_head_args& args) const;
  result<taskrunner_head_for_view> on(const taskrunner_head_for_args& args) const;
  result<std::vector<swop_view>> on(const swops_args& args) const;
  result<std::vector<swop_view>> on(const listeners_args& args) const;
  result<std::vector<pair_view>> on(const pairs_args& args) const;

private:
  /// A SWOP that was found in the run and can be changed.
  struct found_swop {
    std::uint16_t index = 0;
    swop_slot slot;
  };

  bool runs_pairs() const { return storage_.runner.type == task_type::run_swarm; }
  /// The peers that a SWOP with so many pairs is.
  std::uint32_t peers_of(std::uint32_t pairs) const { return runs_pairs() ? pairs : 1; }

  // counting.cpp: what follows from a change
  /// Adds (`sign` 1) what a SWOP's part counts for in the run to the counters, or takes it away (-1).
  void count(const swop_slot& swop, int sign);
  /// Writes a SWOP's part, which was `before`, and keeps the counters true.
  void put(std::uint16_t index, const swop_slot& before, const swop_slot& after);
  /// Adds a SWOP that takes part in the run from now on.
  result<std::uint16_t> add_swop(const address& account);
  /// The state that the counters call for.
  taskrunner_state due_state() const;
  /// Moves to the state that is due, and writes all that changed.
  result<> settle();
  void change_state(taskrunner_state next);

  // assigning.cpp
  /// With what is said with it; empty: nothing is.
  result<> reset(const std::string& note);
  /// The type of the task, which can be assigned.
  result<task_type> check_task(std::string_view name) const;
  result<> check_idle() const;
  void begin_run(std::string_view task, task_type type, assign_mode mode, std::uint32_t quorum);
  result<> invite(const address& account, std::uint32_t pairs);

  // listening.cpp
  result<> check_run(std::uint64_t run) const;
  result<> check_open() const;
  void fail_part(const address& account);

  // reports.cpp
  result<found_swop> reporting_swop(std::uint64_t run) const;
  void report_swop(const found_swop& swop, const swop_slot& after, std::uint64_t number);
  void end_pair(const found_swop& swop, part_status status);

  // views.cpp
  swop_view view_of(const address& account) const;

  template <class Event>
  void emit(const Event& event) {
    host_.emit(abi::encode_event(context_.self, event));
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  runner_storage storage_;
};

} // namespace swarm::contracts
