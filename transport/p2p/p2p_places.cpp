#include "transport/p2p/p2p_node_impl.hpp"

/// Who may be a neighbor.
namespace swarm::p2p {

namespace {

constexpr std::size_t newcomers_per_certificate_max = 4;

} // namespace

std::string p2p_node::impl::why_not_accepted(const transport::peer_info& remote) const {
  if (const auto* refusal = book.refused(remote.cert_fingerprint, time_now()))
    return "refused for a while: " + refusal->reason;
  const auto same = std::count_if(links.begin(), links.end(), [&](const auto& each) {
    return !each.second->admitted && !each.second->dropped
           && each.second->remote().cert_fingerprint == remote.cert_fingerprint;
  });
  if (static_cast<std::size_t>(same) >= newcomers_per_certificate_max)
    return "too many connections without a hello";
  return {};
}

place p2p_node::impl::place_of(const link_ptr& of) const {
  const auto facts = of->facts();
  place out{of->id, organisation_at(facts->anchor->fingerprint).first, standing::newcomer};
  const auto known = registered.find(facts->account);
  if (known != registered.end() && known->second == facts->cert_fingerprint) out.rank = standing::registered;
  if (validators.contains(facts->account)) out.rank = standing::validator;
  return out;
}

place_found p2p_node::impl::place_for(const link_ptr& fresh) const {
  std::vector<place> taken;
  for (const auto& [who, each] : neighbors)
    if (!each->dropped) taken.push_back(place_of(each));
  const auto organisation = organisation_at(fresh->facts()->anchor->fingerprint);
  return find_place(taken, place_of(fresh),
                    {.all = options.neighbors_max, .organisation = organisation.second});
}

std::pair<hash32, std::size_t> p2p_node::impl::organisation_at(const hash32& anchor) const {
  const auto known = anchors.find(anchor);
  if (known == anchors.end()) return {anchor, options.organisation_places};
  hash32 number; // no anchor has so many zeros
  put_be64(number.data() + 24, known->second.organisation);
  return {number, known->second.places};
}

void p2p_node::impl::note_over_share(const link_ptr& of, const std::string& what) {
  const auto remote = of->remote();
  if (!remote.anchor) return; // it is not even greeted
  const auto organisation =
      callbacks.organisation_of ? callbacks.organisation_of(remote) : remote.anchor->subject;
  const auto text =
      fmt::format("an SN of the organisation {} (certificate {}, {}) has no place: {}", organisation,
                  remote.cert_subject, host_port(remote.address, remote.port), what);
  {
    std::lock_guard lock(mutex);
    ++over_share;
    last_over_share = text;
  }
  warn_limited("share of " + organisation, text);
}

void p2p_node::set_validators(const std::vector<address>& accounts) {
  std::lock_guard lock(impl_->mutex);
  impl_->validators = {accounts.begin(), accounts.end()};
}

void p2p_node::set_known(known_sns known) {
  std::set<std::string> endpoints;
  std::map<address, hash32> registered;
  for (const auto& each : known.sns) {
    registered.emplace(each.account, each.certificate);
    if (check_endpoint(each.endpoint)) endpoints.insert(each.endpoint);
  }
  {
    std::lock_guard lock(impl_->mutex);
    impl_->registered = std::move(registered);
    impl_->anchors = std::move(known.anchors);
    impl_->book.set_registered(endpoints, time_now());
  }
  impl_->dial_due(time_now());
}

} // namespace swarm::p2p
