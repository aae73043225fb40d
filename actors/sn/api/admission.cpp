#include "actors/sn/api/admission.hpp"

#include "actors/sn/rpc/errors.hpp"
#include "base/log.hpp"
#include "contracts/registry/client.hpp"

namespace swarm::actors {

namespace {

constexpr std::size_t selector_bytes = 4;
constexpr std::size_t type_at = selector_bytes + 31; ///< the last byte of the first argument
constexpr std::size_t told_max = 1024;
constexpr auto told_again_after = std::chrono::seconds(10);

/// The role under which a call of the registry registers a node; none for any other call. What is not encoded as ABI
/// demands is refused by the contract.
std::optional<members::role> registered_role(const address& to, bytes_view input) {
  static const bytes sample = contracts::encode_register_node({});
  if (to != contracts::node_registry_address() || input.size() <= type_at) return std::nullopt;
  if (!std::equal(sample.begin(), sample.begin() + selector_bytes, input.begin())) return std::nullopt;
  for (const auto each : members::all_roles)
    if (input[type_at] == static_cast<std::uint8_t>(each)) return each;
  return std::nullopt;
}

} // namespace

std::function<result<>(const address&, bytes_view)> admission::of(const transport::peer_info& peer) {
  return [self = shared_from_this(), who = std::make_shared<const transport::peer_info>(peer)](
             const address& to, bytes_view input) { return self->may_call(*who, to, input); };
}

std::shared_ptr<const std::string> admission::organisation_of(const transport::peer_info& peer) const {
  return std::make_shared<const std::string>(
      members::organisation_of({*peer.certificate, *peer.anchor}, *rules_));
}

result<> admission::may_call(const transport::peer_info& peer, const address& to, bytes_view input) {
  const auto wanted = registered_role(to, input);
  if (!wanted) return {};
  if (!peer.certificate || !peer.anchor)
    return fail(rpc::rpc_errc::role_not_allowed, "without a certificate nobody registers here");
  const members::proved who{*peer.certificate, *peer.anchor};
  if (members::roles_of(who, *rules_).has(*wanted)) return {};
  const auto why = members::refusal(who, *wanted, *rules_);
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
