#include "actors/sn/rpc/filters.hpp"

#include <algorithm>

namespace swarm::rpc {

std::optional<std::uint64_t> filter_table::add(filter made, time_point now) {
  expire(now);
  std::size_t of_client = 0, of_organisation = 0;
  for (const auto& [id, other] : filters_) {
    of_client += other.of.client == made.of.client;
    of_organisation += other.of.organisation == made.of.organisation;
  }
  if (filters_.size() >= limits_.all_max || of_client >= limits_.client_max
      || of_organisation >= limits_.organisation_max)
    return std::nullopt;
  made.asked_at = now;
  const auto id = next_id_++;
  filters_.emplace(id, std::move(made));
  return id;
}

filter_table::filter* filter_table::find(std::uint64_t id, const hash32& client, time_point now) {
  const auto found = filters_.find(id);
  if (found == filters_.end() || found->second.of.client != client) return nullptr;
  if (now - found->second.asked_at > limits_.idle_max) {
    filters_.erase(found);
    return nullptr;
  }
  found->second.asked_at = now;
  return &found->second;
}

bool filter_table::remove(std::uint64_t id, const hash32& client) {
  const auto found = filters_.find(id);
  if (found == filters_.end() || found->second.of.client != client) return false;
  filters_.erase(found);
  return true;
}

void filter_table::expire(time_point now) {
  std::erase_if(filters_, [&](const auto& entry) { return now - entry.second.asked_at > limits_.idle_max; });
}

} // namespace swarm::rpc
