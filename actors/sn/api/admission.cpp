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

std::shared_ptr<const std::string> admission::organisation_of(const transport::peer_info& peer) const {
  return std::make_shared<const std::string>(
      members::organisation_of({*peer.certificate, *peer.anchor}, *rules_));
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

std::function<result<>()> admission::reading_of(const transport::peer_info& peer) {
  return [self = shared_from_this(), who = std::make_shared<const transport::peer_info>(peer)] {
    return self->may_read(*who);
  };
}

std::function<void(const std::string& why)> admission::refusing(const transport::peer_info& peer) {
  return [self = shared_from_this(), who = std::make_shared<const transport::peer_info>(peer)](
             const std::string& why) { self->note_reading(*who, why); };
}

result<> admission::may_read(const transport::peer_info& peer) const {
  if (peer.cert_fingerprint == own_->fingerprint()) return {};
  auto may = book_->may_read(peer.cert_fingerprint, peer.cert_subject);
  if (may || !may.error().is(membership::reader_errc::no_member)) return may;
  return fail(rpc::rpc_errc::no_member, "{}", may.error().message);
}

/// Whether the log is to tell of this certificate now; the caller holds the mutex.
bool admission::is_told_now(const hash32& certificate) {
  const auto now = std::chrono::steady_clock::now();
  if (told_.size() >= told_max) told_.clear();
  auto& last = told_[certificate];
  if (last != time_point{} && now - last < told_again_after) return false;
  last = now;
  return true;
}

void admission::note(const transport::peer_info& peer, const std::string& why) {
  const auto text = fmt::format("{}: a registration is refused: {}", host_port(peer.address, peer.port), why);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.refused;
    counts_.last = text;
    if (!is_told_now(peer.cert_fingerprint)) return;
  }
  log::warning(log_source_, "{}", text);
}

void admission::note_reading(const transport::peer_info& peer, const std::string& why) {
  const auto text = fmt::format("{}, of the organisation {}, is refused: {}",
                                host_port(peer.address, peer.port), *organisation_of(peer), why);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.readings;
    counts_.last_reading = text;
    if (!is_told_now(peer.cert_fingerprint)) return;
  }
  log::warning(log_source_, "{}", text);
}

admission::counts admission::refusals() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

} // namespace swarm::actors
