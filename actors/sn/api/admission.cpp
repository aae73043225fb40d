#include "actors/sn/api/admission.hpp"

#include "actors/sn/rpc/errors.hpp"
#include "base/log.hpp"
#include "contracts/registry/client.hpp"

namespace swarm::actors {

namespace {

constexpr std::size_t told_max = 1024;
constexpr auto told_again_after = std::chrono::seconds(10);

} // namespace

std::function<result<>(const address&, bytes_view)> admission::of(const transport::peer_info& peer) {
  return [self = shared_from_this(), who = std::make_shared<const transport::peer_info>(peer)](
             const address& to, bytes_view input) { return self->may_call(*who, to, input); };
}

/// What the registration claims beyond its certificate is checked before the pool takes it.
result<> admission::may_call(const transport::peer_info& peer, const address& to, bytes_view input) {
  const auto wanted = contracts::decode_registration(to, input);
  if (!wanted) return {};
  if (!peer.certificate || !peer.anchor)
    return fail(rpc::rpc_errc::role_not_allowed, "without a certificate nobody registers here");
  const members::proved who{*peer.certificate, *peer.anchor};
  const auto role = static_cast<members::role>(wanted->type);
  std::string why;
  if (!members::roles_of(who, *rules_).has(role))
    why = members::refusal(who, role, *rules_);
  else if (wanted->identity != peer.cert_fingerprint)
    why = fmt::format(
        "the certificate {} of the organisation {} is presented, but {} is to be registered; a node "
        "registers with its own",
        peer.cert_subject, members::organisation_of(who, *rules_), to_hex(wanted->identity.view()));
  if (why.empty()) return {};
  note(peer, why);
  return fail(rpc::rpc_errc::role_not_allowed, "{}", why);
}

void admission::note(const transport::peer_info& peer, const std::string& why) {
  const auto now = std::chrono::steady_clock::now();
  const auto text = fmt::format("{}: a registration is refused: {}", host_port(peer.address, peer.port), why);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.refused;
    counts_.last = text;
    if (told_.size() >= told_max) told_.clear();
    auto& last = told_[peer.cert_fingerprint];
    if (last != time_point{} && now - last < told_again_after) return;
    last = now;
  }
  log::warning(log_source_, "{}", text);
}

admission::counts admission::refusals() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

} // namespace swarm::actors
