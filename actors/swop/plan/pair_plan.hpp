#pragma once

#include "actors/swop/messages.hpp"
#include "actors/swop/swop_context.hpp"

namespace swarm::actors {

/// The two programs of a pair, as the profile's node and the task want them.
struct pair_plan {
  std::uint16_t node = 0; ///< its idx in the profile
  managers::program_spec sl, ml;
  std::filesystem::path admin_socket; ///< of the SL, on this host
};

/// Why a RUN_SWARM cannot begin on this host.
enum class plan_errc {
  path_not_allowed = 1,
  path_missing,
  volume_missing,
  prerequisite_missing,
  task_not_valid,
  needs_container_engine,
  disk_failed,
};
constexpr std::string_view error_category(plan_errc) {
  return "plan";
}

/// The pairs of a part, in the order of the profile's nodes; makes their folders. `order.definition` is a RUN_SWARM.
result<std::vector<pair_plan>> plan_pairs(const swop_context& context, const part_order& order);

/// What the programs of a part are called, and the reverse.
std::string program_name(const swop::part_id& part, std::uint32_t index, swop::program_kind kind);
std::string sn_program_name(const swop::part_id& part, std::string_view node);
struct named_program {
  swop::part_id part;
  std::uint32_t index = 0; ///< of its pair
  std::string node;        ///< of an SN: its name in the profile. It outlives its part
  swop::program_kind kind = swop::program_kind::sl;
};
std::optional<named_program> parse_program_name(std::string_view name);

/// Where a part keeps what its programs share until it is over.
std::filesystem::path part_folder(const swop_context& context, const swop::part_id& part);
/// All that there are, for those whose parts are over.
std::vector<std::filesystem::path> part_folders(const swop_context& context);

} // namespace swarm::actors
