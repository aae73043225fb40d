#include "actors/sl/files/files.hpp"

#include "actors/sl/files/merge_progress.hpp"
#include "actors/sl/files/model_fetch.hpp"
#include "actors/sl/files/model_server.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "transport/http/http_server.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace {

struct files_state {
  explicit files_state(std::shared_ptr<const sl_context> from)
      : context(std::move(from)), counters(std::make_shared<fetch_counters>()) {}

  std::string status() const {
    return fmt::format("{} models, {:.1f} MB, serving at {}", context->store->list().size(),
                       static_cast<double>(context->store->bytes_used()) / 1e6, context->file_endpoint);
  }
  std::string detail_json() const {
    const auto served = server ? server->status() : transport::http_server_status{};
    const auto now = std::chrono::steady_clock::now();
    const auto seconds_since = [now](time_point then) {
      return std::chrono::duration<double>(now - then).count();
    };
    boost::json::array calls;
    for (const auto& call : context->client->calls())
      calls.push_back(boost::json::object{{"from", host_port(call.host, call.port)},
                                          {"target", call.target},
                                          {"phase", call.phase},
                                          {"seconds", seconds_since(call.started)},
                                          {"bytes", call.bytes_received}});
    return boost::json::serialize(boost::json::object{{"bytes_fetched", counters->bytes_received.load()},
                                                      {"bytes_served", served.bytes_sent},
                                                      {"requests", served.requests},
                                                      {"connections", served.connections},
                                                      {"models", context->store->list().size()},
                                                      {"fetching", std::move(calls)}});
  }

  std::shared_ptr<const sl_context> context;
  std::shared_ptr<fetch_counters> counters;
  std::unique_ptr<transport::http_server> server;
};

void probe(role_actor<files_state>* self, const probe_leader& ask) {
  const auto leader = endpoint::parse(ask.endpoint);
  if (!leader) return;
  auto env = self->shared_env();
  auto reply_to = sibling(*self, sl_names::follower);
  ask_merge_progress(*self->state().context->client, leader->host, leader->port,
                     [env, reply_to, ask](result<merge_progress> at) {
                       if (!at || at->round_num != ask.round_num || at->term != ask.term) return;
                       env->dir.send(reply_to, leader_progress{at->round_num, at->term, at->progress});
                     });
}

caf::behavior files_behavior(role_actor<files_state>* self) {
  auto& state = self->state();
  const auto& context = state.context;
  transport::http_server_options options;
  options.address = context->options.bind_address;
  options.port = context->options.sl_fs_port;
  options.name = "files";
  options.log_source = context->log_source;
  auto server = transport::http_server::start(
      *context->io, context->identity, options,
      [context](const transport::http_request& request, const transport::http_reply& reply) {
        reply(serve_files(*context, request));
      });
  if (!server) {
    self->fail_start(server.error());
  } else {
    state.server = std::move(*server);
    log::info(context->log_source, "Starting SWARM-FILE-SERVER on port: {}", state.server->port());
  }
  return {
      [=](const fetch_model& wanted) {
        auto env = self->shared_env();
        fetch_model_async(self->state().context, self->state().counters, wanted.digest, wanted.size,
                          wanted.holders,
                          [env, digest = wanted.digest, reply_to = wanted.reply_to](result<hash32> layout) {
                            env->dir.send(reply_to, model_fetched{digest, std::move(layout)});
                          });
      },
      [=](const keep_models& keep) { self->state().context->store->retain(keep.digests); },
      [=](const probe_leader& ask) { probe(self, ask); },
  };
}

} // namespace

start_function files_actor(std::shared_ptr<const sl_context> context) {
  return role<files_state>(files_behavior, std::move(context));
}

} // namespace swarm::actors
