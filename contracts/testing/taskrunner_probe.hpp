#pragma once

#include "contracts/task/client.hpp"
#include "contracts/taskrunner/client.hpp"
#include "contracts/testing/memory_host.hpp"

namespace swarm::contracts {

/// Reads a taskrunner and the tasks of a world through their views; a view that reverts or does not decode ends the
/// test.
class taskrunner_probe {
public:
  taskrunner_probe(const memory_world& world, const address& where) : world_(world), where_(where) {}

  taskrunner_head_view head() const { return ask(where_, taskrunner_head_args{}); }
  taskrunner_head_for_view head_for(const address& swop) const {
    return ask(where_, taskrunner_head_for_args{swop});
  }
  std::string name() const { return ask(where_, taskrunner_name_args{}); }
  std::vector<swop_view> swops() const;
  std::vector<swop_view> listeners() const;
  std::vector<pair_view> pairs(const address& swop) const {
    return ask(where_, pairs_args{swop, 0, swop_slots_max});
  }

  task_view task(std::string_view name) const {
    return ask(task_registry_address(), task_args{std::string(name)});
  }
  std::vector<std::string> body(std::string_view name) const;
  std::vector<std::string> task_names() const;

  /// The invariant of the taskrunner's state that does not hold; empty when all do.
  std::string broken_invariant() const;

private:
  template <class Call>
  abi::answer_of<Call> ask(const address& to, const Call& call) const {
    const auto out = world_.view({}, to, encode(call));
    return decode_answer<Call>(out.ok ? bytes_view(out.output) : bytes_view()).value();
  }

  const memory_world& world_;
  address where_;
};

inline address default_taskrunner() {
  return taskrunner_address(default_taskrunner_name);
}

/// Creates a task without a body that can be assigned; `by` is a registered SWCI.
void make_task(memory_world& world, const address& by, std::string_view name,
               task_type type = task_type::run_swarm);

} // namespace swarm::contracts
