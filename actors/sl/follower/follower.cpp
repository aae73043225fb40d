#include "actors/sl/follower/follower.hpp"

#include "actors/sl/follower/session_note.hpp"
#include "actors/sl/follower/training_reader.hpp"
#include "actors/sl/leader/leader.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "contracts/training/client.hpp"

#include <boost/json.hpp>
#include <caf/actor_cast.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto tick_interval = 100ms;
/// Less than `follower_stop_max`: it ends by itself.
constexpr auto stop_limit = follower_stop_max - 500ms;
/// A wait of this length is worth a line in the log, and another one each time it has doubled.
constexpr auto long_wait = 30s;

struct follower_state {
  explicit follower_state(std::shared_ptr<const sl_context> from)
      : context(std::move(from)),
        machine({.self = context->account(),
                 .can_lead = context->options.make_me_admin,
                 .grace = context->options.wait_for_full_quorum,
                 .leader_stall = std::min<duration>(10s, context->options.leader_failure_base_timeout)}),
        session_file(context->options.data_dir / "session") {}

  std::string status() const { return machine.waiting_for(now()); }
  std::string detail_json() const;
  static time_point now() { return std::chrono::steady_clock::now(); }

  std::shared_ptr<const sl_context> context;
  rounds::peer_machine machine;
  std::string contract;                                 ///< of the program's session
  bool passes_merges_on = false;                        ///< its check-ins may name a merge once it has ended
  training_reader reader;                               ///< of it
  std::optional<rounds::action::refuse_layout> refusal; ///< waits for a peer's model to compare with
  std::optional<rounds::action::start_merge> merging;
  caf::actor_addr leader;
  duration next_wait_report = long_wait;
  session_note session_file;
  std::optional<caf::error> stop_reason; ///< told to stop, leaving
  time_point stop_until;
};

using self_pointer = role_actor<follower_state>*;

json::object contract_json(const rounds::contract_view& view) {
  const auto& head = view.head;
  json::array peers;
  for (const auto& peer : view.peers)
    peers.push_back(json::object{{"name", peer.name},
                                 {"account", to_hex(peer.account.view())},
                                 {"state", contracts::to_string(peer.state)},
                                 {"last_round", peer.last_round},
                                 {"loss_round", peer.loss_round},
                                 {"loss", contracts::from_micro(peer.loss_micro)},
                                 {"metric", contracts::from_micro(peer.metric_micro)},
                                 {"epochs_done", peer.epochs_done},
                                 {"epochs_total", peer.epochs_total},
                                 {"weightage", peer.weightage},
                                 {"endpoint", peer.endpoint},
                                 {"silent", view.silent.contains(peer.account)}});
  return {{"block_num", view.block_num},
          {"generation", head.generation},
          {"round", head.round_num},
          {"phase", contracts::to_string(head.phase)},
          {"term", head.term},
          {"leader", to_hex(head.leader.view())},
          {"min_peers", head.min_peers},
          {"merge_method", head.merge_method},
          {"waited_for", head.waited_for},
          {"checked_in", head.checked_in},
          {"merged_round", head.merged_round},
          {"merged_digest", to_hex(head.merged_digest.view())},
          {"merged_size", head.merged_size},
          {"peers", std::move(peers)}};
}

std::string follower_state::detail_json() const {
  json::object out{{"contract", contract},
                   {"account", to_hex(context->account().view())},
                   {"waiting_for", machine.waiting_for(now())}};
  if (machine.view()) out["training"] = contract_json(*machine.view());
  return json::serialize(out);
}

void drain(self_pointer self);

void step(self_pointer self, const auto& event) {
  self->state().machine.step(event, follower_state::now());
  drain(self);
}

// -- actions

struct perform {
  self_pointer self;

  void to(std::string_view who, auto message) const {
    if (!self->tell(sibling(*self, who), std::move(message)))
      self->note_error(fmt::format("/{} is not there just now", who));
  }

