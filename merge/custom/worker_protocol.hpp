#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

/// What a process that merges and the worker that runs a library for it agree on. Both are of one build, on
/// one host.
namespace swarm::merge::worker {

// The worker's descriptors.
inline constexpr int socket_fd = 3;  ///< a packet each way for every part
inline constexpr int memory_fd = 4;  ///< weights, inputs, output
inline constexpr int library_fd = 5; ///< what the merging process has read and hashed

inline constexpr std::size_t elements_max = 32768; ///< of one part
inline constexpr std::size_t element_bytes_max = 8;
inline constexpr std::size_t stride = elements_max * element_bytes_max;

/// The first packet comes from the worker, with part 0, once the library is loaded.
struct request {
  std::uint32_t dtype = 0;
  std::uint32_t count = 0;
};
enum class outcome : std::int32_t { done, no_library, no_function, other_abi, refused };
struct answer {
  outcome what = outcome::done;
  std::int32_t code = 0; ///< what the library returned, when it refused
};

/// The shared memory: the weights, padded to a cache line, then an input for each model, then the output.
constexpr std::size_t weights_bytes(std::size_t models) {
  return (models * sizeof(double) + 63) / 64 * 64;
}
constexpr std::size_t input_at(std::size_t models, std::size_t model) {
  return weights_bytes(models) + model * stride;
}
constexpr std::size_t memory_bytes(std::size_t models) {
  return input_at(models, models + 1);
}

} // namespace swarm::merge::worker
