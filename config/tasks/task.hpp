#pragma once

#include "config/tasks/environment.hpp"
#include "config/tasks/reading.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace swarm::tasks {

/// In the order of task_body's alternatives.
enum class task_type { run_swarm, make_swarm_user_content, make_user_container, pull_image, run_node };

/// "RUN_SWARM" and so on.
std::string_view name_of(task_type type);
std::optional<task_type> task_type_of(std::string_view name);

enum class mount_type { bind, volume };

/// A path of the host (bind) or the name of a volume, and where a program sees it.
struct mount {
  std::string source;
  std::string target;
  mount_type type = mount_type::bind;

  bool operator==(const mount&) const = default;
};

/// Runs a training program beside an SL, in the environment that is the prerequisite's outcome.
struct run_swarm {
  std::string command; ///< arguments of the entrypoint, with blanks between
  std::string entrypoint;
  std::string working_dir;
  environment variables;
  std::optional<std::string> private_content; ///< where the node's private data is mounted
  std::vector<mount> shared_content;

  bool operator==(const run_swarm&) const = default;
};

enum class operation_kind { download, extract };

struct content_operation {
  operation_kind kind = operation_kind::download;
  std::string target;                ///< an address, or the path of an archive in the volume
  std::optional<std::string> out;    ///< where in the volume the result goes
  std::optional<std::string> sha256; ///< of the download or the archive, in lower-case hexadecimal

  bool operator==(const content_operation&) const = default;
};

enum class content_type { build, swarm }; ///< one copy; one for each node of a SWOP

/// Fills the volume that is the outcome.
struct make_swarm_user_content {
  content_type type = content_type::swarm;
  std::vector<content_operation> operations;

  bool operator==(const make_swarm_user_content&) const = default;
};

enum class build_type { dockerfile, remote, venv }; ///< INLINE, REMOTE, VENV

/// Makes the environment that is the outcome.
struct make_user_container {
  std::optional<std::string> context; ///< the volume that files may be copied from
  build_type type = build_type::dockerfile;
  std::vector<std::string> steps; ///< lines of a Dockerfile, or requirement lines

  bool operator==(const make_user_container&) const = default;
};

/// A user of a registry. The password is no part of a task, which everybody reads on the chain: the SWOP has it in a
/// variable of its process.
struct registry_login {
  std::string user;
  std::string password_variable;

  bool operator==(const registry_login&) const = default;
};

/// Fetches the image that is the outcome.
struct pull_image {
  std::string registry; ///< with the organisation in it
  std::string repository;
  std::string tag;
  /// Nothing, the path of a config.json on the SWOP's host, or a login.
  std::variant<std::monostate, std::string, registry_login> auth;

  bool operator==(const pull_image&) const = default;
};

enum class node_state { running, stopped };

/// Starts or stops a node that the SWOP's profile offers. Ours.
struct run_node {
  std::string node; ///< its name in the profile
  node_state state = node_state::running;

  bool operator==(const run_node&) const = default;
};

using task_body = std::variant<run_swarm, make_swarm_user_content, make_user_container, pull_image, run_node>;

/// What the chain has of a task besides its body.
struct task_head {
  std::string name;
  task_type type = task_type::run_swarm;
  std::string author;
  std::string prereq;
  std::string outcome;

  bool operator==(const task_head&) const = default;
};

struct task_definition {
  std::string name;
  std::string author;
  std::string prereq; ///< "ROOTTASK": none
  std::string outcome;
  task_body body;

  task_type type() const { return static_cast<task_type>(body.index()); }
  task_head head() const { return {name, type(), author, prereq, outcome}; }
  bool operator==(const task_definition&) const = default;
};

/// Reads the text of a task file; `name` is the file's, for messages.
reading<task_definition> read_task(std::string_view text, std::string_view name);

/// The longest line that body_lines makes, in bytes.
inline constexpr std::size_t body_line_bytes_max = 79;

/// The body as it goes on the chain and as GET TASK BODY shows it: YAML with sorted keys, "---" first.
std::vector<std::string> body_lines(const task_definition& task);

/// A task from what the chain has of it. Lines in messages count from 0, as GET TASK BODY does. Not only what
/// body_lines made is taken: people append lines of their own.
reading<task_definition> task_of(const task_head& head, std::span<const std::string> lines);

} // namespace swarm::tasks
