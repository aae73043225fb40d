#include "actors/swop/managers/kubernetes/api.hpp"
#include "actors/swop/managers/slurm/jobs.hpp"
#include "tools/swarmd/doctor/look/look.hpp"
#include "tools/swarmd/doctor/look/within.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace swarm::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds cluster_max{15'000};

/// What a SWOP does in its namespace, as deploy/kubernetes/swop/role.yaml allows it.
struct right {
  std::string_view verb, group, resource;
};
constexpr std::array<right, 10> rights{{{"create", "batch", "jobs"},
                                        {"delete", "batch", "jobs"},
                                        {"get", "batch", "jobs"},
                                        {"list", "batch", "jobs"},
                                        {"delete", "", "pods"},
                                        {"get", "", "pods"},
                                        {"list", "", "pods"},
                                        {"watch", "", "pods"},
                                        {"get", "", "pods/log"},
                                        {"create", "", "secrets"}}};

/// File systems of one host alone, by their magic numbers (statfs(2)).
std::string local_disk_at(fs::path dir) {
  struct statfs at {};
  while (::statfs(dir.c_str(), &at) != 0)
    if (!dir.has_relative_path() || dir == dir.parent_path())
      return {};
    else
      dir = dir.parent_path();
  switch (static_cast<std::uint32_t>(at.f_type)) {
  case 0xef53:
    return "ext4";
  case 0x01021994:
    return "tmpfs";
  case 0x58465342:
    return "xfs";
  case 0x9123683e:
    return "btrfs";
  case 0x794c7630:
    return "overlay";
  default:
    return {};
  }
}

bool is_this_host(const std::string& name) {
  std::array<char, 256> own{};
  return name == "localhost" || (::gethostname(own.data(), own.size() - 1) == 0 && name == own.data());
}

slurm_facts slurm_seen() {
  slurm_facts out;
  const auto version = managers::slurm::version();
  const auto all = version ? managers::slurm::partitions() : tl::unexpected(version.error());
  if (!all) {
    out.trouble = all.error().message;
    return out;
  }
  out.version = *version;
  if (const auto* wanted = std::getenv("SBATCH_PARTITION")) out.wanted = wanted;
  for (const auto& each : *all) {
    if (out.wanted.empty() ? !each.is_default : each.name != out.wanted) continue;
    out.found = true;
    out.partition = each.name;
    out.is_up = each.is_up;
    out.nodes += each.nodes;
    if (!is_this_host(each.host)) out.is_this_host = false;
    if (managers::slurm::takes_jobs(each.state)) out.ready += each.nodes;
  }
  return out;
}

pods_facts pods_seen(const kubernetes::api& api) {
  pods_facts out;
  out.server = api.server();
  out.name_space = api.place().name_space;
  for (const auto& [verb, group, resource] : rights) {
    const auto may = api.may(verb, group, resource);
    if (!may) {
      out.trouble = may.error().message;
      return out;
    }
    if (!*may) out.forbidden.push_back(fmt::format("{} {}", verb, resource));
  }
  return out;
}

} // namespace

slurm_facts look_at_slurm(const fs::path& data_dir) {
  auto seen = within(cluster_max, slurm_seen);
  if (!seen) seen.emplace().trouble = "sinfo: Slurm does not answer; is slurmctld up?";
  std::error_code ignored;
  seen->data_dir = fs::absolute(data_dir, ignored).native();
  seen->local_disk = local_disk_at(seen->data_dir);
  return *seen;
}

pods_facts look_at_pods(const tasks::cluster_locator& where) {
  pods_facts none;
  const auto place = kubernetes::find_api({.server = where.server,
                                           .token_file = where.token_file,
                                           .ca_file = where.ca_file,
                                           .name_space = where.name_space});
  if (!place) {
    none.trouble = place.error().message;
    return none;
  }
  const kubernetes::api api(*place);
  if (auto seen = within(cluster_max, [api] { return pods_seen(api); })) return *seen;
  none.trouble = fmt::format("{}: the API server does not answer", api.server());
  return none;
}

} // namespace swarm::doctor
