#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace swarm::testing {

/// A new folder that is removed, with all that is in it, with this object.
class temporary_folder {
public:
  explicit temporary_folder(const std::filesystem::path& in = std::filesystem::temp_directory_path()) {
    auto name = (in / "swarm-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder in " + in.string());
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

/// Where such folders are fast: in memory, where the system has such a file system.
inline std::filesystem::path memory_folder() {
  const std::filesystem::path fast = "/dev/shm";
  return std::filesystem::is_directory(fast) ? fast : std::filesystem::temp_directory_path();
}

} // namespace swarm::testing
