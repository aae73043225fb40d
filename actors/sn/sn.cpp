#include "actors/sn/sn.hpp"

#include "actors/node/identity.hpp"
#include "actors/sn/api/api.hpp"
#include "actors/sn/api/rpc_actor.hpp"
#include "actors/sn/chain/chain_actor.hpp"
#include "actors/sn/consensus/consensus_actor.hpp"
#include "actors/sn/membership/membership_actor.hpp"
#include "actors/sn/membership/vouch_actor.hpp"
#include "actors/sn/peers/peers.hpp"
#include "base/log_tail.hpp"

namespace swarm::actors {

result<child_spec> make_sn(const config::sn_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io) {
  log::keep_tail();
  auto context = std::make_shared<sn_context>();
  context->options = options;
  context->io = std::move(io);
  SWARM_TRY(const auto identity, open_node_identity(options));
  const auto certificate = identity.tls->certificate();
  const auto anchor = identity.tls->anchor();
  if (const members::proved self{*certificate, *anchor};
      !members::roles_of(self, *identity.members).has(members::role::sn))
    return fail(errc::invalid, "{}: --cert {}: {}", options.node_name, options.identity.cert.native(),
                members::refusal(self, members::role::sn, *identity.members));
  context->identity = identity.tls;
  context->members = identity.members;
  context->key = identity.key;
  // An actor that ends takes those after it along, so each stands after the actors that it depends on:
  // consensus knows connections, and nobody depends on membership.
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::rest_for_one, .intensity = {}, .children = {}};
  spec.children = {
      {.name = "chain", .start = chain_actor(context), .detached = true},
      make_peers(context, "peers"),
      {.name = "consensus", .start = consensus_actor(context)},
      {.name = "rpc", .start = rpc_actor(context), .detached = true},
      {.name = "reader", .start = reader_actor(context), .detached = true},
      {.name = "api", .start = api_actor(context)},
      {.name = "membership", .start = membership_actor(context)},
      {.name = "vouching", .start = vouch_actor(context), .detached = true},
  };
  return nested(std::move(spec));
}

} // namespace swarm::actors
