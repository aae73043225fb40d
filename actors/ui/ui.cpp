#include "actors/ui/ui.hpp"

#include "actors/node/identity.hpp"
#include "actors/sn_client/sn_client.hpp"
#include "actors/swci/commands/world.hpp"
#include "actors/ui/hub_actor.hpp"
#include "base/log.hpp"
#include "base/log_tail.hpp"

namespace swarm::actors {

namespace {

std::shared_ptr<const sn_client_options> sn_options_of(const ui_context& context) {
  const auto& from = context.options;
  auto out = std::make_shared<sn_client_options>();
  out->node_name = context.options.node_name;
  out->sn = from.sn_api_service ? from.sn_api_service->to_string() : host_port(from.sn_ip, from.sn_api_port);
  out->known_sns = from.data_dir / "known-sns";
  out->known_genesis = from.data_dir / "genesis-hash";
  out->genesis_hash = from.genesis_hash;
  out->log_source = context.log_source;
  out->io = context.io;
  out->identity = context.identity;
  out->key = context.key;
  out->registration = contracts::register_node_args{.type = contracts::node_type::swci,
                                                    .identity = context.identity->fingerprint(),
                                                    .name = from.node_name};
  out->user = ui_names::feed;
  return out;
}

ui::page_options page_options_of(const ui_context& context,
                                 std::shared_ptr<const members::member_rules> members) {
  const auto& from = context.options;
  return {.address = from.address,
          .port = from.port,
          .plain = from.plain,
          .hosts = from.hosts,
          .access = {from.readers, from.operators},
          .members = std::move(members),
          .link_file = from.data_dir / "login",
          .models = from.data_dir / "models",
          .log_source = context.log_source};
}

} // namespace

result<child_spec> make_ui(const config::ui_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io) {
  log::keep_tail();
  auto context = std::make_shared<ui_context>();
  context->options = options;
  context->io = std::move(io);
  SWARM_TRY(const auto identity, open_node_identity(options));
  context->identity = identity.tls;
  context->key = identity.key;
  transport::http_client_options small;
  small.body_bytes_max = swci::node_answer_bytes_max;
  context->asker = std::make_shared<transport::http_client>(*context->io, context->identity, small);
  SWARM_TRY(context->page, ui::page_server::start(*context->io, context->identity,
                                                  page_options_of(*context, identity.members)));
  log::info(context->log_source, "the page is on {}; who may log in by certificate: {} may act, {} may look",
            host_port(options.address, options.port), options.operators.size(),
            options.readers.empty() ? "the SWCIs of this organisation"
                                    : std::to_string(options.readers.size()));
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::one_for_one, .intensity = {}, .children = {}};
  spec.children = {{.name = std::string(ui_names::sn), .start = sn_client_actor(sn_options_of(*context))},
                   {.name = std::string(ui_names::feed), .start = hub_actor(context)}};
  return nested(std::move(spec));
}

} // namespace swarm::actors
