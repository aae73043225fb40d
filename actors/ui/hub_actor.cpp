#include "actors/ui/hub_actor.hpp"

#include "actors/node/identity.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/supervision/role_actor.hpp"
#include "actors/swci/asking_nodes.hpp"
#include "actors/swci/mailroom.hpp"
#include "actors/ui/acting/act.hpp"
#include "actors/ui/asking/ask.hpp"
#include "actors/ui/feed/answer_book.hpp"
#include "actors/ui/messages.hpp"
#include "actors/ui/reading/reading_thread.hpp"
#include "actors/ui/worker.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "config/parse.hpp"

#include <algorithm>

namespace swarm::actors {

namespace json = boost::json;

namespace {

constexpr auto tick_interval = std::chrono::seconds(1);
constexpr std::size_t questions_max = 256; ///< that wait, of all browsers
constexpr std::size_t askers =
    4; ///< questions to nodes at a time: one may not answer, and keeps nobody else waiting
/// From when it is asked to its answer; a model may take longer.
constexpr auto question_time_max = std::chrono::seconds(20);
constexpr auto question_time_odd = std::chrono::seconds(5); ///< from there on it is logged
constexpr std::size_t orders_max = 32;
constexpr std::size_t models_max = 8; ///< to be fetched, one after the other
/// How old the time may be that says when the data was read.
constexpr std::uint64_t read_ms_slack = 5'000;

using asker = std::pair<ui::browser_id, std::uint64_t>; ///< and the id of its question

/// What is under way for all who have asked it, who are one at least.
struct asked_together {
  ui::shared_question what;
  std::uint64_t news = 0; ///< how much was heard of the chain when it began
  std::uint64_t since_ms = 0;
  std::vector<asker> who;
};

struct feed_state {
  explicit feed_state(std::shared_ptr<const ui_context> from)
      : context(std::move(from)), hub({context->options.node_name, std::string(config::version()),
                                       to_hex(context->key->account().view())}) {
    stands.trouble = "no SN has been asked yet";
    stands.since_ms = unix_milliseconds();
  }

  std::string status() const {
    return fmt::format("{} browsers, {}", hub.browsers(), stands.is_connected ? "connected" : "no SN");
  }
  std::string detail_json() const {
    const auto served = context->page->status();
    return json::serialize(json::object{{"browsers", hub.browsers()},
                                        {"topics", hub.watched().size()},
                                        {"connected", stands.is_connected},
                                        {"sn", stands.is_connected ? stands.sn : ""},
                                        {"trouble", stands.trouble},
                                        {"read_ms", stands.read_ms},
                                        {"unread_bytes", context->page->unread_bytes()},
                                        {"dropped", context->page->dropped()},
                                        {"refused", context->page->refused()},
                                        {"connections", served.connections},
                                        {"requests", served.requests}});
  }

  std::shared_ptr<const ui_context> context;
  ui::feed_hub hub;
  ui::standing stands;
  json::object network; ///< the topic, but for its standing
  std::shared_ptr<mailroom> mail = context->mail;
  std::unique_ptr<ui::reading_thread> reading;
  std::shared_ptr<ui::proved_reports> proved = std::make_shared<ui::proved_reports>();
  /// Only on the thread of histories.
  std::shared_ptr<ui::history_keeper> history =
      std::make_shared<ui::history_keeper>(ui::training_history::amount_max, proved);
  ui::answer_book answers;
  std::vector<asked_together> together;
  std::uint64_t news = 0; ///< how often something new was heard of the chain
  std::unique_ptr<ui::worker> histories, questions, orders, models;
};

using self_pointer = role_actor<feed_state>*;

json::object standing_json(const ui::standing& from) {
  return ui::network_json({.stands = from}, {}, 0).at("standing").as_object();
}

/// The chain, as the threads see it.
context_network network_of(const std::shared_ptr<environment>& env, const std::shared_ptr<mailroom>& mail,
                           const std::string& sn_path, const address& account, const std::stop_token& stop) {
  return {env, mail, sn_path, account, {}, stop};
}

result<ui::shared_text> answer_of(const ui::action::ask& asked, context_network& sns,
                                  const ui_context& context, ui::history_keeper& history,
                                  const std::stop_token& stop) {
  const ui::asking with{
      sns,
      history,
      asked.may,
      stop,
      [&](const endpoint& node, const std::string& target) {
        return ask_node(*context.asker, *context.identity, stop, node, {.target = target});
      },
      [&](const endpoint& node, const transport::http_request& what) {
        return ask_node(*context.asker, *context.identity, stop, node, what);
      },
      [&](const endpoint& node, const swci::command_world::wanted_file& file, const auto& piece) {
        return fetch_from(*context.asker, sns.account(), stop, node, file, piece);
      },
      context.options.data_dir / "models",
      tls_files_of(context.options.identity)};
  SWARM_TRY(const auto data, ui::ask(asked.what, with));
  return ui::data_text(data);
}

/// A question, and when it was asked.
struct clocked_question {
  ui::action::ask asked;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();

