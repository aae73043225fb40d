#pragma once

#include "actors/swop/plan/pair_plan.hpp"

namespace swarm::actors {

/// Where an SN that tasks start has its data and its log, until somebody deletes them.
struct sn_folders {
  std::filesystem::path data, log;
  std::filesystem::path admin_socket() const { return data / "admin.sock"; }
};
sn_folders folders_of_sn(const swop_context& context, const std::string& name);

/// The SN as a program, begun by this part: it joins the chain of this SWOP by the SN that this SWOP talks to. Makes its
/// folders. Fails with task_failure::certificate_refused where its certificate is of another organisation than this
/// SWOP's or for another role, with node_not_offered where the profile lacks something.
result<managers::program_spec> plan_sn(const swop_context& context, const tasks::sn_definition& what,
                                       const swop::part_id& part);

/// A program that is an SN, and what its name says.
struct sn_program {
  named_program name;
  managers::program program;
  bool runs() const { return program.phase != managers::program_phase::ended; }
};
std::vector<sn_program> sn_programs(managers::manager& from);
/// The one that runs, of several; else the one that ended last.
std::optional<sn_program> find_sn_program(managers::manager& in, std::string_view node);

/// Where an SN stands, as it says on its admin socket; what it does not say is nothing.
struct sn_standing_seen {
  bool is_member = false;
  std::string state; ///< of its membership, for people
  std::uint64_t block_num = 0;
};
sn_standing_seen look_at_sn(const std::filesystem::path& admin_socket);

} // namespace swarm::actors
