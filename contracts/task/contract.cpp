#include "contracts/task/contract.hpp"

#include "contracts/organisations/members.hpp"
#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "contracts/task/records.hpp"

namespace swarm::contracts {

namespace {

/// The lines of one call are as many and as long as is allowed.
result<> check_lines(const append_task_body_args& args) {
  if (args.lines.empty() || args.lines.size() > append_lines_max)
    return refuse("a call writes 1 to {} lines, got {}", append_lines_max, args.lines.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < args.lines.size(); ++i) {
    SWARM_CHECK(check_text(fmt::format("line {}", args.first + i), args.lines[i], body_line_bytes_max));
    size += args.lines[i].size();
  }
  if (size > append_bytes_max)
    return refuse("the lines have {} bytes together, at most {} are allowed in a call", size,
                  append_bytes_max);
  return {};
}

class task_registry_call {
public:
  task_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(slots(host, context.self)) {}

  result<> on(const create_task_args& args) {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
    SWARM_CHECK(check_details(args));
    const auto count = records_.names().size();
    const auto home = home_of_caller();
    if (home == 0 && count >= tasks_max)
      return refuse("there are {} tasks, the most a chain can have", count);
    const auto creator = creator_key(home, context_.caller);
    const auto own = records_.created_by(creator);
    if (own >= creator_tasks_max)
      return refuse("{} has created {} tasks, the most that it may have",
                    creator_name(host_, home, context_.caller), own);

    const auto record = records_.of(args.name);
    record.set_head({.creator = context_.caller,
                     .type = args.type,
                     .lines = 1,
                     .index = static_cast<std::uint32_t>(count),
                     .body_bytes = task_body_head.size()});
    record.set_blocks({.created = context_.block_num, .organisation = home});
    record.set_texts(args.author, args.prereq, args.outcome);
    record.set_line(0, task_body_head);
    records_.names().add(args.name);
    records_.set_created_by(creator, own + 1);
    emit(task_created{args.name, context_.caller, args.type});
    return {};
  }

  result<> on(const append_task_body_args& args) {
    SWARM_TRY(auto task, changeable(args.name));
    SWARM_CHECK(check_lines(args));
    if (args.first == 0) return refuse("line 0 is always '{}': write from line 1 on", task_body_head);
    if (args.first > task.head.lines)
      return refuse("line {} would leave a gap: line {} comes next", args.first, task.head.lines);
    const auto end = args.first + args.lines.size();
    if (end > body_lines_max)
      return refuse("the body would have {} lines, at most {} are allowed", end, body_lines_max);
    std::size_t size = task.head.body_bytes;
    for (std::size_t i = 0; i < args.lines.size(); ++i) {
      const auto number = args.first + i;
      if (number < task.head.lines) size -= task.record.line(number).size();
      size += args.lines[i].size();
      task.record.set_line(number, args.lines[i]);
    }
    if (size > body_bytes_max)
      return refuse("the body would have {} bytes, at most {} are allowed", size, body_bytes_max);
    task.head.lines = static_cast<std::uint16_t>(std::max<std::size_t>(end, task.head.lines));
    task.head.body_bytes = static_cast<std::uint32_t>(size);
    task.record.set_head(task.head);
    emit(task_body_written{args.name, args.first, static_cast<std::uint32_t>(args.lines.size()),
                           context_.caller});
    return {};
  }

  result<> on(const finalize_task_args& args) {
    SWARM_TRY(auto task, changeable(args.name));
    SWARM_CHECK(check_prereq(task.record.prereq()));
    task.head.finalized = true;
    task.record.set_head(task.head);
    auto blocks = task.record.blocks();
    blocks.finalized = context_.block_num;
    task.record.set_blocks(blocks);
    emit(task_finalized{args.name, context_.caller});
    return {};
  }

