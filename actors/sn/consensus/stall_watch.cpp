#include "actors/sn/consensus/stall_watch.hpp"

#include <fmt/format.h>

namespace swarm::actors {

namespace {

/// What every operator is to do. It is the same on every SN, as they have to do it together.
std::string remedy(std::uint64_t block_num) {
  return fmt::format("Start all SNs that are down. If validators keep silent since the record of their votes "
                     "is missing (their "
                     "own status says so), compare the heads of all SNs, also of those that are down "
                     "(swarm-inspect chain): once "
                     "all are connected and none has block {}, stop each of those validators, run "
                     "swarm-inspect --data-dir DIR "
                     "re-enter --block {} for it, and start it again. If any validator has re-entered at "
                     "this block before (reentries of "
                     "swarm-inspect chain), all add --round 200000, the third time 300000",
                     block_num, block_num);
}

std::string who_speaks(const consensus::machine_status& now, std::size_t speak, std::size_t validators) {
  auto out = fmt::format("{} of {} validators speak, {} are needed", speak, validators, now.quorum);
  for (const auto& who : now.silent_validators)
    out += fmt::format(", nothing from {}", to_hex(who.view()));
  if (now.silent) out += ", and this validator keeps silent itself";
  return out;
}

} // namespace

bool stall_watch::look(const consensus::machine_status& now, std::size_t validators, time_point at) {
  const auto missing = now.silent_validators.size() + (now.silent ? 1 : 0);
  const auto speak = validators - std::min(missing, validators);
  const bool waits = (now.work || now.active) && !now.decided;
  // Who is no validator hears no votes, and only sees that no block comes.
  const bool stands = waits && (!now.validator || speak < now.quorum);
  if (!stands || now.block_num != block_num_) {
    block_num_ = now.block_num;
    since_ = stands ? std::optional(at) : std::nullopt;
    told_ = false;
    text_.clear();
    return false;
  }
  if (!since_) since_ = at;
  if (at - *since_ < patience) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at - *since_).count();
  text_ =
      fmt::format("the chain stands still: work has waited for block {} for {} s", now.block_num, seconds);
  text_ +=
      now.validator ? "; " + who_speaks(now, speak, validators) : ", and no quorum of validators decides it";
  text_ += ". " + remedy(now.block_num);
  return !std::exchange(told_, true);
}

} // namespace swarm::actors
