#include "actors/sl/sl.hpp"

#include "actors/node/identity.hpp"
#include "actors/sl/channel/channel.hpp"
#include "actors/sl/files/files.hpp"
#include "actors/sl/follower/commit_secret.hpp"
#include "actors/sl/follower/follower.hpp"
#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/sn_client/sn_client.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "base/log_tail.hpp"
#include "transport/held_port.hpp"

namespace swarm::actors {

namespace {

std::shared_ptr<const sn_client_options> sn_options_of(const sl_context& context) {
  const auto& from = context.options;
  auto out = std::make_shared<sn_client_options>();
  out->node_name = from.node_name;
  out->sn = from.sn_api_service ? host_port(from.sn_api_service->host, from.sn_api_service->port)
                                : host_port(from.sn_ip, from.sn_api_port);
  if (!from.data_dir.empty()) {
    out->known_sns = from.data_dir / "known-sns";
    out->known_genesis = from.data_dir / "genesis-hash";
  }
  out->genesis_hash = from.genesis_hash;
  out->log_source = context.log_source;
  out->io = context.io;
  out->identity = context.identity;
  out->key = context.key;
  out->registration = contracts::register_node_args{.type = contracts::node_type::sl,
                                                    .identity = context.identity->fingerprint(),
                                                    .name = from.node_name,
                                                    .endpoint = context.file_endpoint};
  out->user = sl_names::follower;
  return out;
}

/// How long peers are waited for: who gives models more slowly than anybody may is passed over.
transport::http_client_options patience() {
  transport::http_client_options out;
  out.connect_timeout = out.handshake_timeout = std::chrono::seconds(5);
  out.progress_timeout = std::chrono::seconds(10);
  out.progress_bytes = 10 * rounds::model_rate_min;
  return out;
}

result<ml::pipe_access> access_of(const config::sl_options& options, const std::string& log_source) {
  ml::pipe_access out{.everybody = options.channel_open};
  if (!options.channel_group.empty()) {
    SWARM_TRY(out.group, ml::find_group(options.channel_group));
  }
  if (out.everybody)
    log::warning(
        log_source,
        "channel-open: every user of this host may open the pipes, and so read the swarm's models and send "
        "its own; --channel-group keeps them to a group");
  return out;
}

} // namespace

result<child_spec> make_sl(const config::sl_options& options, std::string name,
                           std::shared_ptr<transport::io_runtime> io) {
  log::keep_tail();
  auto context = std::make_shared<sl_context>();
  context->options = options;
  context->log_source = name == "sl" ? "swarm.SL" : "swarm.SL." + options.node_name;
  context->io = std::move(io);
  SWARM_TRY(const auto identity, open_node_identity(options));
  context->identity = identity.tls;
  context->members = identity.members;
  context->key = identity.key;
  SWARM_TRY(auto store, merge::model_store::open_directory((options.data_dir / "models").string(),
                                                           {.bytes_max = options.store_quota}));
  SWARM_TRY(context->commit_secret, open_commit_secret(options.data_dir / "commit-secret"));
  context->store = std::make_shared<merge::model_store>(std::move(store));
  context->client = std::make_shared<transport::http_client>(*context->io, context->identity, patience());
  context->board = std::make_shared<merge_progress_board>();
  if (options.sl_fs_port == 0) {
    SWARM_TRY(auto port, transport::hold_free_port(options.bind_address));
    context->options.sl_fs_port = port.number;
    context->held_port = std::move(port.socket);
  }
  context->file_endpoint =
      options.sl_fs_service.value_or(endpoint{options.host_ip, context->options.sl_fs_port}).to_string();
  // A failure is reported, with the names, when the pipes are made.
  std::error_code ignored;
  for (const auto& pipe : {options.request_channel, options.response_channel})
    std::filesystem::create_directories(pipe.parent_path(), ignored);
  ml::fifo_options fifos;
  fifos.request_path = options.request_channel.string();
  fifos.response_path = options.response_channel.string();
  SWARM_TRY(fifos.access, access_of(options, context->log_source));
  context->link = std::make_shared<program_link>(std::move(fifos), context->store, context->log_source,
                                                 context->options.merge_library, options.shared_memory);
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::one_for_one, .intensity = {}, .children = {}};
  spec.children = {
      {.name = std::string(sl_names::channel), .start = channel_actor(context->link), .detached = true},
      {.name = std::string(sl_names::sn), .start = sn_client_actor(sn_options_of(*context))},
      {.name = std::string(sl_names::files), .start = files_actor(context)},
      {.name = std::string(sl_names::follower),
       .start = follower_actor(context),
       .shutdown_timeout = follower_stop_max,
       .detached = true},
  };
  return nested(std::move(spec));
}

} // namespace swarm::actors