  std::chrono::duration<double> age() const { return std::chrono::steady_clock::now() - since; }
  bool is_limited() const { return ui::source_of(asked.what) != ui::answered_from::models; }
};

void note_time(const clocked_question& of, const result<ui::shared_text>& answer, const std::string& source) {
  if (of.age() < question_time_odd || !of.is_limited()) return;
  log::warning(source, "a question of a browser ({}) took {:.1f} s: {}", ui::word_of(of.asked.what),
               of.age().count(), answer ? "answered" : answer.error().message);
}

/// Of what many have asked together the answer is for all of them, and for whoever asks the same until there is news.
void take_answer(self_pointer self, const browser_answer& came) {
  auto& s = self->state();
  const auto now = unix_milliseconds();
  const auto found = std::ranges::find(s.together, asker{came.to, came.id},
                                       [](const auto& each) { return each.who.front(); });
  if (found == s.together.end()) return s.hub.answer(came.to, came.id, came.what, now);
  if (came.what) s.answers.keep(found->what, found->news, found->since_ms, *came.what);
  for (const auto& [browser, id] : found->who)
    s.hub.answer(browser, id, came.what, now);
  s.together.erase(found);
}

struct perform {
  self_pointer self;

  void operator()(ui::action::send& what) const { self->state().context->page->send(what.to, what.text); }
  void operator()(const ui::action::close& what) const {
    self->state().context->page->close(what.which, what.code, what.why);
  }
  void operator()(const ui::action::look&) const {
    self->state().reading->wants(self->state().hub.watched());
  }
  void operator()(ui::action::ask& what) const {
    const auto shared = ui::shared_of(what.what);
    if (!shared || begins(*shared, {what.from, what.id})) begin(what);
  }
  /// False: somebody has asked the same already, and there is no news since.
  bool begins(const ui::shared_question& what, const asker& who) const {
    auto& s = self->state();
    const auto now = unix_milliseconds();
    if (const auto known = s.answers.find(what, s.news, now)) {
      s.hub.answer(who.first, who.second, known, now);
      return false;
    }
    const auto same = std::ranges::find_if(
        s.together, [&](const auto& each) { return each.news == s.news && each.what == what; });
    if (same != s.together.end()) {
      same->who.push_back(who);
      return false;
    }
    s.together.push_back({what, s.news, now, {who}});
    return true;
  }
  void begin(ui::action::ask& what) const {
    auto& s = self->state();
    const auto from = what.from;
    const auto id = what.id;
    auto& to = worker_of(what.what);
    auto job = [env = self->shared_env(), mail = s.mail, sn_path = sibling(*self, ui_names::sn),
                path = self->path(), context = s.context, history = s.history,
                question = clocked_question{std::move(what)}](const std::stop_token& stop) {
      auto sns = network_of(env, mail, sn_path, context->key->account(), stop);
      if (question.is_limited()) sns.answer_by(question.since + question_time_max);
      const auto answer = answer_of(question.asked, sns, *context, *history, stop);
      if (!stop.stop_requested()) note_time(question, answer, context->log_source);
      env->dir.send(path, browser_answer{question.asked.from, question.asked.id, answer});
    };
    add(to, std::move(job), from, id);
  }
  void operator()(ui::action::act& what) const {
    auto& s = self->state();
    const auto from = what.from;
    const auto id = what.id;
    auto job = [env = self->shared_env(), mail = s.mail, sn_path = sibling(*self, ui_names::sn),
                path = self->path(), context = s.context,
                ordered = std::move(what)](const std::stop_token& stop) {
      auto sns = network_of(env, mail, sn_path, context->key->account(), stop);
      const ui::acting with{sns, context->options.data_dir / "orders", context->log_source, stop};
      env->dir.send(path, browser_answer{ordered.from, ordered.id,
                                         ui::act(ordered.what, ordered.by, with).map(ui::data_text)});
    };
    add(*s.orders, std::move(job), from, id);
  }

  ui::worker& worker_of(const ui::any_question& what) const {
    auto& s = self->state();
    const auto source = ui::source_of(what);
    return source == ui::answered_from::models      ? *s.models
           : source == ui::answered_from::histories ? *s.histories
                                                    : *s.questions;
  }

