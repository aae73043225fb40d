#include "actors/sn_client/session/open_requests.hpp"

namespace swarm::session {

void open_requests::add(std::uint64_t first_id, std::size_t count, any_question what, time_point now,
                        std::vector<rpc_call> calls, ledger::known_witness_ptr has) {
  batches_.emplace(first_id + count - 1, batch{first_id, what, now, std::vector<boost::json::value>(count),
                                               count, std::move(calls), std::move(has)});
}

std::optional<open_requests::answered> open_requests::take(boost::json::value response) {
  const auto* object = response.if_object();
  const auto id = object != nullptr ? id_of(*object) : std::nullopt;
  if (!id) return std::nullopt;
  const auto found = batches_.lower_bound(*id);
  if (found == batches_.end() || *id < found->second.first_id) return std::nullopt;
  auto& its = found->second;
  auto& place = its.responses[*id - its.first_id];
  if (!place.is_null()) return std::nullopt;
  place = std::move(response);
  if (--its.missing > 0) return std::nullopt;
  answered out{its.what, std::move(its.responses), std::move(its.calls), std::move(its.has)};
  batches_.erase(found);
  return out;
}

std::optional<time_point> open_requests::oldest() const {
  if (batches_.empty()) return std::nullopt;
  return batches_.begin()->second.asked_at;
}

} // namespace swarm::session
