#pragma once

#include "base/bytes.hpp"

#include <filesystem>

namespace swarm {

enum class disk_change_kind { create, write, resize, sync, rename, remove, sync_folder };

/// One change to a disk that was made by way of base/file.hpp.
struct disk_change {
  disk_change_kind kind;
  const std::filesystem::path& path;
  const std::filesystem::path* to = nullptr; ///< rename: the new name
  std::uint64_t offset = 0;                  ///< write
  bytes_view data = {};                      ///< write
  std::uint64_t size = 0;                    ///< resize
};

/// For tests of what a power cut leaves: it is told of every change, on the thread that made it,
/// right after it.
class disk_observer {
public:
  virtual ~disk_observer() = default;
  virtual void on_change(const disk_change& change) = 0;
};

/// Sets the observer, or none with null. It must live until all writing has ended or another one is set.
void observe_disk(disk_observer* who);

} // namespace swarm