  void operator()(rounds::action::call& a) const {
    const auto training = contracts::training_address(self->state().contract);
    to("sn", submit_call{a.id, training, std::move(a.input), std::move(a.what)});
  }
  void operator()(rounds::action::refresh&) const { to("sn", read_contract{}); }
  void operator()(rounds::action::answer_open&) const { to("channel", answer_open{}); }
  void operator()(rounds::action::ask_loss& a) const { to("channel", ask_loss{a.digest}); }
  void operator()(rounds::action::answer_sync& a) const {
    to("channel", answer_sync{a.next_interval, a.training_over});
  }
  void operator()(rounds::action::answer_close&) const { to("channel", answer_close{}); }
  void operator()(rounds::action::refuse& a) const { to("channel", refuse_program{std::move(a.text)}); }
  void operator()(rounds::action::refuse_layout& a) const {
    self->state().refusal = a;
    to("files", fetch_model{a.other, a.other_size, a.holders, self->path()});
  }
  void operator()(rounds::action::fetch& a) const {
    to("files", fetch_model{a.digest, a.size, std::move(a.holders), self->path()});
  }
  void operator()(rounds::action::start_merge& a) const;
  void operator()(rounds::action::cancel_merge&) const {
    auto& merging = self->state().merging;
    // Without a sender: the answer interests nobody.
    if (merging) self->dir().send(parent_path(*self), remove_child{leader_name(*merging)});
    merging.reset();
  }
  void operator()(rounds::action::probe_leader& a) const {
    to("files", probe_leader{a.endpoint, a.round_num, a.term});
  }
  void operator()(rounds::action::keep_models& a) const { to("files", keep_models{std::move(a.digests)}); }
  void operator()(rounds::action::session_ended& a) const {
    if (self->state().stop_reason) return;
    if (a.node_ends) return self->end_role(0, a.text);
    log::info(self->state().context->log_source, "session over ({}); waiting for the next program", a.text);
  }
  void operator()(rounds::action::note& a) const {
    const auto& source = self->state().context->log_source;
    if (a.warning) {
      log::warning(source, "{}", a.text);
    } else {
      log::info(source, "{}", a.text);
    }
  }

  static std::string leader_name(const rounds::action::start_merge& a) {
    return fmt::format("leader:{}.{}", a.round_num, a.term);
  }
};

void merge_failed(self_pointer self, std::uint64_t round_num, std::uint32_t term, const std::string& text) {
  step(self, rounds::event::merge_done{round_num, term, fail(errc::internal, "{}", text)});
}

void perform::operator()(rounds::action::start_merge& a) const {
  auto& s = self->state();
  log::info(s.context->log_source, "leading the merge of round {}, term {}: {} models", a.round_num, a.term,
            a.inputs.size());
  s.merging = a;
  child_spec child{.name = leader_name(a),
                   .start = leader_actor(s.context, a),
                   .when = restart::temporary,
                   .detached = true};
  self->ask(parent_path(*self), 10s, add_child{std::move(child)})
      .then(
          [self = self, round_num = a.round_num, term = a.term](const child_added& added) {
            auto handle = self->dir().find(added.path);
            if (!handle) return; // it has ended already, so its result is in the mailbox
            self->state().leader = handle.address();
            self->monitor(handle);
          },
          [self = self, round_num = a.round_num, term = a.term](caf::error& why) {
            merge_failed(self, round_num, term, text_of(why));
          });
}

/// While a process that ends would leave a peer behind, a note says so.
void keep_note(self_pointer self) {
  auto& s = self->state();
  if (auto noted = s.session_file.keep(s.machine.is_engaged() ? s.contract : ""); !noted)
    self->note_error(noted.error().message);
}

void drain(self_pointer self) {
  auto& s = self->state();
  if (s.machine.is_engaged()) keep_note(self); // before the first transaction of a session is sent
  for (auto actions = s.machine.take_actions(); !actions.empty(); actions = s.machine.take_actions())
    for (auto& action : actions)
      std::visit(perform{self}, action);
  keep_note(self);
  if (s.stop_reason && (s.machine.may_stop() || follower_state::now() >= s.stop_until))
    self->quit(*s.stop_reason);
}

// -- events

/// A peer's model is here: say in what the program's model differs from it.
void explain_refusal(self_pointer self, const model_fetched& news) {
  auto& s = self->state();
  const auto refusal = *std::exchange(s.refusal, std::nullopt);
  std::string text = "the model's parameters differ from those of the other peers";
  const auto own = s.context->store->open(refusal.own);
  const auto other = s.context->store->open(refusal.other);
  if (own && other) {
    text += ": " + merge::difference((*other)->layout(), (*own)->layout());
  } else if (!news.layout) {
    text += " (their model could not be fetched for comparison: " + news.layout.error().message + ")";
  }
  self->tell(sibling(*self, "channel"),
             refuse_program{text + "; all peers must run the same model definition"});
}

/// The layout of a model that has come, once the disk has it if a check-in of this node may name it.
result<hash32> settled(const follower_state& s, const model_fetched& news) {
  if (news.layout && s.passes_merges_on) SWARM_CHECK(s.context->store->make_durable(news.digest));
  return news.layout;
}

void report_long_wait(self_pointer self) {
  auto& s = self->state();
  const auto now = follower_state::now();
  const auto waited = now - s.machine.phase_since();
  if (!s.machine.in_session() || waited < long_wait) {
    s.next_wait_report = long_wait;
    return;
  }
  if (waited < s.next_wait_report) return;
  s.next_wait_report *= 2;
  log::info(s.context->log_source, "still waiting: {}", s.machine.waiting_for(now));
}

