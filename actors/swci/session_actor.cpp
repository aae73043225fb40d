#include "actors/swci/session_actor.hpp"

#include "actors/node/key_file.hpp"
#include "actors/sn_client/sn_client.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/swci/asking_nodes.hpp"
#include "actors/swci/commands/known_names.hpp"
#include "actors/swci/commands/world.hpp"
#include "actors/swci/language/render/render.hpp"
#include "actors/swci/language/session/session_machine.hpp"
#include "actors/swci/mailroom.hpp"
#include "base/endpoint.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"

#include <atomic>
#include <thread>

namespace swarm::actors {

namespace {

constexpr auto connect_max = std::chrono::seconds(30);
constexpr auto is_up_max = std::chrono::seconds(10);
/// How old names for completion may be.
constexpr auto names_age_max = std::chrono::seconds(10);

/// From the console.
struct input_came {
  swci::any_input what;
};
/// From the thread of a command.
struct command_news {
  std::variant<swci::event::command_says, swci::event::command_waits, swci::event::command_done,
               swci::event::command_failed>
      what;
};
struct open_context {
  std::string context;
  swci::sn_address sn;
  std::uint64_t letter = 0;
};
/// It could not be opened.
struct close_context {
  std::string context;
};
/// The names for completion may be old.
struct names_age {};

} // namespace

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::input_came)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::command_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::open_context)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::close_context)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::names_age)

namespace swarm::actors {

namespace {

/// A context's client of its SNs.
struct connection {
  std::string child; ///< name of the actor
  address account;
  std::string trouble = "not tried yet";
  std::optional<std::uint64_t> opening; ///< the letter that says how the opening went
};

std::string absolute_usr_dir(const config::swci_options& options) {
  std::error_code failure;
  return std::filesystem::absolute(options.usr_dir, failure).lexically_normal().native();
}

/// The session itself, which belongs to the process: an operator must not notice when its actor ends and is
/// started again.
struct session_memory {
  explicit session_memory(const swci::user_folder& folder) : machine(folder), names(folder) {}

  bool begun = false; ///< the script was read
  swci::session_machine machine;
  swci::known_names names;
  mailroom mail;
  std::map<std::string, connection> connections; ///< by context
  std::uint64_t connections_made = 0;            ///< so far: none gets the name of one that is being ended
  std::atomic<bool> looks_names_up = false;
};

struct session_state {
  session_state(std::shared_ptr<const swci_context> from, std::shared_ptr<session_memory> session)
      : context(std::move(from)), memory(std::move(session)) {}

  std::string status() const { return machine.status(); }
  std::string detail_json() const { return R"({"names":)" + memory->names.counts_json() + "}"; }
  static time_point now() { return std::chrono::steady_clock::now(); }

