#pragma once

#include "actors/sl/sl_context.hpp"

#include <fmt/format.h>

#include <array>

/// What the actors that work for the follower are called.
namespace swarm::actors {

inline constexpr std::array worker_prefixes{sl_names::leader_prefix, sl_names::beside_prefix,
                                            sl_names::check_prefix, sl_names::shard_prefix};

inline std::string leader_name(std::uint64_t round_num, std::uint32_t term) {
  return fmt::format("{}{}.{}", sl_names::leader_prefix, round_num, term);
}

/// Of a merge that is made while another node leads.
inline std::string beside_name(std::uint64_t round_num, std::uint32_t term) {
  return fmt::format("{}{}.{}", sl_names::beside_prefix, round_num, term);
}

/// Of a run of a merge.
inline std::string shard_name(std::uint64_t id) {
  return fmt::format("{}{}", sl_names::shard_prefix, id);
}

inline std::string check_name(std::uint64_t id) {
  return fmt::format("{}{}", sl_names::check_prefix, id);
}

} // namespace swarm::actors
