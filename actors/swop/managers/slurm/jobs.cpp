#include "actors/swop/managers/slurm/jobs.hpp"

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/build/child.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace swarm::managers::slurm {

namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;

/// All of this process's: Slurm's commands have many variables.
std::map<std::string, std::string, std::less<>> own_environment() {
  std::map<std::string, std::string, std::less<>> out;
  for (auto** each = environ; *each != nullptr; ++each) {
    const std::string_view text(*each);
    if (const auto at = text.find('='); at != std::string_view::npos)
      out.emplace(text.substr(0, at), text.substr(at + 1));
  }
  return out;
}

/// What a command writes; fails when it does not end well.
result<std::string> said_by(std::vector<std::string> words, const std::stop_token& stop = {}) {
  const auto command = words.front();
  std::string out;
  const auto ended = build::run_child(
      {.words = std::move(words), .environment = own_environment(), .folder = "/"},
      {.deadline = std::chrono::steady_clock::now() + patience}, stop, [&](std::string_view line) {
        if (out.size() < output_bytes_max) out.append(line).push_back('\n');
      });
  if (!ended && ended.error().is(build::child_errc::out_of_time))
    return fail(manager_errc::timeout, "{}: Slurm has not answered within {} s; is slurmctld up?", command,
                patience.count());
  if (!ended)
    return fail(manager_errc::not_installed,
                "{}: {}; mgrtype SLURM needs the commands of Slurm (slurm-client) on this host", command,
                ended.error().message);
  if (ended->exit_code != 0)
    return fail(manager_errc::io, "{}: {}", command,
                ended->last_line.empty() ? fmt::format("exit code {}", ended->exit_code) : ended->last_line);
  return out;
}

} // namespace

job_states read_jobs(std::string_view text) {
  job_states out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto at = line.find('|');
    const auto name_at = line.find('|', at + 1);
    if (at == std::string_view::npos || at == 0 || name_at == std::string_view::npos) continue;
    out[std::string(line.substr(name_at + 1))] = {std::string(line.substr(0, at)),
                                                  std::string(line.substr(at + 1, name_at - at - 1))};
  }
  return out;
}

bool is_live(std::string_view state) {
  constexpr std::array<std::string_view, 10> over{"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE",
                                                  "FAILED",    "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
                                                  "REVOKED",   "TIMEOUT"};
  return std::ranges::find(over, state) == over.end();
}

bool is_waiting(std::string_view state) {
  return state == "PENDING";
}

std::vector<partition> read_partitions(std::string_view text) {
  std::vector<partition> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (std::ranges::count(line, '|') != 4) continue;
    const auto next = [&line] {
      const auto word = line.substr(0, line.find('|'));
      line.remove_prefix(std::min(word.size() + 1, line.size()));
      return word;
    };
    partition one;
    auto name = next();
    one.is_default = name.ends_with('*');
    if (one.is_default) name.remove_suffix(1);
    one.name = name;
    one.is_up = next() == "up";
    const auto count = next();
    if (std::from_chars(count.data(), count.data() + count.size(), one.nodes).ec != std::errc{}) continue;
    one.state = next();
    one.host = line;
    out.push_back(std::move(one));
  }
  return out;
}

bool takes_jobs(std::string_view node_state) {
  constexpr std::array<std::string_view, 6> good{"idle", "mix", "alloc", "comp", "plnd", "idle~"};
  return std::ranges::find(good, node_state) != good.end();
}

result<std::vector<partition>> partitions() {
  SWARM_TRY(const auto said, said_by({"sinfo", "--noheader", "--format=%P|%a|%D|%t|%n"}));
  return read_partitions(said);
}

result<std::string> version() {
  SWARM_TRY(auto said, said_by({"sbatch", "--version"}));
  while (!said.empty() && said.back() <= ' ')
    said.pop_back();
  return said;
}

result<> check_scheduler() {
  SWARM_TRY(const auto nodes, said_by({"sinfo", "--noheader", "--format=%D"}));
  if (nodes.empty())
    return fail(manager_errc::forbidden, "Slurm has no nodes for this user: ask who runs it");
  return {};
}

result<> submit(const job_request& what) {
  // The one variable keeps all others of this process out of the job, and a login shell, too.
  std::vector<std::string> words{"sbatch",
                                 "--parsable",
                                 "--no-requeue",
                                 "--nodes=1",
                                 "--ntasks=1",
                                 "--export=SWARM_JOB=1",
                                 "--chdir=/",
                                 "--job-name=" + what.name,
                                 "--comment=swarmd",
                                 "--output=" + what.output.native(),
                                 what.script.native()};
  words.insert(words.end(), what.arguments.begin(), what.arguments.end());
  SWARM_TRY(const auto said, said_by(std::move(words)));
  std::ignore = said;
  return {};
}

result<job_states> jobs_named(std::string_view prefix, const std::stop_token& stop) {
  SWARM_TRY(const auto said,
            said_by({"squeue", "--me", "--noheader", "--states=all", "--format=%T|%N|%j"}, stop));
  auto out = read_jobs(said);
  std::erase_if(out, [&](const auto& each) { return !each.first.starts_with(prefix); });
  return out;
}

result<> cancel(const std::string& name) {
  SWARM_TRY(const auto said, said_by({"scancel", "--me", "--quiet", "--name=" + name}));
  std::ignore = said;
  return {};
}

} // namespace swarm::managers::slurm
