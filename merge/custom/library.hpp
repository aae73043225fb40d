#pragma once

#include "merge/methods/merge.hpp"

#include <chrono>
#include <filesystem>

/// Merge methods that are not ours: a shared library with the functions of swarm_merge.h, run in a process of
/// its own. What it can do to this process is to be slow or to fail; it runs as the same user and is not
/// locked in otherwise.
namespace swarm::merge {

inline constexpr std::uint64_t library_bytes_max = 64u << 20;

/// SHA-256 of a library file, as contracts agree on it.
result<hash32> library_digest(const std::filesystem::path& library);

struct library_limits {
  std::chrono::milliseconds start{10'000}; ///< to be loaded
  std::chrono::milliseconds part{10'000};  ///< for 32768 elements of all models
};

/// What makes the algorithm of a library whose digest is `digest`; every algorithm has a worker,
/// `swarm-merge-worker`, which lies where this program does. Errors: those of reading, errc::conflict for
/// another digest.
result<algorithm_maker> open_library(const std::filesystem::path& library, const hash32& digest,
                                     library_limits limits = {});

} // namespace swarm::merge
