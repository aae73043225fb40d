#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What a SWOP tells SWCIs of its organisation of the host on which it starts programs. None of it is on the chain.
namespace swarm::swop {

inline constexpr std::string_view offer_target = "/host";
inline constexpr std::size_t offer_body_bytes_max = 16 * 1024;
inline constexpr std::size_t offer_gpus_max = 64;
inline constexpr std::size_t offer_text_bytes_max = 100; ///< of one text

inline constexpr std::size_t offer_sns_max = 16;

/// An SN that RUN_NODE tasks may start here.
struct offered_sn {
  std::string name;
  bool runs = false;
  std::uint64_t since_ms = 0; ///< since 1970: it runs, or has ended; 0: it never ran, or nobody knows
  std::string ended;          ///< how it has ended by itself, in words
  bool operator==(const offered_sn&) const = default;
};

/// Numbers are 0 where they cannot be found out. Where programs run elsewhere (Slurm) it is the SWOP's host all the same.
struct host_offer {
  std::uint64_t cores = 0; ///< that this process may use
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_free_bytes = 0; ///< that programs may have without others being swapped out
  std::uint64_t disk_bytes = 0;        ///< where data of programs is
  std::uint64_t disk_free_bytes = 0;
  std::vector<std::string> gpus; ///< models, as NVIDIA's driver names them
  std::string engine;            ///< what starts programs: PROCESS, DOCKER, SLURM
  std::string version;           ///< of the SWOP's swarmd; empty: it does not say
  std::vector<offered_sn> sns;
  bool operator==(const host_offer&) const = default;
};

/// Of this host. `data`: a folder on the disk that is meant; `proc`: where the kernel tells of itself.
host_offer read_offer(const std::filesystem::path& data, std::string engine,
                      const std::filesystem::path& proc = "/proc");

/// As JSON, within the bounds above.
std::string encode_offer(const host_offer& from);
/// Believes nothing: what breaks a bound fails with errc::limit, what is anything else with errc::invalid.
result<host_offer> decode_offer(std::string_view text);

} // namespace swarm::swop
