#pragma once

#include "actors/swci/commands/world.hpp"

/// The commands by the files that carry them out; carry_out.cpp finds the right one.
namespace swarm::swci {

using outcome = result<std::optional<answer>>;

// contexts.cpp
outcome run(const commands::wait_for_sn&, command_world&);
outcome run(const commands::create_context&, command_world&);
outcome run(const commands::get_context_info&, command_world&);
outcome run(const commands::get_context_version&, command_world&);
outcome run(const commands::doctor&, command_world&);
outcome run(const commands::list_nodes&, command_world&);

// contracts.cpp
outcome run(const commands::create_contract&, command_world&);
outcome run(const commands::reset_contract&, command_world&);
outcome run(const commands::invite&, command_world&);
outcome run(const commands::verify_merges&, command_world&);
outcome run(const commands::list_contracts&, command_world&);
outcome run(const commands::get_contract_info&, command_world&);
outcome run(const commands::get_contract_status&, command_world&);
outcome run(const commands::perfdata&, command_world&);
outcome run(const commands::watch_contract&, command_world&);

// organisations.cpp
outcome run(const commands::admit_organisation&, command_world&);
outcome run(const commands::remove_organisation&, command_world&);
outcome run(const commands::replace_ca&, command_world&);
outcome run(const commands::remove_node&, command_world&);
outcome run(const commands::list_organisations&, command_world&);
outcome run(const commands::list_seats&, command_world&);
outcome run(const commands::limit_seats&, command_world&);

// models.cpp
outcome run(const commands::get_model&, command_world&);
outcome run(const commands::prove_merge&, command_world&);

// tasks.cpp
outcome run(const commands::create_task_from&, command_world&);
outcome run(const commands::create_task&, command_world&);
outcome run(const commands::append_task_body&, command_world&);
outcome run(const commands::finalize_task&, command_world&);
outcome run(const commands::delete_task&, command_world&);
outcome run(const commands::get_task_info&, command_world&);
outcome run(const commands::get_task_body&, command_world&);
outcome run(const commands::list_tasks&, command_world&);

// taskrunners.cpp
outcome run(const commands::create_taskrunner&, command_world&);
outcome run(const commands::reset_taskrunner&, command_world&);
outcome run(const commands::list_taskrunners&, command_world&);
outcome run(const commands::list_taskrunner_peers&, command_world&);
outcome run(const commands::get_taskrunner_info&, command_world&);
outcome run(const commands::get_taskrunner_status&, command_world&);
outcome run(const commands::get_taskrunner_peer_status&, command_world&);
outcome run(const commands::assign_task&, command_world&);
outcome run(const commands::wait_for_taskrunner&, command_world&);

// files.cpp
outcome run(const commands::sleep_for&, command_world&);
outcome run(const commands::change_folder&, command_world&);
outcome run(const commands::list_files&, command_world&);

} // namespace swarm::swci
