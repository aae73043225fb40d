#pragma once

#include "actors/sl/rounds/contract_view.hpp"

#include <optional>

namespace swarm::rounds {

/// The weight of a check-in in the merge of `round_num`: its weightage, divided by one plus the number of
/// merges that its model has missed. A finished peer's model keeps its full weight, as it is meant to
/// stay as it is.
double merge_weight(const contracts::check_in_view& in, std::uint64_t round_num);

/// The mean over the peers that reported a loss that is a number; none when there is no such peer.
std::optional<double> mean_loss(const contract_view& view);

/// The next sync interval with adaptive sync: longer while the swarm's mean loss falls, shorter when it does
/// not, between a quarter and four times the interval the program asked for. In batches.
std::uint32_t adaptive_interval(std::uint32_t current, std::uint32_t asked, std::optional<double> loss_before,
                                double loss_now);

} // namespace swarm::rounds
