#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/file.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace swarm::managers {

/// The output of a program in files with bounds: `output.log` is written; when it is full it becomes `output.log.1`,
/// that one `output.log.2`, and the oldest goes. A disk that takes nothing costs lines and never stops the program:
/// what is lost is counted and told in the log as soon as there is room again.
class output_log {
public:
  /// Goes on after what is in the folder. Fails when the folder cannot be written.
  static result<output_log> open(std::filesystem::path folder, const output_bounds& bounds);

  void write(std::string_view text);
  /// A line of the shim's own.
  void note(std::string_view line);
  /// Deletes what was rotated, so that something smaller and more important finds room.
  void make_room();

private:
  output_log(std::filesystem::path folder, const output_bounds& bounds)
      : folder_(std::move(folder)), bounds_(bounds) {}

  result<> open_current();
  void rotate();
  bool append(std::string_view text);

  std::filesystem::path folder_;
  output_bounds bounds_;
  unique_fd current_;
  std::uint64_t size_ = 0;
  std::uint64_t lost_ = 0;
  bool at_line_start_ = true;
};

/// The last lines in such a folder, as `manager::last_lines` promises them; none when there is no output.
std::vector<std::string> last_lines_in(const std::filesystem::path& folder, std::size_t count);

/// The last lines of a text, fit to be shown: valid UTF-8 without control characters, of a line that was overwritten
/// (a progress bar) what stands in the end.
std::vector<std::string> last_lines_of(std::string_view text, std::size_t count);

/// Deletes the output files in `folder`, and nothing else.
void remove_output(const std::filesystem::path& folder);

} // namespace swarm::managers
