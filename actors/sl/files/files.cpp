#include "actors/sl/files/files.hpp"

#include "actors/node/log_reading.hpp"
#include "actors/sl/files/chain_reader.hpp"
#include "actors/sl/files/gate/model_gate.hpp"
#include "actors/sl/files/gate/reader_watch.hpp"
#include "actors/sl/files/known_merges.hpp"
#include "actors/sl/files/merge_progress.hpp"
#include "actors/sl/files/merge_questions.hpp"
#include "actors/sl/files/model_fetch.hpp"
#include "actors/sl/files/model_server.hpp"
#include "actors/sl/kept/merge_shelf.hpp"
#include "actors/sl/random_base.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "config/parse.hpp"
#include "transport/errors.hpp"
#include "transport/http/http_server.hpp"

#include <boost/json.hpp>

#include <set>

namespace swarm::actors {

namespace {

namespace json = boost::json;

json::array refused_json(const gate::refusals& refused) {
  json::array out;
  for (const auto& [certificate, record] : refused.by_certificate())
    out.push_back(json::object{{"certificate", to_hex(certificate.view())},
                               {"subject", record.subject},
                               {"organisation", record.organisation},
                               {"account", record.account ? to_hex(record.account->view()) : ""},
                               {"count", record.count},
                               {"why", record.why}});
  return out;
}

struct files_state {
  explicit files_state(std::shared_ptr<const sl_context> from)
      : context(std::move(from)), counters(std::make_shared<fetch_counters>()),
        merges_file(context->options.data_dir / "merges"),
        readers(context->account(), read_known_merges(merges_file)),
        shelf({context->options.keep_merges, context->options.data_dir, context->log_source}, context->store,
              context->io) {}

  std::string status() const {
    const auto allowed = context->store->bytes_max();
    auto out = fmt::format(
        "{} models, {} of them kept merges, {:.1f} MB{}, serving at {}", context->store->list().size(),
        shelf.stored(), static_cast<double>(context->store->bytes_used()) / 1e6,
        allowed == 0 ? "" : fmt::format(" of {:.1f} allowed", static_cast<double>(allowed) / 1e6),
        context->file_endpoint);
    if (const auto refused = readers.refused().count(); refused > 0)
      out += fmt::format("; {} requests refused", refused);
    return out;
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
                                                      {"ended", ended},
                                                      {"waiting", readers.waiting()},
                                                      {"refused", refused_json(readers.refused())},
                                                      {"fetching", std::move(calls)}});
  }

  std::shared_ptr<const sl_context> context;
  std::shared_ptr<fetch_counters> counters;
  std::unique_ptr<transport::http_server> server;
  std::filesystem::path merges_file;
  gate::model_gate readers;
  merge_shelf shelf;
  merge_questions questions{random_base()};
  chain_reader reader{random_base()};
  gate::reader_watch watch;
  std::uint64_t watch_id = random_base();     ///< of its newest question to the chain
  std::vector<address> watched;               ///< the accounts of that question
  std::uint64_t ended = 0;                    ///< connections of who is no member any more
  std::map<std::uint64_t, model_asked> asked; ///< what the gate has not answered, by its id
  std::uint64_t next_id = 1;
  std::map<hash32, std::set<std::string>> fetching; ///< who waits for each model that is on its way
  std::optional<time_point> armed;                  ///< when the next `gate_due` comes
};

using self_pointer = role_actor<files_state>*;

time_point now() {
  return std::chrono::steady_clock::now();
}

// The gate

void ask_chain(self_pointer self, session::event::ask question) {
  self->tell(sibling(*self, sl_names::sn), std::move(question)); // the gate waits no longer than it may
}

struct perform {
  self_pointer self;

