#include "actors/sn/rpc/work_shares.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace swarm::rpc {

std::optional<std::string> work_shares::note(const caller& by, std::uint64_t units, bool others_wait,
                                             time_point now) {
  if (now - began_ >= period) {
    began_ = now;
    for (auto& [organisation, each] : shares_) {
      each.in_period = 0;
      each.told = false;
    }
  }
  auto& own = shares_[by.organisation];
  if (own.name.empty() && by.organisation_name) own.name = *by.organisation_name;
  own.units += units;
  own.in_period += units;
  if (!others_wait || own.told || own.in_period < units_in_period) return std::nullopt;
  own.told = true;
  ++own.periods_over;
  return fmt::format(
      "the organisation {} asks for more work by JSON-RPC than its share: {} units in {} s, while others "
      "wait; they come first",
      own.name, own.in_period, std::chrono::duration_cast<std::chrono::seconds>(period).count());
}

boost::json::array work_shares::to_json() const {
  boost::json::array out;
  for (const auto& [organisation, each] : shares_)
    out.push_back({{"organisation", each.name},
                   {"units", each.units},
                   {"units_in_period", each.in_period},
                   {"periods_over_share", each.periods_over}});
  return out;
}

} // namespace swarm::rpc
