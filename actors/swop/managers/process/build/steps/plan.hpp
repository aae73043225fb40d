#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace swarm::build {

using variables = std::map<std::string, std::string, std::less<>>;

/// One word of a pip command. A word that names a file has `path`, absolute in the image; what stands behind it, such as
/// the extras "[tf]", is `text`.
struct pip_word {
  std::string path;
  std::string text;
};

struct pip_install {
  std::vector<pip_word> words;
  std::string folder;    ///< in which pip runs
  variables environment; ///< ENV, ARG and what the command sets itself
};

/// COPY: files of the build context, patterns allowed, to a place in the image.
struct copy_files {
  std::vector<std::string> sources; ///< relative to the context
  std::string target;
  bool into_folder = false; ///< the target is a folder, whatever the sources are
};

struct make_folders_step {
  std::vector<std::string> paths;
};

struct write_text {
  std::string path;
  std::string text;
};

using action = std::variant<pip_install, copy_files, make_folders_step, write_text>;

struct step {
  std::size_t line = 0; ///< item of BuildSteps, from 1
  std::string shown;    ///< for messages; no credentials
  action what;
};

/// What to do for a MAKE_USER_CONTAINER task where there are no images. "The image" is a folder: absolute paths of the
/// steps stand for paths below it.
struct plan {
  std::string python_version; ///< "3.9" or "3" if FROM names one
  std::vector<step> steps;
  variables environment;             ///< ENV, for the training program
  std::string folder = "/";          ///< WORKDIR
  std::vector<std::string> notes;    ///< what is left out, a line each
  std::vector<std::string> refusals; ///< what cannot be done, a line each; then nothing is done at all
};

/// Reads the BuildSteps of a task with the BuildType INLINE: a Dockerfile, an item for each line.
plan read_dockerfile(const std::vector<std::string>& items);

/// The same for the BuildType VENV: an item for each line of a requirements file. `has_context`: files named there
/// are those of the build context.
plan read_requirements(const std::vector<std::string>& items, bool has_context);

} // namespace swarm::build