  void operator()(const gate::action::read_chain& a) const {
    ask_chain(self, self->state().reader.ask(a, std::string(sl_names::files)));
  }
  void operator()(const gate::action::answer& a) const {
    auto& s = self->state();
    auto node = s.asked.extract(a.id);
    if (node.empty()) return;
    auto& asked = node.mapped();
    if (a.verdict != gate::action::verdict::granted) return asked.reply(refusal_of(a.verdict, a.why));
    if (asked.what.who.account) s.watch.granted(asked.what.who.certificate, *asked.what.who.account);
    // A file of an earlier process is hashed before it is served, which would hold up the next question.
    s.context->io->post([store = s.context->store, board = s.context->board, shards = s.context->shards,
                         held = std::move(asked), a] {
      auto what = held.what;
      what.chunks = a.chunks;
      if (a.layout) what.digest = model_with(*store, *a.layout).value_or(what.digest);
      held.reply(serve_model(*store, *board, *shards, what, held.request));
    });
  }
  void operator()(const gate::action::keep_merges&) const {
    auto& s = self->state();
    if (auto kept = write_known_merges(s.merges_file, s.readers.merges()); !kept)
      self->note_error(kept.error().message);
  }
  void operator()(const gate::action::note& a) const {
    log::warning(self->state().context->log_source, "{}", a.text);
  }
};

void step(self_pointer self, const auto& event) {
  auto& s = self->state();
  s.readers.step(event, now());
  for (auto& action : s.readers.take_actions())
    std::visit(perform{self}, action);
  const auto due = s.readers.wake_at();
  if (!due || (s.armed && *s.armed <= *due)) return;
  s.armed = due;
  self->delayed_send(self, std::max(duration::zero(), *due - now()), gate_due{*due});
}

void take_request(self_pointer self, const model_asked& asked) {
  auto& s = self->state();
  const auto id = s.next_id++;
  auto part = gate::wanted::model;
  if (asked.what.part == asked_part::layout) part = gate::wanted::layout;
  if (asked.what.part == asked_part::progress) part = gate::wanted::progress;
  if (asked.what.part == asked_part::shard || asked.what.part == asked_part::shard_data)
    part = gate::wanted::shard;
  const auto [digest, who] = std::pair(asked.what.digest, asked.what.who);
  s.asked.emplace(id, asked);
  step(self, gate::event::asked{id, who, digest, part});
}

// Whose connections end

constexpr auto watch_interval = std::chrono::seconds(2);
constexpr std::size_t watched_max = 64; ///< in one question

/// Asks the chain whether those who are connected and have read something are members.
void look_at_readers(self_pointer self) {
  auto& s = self->state();
  self->delayed_send(self, watch_interval, readers_due{});
  if (!s.server) return;
  s.watch.keep(s.server->certificates());
  s.watched = s.watch.next(watched_max);
  if (s.watched.empty()) return;
  std::vector<session::rpc_call> calls;
  for (const auto& account : s.watched)
    calls.push_back(session::eth_call(contracts::node_registry_address(), contracts::encode_node(account)));
  ask_chain(self, {++s.watch_id, std::move(calls), std::string(sl_names::files)});
}

void take_readers(self_pointer self, const session::action::answered& from) {
  auto& s = self->state();
  if (!from.responses || from.responses->size() != s.watched.size()) return;
  for (std::size_t i = 0; i < s.watched.size(); ++i) {
    const auto output = session::output_of((*from.responses)[i]);
    const auto node = output ? contracts::decode_node(*output) : tl::unexpected(output.error());
    if (node) s.watch.read(*node, s.watched[i]);
  }
  for (const auto& certificate : s.watch.take_ended()) {
    const auto count = s.server->end_all_of(certificate, "its node is no member of the network any more");
    s.ended += count;
    log::info(s.context->log_source,
              "{} connections end: the node with the certificate {} is no member any more", count,
              to_hex(certificate.view()));
  }
}

void take_answer(self_pointer self, const session::action::answered& from) {
  if (from.id == self->state().watch_id) return take_readers(self, from);
  if (self->state().questions.take(from)) return;
  std::optional<session::event::ask> again;
  if (const auto read = self->state().reader.take(from, again)) step(self, *read);
  if (again) ask_chain(self, std::move(*again));
}

caf::result<std::string> answer_admin(self_pointer self, const admin_query& query) {
  auto& s = self->state();
  if (!s.context->chain->sn_answers) return to_caf(make_error(errc::unavailable, "no SN answers"));
  auto promise = self->make_response_promise<merge_questions::promise>();
  if (auto question = s.questions.ask(query.params, std::string(sl_names::files), promise, now()))
    ask_chain(self, std::move(*question));
  else
    promise.deliver(to_caf(question.error()));
  return promise;
}

