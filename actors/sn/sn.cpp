#include "actors/sn/sn.hpp"

#include "actors/data_dir.hpp"
#include "actors/sn/api.hpp"
#include "actors/sn/chain_actor.hpp"
#include "ledger/formats/key_file.hpp"

namespace swarm::actors {

result<child_spec> make_sn(const config::sn_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io) {
  if (!options.sentinel)
    return fail(
        errc::invalid,
        "an SN beside the sentinel is not in this version: start this one with --sentinel, or let its SLs "
        "use the sentinel's --sn-ip");
  auto context = std::make_shared<sn_context>();
  context->options = options;
  context->io = std::move(io);
  const auto& files = options.identity;
  SWARM_TRY(context->identity, transport::tls_identity::load(
                                   {files.cert, files.key, files.cacert, files.capath, files.verify_host}));
  SWARM_CHECK(make_data_dir(options.data_dir));
  SWARM_TRY(auto key, ledger::load_or_make_key((options.data_dir / "node.key").string()));
  context->key = std::make_shared<const ledger::private_key>(std::move(key));
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::rest_for_one, .intensity = {}, .children = {}};
  spec.children = {
      {.name = "chain", .start = chain_actor(context), .detached = true},
      {.name = "api", .start = api_actor(context)},
  };
  return nested(std::move(spec));
}

} // namespace swarm::actors