/// A node that is told to stop leaves the training, so that its peers need not wait for it.
void stop(self_pointer self, caf::error reason) {
  auto& s = self->state();
  if (s.stop_reason) return;
  s.stop_reason = std::move(reason);
  s.stop_until = follower_state::now() + stop_limit;
  s.machine.step(rounds::event::shutdown{}, follower_state::now());
  if (!self->dir().find(sibling(*self, "sn"))) s.stop_until = {}; // nobody can be told
  drain(self);
}

/// The contract of the program's session.
void follow(self_pointer self) {
  auto& s = self->state();
  s.reader = training_reader(s.contract);
  self->tell(sibling(*self, "sn"), s.reader.request());
}

/// The process before this one, or this actor's last life, ended within a session.
void leave_for_former_self(self_pointer self) {
  auto& s = self->state();
  s.contract = s.session_file.former();
  if (s.contract.empty()) return;
  log::info(s.context->log_source, "leaving '{}' for the session that was cut off", s.contract);
  follow(self);
  step(self, rounds::event::former_session{});
}

/// For the program to hear.
void contract_unavailable(self_pointer self, const error& why) {
  auto& s = self->state();
  if (!s.machine.in_session()) return;
  const auto text = fmt::format(
      "training contract '{}': {}; create it on an SN with --contract {} or with CREATE CONTRACT, or correct "
      "trainingContract",
      s.contract, why.message, s.contract);
  self->tell(sibling(*self, "channel"), refuse_program{text});
  step(self, rounds::event::program_gone{text, false});
}

void take_reading(self_pointer self, const contract_read& news) {
  auto& s = self->state();
  if (news.name != s.contract) return;
  auto view = s.reader.take(news);
  if (!view && view.error().is(errc::not_found)) return contract_unavailable(self, view.error());
  if (!view) return self->note_error(view.error().message);
  if (!*view) return void(self->tell(sibling(*self, "sn"), s.reader.request()));
  step(self, rounds::event::view_read{std::move(**view)});
}

caf::behavior follower_behavior(self_pointer self) {
  self->env().methods.forward("round", self->path());
  self->delayed_send(self, tick_interval, tick{});
  self->set_exit_handler([self](caf::exit_msg& exit) { stop(self, std::move(exit.reason)); });
  leave_for_former_self(self);
  self->set_down_handler([self](caf::down_msg& down) {
    auto& s = self->state();
    if (down.source != s.leader || !s.merging) return;
    const auto merging = *std::exchange(s.merging, std::nullopt);
    // After a good end this comes behind its `merge_done` and changes nothing.
    merge_failed(self, merging.round_num, merging.term, "the merge actor died: " + text_of(down.reason));
  });
  return {
      [=](const program_opened& opened) {
        self->state().contract = opened.contract;
        self->state().passes_merges_on = opened.params.on_train_end == contracts::on_train_end::active;
        follow(self);
        step(self, rounds::event::program_opened{opened.params});
      },
      [=](const program_synced& sync) {
        step(self, rounds::event::program_synced{sync.model, sync.weightage});
      },
      [=](const program_closing& closing) {
        step(self, rounds::event::program_closing{closing.model, closing.weightage});
      },
      [=](const program_loss& loss) { step(self, rounds::event::program_loss{loss.report}); },
      [=](const program_gone& gone) {
        step(self, rounds::event::program_gone{gone.reason, gone.orderly});
      },
      [=](const contract_read& news) { take_reading(self, news); },
      [=](const call_done& done) {
        step(self, rounds::event::call_done{done.id, done.ok, done.block_num, done.text});
      },
      [=](const model_fetched& news) {
        if (self->state().refusal && self->state().refusal->other == news.digest)
          return explain_refusal(self, news);
        step(self, rounds::event::model_fetched{news.digest, settled(self->state(), news)});
      },
      [=](const merge_done& done) {
        self->state().merging.reset();
        step(self, rounds::event::merge_done{done.round_num, done.term, done.outcome});
      },
      [=](const leader_progress& news) {
        step(self, rounds::event::leader_progress{news.round_num, news.term, news.progress});
      },
      [=](tick) {
        report_long_wait(self);
        step(self, rounds::event::tick{});
        self->delayed_send(self, tick_interval, tick{});
      },
      [=](const admin_query&) { return self->state().detail_json(); },
  };
}

} // namespace

start_function follower_actor(std::shared_ptr<const sl_context> context) {
  return role<follower_state>(follower_behavior, std::move(context));
}

} // namespace swarm::actors
