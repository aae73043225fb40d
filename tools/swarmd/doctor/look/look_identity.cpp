#include "actors/node/identity.hpp"
#include "tools/swarmd/doctor/look/look.hpp"

#include <sys/stat.h>

namespace swarm::doctor {

namespace {

void take_certificate(identity_seen& into, members::role role) {
  auto& facts = into.facts;
  const auto own = into.tls->certificate();
  const auto anchor = into.tls->anchor();
  const members::proved who{*own, *anchor};
  facts.subject = own->subject;
  facts.not_before = own->not_before;
  facts.not_after = own->not_after;
  facts.anchor = anchor->subject;
  facts.anchor_not_after = anchor->not_after;
  facts.trusted_count = into.tls->trusted_count();
  facts.trust_domains = into.tls->trust_domains();
  facts.organisation = members::organisation_of(who, *into.rules);
  if (!members::roles_of(who, *into.rules).has(role))
    facts.role_refusal = members::refusal(who, role, *into.rules);
}

} // namespace

identity_seen look_at_identity(const config::identity_options& files, members::role role) {
  identity_seen out;
  out.rules = std::make_shared<const members::member_rules>();
  out.facts.agent = files.agent.native();
  out.facts.key_file = files.key.native();
  struct stat found {};
  if (::stat(files.key.c_str(), &found) == 0) out.facts.key_mode = found.st_mode & 07777U;
  auto loaded = transport::tls_identity::load(actors::tls_files_of(files));
  if (!loaded) {
    const auto& why = loaded.error();
    out.facts.refused = why.category == error_category(transport::tls_errc{})
                            ? static_cast<transport::tls_errc>(why.code)
                            : transport::tls_errc::rejected;
    out.facts.trouble = why.message;
    return out;
  }
  out.tls = std::move(*loaded);
  if (auto rules = actors::load_members(files.members))
    out.rules = std::move(*rules);
  else
    out.facts.trouble = rules.error().message;
  take_certificate(out, role);
  return out;
}

} // namespace swarm::doctor
