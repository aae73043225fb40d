#include "contracts/taskrunner/codes.hpp"

#include <array>

namespace swarm::contracts {

namespace {

struct code_words {
  std::string_view text;
  std::string_view number; ///< what the number beside the code counts
};

constexpr std::array<std::string_view, 5> state_names{"IDLE", "ENROLLING", "RUNNING", "COMPLETE", "ERROR"};
constexpr std::array<std::string_view, 3> mode_names{"WITH PEERS", "WITH ALL PEERS", "TARGET"};
constexpr std::array<std::string_view, 5> status_names{"NONE", "INVITED", "ACTIVE", "COMPLETE", "FAILED"};
constexpr std::array<code_words, 18> step_words{{{"enrolled", ""},
                                                 {"waiting for the prerequisite", ""},
                                                 {"preparing volumes", ""},
                                                 {"pulling the image", ""},
                                                 {"building", "step"},
                                                 {"downloading", "MiB"},
                                                 {"extracting", ""},
                                                 {"starting SL", ""},
                                                 {"waiting for SL", ""},
                                                 {"starting ML", ""},
                                                 {"waiting for ML to open its session", ""},
                                                 {"training", "round"},
                                                 {"waiting for peers", "round"},
                                                 {"waiting for ML to end", ""},
                                                 {"ended", ""},
                                                 {"stopping", ""},
                                                 {"starting SN", ""},
                                                 {"waiting for SN to be a member", "block"}}};
constexpr std::array<code_words, 28> failure_words{{{"none", ""},
                                                    {"the program exited", "exit code"},
                                                    {"the program was killed", "signal"},
                                                    {"out of memory", ""},
                                                    {"SL exited", "exit code"},
                                                    {"the program cannot be started", ""},
                                                    {"the host forbids sandboxes", ""},
                                                    {"a path is not allowed", ""},
                                                    {"a path is missing", ""},
                                                    {"a volume is missing", ""},
                                                    {"the prerequisite is missing", ""},
                                                    {"the task is not valid", ""},
                                                    {"the task needs a container engine", ""},
                                                    {"the build failed", "step"},
                                                    {"the download failed", "HTTP status"},
                                                    {"the content is too large", ""},
                                                    {"the content has another checksum", ""},
                                                    {"the archive is broken or leaves its folder", ""},
                                                    {"the disk failed", ""},
                                                    {"a GPU is missing", ""},
                                                    {"the time limit was reached", "seconds"},
                                                    {"the processes were lost", ""},
                                                    {"the SWOP was stopped", ""},
                                                    {"the SWOP failed", ""},
                                                    {"the SWOP listens no longer", ""},
                                                    {"the SWOP's policy does not take it", ""},
                                                    {"the SWOP's profile offers no such node", ""},
                                                    {"the node's certificate is refused", ""}}};

template <class Code>
constexpr std::size_t codes() {
  return static_cast<std::size_t>(last_value(Code{})) + 1;
}
static_assert(state_names.size() == codes<taskrunner_state>() && mode_names.size() == codes<assign_mode>()
              && status_names.size() == codes<part_status>() && step_words.size() == codes<task_step>()
              && failure_words.size() == codes<task_failure>());

} // namespace

std::string_view to_string(taskrunner_state state) {
  return state_names.at(static_cast<std::size_t>(state));
}
std::string_view to_string(assign_mode mode) {
  return mode_names.at(static_cast<std::size_t>(mode));
}
std::string_view to_string(part_status status) {
  return status_names.at(static_cast<std::size_t>(status));
}
std::string_view to_string(task_step step) {
  return step_words.at(static_cast<std::size_t>(step)).text;
}
std::string_view to_string(task_failure failure) {
  return failure_words.at(static_cast<std::size_t>(failure)).text;
}
std::string_view number_word(task_step step) {
  return step_words.at(static_cast<std::size_t>(step)).number;
}
std::string_view number_word(task_failure failure, std::uint64_t number) {
  if (failure == task_failure::download_failed && number < 100) return "curl code";
  return failure_words.at(static_cast<std::size_t>(failure)).number;
}

} // namespace swarm::contracts
