#include "tools/swarmd/doctor/judge/judge.hpp"

#include <fmt/format.h>

namespace swarm::doctor {

namespace {

line partition_line(const slurm_facts& of) {
  constexpr const char* check = "scheduler";
  const std::string remedy = "name another partition with SBATCH_PARTITION, or ask who runs the cluster";
  if (!of.found)
    return {check, verdict::wrong,
            of.wanted.empty() ? "Slurm has no default partition for this user"
                              : fmt::format("Slurm has no partition {} for this user", of.wanted),
            remedy};
  if (!of.is_up)
    return {check, verdict::wrong, fmt::format("the partition {} takes no jobs", of.partition), remedy};
  if (of.ready == 0)
    return {check, verdict::wrong,
            fmt::format("none of the {} nodes of the partition {} is ready", of.nodes, of.partition), remedy};
  return {
      check,
      verdict::ok,
      fmt::format("{}, partition {}: {} of {} nodes are ready", of.version, of.partition, of.ready, of.nodes),
      {}};
}

} // namespace

lines judge_slurm(const slurm_facts& of) {
  if (!of.trouble.empty())
    return {{"scheduler", verdict::wrong, of.trouble,
             "install slurm-client, name its configuration with SLURM_CONF, or ask who runs the cluster"}};
  lines out{partition_line(of)};
  if (!of.local_disk.empty() && !of.is_this_host)
    out.push_back(
        {"shared-folder", verdict::warning,
         fmt::format("{} is on {}, a disk of this host alone, as it seems: jobs on other nodes do not "
                     "find their programs there",
                     of.data_dir, of.local_disk),
         "name a --data-dir in a folder that all nodes have under the same path"});
  return out;
}

lines judge_pods(const pods_facts& of) {
  constexpr const char* check = "api-server";
  if (!of.trouble.empty())
    return {{check, verdict::wrong, of.trouble,
             "correct server, tokenfile, cafile and namespace under cluster in the profile's resourcemgr"}};
  if (of.forbidden.empty())
    return {{check,
             verdict::ok,
             fmt::format("{} answers, and lets a SWOP work in the namespace {}", of.server, of.name_space),
             {}}};
  std::string list;
  for (const auto& each : of.forbidden)
    list += (list.empty() ? "" : ", ") + each;
  return {
      {"rights", verdict::wrong,
       fmt::format("{} does not let this account do in the namespace {}: {}", of.server, of.name_space, list),
       fmt::format("kubectl --namespace {} apply -f deploy/kubernetes/swop/role.yaml, and bind it to the "
                   "account",
                   of.name_space)}};
}

} // namespace swarm::doctor