  void add(ui::worker& to, ui::worker::job job, ui::browser_id from, std::uint64_t id) const {
    auto& s = self->state();
    if (!s.stands.is_connected)
      take_answer(self, {from, id, fail(errc::unavailable, "no SN answers now: {}", s.stands.trouble)});
    else if (!to.add(std::move(job)))
      take_answer(self, {from, id, fail(errc::unavailable, "too much is asked for at a time: try again")});
  }
};

/// Does what the hub wants, which may be more after that.
void carry_out(self_pointer self) {
  auto& s = self->state();
  for (auto actions = s.hub.take_actions(); !actions.empty(); actions = s.hub.take_actions())
    for (auto& each : actions)
      std::visit(perform{self}, each);
}

void show_network(self_pointer self) {
  auto& s = self->state();
  auto whole = s.network;
  if (whole.empty()) whole = ui::network_json({}, {}, 0); // so that the trouble is seen
  whole["standing"] = standing_json(s.stands);
  s.hub.show("network", std::move(whole), unix_milliseconds());
}

/// So that the first question about rounds is answered soon.
void read_histories(self_pointer self) {
  auto& s = self->state();
  s.histories->add([env = self->shared_env(), mail = s.mail, sn_path = sibling(*self, ui_names::sn),
                    context = s.context, history = s.history](const std::stop_token& stop) {
    auto sns = network_of(env, mail, sn_path, context->key->account(), stop);
    if (const auto read = history->catch_up(sns, stop); !read && !stop.stop_requested())
      log::info(context->log_source, "the trainings' events are not read yet: {}", read.error().message);
  });
}

void take_standing(self_pointer self, const sn_standing& news) {
  auto& s = self->state();
  const bool is_connected = news.trouble.empty();
  if (is_connected && !s.stands.is_connected) read_histories(self);
  if (is_connected != s.stands.is_connected) s.stands.since_ms = unix_milliseconds();
  s.stands.is_connected = is_connected;
  s.stands.trouble = news.trouble;
  s.stands.sn = news.sn;
  ++s.news;
  s.reading->may_ask(is_connected);
  show_network(self);
  carry_out(self);
}

void take_topics(self_pointer self, topics_read& news) {
  auto& s = self->state();
  const auto now = unix_milliseconds();
  if (news.read_ms >= s.stands.read_ms + read_ms_slack) s.stands.read_ms = news.read_ms;
  for (auto& each : news.topics) {
    if (auto* why = std::get_if<std::string>(&each.what))
      s.hub.show_absent(each.topic, std::move(*why), now);
    else if (each.topic == "network")
      s.network = std::move(std::get<json::object>(each.what));
    else
      s.hub.show(each.topic, std::move(std::get<json::object>(each.what)), now);
  }
  show_network(self);
  carry_out(self);
}

struct take_news {
  self_pointer self;

  void operator()(ui::browser::came& what) const {
    auto& s = self->state();
    log::info(s.context->log_source, "{} watches, as {}", what.in.name, ui::to_string(what.in.may));
    s.hub.join(what.who, std::move(what.in), unix_milliseconds());
  }
  void operator()(const ui::browser::said& what) const {
    self->state().hub.hear(what.who, what.text, unix_milliseconds());
  }
  void operator()(const ui::browser::gone& what) const {
    auto& s = self->state();
    s.hub.leave(what.who);
    s.reading->wants(s.hub.watched());
  }
};

void begin(self_pointer self) {
  auto& s = self->state();
  s.histories = std::make_unique<ui::worker>(questions_max);
  s.questions = std::make_unique<ui::worker>(questions_max, askers);
  s.orders = std::make_unique<ui::worker>(orders_max);
  s.models = std::make_unique<ui::worker>(models_max);
  s.reading = std::make_unique<ui::reading_thread>(
      [env = self->shared_env(), mail = s.mail, sn_path = sibling(*self, ui_names::sn),
       account = s.context->key->account()](const std::stop_token& stop) {
        return std::make_unique<context_network>(network_of(env, mail, sn_path, account, stop));
      },
      [env = self->shared_env(), path = self->path()](std::vector<ui::topic_read> topics,
                                                      std::uint64_t read_ms) {
        env->dir.send(path, topics_read{std::move(topics), read_ms});
      },
      s.proved, s.context->log_source);
  s.context->page->listen([env = self->shared_env(), path = self->path()](ui::browser_news news) {
    env->dir.send(path, browser_message{std::move(news)});
  });
  show_network(self);
  self->tell(sibling(*self, ui_names::sn), session::event::follow{"the chain", {}, {}, {}});
  self->delayed_send(self, tick_interval, feed_tick{});
}

caf::behavior feed_behavior(self_pointer self) {
  begin(self);
  return {
      [=](browser_message& message) {
        std::visit(take_news{self}, message.news);
        carry_out(self);
      },
      [=](topics_read& news) { take_topics(self, news); },
      [=](const browser_answer& what) {
        take_answer(self, what);
        carry_out(self);
      },
      [=](const sn_standing& news) { take_standing(self, news); },
      [=](const session::action::contract_read&) {
        ++self->state().news;
        self->state().reading->look_now();
      },
      [=](const session::action::answered& news) { self->state().mail->deliver(news.id, news.responses); },
      [=](const session::action::call_done& news) { self->state().mail->deliver(news.id, news.outcome); },
      [=](feed_tick) {
        self->state().hub.tick(unix_milliseconds());
        carry_out(self);
        self->delayed_send(self, tick_interval, feed_tick{});
      },
  };
}

} // namespace

start_function hub_actor(std::shared_ptr<const ui_context> context) {
  return role<feed_state>(feed_behavior, std::move(context));
}

} // namespace swarm::actors
