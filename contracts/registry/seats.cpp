#include "contracts/registry/seats.hpp"

#include "ledger/formats/seal.hpp"

#include <algorithm>
#include <map>

namespace swarm::contracts {

using ledger::seal_quorum;

namespace {

/// The number of liars that so many seats survive.
constexpr std::size_t faults_tolerated(std::size_t seats) {
  return seats == 0 ? 0 : (seats - 1) / 3;
}

using counts = std::map<std::uint16_t, std::size_t>;

counts counts_of(const std::vector<seat_candidate>& candidates) {
  counts out;
  for (const auto& each : candidates)
    ++out[each.organisation];
  return out;
}

/// Whether nobody has too much power when each organisation has at most `most` seats.
bool is_safe(const counts& wanted, std::size_t most) {
  std::size_t seats = 0, largest = 0;
  for (const auto& [organisation, count] : wanted) {
    seats += std::min(count, most);
    largest = std::max(largest, std::min(count, most));
  }
  if (wanted.size() >= 4) return largest <= faults_tolerated(seats);
  if (wanted.size() == 3) return seats - largest >= seal_quorum(seats);
  return largest < seal_quorum(seats);
}

} // namespace

std::size_t seats_per_organisation(const std::vector<seat_candidate>& candidates) {
  const auto wanted = counts_of(candidates);
  std::size_t largest = 0, smallest = candidates.size();
  for (const auto& [organisation, count] : wanted) {
    largest = std::max(largest, count);
    smallest = std::min(smallest, count);
  }
  if (wanted.size() < 2 || (wanted.size() == 2 && smallest < 2)) return largest;
  for (auto most = largest; most > 1; --most)
    if (is_safe(wanted, most)) return most;
  return 1;
}

std::vector<address> seats_of(const std::vector<seat_candidate>& candidates) {
  const auto most = seats_per_organisation(candidates);
  counts taken;
  std::vector<address> out;
  for (const auto& each : candidates)
    if (taken[each.organisation]++ < most) out.push_back(each.account);
  if (out.size() == 2) out.pop_back();
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<seat_power> powers_of(const std::vector<seat_candidate>& validators) {
  const auto all = validators.size();
  std::vector<seat_power> out;
  for (const auto& [organisation, seats] : counts_of(validators)) {
    const seat_power power{organisation, seats, all - seats < seal_quorum(all), seats >= seal_quorum(all)};
    if (organisation != 0 && power.stops) out.push_back(power);
  }
  return out;
}

} // namespace swarm::contracts
