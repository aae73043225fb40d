#pragma once

#include "merge/store/model_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace swarm::merge {

/// A file descriptor that closes itself.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& from) noexcept {
    std::swap(fd_, from.fd_);
    return *this;
  }
  ~unique_fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// What a store shares with its writers; private to model_store.cpp and model_writer.cpp.
struct store_state {
  struct entry {
    std::uint64_t size = 0;
    std::optional<manifest> checked; ///< set once this process wrote the file or computed its digest
    std::weak_ptr<const model_file> mapped;
  };

  std::string directory;
  model_store::options limits;
  unique_fd lock;

  mutable std::mutex mutex;
  std::map<hash32, entry> models;
  std::uint64_t used = 0;     ///< bytes of `models`
  std::uint64_t reserved = 0; ///< bytes of writers under way
  std::uint64_t next_writer = 0;

  std::string path_of(const hash32& digest) const;
  /// Takes room for a writer, within the store's own limit.
  result<void> reserve(std::uint64_t size);
  void release(std::uint64_t size);
  /// The error for a disk without room for `size` bytes.
  tl::unexpected<error> no_room(std::uint64_t size) const;
  /// Removes the entry and its file. The mutex is held.
  bool drop(const hash32& digest);
  /// Maps a complete file whose manifest is known, and checks that it is a model.
  static result<std::shared_ptr<const model_file>> map(int fd, std::optional<manifest> known);
  /// Gives a finished file its name, unless the same model is there already. The writer's
  /// reservation becomes use.
  result<std::shared_ptr<const model_file>> publish(const std::string& temporary,
                                                    std::shared_ptr<const model_file> file);
};

} // namespace swarm::merge
