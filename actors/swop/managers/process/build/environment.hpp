#pragma once

#include "actors/swop/managers/process/build/child.hpp"
#include "actors/swop/managers/process/build/steps/plan.hpp"

#include <optional>

namespace swarm::build {

enum class build_errc {
  needs_engine = 1, ///< a step has no meaning without images
  no_python,        ///< the host's Python cannot make environments
  missing_file,     ///< COPY names what the build context does not have
  failed,           ///< pip ended with an error
  stopped,
  out_of_time,
  no_environment, ///< none of that name was built
};
constexpr std::string_view error_category(build_errc) {
  return "build";
}

struct build_request {
  std::string name; ///< the task's Outcome
  plan steps;
  std::string source; ///< BuildType and BuildSteps as they are: the same ones are not built twice
  std::optional<std::filesystem::path> context;
  std::string context_name;           ///< for messages
  std::filesystem::path environments; ///< below SWOP's data directory
  std::filesystem::path python = "/usr/bin/python3";
  /// For programs that are run: PATH, HOME, proxies, pip's variables.
  variables host_variables;
  /// The client package that comes with swarmd, a wheel, for COPYs of one that the context lacks.
  std::optional<std::filesystem::path> client_package;
  std::chrono::seconds time_max{3600};
  /// What `host_variables` name and programs have to read: files of pip's settings, folders of packages.
  std::vector<std::filesystem::path> readable;
  /// Which step begins, by the number of its line.
  std::function<void(std::size_t)> on_step;
  /// Puts a program that runs code of packages into a sandbox, see confine.hpp; none: it runs as it is.
  std::function<result<child_command>(child_command)> confine;
};

/// What stands for a user's image where there are no images.
struct built_environment {
  std::filesystem::path python; ///< runs the training program
  std::filesystem::path folder; ///< with all that belongs to it: "venv" and "root"
  std::filesystem::path root;   ///< files that the steps made: "/a" of the image is "a" in here
  variables environment;        ///< ENV
  std::string working_folder;   ///< WORKDIR, a path of the image
};

using on_build_line = std::function<void(std::string_view)>;

/// Makes a Python virtual environment and what goes with it, under the task's Outcome, in place of what was built
/// before. Does nothing when the same steps, with the same files and the same Python, were built already. A
/// failure, and a SWOP that is killed in the middle, leave the old one. Blocks; ends soon after `stop` is requested.
/// One call at a time for each name.
result<built_environment> build_environment(const build_request& what, const std::stop_token& stop,
                                            const on_build_line& on_line);

/// What was built under a name.
result<built_environment> find_environment(const std::filesystem::path& environments, std::string_view name);

} // namespace swarm::build
