#include "contracts/organisations/rules.hpp"

#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

result<> check_anchors(const organisation_records& records, const motion& what) {
  const auto& anchors = what.anchors;
  if (anchors.empty() || anchors.size() > anchors_max)
    return refuse("an organisation has 1 to {} anchors, got {}", anchors_max, anchors.size());
  if (anchors.front().is_zero()) return refuse("an anchor is 0, which is the fingerprint of no certificate");
  if (std::adjacent_find(anchors.begin(), anchors.end()) != anchors.end())
    return refuse("an anchor is named twice");
  for (const auto& each : anchors) {
    const auto owner = records.owner_of(each);
    if (owner == 0 || owner == what.organisation) continue;
    return refuse("the anchor {} is that of the organisation {}", to_hex(each.view()),
                  in_quotes(records.of(owner).name()));
  }
  return {};
}

result<> check_admission(const organisation_records& records, const motion& what) {
  if (const auto trouble = ledger::trouble_with_organisation_name(what.name); !trouble.empty())
    return refuse("the name {} {}", in_quotes(what.name), trouble);
  if (records.named(what.name) != 0)
    return refuse("there is an organisation {} already", in_quotes(what.name));
  if (records.ids().size() >= organisations_max)
    return refuse("there are {} organisations, the most a chain can have at a time", organisations_max);
  if (records.last_id() == std::numeric_limits<organisation_id>::max())
    return refuse("no id is left for another organisation");
  return check_anchors(records, what);
}

result<> check_limits(const organisation_records& records, const motion& what) {
  const auto& limits = what.limits;
  if (limits.nodes == 0 || limits.trainings == 0 || limits.peers_per_training == 0
      || limits.chain_bytes_per_day == 0 || limits.p2p_places == 0 || limits.model_bytes == 0)
    return refuse("a limit is 0, which would shut the organisation out: that is what its removal is for");
  if (records.of(what.organisation).limits() == limits)
    return refuse("the organisation {} has these limits already", what.organisation);
  return {};
}

} // namespace

result<> check_possible(const organisation_records& records, const motion& what) {
  if (what.kind == motion_kind::admit) return check_admission(records, what);
  if (!records.exists(what.organisation)) return refuse("there is no organisation {}", what.organisation);
  if (what.kind == motion_kind::set_limits) return check_limits(records, what);
  if (what.kind == motion_kind::set_anchors) {
    if (records.of(what.organisation).anchors() == what.anchors)
      return refuse("the organisation {} has these anchors already", what.organisation);
    return check_anchors(records, what);
  }
  if (records.ids().size() == 1) return refuse("the last organisation has to stay");
  return {};
}

organisation_event carry_out(const organisation_records& records, const motion& what,
                             std::uint64_t block_num) {
  const auto id = what.organisation;
  switch (what.kind) {
  case motion_kind::admit:
    return organisation_admitted{records.add(what.name, what.anchors, block_num), what.name, what.anchors};
  case motion_kind::set_anchors:
    records.set_anchors(id, what.anchors);
    return anchors_changed{id, what.anchors};
  case motion_kind::set_limits:
    records.of(id).set_limits(what.limits);
    return limits_changed{id, what.limits};
  default:
    organisation_removed out{id, records.of(id).name()};
    records.remove(id);
    return out;
  }
}

} // namespace swarm::contracts
