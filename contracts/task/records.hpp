#pragma once

#include "contracts/runtime/name_list.hpp"
#include "contracts/task/interface.hpp"

namespace swarm::contracts {

/// The first slot of a task: all that other contracts ask about.
struct task_slot {
  address creator;
  task_type type = task_type::root;
  bool finalized = false;
  std::uint16_t lines = 0; ///< 0: there is no such task
  std::uint32_t index = 0; ///< in the list of names
  std::uint32_t body_bytes = 0;
};

struct task_blocks_slot {
  std::uint64_t created = 0;
  std::uint64_t finalized = 0;
  organisation_id organisation = 0; ///< of the creator
};

/// The slots of the TaskRegistry, for itself and for contracts that read it.
///
///     slot 0  number of tasks
///     slot 1  array of their names
///     slot 2  mapping keccak(name) -> task: task_slot, task_blocks_slot, author, prereq, outcome, array of lines
///     slot 3  mapping organisation, or account where there are none -> number of tasks that it created
class task_records {
public:
  explicit task_records(ledger::contract_host& host) : task_records(slots(host, task_registry_address())) {}
  explicit task_records(const slots& in);

  const name_list& names() const { return names_; }
  /// Of a creator_key.
  std::uint64_t created_by(const hash32& creator) const;
  void set_created_by(const hash32& creator, std::uint64_t count) const;

  /// The place of one task, which may not exist. Finding it costs one hash.
  class record {
  public:
    record(const slots& in, const hash32& base) : slots_(in), base_(base) {}
    task_slot head() const { return slots_.get<task_slot>(base_); }
    void set_head(const task_slot& head) const { slots_.put(base_, head); }
    task_blocks_slot blocks() const { return slots_.get<task_blocks_slot>(slot_after(base_, 1)); }
    void set_blocks(const task_blocks_slot& blocks) const { slots_.put(slot_after(base_, 1), blocks); }
    std::string author() const { return slots_.load_text(slot_after(base_, 2)); }
    std::string prereq() const { return slots_.load_text(slot_after(base_, 3)); }
    std::string outcome() const { return slots_.load_text(slot_after(base_, 4)); }
    void set_texts(std::string_view author, std::string_view prereq, std::string_view outcome) const;
    std::string line(std::uint64_t number) const;
    void set_line(std::uint64_t number, std::string_view text) const;
    /// Clears all slots of the task.
    void clear() const;

  private:
    slots slots_;
    hash32 base_;
  };
  record of(std::string_view name) const;
  /// True when there is a task of this name.
  bool exist(std::string_view name) const { return of(name).head().lines > 0; }

private:
  slots slots_;
  name_list names_;
};

} // namespace swarm::contracts
