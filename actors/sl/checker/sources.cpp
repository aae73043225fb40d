#include "actors/sl/checker/sources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::actors {

std::vector<rounds::holder> holders_of(const rounds::check_task& task, const rounds::merge_input& input) {
  std::vector<rounds::holder> out{{input.peer, input.endpoint}};
  const bool has_leader = !task.makes && task.shards.empty();
  if (has_leader && input.peer != task.leader.peer) out.push_back(task.leader);
  return out;
}

bool retries::go_on(time_point now, bool ended) {
  if (!since_) since_ = now;
  return now - *since_ < (ended ? tries_for_ended_ : tries_for_);
}

void try_unheard(const std::shared_ptr<const sl_context>& context,
                 const std::shared_ptr<fetch_counters>& counters,
                 const std::vector<rounds::merge_input>& peers,
                 const std::function<void(unheard_tried)>& tell) {
  for (const auto& one : peers)
    fetch_model_async(context, counters, {one.digest, one.size, {{one.peer, one.endpoint}}},
                      [tell, peer = one.peer](const result<hash32>& outcome) {
                        tell({peer, outcome.has_value()});
                      });
}

rounds::check_outcome gives_its_model(const std::vector<rounds::merge_input>& peers, const address& who) {
  const auto found = std::ranges::find(peers, who, &rounds::merge_input::peer);
  return {rounds::check_outcome::wrong_exclusion, 0, who,
          fmt::format("{} gives its model", found == peers.end() ? "somebody" : found->name)};
}

} // namespace swarm::actors
