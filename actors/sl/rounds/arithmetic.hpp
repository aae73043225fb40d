#pragma once

#include "actors/sl/rounds/contract_view.hpp"
#include "base/clock.hpp"

#include <optional>

namespace swarm::rounds {

/// The weight of a check-in in the merge of `round_num`: its weightage, divided by one plus the number of
/// merges that its model has missed. A finished peer's model keeps its full weight, as it is meant to
/// stay as it is.
double merge_weight(const contracts::check_in_view& in, std::uint64_t round_num);

/// Whoever gives, takes or merges models does so at this rate at least, in bytes a second, or is passed over.
inline constexpr std::uint64_t model_rate_min = 64'000;

/// How long the leader of the closed round may take: a minute for those who do not answer, and the models at the
/// least rate; never more than `most`.
duration leader_time_max(const contract_view& view, duration most);

/// How long after the last merge `missing` are waited for as somebody of them keeps step with the others, whatever the grace:
/// four times as long as those took that are in, by the middle of the organisations, each by the middle of its own. None when
/// nobody of them does: they give no sign of life, have never been in, or took longer than that the last time.
std::optional<std::chrono::seconds> time_for_steady(const contract_view& view, const peer_list& missing);
inline constexpr std::uint32_t slower_at_most = 4;

/// How long after the end of a wait of all peers this one says so to the contract: one after the other, as a single one is
/// enough. The chain's clock may be behind this node's.
duration turn_to_end(const contract_view& view, const address& self);
/// And how long after that, if nothing came of it.
inline constexpr auto turn_again = std::chrono::seconds(2);

/// The means over the peers that reported a loss that is a number; none when there is no such peer.
std::optional<mean_report> mean_of_reports(const contract_view& view);

/// The next sync interval with adaptive sync: longer while the swarm's mean loss falls, shorter when it does
/// not, between a quarter and four times the interval the program asked for. In batches.
std::uint32_t adaptive_interval(std::uint32_t current, std::uint32_t asked, std::optional<double> loss_before,
                                double loss_now);

} // namespace swarm::rounds
