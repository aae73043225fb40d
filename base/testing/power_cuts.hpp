#pragma once

#include "base/testing/disk_record.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace swarm::testing {

inline constexpr std::array<std::string_view, loss_count> loss_names{
    "everything unsynced is lost", "nothing is lost",        "unsynced content is lost",
    "unsynced entries are lost",   "the last write is torn", "unsynced content is zeros",
    "each file keeps some writes"};

/// Which instants and losses to try: all of them with `SWARM_POWER_LOSS=all`, else a sample in which every
/// kind of loss occurs.
class cut_plan {
public:
  explicit cut_plan(std::size_t stride) : stride_(everything() ? 1 : stride) {}
  static bool everything() {
    const char* wish = std::getenv("SWARM_POWER_LOSS");
    return wish != nullptr && std::string_view(wish) == "all";
  }
  bool takes() { return serial_++ % stride_ == 0; }

private:
  std::size_t stride_;
  std::size_t serial_ = 0;
};

/// The last changes before a cut, to explain a failure.
inline std::string changes_before(const disk_record& disk, std::size_t at) {
  std::string out;
  for (auto i = at < 60 ? 0 : at - 60; i < at; ++i)
    out += fmt::format("{}: {}\n", i, disk.describe(i));
  return out;
}

/// Cuts the power at the instants of `disk` that the plan chooses, puts what is left into `dir`, and calls
/// `check(changes made so far, dir)`. Returns how many cuts were tried.
template <class Check>
std::size_t cut_everywhere(const disk_record& disk, const std::filesystem::path& dir, cut_plan& plan,
                           const Check& check) {
  disk_replay replay(disk);
  std::size_t cuts = 0;
  for (std::size_t at = 0; at <= disk.changes(); ++at) {
    replay.go_to(at);
    for (std::size_t kind = 0; kind < loss_count; ++kind) {
      if (!plan.takes()) continue;
      CAPTURE(at);
      INFO(changes_before(disk, at));
      CAPTURE(loss_names[kind]);
      replay.write(static_cast<loss>(kind), at, dir);
      check(at, dir);
      std::filesystem::remove_all(dir);
      ++cuts;
    }
  }
  return cuts;
}

} // namespace swarm::testing
