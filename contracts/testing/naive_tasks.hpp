#pragma once

#include "contracts/task/interface.hpp"

#include <map>

namespace swarm::contracts {

/// The TaskRegistry written once more as simply as possible. Random calls compare the contract with this twin. Callers
/// are assumed to be active SWCIs, and limits of numbers not to be reached.
class naive_tasks {
public:
  struct entry {
    task_view head;
    std::vector<std::string> body;
  };

  naive_tasks();

  /// Returns whether the call is accepted; `events` then holds what it emitted.
  bool call(const address& caller, const create_task_args& args);
  bool call(const address& caller, const append_task_body_args& args);
  bool call(const address& caller, const finalize_task_args& args);
  bool call(const address& caller, const remove_task_args& args);

  /// In the order in which the contract lists them.
  const std::vector<entry>& tasks() const { return tasks_; }

  std::uint64_t block_num = 0; ///< set before each call
  /// Who belongs to an organisation; nobody does at first.
  std::map<address, organisation_id> homes;
  std::vector<task_event> events;

private:
  entry* find(const std::string& name);
  entry* changeable(const std::string& name, const address& caller);
  organisation_id home_of(const address& account) const;

  std::vector<entry> tasks_;
};

} // namespace swarm::contracts