  result<> on(const remove_task_args& args) {
    SWARM_TRY(auto task, changeable(args.name));
    if (const auto moved = records_.names().remove(task.head.index); !moved.empty()) {
      const auto other = records_.of(moved);
      auto head = other.head();
      head.index = task.head.index;
      other.set_head(head);
    }
    const auto creator = creator_key(task.record.blocks().organisation, task.head.creator);
    records_.set_created_by(creator, records_.created_by(creator) - 1);
    task.record.clear();
    emit(task_removed{args.name, context_.caller});
    return {};
  }

  result<task_view> on(const task_args& args) const {
    const auto record = records_.of(args.name);
    const auto head = record.head();
    if (head.lines == 0) return {};
    const auto blocks = record.blocks();
    return task_view{.name = args.name,
                     .type = head.type,
                     .author = record.author(),
                     .prereq = record.prereq(),
                     .outcome = record.outcome(),
                     .lines = head.lines,
                     .body_bytes = head.body_bytes,
                     .finalized = head.finalized,
                     .creator = head.creator,
                     .created_block = blocks.created,
                     .finalized_block = blocks.finalized,
                     .organisation = blocks.organisation,
                     .organisation_name = name_of(blocks.organisation)};
  }

  result<std::vector<std::string>> on(const task_body_args& args) const {
    const auto record = records_.of(args.name);
    const auto part = page_of(args.first, args.count, record.head().lines, page_entries_max);
    std::vector<std::string> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(record.line(i));
    return out;
  }

  result<u256> on(const task_count_args&) const { return u256(records_.names().size()); }

  result<std::vector<std::string>> on(const task_names_args& args) const {
    return records_.names().part(args.first, args.count, task_names_max);
  }

private:
  struct found_task {
    task_records::record record;
    task_slot head;
  };

  result<> check_details(const create_task_args& args) const {
    if (args.type == task_type::root) return refuse("taskType 0 is only of {}", root_task_name);
    if (!is_task_name(args.name))
      return refuse("{} is no name for a task: 1 to {} characters without blanks", in_quotes(args.name),
                    task_text_characters_max);
    SWARM_CHECK(check_characters("author", args.author, task_text_characters_max));
    SWARM_CHECK(check_characters("outcome", args.outcome, task_text_characters_max));
    if (records_.exist(args.name)) return refuse("there is a task {} already", in_quotes(args.name));
    return check_prereq(args.prereq);
  }

  result<> check_prereq(std::string_view name) const {
    if (records_.exist(name)) return {};
    return refuse("there is no task {}, which is to be the prerequisite", in_quotes(name));
  }

  organisation_id home_of_caller() const {
    return organisation_members(host_).organisation_of(context_.caller);
  }
  std::string name_of(organisation_id organisation) const {
    return organisation == 0 ? std::string() : organisation_records(host_).of(organisation).name();
  }

  /// The task, which the caller, a SWCI of its author's organisation, may change: SWOPs trust what the author says.
  result<found_task> changeable(std::string_view name) const {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
    const auto record = records_.of(name);
    const auto head = record.head();
    if (head.lines == 0) return refuse("there is no task {}", in_quotes(name));
    if (head.finalized)
      return refuse("the task {} is finalized and does not change any more", in_quotes(name));
    if (const auto author = record.blocks().organisation; author != 0 && author != home_of_caller())
      return refuse("the task {} is of the organisation '{}', which alone may change it", in_quotes(name),
                    name_of(author));
    return found_task{record, head};
  }

  template <class Event>
  void emit(const Event& event) {
    host_.emit(abi::encode_event(context_.self, event));
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  task_records records_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_task_registry() {
  return std::make_shared<typed_contract<task_registry_call, task_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>> task_registry_genesis() {
  return record_stores([](const slots& in) {
    const task_records records(in);
    const auto root = records.of(root_task_name);
    root.set_head(
        {.type = task_type::root, .finalized = true, .lines = 1, .body_bytes = task_body_head.size()});
    root.set_texts("swarmd", "", root_task_name);
    root.set_line(0, task_body_head);
    records.names().add(root_task_name);
  });
}

} // namespace swarm::contracts