  std::shared_ptr<const swci_context> context;
  std::shared_ptr<session_memory> memory;
  swci::session_machine& machine = memory->machine;
  std::shared_ptr<mailroom> mail{memory, &memory->mail};
  std::map<std::string, connection>& connections = memory->connections; ///< by context
  std::uint64_t& connections_made = memory->connections_made;
  bool completes = false; ///< somebody does
  std::jthread command, lookup;
};

using self_pointer = role_actor<session_state>*;

void drain(self_pointer self);

void step(self_pointer self, const auto& event) {
  self->state().machine.step(event, session_state::now());
  drain(self);
}

/// The name of a file of a context, each of which may be of a network of its own.
std::filesystem::path file_of(const swci_context& context, const std::string& name, std::string_view kind) {
  const auto digest = to_hex(sha256(as_bytes(name)).view());
  return context.options.data_dir / "contexts" / fmt::format("{}.{}", digest.substr(2, 16), kind);
}

/// Each context has an account of its own, as numbers of transactions are counted by account and by network.
result<std::shared_ptr<const ledger::private_key>> key_of(const swci_context& context,
                                                          const std::string& name) {
  SWARM_CHECK(make_folders(context.options.data_dir / "contexts", 0700));
  SWARM_TRY(auto key, load_or_make_key(file_of(context, name, "key").native()));
  return std::make_shared<const ledger::private_key>(std::move(key));
}

result<> start_connection(self_pointer self, const open_context& wanted, connection& to) {
  const auto& from = *self->state().context;
  SWARM_TRY(const auto key, key_of(from, wanted.context));
  auto options = std::make_shared<sn_client_options>();
  options->node_name = from.options.node_name;
  options->sn = host_port(wanted.sn.host, wanted.sn.port);
  options->genesis_hash = from.options.genesis_hash;
  options->known_genesis = file_of(from, wanted.context, "genesis");
  options->log_source = from.log_source;
  options->io = from.io;
  options->identity = from.identity;
  options->key = key;
  options->registration = contracts::register_node_args{.type = contracts::node_type::swci,
                                                        .identity = from.identity->fingerprint(),
                                                        .name = from.options.node_name};
  options->user = swci_names::session;
  to.child = fmt::format("{}{}", swci_names::sn_prefix, self->state().connections_made++);
  to.account = key->account();
  to.opening = wanted.letter;
  self->ask(parent_path(*self), std::chrono::seconds(10),
            add_child{{.name = to.child, .start = sn_client_actor(options)}})
      .then([](const child_added&) {},
            [self, letter = wanted.letter](caf::error& why) {
              self->state().mail->deliver(letter, result<>(fail(errc::internal, "{}", text_of(why))));
            });
  return {};
}

/// One that is there already is waited for once more.
void open(self_pointer self, const open_context& wanted) {
  auto& s = self->state();
  if (const auto at = s.connections.find(wanted.context); at != s.connections.end()) {
    if (at->second.trouble.empty()) return s.mail->deliver(wanted.letter, result<>{});
    at->second.opening = wanted.letter;
    return;
  }
  connection made;
  if (auto started = start_connection(self, wanted, made); !started)
    return s.mail->deliver(wanted.letter, std::move(started));
  s.connections.emplace(wanted.context, std::move(made));
}

void close(self_pointer self, const close_context& which) {
  auto node = self->state().connections.extract(which.context);
  if (!node.empty()) self->dir().send(parent_path(*self), remove_child{node.mapped().child});
}

void take_standing(self_pointer self, const sn_standing& news) {
  auto& s = self->state();
  for (auto& [name, one] : s.connections) {
    const auto actor = self->dir().find(sibling(*self, one.child));
    if (!actor || self->current_sender() != actor) continue;
    one.trouble = news.trouble;
    if (news.trouble.empty() && one.opening)
      s.mail->deliver(*std::exchange(one.opening, std::nullopt), result<>{});
  }
}

result<> look_for_sn(const swci_context& context, const swci::sn_address& sn, const std::stop_token& stop) {
  const auto response =
      ask_within(is_up_max, *context.client, {sn.host, sn.port}, {.target = "/is_up"}, stop);
  if (!response) return tl::unexpected(response.error());
  if (response->status != 200) return fail(errc::unavailable, "it answers {} to /is_up", response->status);
  return {};
}

/// How a command gets files from other nodes: as this account.
auto fetcher_of(const std::shared_ptr<const swci_context>& context, const std::stop_token& stop,
                const address& account) {
  return [context, stop, account](const endpoint& node, const swci::command_world::wanted_file& file,
                                  const std::function<result<>(bytes_view)>& piece) {
    return fetch_from(*context->client, account, stop, node, file, piece);
  };
}

// Commands

swci::command_world world_of(self_pointer self, const swci::action::run& what,
                             const std::function<void(command_news)>& tell) {
  auto& s = self->state();
  swci::command_world out{.context = what.context,
                          .contexts = s.machine.contexts(),
                          .folder = swci::user_folder(absolute_usr_dir(s.context->options)),
                          .task_wait_max = s.context->options.task_max_wait_time,
                          .may_see_lines = s.context->console->may_see_lines()};
  out.say = [tell, id = what.id](swci::answer said) {
    tell({swci::event::command_says{id, std::move(said)}});
  };
  out.show_anew = [tell, id = what.id](swci::answer said) {
    tell({swci::event::command_says{id, std::move(said), true}});
  };
  out.waits = [tell, id = what.id] { tell({swci::event::command_waits{id}}); };
  return out;
}

void run_command(self_pointer self, const swci::action::run& what) {
  auto& s = self->state();
  const std::function<void(command_news)> tell = [env = self->shared_env(),
                                                  path = self->path()](command_news news) {
    env->dir.send(path, std::move(news));
  };
  auto world = world_of(self, what, tell);
  std::optional<connection> to;
  if (const auto at = s.connections.find(what.context); at != s.connections.end()) to = at->second;
  const auto sn_path = to ? sibling(*self, to->child) : std::string{};
  s.command =
      std::jthread([=, env = self->shared_env(), mail = s.mail, path = self->path(), context = s.context,
                    world = std::move(world)](const std::stop_token& stop) mutable {
        world.stop = stop;
        world.look_for_sn = [context, stop](const swci::sn_address& sn) {
          return look_for_sn(*context, sn, stop);
        };
        world.fetch = fetcher_of(context, stop, to ? to->account : address{});
        world.ask_node = [context, stop](const endpoint& node, const std::string& target) {
          return ask_node(*context->asker, *context->identity, stop, node, {.target = target});
        };
        std::optional<context_network> sns;
        if (to) sns.emplace(env, mail, sn_path, to->account, to->trouble, stop);
        world.sns = sns ? &*sns : nullptr;
        world.open_context = [&](const std::string& name, const swci::sn_address& sn) -> result<> {
          const auto letter = mail->expect();
          env->dir.send(path, open_context{name, sn, letter});
          auto opened = mail->take<result<>>(letter, stop, connect_max);
          if (opened) return opened;
          env->dir.send(path, close_context{name});
          if (!opened.error().is(errc::timeout)) return opened;
          return fail(errc::unavailable, "Unable to contact API-Server {}: nobody answered as an SN for {} s",
                      host_port(sn.host, sn.port), connect_max.count());
        };
        auto ended = carry_out(what.what, world);
        if (ended)
          tell({swci::event::command_done{what.id, std::move(*ended)}});
        else
          tell({swci::event::command_failed{what.id, std::move(ended).error()}});
      });
}

/// Reads the names of the present context's network on a thread of its own, for whoever completes words.
void look_names_up(self_pointer self) {
  auto& s = self->state();
  if (!s.completes) return;
  s.memory->names.session_stands(s.machine.contexts(), s.machine.working_folder());
  const auto at = s.connections.find(s.machine.contexts().default_name());
  if (at == s.connections.end() || !at->second.trouble.empty()) return;
  if (s.memory->looks_names_up.exchange(true)) return;
  s.lookup = std::jthread([env = self->shared_env(), memory = s.memory, context = at->first,
                           account = at->second.account, sn_path = sibling(*self, at->second.child),
                           folder = swci::user_folder(absolute_usr_dir(s.context->options))](
                              const std::stop_token& stop) {
    context_network sns(env, {memory, &memory->mail}, sn_path, account, {}, stop);
    swci::command_world world{
        .sns = &sns, .context = context, .contexts = {}, .folder = folder, .stop = stop};
    for (const swci::command& list :
         {swci::command(swci::commands::list_contracts{}), swci::command(swci::commands::list_tasks{}),
          swci::command(swci::commands::list_taskrunners{}),
          swci::command(swci::commands::list_organisations{}), swci::command(swci::commands::list_nodes{})})
      if (const auto found = carry_out(list, world); found && *found) memory->names.learn(context, **found);
    memory->looks_names_up = false;
  });
}

// Actions

/// The next session of a service.
void begin_anew(self_pointer self) {
  auto& s = self->state();
  while (!s.connections.empty())
    close(self, {s.connections.begin()->first});
  s.machine = swci::session_machine(swci::user_folder(absolute_usr_dir(s.context->options)));
  step(self, swci::event::script_read{});
}

struct perform {
  self_pointer self;

