#include "actors/sl/files/files.hpp"

#include "actors/sl/files/model_fetch.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "transport/http/http_server.hpp"

#include <boost/json.hpp>

#include <cstdio>

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
      calls.push_back(boost::json::object{{"from", transport::host_port(call.host, call.port)},
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

transport::http_response serve(const sl_context& context, const transport::http_request& request) {
  using transport::text_response;
  constexpr std::string_view prefix = "/models/";
  constexpr std::string_view manifest_suffix = "/manifest";
  if (request.method != "GET") return text_response(405, "only GET\n");
  std::string_view target = request.target;
  if (target == "/merge") {
    const auto& board = *context.board;
    return text_response(
        200, fmt::format("{} {} {}", board.round_num.load(), board.term.load(), board.progress.load()));
  }
  if (!target.starts_with(prefix)) return text_response(404, "no such file\n");
  target.remove_prefix(prefix.size());
  const bool wants_manifest = target.ends_with(manifest_suffix);
  if (wants_manifest) target.remove_suffix(manifest_suffix.size());
  const auto digest = fixed_from_hex<32>(target);
  if (!digest) return text_response(404, "no such file\n");
  auto model = context.store->open(*digest);
  if (!model) return text_response(404, "this node does not have that model\n");
  if (wants_manifest) {
    const auto raw = (*model)->manifest().encode();
    return text_response(200, std::string(as_text(raw)), "application/octet-stream");
  }
  return transport::range_response(request, (*model)->size(), [&](transport::byte_range range) {
    return decltype(transport::http_response::slice){
        transport::shared_slice{*model, (*model)->raw().subspan(range.offset, range.length)}};
  });
}

void probe(role_actor<files_state>* self, const probe_leader& ask) {
  const auto endpoint = split_endpoint(ask.endpoint);
  if (!endpoint) return;
  transport::http_request request;
  request.target = "/merge";
  auto env = self->shared_env();
  auto reply_to = sibling(*self, sl_names::follower);
  self->state().context->client->request(
      endpoint->first, endpoint->second, std::move(request),
      [env, reply_to, ask](result<transport::http_response> response) {
        if (!response || response->status != 200) return;
        unsigned long long round_num = 0, progress = 0;
        unsigned term = 0;
        if (std::sscanf(response->body.c_str(), "%llu %u %llu", &round_num, &term, &progress) != 3) return;
        if (round_num != ask.round_num || term != ask.term) return;
        env->dir.send(reply_to, leader_progress{round_num, term, progress});
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
  auto server =
      transport::http_server::start(*context->io, context->identity, options,
                                    [context](transport::http_request request, transport::http_reply reply) {
                                      reply(serve(*context, request));
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
