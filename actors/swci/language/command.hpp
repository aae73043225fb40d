#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What an operator can order, one struct for each operation. table.cpp says how each is written, and
/// what each means; names are as the operator wrote them, files and folders are not resolved yet.
namespace swarm::swci {

/// Where an SN answers: directly, or as a name that a reverse proxy serves.
struct sn_address {
  std::string host; ///< an IPv6 address without brackets
  std::uint16_t port = 30304;
  bool is_service = false;

  bool operator==(const sn_address&) const = default;
};

namespace commands {

// Contexts.

struct wait_for_sn {
  sn_address sn;
  std::uint32_t retries = 360; ///< 5 seconds apart
  bool operator==(const wait_for_sn&) const = default;
};
struct create_context {
  std::string context;
  sn_address sn;
  bool operator==(const create_context&) const = default;
};
struct switch_context {
  std::string context;
  bool operator==(const switch_context&) const = default;
};
struct list_contexts {
  bool operator==(const list_contexts&) const = default;
};
/// An empty `context`, here and below, is the default one.
struct get_context_info {
  std::string context;
  bool operator==(const get_context_info&) const = default;
};
struct get_context_version {
  bool operator==(const get_context_version&) const = default;
};
struct list_context_env {
  std::string context;
  bool operator==(const list_context_env&) const = default;
};
struct get_context_env {
  std::string context;
  std::string variable;
  bool operator==(const get_context_env&) const = default;
};
struct set_context_env {
  std::string context;
  std::string variable;
  std::string value;
  bool operator==(const set_context_env&) const = default;
};

// Training contracts.

struct create_contract {
  std::string contract;
  bool operator==(const create_contract&) const = default;
};
struct reset_contract {
  std::string contract;
  std::string note; ///< empty: none
  bool operator==(const reset_contract&) const = default;
};
struct invite {
  std::string organisation;
  std::string contract;
  bool operator==(const invite&) const = default;
};
enum class when_verified : std::uint8_t { before, behind, never };
struct verify_merges {
  std::string contract;
  when_verified when = when_verified::before;
  bool operator==(const verify_merges&) const = default;
};
struct list_contracts {
  bool operator==(const list_contracts&) const = default;
};
struct get_contract_info {
  std::string contract;
  bool operator==(const get_contract_info&) const = default;
};
struct get_contract_status {
  std::string contract;
  bool operator==(const get_contract_status&) const = default;
};
struct perfdata {
  std::string contract;
  bool operator==(const perfdata&) const = default;
};
struct watch_contract {
  std::string contract;
  bool operator==(const watch_contract&) const = default;
};
struct get_model {
  std::string contract;
  std::optional<std::uint64_t> round_num; ///< none: the newest merge
  std::string file;
  bool operator==(const get_model&) const = default;
};
struct prove_merge {
  std::string contract;
  std::uint64_t round_num = 0;
  std::string file;
  bool operator==(const prove_merge&) const = default;
};

// Tasks.

struct create_task_from {
  std::string file;
  bool operator==(const create_task_from&) const = default;
};
struct create_task {
  std::string type; ///< one of the four, in capitals
  std::string task;
  std::string author;
  std::string prerequisite;
  std::string outcome;
  bool operator==(const create_task&) const = default;
};
struct append_task_body {
  std::string task;
  std::uint32_t line_num = 0;
  std::string line; ///< as it stands, with its blanks and quotes
  bool operator==(const append_task_body&) const = default;
};
struct finalize_task {
  std::string task;
  bool operator==(const finalize_task&) const = default;
};
struct delete_task {
  std::string task;
  bool operator==(const delete_task&) const = default;
};
struct get_task_info {
  std::string task;
  bool operator==(const get_task_info&) const = default;
};
struct get_task_body {
  std::string task;
  bool operator==(const get_task_body&) const = default;
};
struct list_tasks {
  bool operator==(const list_tasks&) const = default;
};

// Taskrunners.

struct create_taskrunner {
  std::string taskrunner;
  bool operator==(const create_taskrunner&) const = default;
};
struct reset_taskrunner {
  std::string taskrunner;
  std::string note; ///< empty: none
  bool operator==(const reset_taskrunner&) const = default;
};
struct list_taskrunners {
  bool operator==(const list_taskrunners&) const = default;
};
struct list_taskrunner_peers {
  std::string taskrunner;
  bool operator==(const list_taskrunner_peers&) const = default;
};
struct get_taskrunner_info {
  std::string taskrunner;
  bool operator==(const get_taskrunner_info&) const = default;
};
struct get_taskrunner_status {
  std::string taskrunner;
  bool operator==(const get_taskrunner_status&) const = default;
};
struct get_taskrunner_peer_status {
  std::string taskrunner;
  std::variant<std::uint32_t, std::string> swop; ///< its index from 0, or its UID
  bool operator==(const get_taskrunner_peer_status&) const = default;
};
struct with_peers {
  std::uint32_t count = 0;
  bool operator==(const with_peers&) const = default;
};
struct with_all_peers {
  bool operator==(const with_all_peers&) const = default;
};
struct one_swop {
  std::string uid;
  bool operator==(const one_swop&) const = default;
};
struct assign_task {
  std::string task;
  std::string taskrunner;
  std::variant<with_all_peers, with_peers, one_swop> to;
  bool operator==(const assign_task&) const = default;
};
struct wait_for_taskrunner {
  std::string taskrunner;
  bool operator==(const wait_for_taskrunner&) const = default;
};

// Organisations.

struct admit_organisation {
  std::string organisation;
  std::string file; ///< with the certificates of its CAs
  bool operator==(const admit_organisation&) const = default;
};
struct remove_organisation {
  std::string organisation;
  bool operator==(const remove_organisation&) const = default;
};
struct replace_ca {
  std::string organisation;
  std::string file;
  bool operator==(const replace_ca&) const = default;
};
struct remove_node {
  std::string node; ///< its UID
  bool operator==(const remove_node&) const = default;
};
struct list_organisations {
  bool operator==(const list_organisations&) const = default;
};
struct list_seats {
  bool operator==(const list_seats&) const = default;
};
struct limit_seats {
  std::string kind; ///< "SN", "SL", "SWOP", "SWCI" or "TRAININGS"
  std::uint64_t most = 0;
  std::string organisation; ///< empty: this SWCI's own organisation limits itself
  bool operator==(const limit_seats&) const = default;
};

// The session and its surroundings.

struct list_nodes {
  bool operator==(const list_nodes&) const = default;
};
struct doctor {
  bool operator==(const doctor&) const = default;
};
struct sleep_for {
  std::chrono::milliseconds time{};
  bool operator==(const sleep_for&) const = default;
};
struct change_folder {
  std::string folder;
  bool operator==(const change_folder&) const = default;
};
struct list_files {
  std::string options; ///< letters of `ls_options`, each once
  std::vector<std::string> paths;
  bool operator==(const list_files&) const = default;
};
struct show_folder {
  bool operator==(const show_folder&) const = default;
};
struct help {
  std::string command; ///< its first words in capitals; empty: all commands
  bool operator==(const help&) const = default;
};
struct exit_session {
  bool operator==(const exit_session&) const = default;
};
struct exit_on_failure {
  bool on = true;
  bool operator==(const exit_on_failure&) const = default;
};

} // namespace commands

using command = std::variant<
    commands::wait_for_sn, commands::create_context, commands::switch_context, commands::list_contexts,
    commands::get_context_info, commands::get_context_version, commands::list_context_env,
    commands::get_context_env, commands::set_context_env, commands::create_contract, commands::reset_contract,
    commands::invite, commands::verify_merges, commands::list_contracts, commands::get_contract_info,
    commands::get_contract_status, commands::perfdata, commands::watch_contract, commands::get_model,
    commands::prove_merge, commands::create_task_from, commands::create_task, commands::append_task_body,
    commands::finalize_task, commands::delete_task, commands::get_task_info, commands::get_task_body,
    commands::list_tasks, commands::create_taskrunner, commands::reset_taskrunner, commands::list_taskrunners,
    commands::list_taskrunner_peers, commands::get_taskrunner_info, commands::get_taskrunner_status,
    commands::get_taskrunner_peer_status, commands::assign_task, commands::wait_for_taskrunner,
    commands::admit_organisation, commands::remove_organisation, commands::replace_ca, commands::remove_node,
    commands::list_organisations, commands::list_seats, commands::limit_seats, commands::list_nodes,
    commands::doctor, commands::sleep_for, commands::change_folder, commands::list_files,
    commands::show_folder, commands::help, commands::exit_session, commands::exit_on_failure>;

} // namespace swarm::swci
