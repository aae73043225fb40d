#include "actors/sn/membership/founders.hpp"

#include <map>
#include <set>

namespace swarm::membership {

namespace {

constexpr std::size_t number_bytes_max = 4; // " 256"

/// A name for an organisation from what a certificate says, which may be anything in UTF-8.
std::string usable_name(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 2 * ledger::organisation_name_bytes_max)) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  constexpr auto size_max = ledger::organisation_name_bytes_max - number_bytes_max;
  if (out.size() > size_max) {
    auto end = size_max;
    while (end > 0 && (static_cast<std::uint8_t>(out[end]) & 0xc0) == 0x80)
      --end;
    out.resize(end);
  }
  out.erase(0, out.find_first_not_of(' '));
  out.resize(out.find_last_not_of(' ') + 1);
  return ledger::trouble_with_organisation_name(out).empty() ? out : "organisation";
}

} // namespace

std::vector<ledger::founder> founders_of(const std::vector<transport::trust_anchor>& anchors,
                                         const hash32& own, const address& account) {
  std::vector<ledger::founder> out;
  std::map<std::pair<std::string, hash32>, std::size_t> authorities;
  std::set<std::string> names;
  for (const auto& anchor : anchors) {
    const auto [place, is_new] = authorities.try_emplace({anchor.subject, anchor.public_key}, out.size());
    if (is_new) {
      const auto wish = usable_name(anchor.organisation.empty() ? anchor.common_name : anchor.organisation);
      auto name = wish;
      for (std::size_t i = 2; !names.insert(ledger::organisation_name_key(name)).second; ++i)
        name = fmt::format("{} {}", wish, i);
      out.push_back({std::move(name), {}, {}});
    }
    auto& founder = out[place->second];
    founder.anchors.push_back(anchor.fingerprint);
    if (anchor.fingerprint == own) founder.validators.push_back(account);
  }
  return out;
}

result<ledger::genesis_params> genesis_of_sentinel(const transport::tls_files& files,
                                                   const address& account) {
  SWARM_TRY(const auto anchors, transport::read_trust_anchors(files));
  SWARM_TRY(const auto own, transport::own_anchor(files));
  ledger::genesis_params out;
  out.validators = {account};
  out.founders = founders_of(anchors, own, account);
  return ledger::normalize(std::move(out));
}

} // namespace swarm::membership
