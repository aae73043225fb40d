#include "actors/sn/rpc/lie_reports.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace swarm::rpc {

namespace {

std::string accused_of(const lie_reports::claim& what) {
  if (what.accused_name.empty())
    return fmt::format("somebody with the certificate {}, which no SN has registered",
                       to_hex(what.accused.view()));
  return fmt::format("the SN {} of {}", what.accused_name, what.accused_organisation);
}

} // namespace

void lie_reports::take(claim what, const party& by, time_point now) {
  if (by_.size() >= organisations_max && !by_.contains(by.organisation)) return;
  ++count_;
  auto& own = by_[by.organisation];
  auto found = std::ranges::find_if(own.claims, [&](const kept& each) {
    return each.what.accused == what.accused && each.what.about == what.about
           && each.what.reporter == what.reporter;
  });
  const bool news = found == own.claims.end();
  if (news) {
    own.claims.push_front({std::move(what), 0, now});
    if (own.claims.size() > of_organisation_max) own.claims.pop_back();
  } else {
    own.claims.splice(own.claims.begin(), own.claims, found);
  }
  auto& first = own.claims.front();
  ++first.times;
  first.last = now;
  if (!news) return;
  if (own.line_at != time_point::min() && now < own.line_at + line_interval) {
    ++own.unsaid;
    return;
  }
  own.line_at = now;
  const auto more = std::exchange(own.unsaid, 0);
  lines_.push_back(fmt::format(
      "{} of {} says that {} lied to it about {}{}; this is its word alone", first.what.reporter,
      first.what.reporter_organisation, accused_of(first.what), ledger::words_of(first.what.about).person,
      more == 0 ? "" : fmt::format(" ({} more such claims of this organisation)", more)));
}

boost::json::array lie_reports::to_json(time_point now) const {
  boost::json::array out;
  for (const auto& [anchor, own] : by_)
    for (const auto& each : own.claims)
      out.push_back(
          {{"accused", each.what.accused_name},
           {"accused_organisation", each.what.accused_organisation},
           {"accused_certificate", to_hex(each.what.accused.view())},
           {"about", ledger::words_of(each.what.about).code},
           {"reporter", each.what.reporter},
           {"reporter_organisation", each.what.reporter_organisation},
           {"times", each.times},
           {"seconds_ago", std::chrono::duration_cast<std::chrono::seconds>(now - each.last).count()}});
  return out;
}

} // namespace swarm::rpc