  swci::console& shown() const { return *self->state().context->console; }
  bool as_json() const { return self->state().context->options.json; }

  void operator()(const swci::action::ask_line& what) const {
    shown().works_in(self->state().machine.working_folder());
    look_names_up(self);
    shown().ask_line(as_json() ? std::string{} : what.prompt);
  }
  void operator()(const swci::action::echo& what) const {
    if (!as_json()) shown().show(what.prompt + what.line + "\n");
  }
  void operator()(const swci::action::show& what) const {
    if (as_json()) return shown().show_answer(swci::json_of(what.what) + "\n", false);
    if (shown().is_service())
      return shown().show_answer(fmt::format("{}\n", fmt::join(swci::text_of(what.what, true), "\n")), false);
    const auto text = swci::shown_text(what.what);
    if (what.anew) return shown().show_anew(text);
    if (!swci::is_at_prompt(what.what)) return shown().show_answer(text, false);
    shown().show_answer(what.prompt + text.substr(std::min(text.find_first_not_of(' '), text.size())), false);
  }
  void operator()(const swci::action::show_error& what) const {
    if (shown().is_service()) return shown().show_answer(swci::error_text_of(what.text) + "\n", true);
    shown().show_answer(as_json() ? swci::error_json_of(what.text) + "\n"
                                  : std::string(swci::indent) + swci::error_text_of(what.text) + "\n",
                        true);
  }
  void operator()(const swci::action::note& what) const {
    if (!as_json()) shown().show(swci::one_line(what.text) + "\n");
  }
  void operator()(const swci::action::mark&) const {
    if (!as_json()) shown().mark();
  }
  void operator()(const swci::action::run& what) const { run_command(self, what); }
  void operator()(const swci::action::cancel&) const { self->state().command.request_stop(); }
  void operator()(const swci::action::exit& what) const {
    shown().finish();
    if (shown().is_service()) return begin_anew(self);
    self->end_role(what.code, "the session is over");
  }
};

void drain(self_pointer self) {
  for (auto& action : self->state().machine.take_actions())
    std::visit(perform{self}, action);
}

// The init script

result<swci::event::script_read> read_script(const config::swci_options& options) {
  const auto file = options.usr_dir / options.init_script;
  std::error_code failure;
  const bool is_default = options.init_script == config::swci_options{}.init_script;
  if (is_default && !std::filesystem::exists(file, failure)) return swci::event::script_read{};
  SWARM_TRY(const auto text, read_file(file, swci::script_bytes_max));
  SWARM_TRY(auto lines, swci::split_script(text));
  return swci::event::script_read{options.init_script.native(), std::move(lines)};
}

void begin_or_go_on(self_pointer self) {
  auto& s = self->state();
  if (std::exchange(s.memory->begun, true)) {
    for (auto& [name, one] : s.connections)
      one.opening.reset();
    return step(self, swci::event::shell_restarted{});
  }
  const auto script = read_script(s.context->options);
  if (!script) return self->end_role(1, "the init script: " + script.error().message);
  step(self, *script);
}

caf::behavior session_behavior(self_pointer self) {
  auto& s = self->state();
  s.context->console->start([env = self->shared_env(), path = self->path()](swci::any_input what) {
    env->dir.send(path, input_came{std::move(what)});
  });
  s.completes = s.context->console->completes_with(
      [memory = s.memory](swci::hole_kind kind, const std::string& prefix) {
        return memory->names.of(kind, prefix);
      });
  if (s.completes) self->delayed_send(self, names_age_max, names_age{});
  begin_or_go_on(self);
  return {
      [=](const input_came& news) {
        if (const auto* line = std::get_if<swci::input::line>(&news.what))
          step(self, swci::event::line_entered{line->text});
        else if (std::holds_alternative<swci::input::end>(news.what))
          step(self, swci::event::input_ended{});
        else
          step(self, swci::event::interrupted{});
      },
      [=](const command_news& news) { std::visit([&](const auto& each) { step(self, each); }, news.what); },
      [=](const open_context& wanted) { open(self, wanted); },
      [=](const close_context& which) { close(self, which); },
      [=](const sn_standing& news) { take_standing(self, news); },
      [=](const session::action::answered& news) { self->state().mail->deliver(news.id, news.responses); },
      [=](const session::action::call_done& news) { self->state().mail->deliver(news.id, news.outcome); },
      [=](const session::action::contract_read&) {},
      [=](names_age) {
        look_names_up(self);
        self->delayed_send(self, names_age_max, names_age{});
      },
  };
}

} // namespace

start_function session_actor(std::shared_ptr<const swci_context> context) {
  auto memory = std::make_shared<session_memory>(swci::user_folder(absolute_usr_dir(context->options)));
  return role<session_state>(session_behavior, std::move(context), std::move(memory));
}

} // namespace swarm::actors