// Fetching

/// A model that is on its way is not asked for twice, whoever wants it: an actor that is started again goes on where
/// the one before it was.
void fetch(self_pointer self, const fetch_model& wanted) {
  auto& waiting = self->state().fetching[wanted.what.digest];
  const bool is_on_its_way = !waiting.empty();
  waiting.insert(wanted.reply_to);
  if (is_on_its_way) return;
  fetch_model_async(
      self->state().context, self->state().counters, wanted.what,
      [env = self->shared_env(), digest = wanted.what.digest, path = self->path()](result<hash32> layout) {
        env->dir.send(path, model_fetched{digest, std::move(layout)});
      });
}

void take_fetched(self_pointer self, const model_fetched& news) {
  const auto waiting = self->state().fetching.extract(news.digest);
  if (waiting.empty()) return;
  for (const auto& path : waiting.mapped())
    self->dir().send(path, news);
}

void probe(role_actor<files_state>* self, const probe_leader& ask) {
  const auto leader = endpoint::parse(ask.endpoint);
  if (!leader) return;
  auto env = self->shared_env();
  auto reply_to = sibling(*self, sl_names::follower);
  const auto& context = *self->state().context;
  ask_merge_progress(*context.client, leader->host, leader->port,
                     headers_of_asker(context.account(), context.chain->block_num),
                     [env, reply_to, ask](result<merge_progress> at) {
                       if (!at && at.error().is(transport::net_errc::connect))
                         env->dir.send(reply_to, leader_unheard{ask.round_num, ask.term});
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
      [env = self->shared_env(), path = self->path(), members = context->members,
       identity = context->identity](transport::http_request request, const transport::http_reply& reply) {
        auto what = model_request_of(request, *members);
        if (!what && request.method == "GET" && request.target == version_target)
          return reply(transport::text_response(200, fmt::format("swarmd/v{}", config::version())));
        if (!what)
          if (auto log = log_answer(request, *identity, *members)) return reply(std::move(*log));
        if (!what) return reply(serve_other(request));
        env->dir.send(path, model_asked{std::move(*what), std::move(request), reply});
      });
  if (!server) {
    self->fail_start(server.error());
  } else {
    state.server = std::move(*server);
    log::info(context->log_source, "Starting SWARM-FILE-SERVER on port: {}", state.server->port());
  }
  self->delayed_send(self, watch_interval, readers_due{});
  self->env().methods.forward("merge", self->path());
  if (self->is_restarted()) state.shelf.begin_midway();
  return {
      [=](readers_due) {
        self->state().shelf.look();
        self->state().questions.tick(now());
        look_at_readers(self);
      },
      [=](const fetch_model& wanted) { fetch(self, wanted); },
      [=](const model_fetched& news) { take_fetched(self, news); },
      [=](const fetch_layout& wanted) {
        auto env = self->shared_env();
        const auto& [own, other, size, layout, holders, resumes_from] = wanted.why;
        fetch_layout_async(self->state().context, other, size, layout, holders,
                           [env, digest = other, reply_to = wanted.reply_to](auto got) {
                             env->dir.send(reply_to, layout_fetched{digest, std::move(got)});
                           });
      },
      [=](const model_asked& asked) { take_request(self, asked); },
      [=](const session::action::answered& from) { take_answer(self, from); },
      [=](const training_followed& news) {
        self->state().shelf.follow(news.name);
        step(self, news);
      },
      [=](const merge_seen& news) {
        self->state().shelf.see({news.training, news.generation, news.round_num, news.digest, news.size});
        step(self, news);
      },
      [=](const gate_due& due) {
        auto& armed = self->state().armed;
        if (armed && due.at == *armed) armed.reset();
        step(self, gate::event::tick{});
      },
      [=](const keep_models& keep) { self->state().shelf.retain(keep.digests); },
      [=](const probe_leader& ask) { probe(self, ask); },
      [=](const admin_query& query) { return answer_admin(self, query); }, // "merge"
  };
}

} // namespace

start_function files_actor(std::shared_ptr<const sl_context> context) {
  return role<files_state>(files_behavior, std::move(context));
}

} // namespace swarm::actors
