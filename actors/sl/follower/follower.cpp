#include "actors/sl/follower/follower.hpp"

#include "actors/sl/channel/channel.hpp"
#include "actors/sl/checker/checker.hpp"
#include "actors/sl/follower/contract_json.hpp"
#include "actors/sl/follower/machine_options.hpp"
#include "actors/sl/follower/refusal_text.hpp"
#include "actors/sl/follower/session_note.hpp"
#include "actors/sl/follower/training_metrics.hpp"
#include "actors/sl/follower/training_reader.hpp"
#include "actors/sl/follower/worker_names.hpp"
#include "actors/sl/follower/worker_slot.hpp"
#include "actors/sl/leader/leader.hpp"
#include "actors/sl/random_base.hpp"
#include "actors/sn_client/known_sns.hpp"
#include "actors/supervision/paths.hpp"
#include "actors/supervision/sibling_watch.hpp"
#include "base/log.hpp"
#include "base/log_format.hpp"
#include "contracts/training/client.hpp"

#include <boost/json.hpp>
#include <caf/actor_cast.hpp>

#include <algorithm>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto tick_interval = 100ms;
/// Less than `follower_stop_max`, so that the follower ends by itself before it is killed.
constexpr auto stop_limit = follower_stop_max - 500ms;
/// A wait of this length gets a line in the log, and another one each time it has doubled.
constexpr auto long_wait = 30s;

struct follower_state {
  explicit follower_state(std::shared_ptr<const sl_context> from)
      : context(std::move(from)), machine(machine_options_of(*context)),
        session_file(context->options.data_dir / "session") {}

  std::string status() const { return with_trouble(machine.waiting_for(now())); }
  /// Without an SN nothing that the machine waits for can come.
  std::string with_trouble(std::string_view text) const {
    return sn_trouble.empty() ? std::string(text) : fmt::format("{}; {}", sn_trouble, text);
  }
  std::string detail_json() const;
  static time_point now() { return std::chrono::steady_clock::now(); }

  std::shared_ptr<const sl_context> context;
  rounds::peer_machine machine;
  bool resumed = false; ///< the channel has told the state of the program's session
  sibling_watch sn, files;
  /// Added to the ids of this machine's calls, so that answers to another machine's calls are not taken for
  /// answers to them.
  std::uint64_t call_base = random_base();
  // What has no answer yet: calls, fetches of models, and the merge that the program is to evaluate.
  std::set<std::uint64_t> calls;
  std::map<hash32, wanted_model> fetches;
  merge_seen seen; ///< what the file server is told of the training
  std::optional<ask_loss> asked;
  std::string contract;                                 ///< of the program's session
  std::string sn_trouble;                               ///< why no SN can be asked; empty when one can
  std::string told_program;                             ///< what the program knows to be waited for
  training_reader reader;                               ///< of it
  std::optional<rounds::action::refuse_layout> refusal; ///< waits for a peer's model to compare with
  worker_slot merging, checking;
  std::optional<training_metrics> metrics; ///< there from its first message on
  duration next_wait_report = long_wait;
  session_note session_file;
  std::optional<caf::error> stop_reason; ///< set when told to stop: the node is leaving
  time_point stop_until;
};

using self_pointer = role_actor<follower_state>*;

std::string follower_state::detail_json() const {
  json::object out{{"contract", contract},
                   {"account", to_hex(context->account().view())},
                   {"session", machine.session_word()},
                   {"waiting_for", status()}};
  if (machine.view()) out["training"] = contract_json(*machine.view());
  return json::serialize(out);
}

void drain(self_pointer self);

void step(self_pointer self, const auto& event) {
  self->state().machine.step(event, follower_state::now());
  drain(self);
}

/// Finds the SN client. A restarted one knows nothing of this node's training, nor of the calls that the
/// former one has not answered. Whether those took effect is read from the contract.
caf::actor find_sn(self_pointer self) {
  auto& s = self->state();
  const auto [sn, is_new] = s.sn.find(self->dir(), sibling(*self, sl_names::sn));
  if (!sn || !is_new) return sn;
  if (!s.contract.empty()) self->send(sn, s.reader.request());
  for (const auto id : std::exchange(s.calls, {}))
    self->send(self,
               session::action::call_done{s.call_base + id,
                                          fail(errc::unavailable, "the client of the SN was started again")});
  return sn;
}

void tell_sn(self_pointer self, auto message) {
  if (const auto sn = find_sn(self)) self->send(sn, std::move(message)); // a new one is told what matters
}

/// Finds the file server. A restarted one is asked again for what has not come.
caf::actor find_files(self_pointer self) {
  auto& s = self->state();
  const auto [files, is_new] = s.files.find(self->dir(), sibling(*self, sl_names::files));
  if (!files || !is_new) return files;
  if (!s.contract.empty()) self->send(files, training_followed{s.contract});
  self->send(files, s.seen);
  for (const auto& [digest, wanted] : s.fetches)
    self->send(files, fetch_model{wanted, self->path()});
  if (s.refusal) self->send(files, fetch_layout{*s.refusal, self->path()});
  return files;
}

void tell_files(self_pointer self, auto message) {
  if (const auto files = find_files(self)) self->send(files, std::move(message));
}

void fetch(self_pointer self, wanted_model wanted) {
  const auto files = find_files(self);
  if (files) self->send(files, fetch_model{wanted, self->path()});
  self->state().fetches.insert_or_assign(wanted.digest, std::move(wanted));
}

void follow(self_pointer self, std::string contract) {
  auto& s = self->state();
  s.contract = std::move(contract);
  s.reader = training_reader(s.contract);
  tell_files(self, training_followed{s.contract});
  tell_sn(self, s.reader.request());
}

// Actions

/// The layout of a peer's model is here: tells the program in what its model differs from it.
void explain_refusal(self_pointer self, const layout_fetched& news) {
  auto& s = self->state();
  if (!s.refusal || s.refusal->other != news.digest) return;
  const auto refusal = *std::exchange(s.refusal, std::nullopt);
  tell_channel(*self, *s.context->link,
               refuse_program{refusal_text(refusal, news.layout, *s.context->store)});
}

struct perform {
  self_pointer self;

  void to_channel(any_link_item item) const {
    tell_channel(*self, *self->state().context->link, std::move(item));
  }

  void operator()(rounds::action::call& a) const {
    auto& s = self->state();
    const auto sn = find_sn(self);
    s.calls.insert(a.id);
    if (!sn) return;
    const auto training = contracts::training_address(a.contract);
    self->send(sn,
               session::event::submit{s.call_base + a.id, training, std::move(a.input), std::move(a.what)});
  }
  void operator()(rounds::action::make_durable& a) const {
    auto& s = self->state(); // what follows from it is in the next batch
    s.machine.step(rounds::event::model_durable{a.digest, s.context->store->make_durable(a.digest)},
                   follower_state::now());
  }
  void operator()(rounds::action::note_session& a) const {
    auto& s = self->state();
    if (auto noted = s.session_file.keep(a.contract.value_or("")); !noted)
      self->note_error(noted.error().message);
  }
  void operator()(rounds::action::refresh&) const {
    auto& s = self->state();
    if (s.reader.watch_merge_of(s.machine.brought_to())) {
      tell_sn(self, s.reader.request());
    } else {
      tell_sn(self, session::event::read{});
    }
  }
  void operator()(rounds::action::answer_open& a) const {
    const auto& options = self->state().context->options;
    a.network = network_name(options.genesis_hash, options.data_dir / "genesis-hash");
    to_channel(std::move(a));
  }
  void operator()(rounds::action::ask_loss& a) const {
    self->state().asked = a;
    to_channel(a);
  }
  void operator()(rounds::action::answer_sync& a) const { to_channel(std::move(a)); }
  void operator()(rounds::action::answer_close& a) const { to_channel(std::move(a)); }
  void operator()(rounds::action::refuse& a) const { to_channel(std::move(a)); }
  void operator()(rounds::action::refuse_layout& a) const {
    self->state().refusal = a;
    if (const auto here = self->state().context->store->open(a.other))
      return explain_refusal(self, {a.other, (*here)->layout()});
    tell_files(self, fetch_layout{a, self->path()});
  }
  void operator()(rounds::action::fetch& a) const {
    fetch(self, {a.digest, a.size, std::move(a.holders), true, std::move(a.shards), std::move(a.made_here)});
  }
  void operator()(rounds::action::start_merge& a) const;
  void operator()(rounds::action::cancel_merge&) const { self->state().merging.end(self); }
  void operator()(rounds::action::start_check& a) const;
  void operator()(rounds::action::cancel_check&) const { self->state().checking.end(self); }
  void operator()(rounds::action::probe_leader& a) const { tell_files(self, std::move(a)); }
  void operator()(rounds::action::keep_models& a) const { tell_files(self, std::move(a)); }
  void operator()(rounds::action::session_ended& a) const {
    if (self->state().stop_reason) return;
    if (a.node_ends) return self->end_role(0, a.text);
    log::info(self->state().context->log_source, "session over ({}); waiting for the next program", a.text);
    log::set_training(self->state().context->log_source, {});
  }
  void operator()(rounds::action::note& a) const {
    const auto& source = self->state().context->log_source;
    if (a.warning) {
      log::warning(source, "{}", a.text);
    } else {
      log::info(source, "{}", a.text);
    }
  }
};

void perform::operator()(rounds::action::start_merge& a) const {
  const auto& context = self->state().context;
  self->state().metrics->merge_begins(a, follower_state::now());
  if (a.leads)
    log::info(context->log_source, "leading the merge of round {}, term {}: {} models", a.round_num, a.term,
              a.inputs.size());
  // A failure is told as a message, behind what the worker has sent before it died.
  self->state().merging.start(
      self, a.leads ? leader_name(a.round_num, a.term) : beside_name(a.round_num, a.term),
      [context, a](std::string name) { return leader_spec(std::move(name), context, a); },
      [self = self, round_num = a.round_num, term = a.term](const std::string& why) {
        self->send(self, merge_done{round_num, term, fail(errc::internal, "the merge actor: {}", why)});
      });
}

void perform::operator()(rounds::action::start_check& a) const {
  const auto& context = self->state().context;
  const auto& task = a.task;
  self->state().checking.start(
      self, task.makes ? shard_name(task.id) : check_name(task.id),
      [context, task](std::string name) { return checker_spec(std::move(name), context, task); },
      [self = self, id = task.id](const std::string& why) {
        self->send(self, check_done{id, fail(errc::internal, "the check actor: {}", why)});
      });
}

void drain(self_pointer self) {
  auto& s = self->state();
  for (auto actions = s.machine.take_actions(); !actions.empty(); actions = s.machine.take_actions())
    for (auto& action : actions)
      std::visit(perform{self}, action);
  s.metrics->merge_seen(s.machine, follower_state::now());
  if (s.stop_reason && (s.machine.may_stop() || follower_state::now() >= s.stop_until))
    self->quit(*s.stop_reason);
}

// Events

void show(follower_state& s) {
  s.metrics->look(s.machine, s.contract, s.context->account(), *s.context->store, follower_state::now());
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
  log::info(s.context->log_source, "still waiting: {}", s.status());
}

/// What its SL waits for concerns the program's user too.
void tell_program_of_wait(self_pointer self) {
  auto& s = self->state();
  auto text = s.machine.in_session() ? s.with_trouble(s.machine.waits_for()) : std::string{};
  if (text == s.told_program) return;
  s.told_program = text;
  if (!text.empty()) tell_channel(*self, *s.context->link, tell_program{std::move(text)});
}

/// Stops: the node leaves the training first, so that its peers need not wait for it.
void stop(self_pointer self, caf::error reason) {
  auto& s = self->state();
  if (s.stop_reason) return;
  s.stop_reason = std::move(reason);
  s.stop_until = follower_state::now() + stop_limit;
  s.machine.step(rounds::event::shutdown{}, follower_state::now());
  if (!self->dir().find(sibling(*self, sl_names::sn))) s.stop_until = {}; // nobody can be told
  drain(self);
}

/// Leaves a training for the former process, which ended within a session, or for a former follower that had
/// not left after a session.
void leave_for_former_self(self_pointer self) {
  auto& s = self->state();
  const auto contract = s.session_file.former();
  if (contract.empty()) return;
  log::info(s.context->log_source, "leaving '{}', as the former session was cut off", contract);
  follow(self, contract);
  step(self, rounds::event::former_session{contract});
}

/// Tells the program why the contract cannot be read.
void contract_unavailable(self_pointer self, const error& why) {
  auto& s = self->state();
  if (!s.machine.in_session()) return;
  const auto text = fmt::format(
      "training contract '{}': {}; create it on an SN with --contract {} or with CREATE CONTRACT, or correct "
      "trainingContract",
      s.contract, why.message, s.contract);
  tell_channel(*self, *s.context->link, refuse_program{text});
  step(self, program_gone{text, false});
}

/// The file server hears of each block once, before anything is done on account of it.
void tell_files_of(self_pointer self, const rounds::contract_view& view) {
  auto& s = self->state();
  s.context->chain->block_num = view.block_num;
  if (view.block_num == s.seen.block_num && s.seen.training == s.contract) return;
  const auto& head = view.head;
  s.seen = {view.block_num,  s.contract,        head.merged_digest,
            head.generation, head.merged_round, head.merged_size};
  tell_files(self, s.seen);
}

void take_reading(self_pointer self, const session::action::contract_read& news) {
  auto& s = self->state();
  if (news.name != s.contract) return;
  auto view = s.reader.take(news);
  if (!view && view.error().is(errc::not_found)) return contract_unavailable(self, view.error());
  if (!view) return self->note_error(view.error().message);
  if (!*view) return tell_sn(self, s.reader.request());
  tell_files_of(self, **view);
  const auto& head = (*view)->head;
  if (s.machine.in_session())
    log::set_training(s.context->log_source, {s.contract, head.generation, head.round_num});
  step(self, rounds::event::view_read{std::move(**view)});
}

void open(self_pointer self, const program_opened& opened) {
  self->state().asked.reset();
  self->state().told_program.clear();
  follow(self, opened.contract);
  step(self, rounds::event::program_opened{opened.params, opened.contract});
}

/// Goes on where the former follower stopped; at the first start there is none.
void resume(self_pointer self, const program_resumed& from) {
  auto& s = self->state();
  s.resumed = true;
  s.machine = rounds::peer_machine(machine_options_of(*s.context));
  s.call_base = random_base();
  s.calls.clear();
  s.asked.reset();
  s.refusal.reset();
  s.merging = s.checking = {};
  remove_workers(*self);
  if (!from.session) return leave_for_former_self(self);
  follow(self, from.session->contract);
  const auto now = follower_state::now();
  const auto tell = [&](const auto& event) { s.machine.step(event, now); };
  const bool ended = !from.last_words.empty();
  const auto former = s.session_file.former();
  const bool may_be_listed = self->is_restarted() || !former.empty();
  if (ended || (!from.open_answered && may_be_listed))
    tell(rounds::event::former_session{former.empty() ? from.session->contract : former});
  tell(rounds::event::program_opened{from.session->params, from.session->contract});
  if (ended) {
    tell(program_gone{from.last_words, true, contracts::leave_reason::program_ended});
  } else if (from.open_answered) {
    tell(rounds::event::session_resumed{from.progress});
    if (const auto* sync = std::get_if<program_synced>(&from.waits_for)) tell(*sync);
    if (const auto* closing = std::get_if<program_closing>(&from.waits_for)) tell(*closing);
  }
  drain(self);
}

/// Takes a loss. One that a former follower asked for does not count, as this one asks again when it is due.
void take_loss(self_pointer self, const program_loss& loss) {
  auto& s = self->state();
  if (!s.resumed) return;
  if (s.asked && s.asked->digest != loss.digest) return tell_channel(*self, *s.context->link, *s.asked);
  s.asked.reset();
  step(self, rounds::event::program_loss{loss.report});
}

/// A call that the follower before this one has made shows in the contract.
void take_receipt(self_pointer self, const session::action::call_done& from) {
  auto& s = self->state();
  rounds::event::call_done done{.id = from.id - s.call_base};
  if (const auto& receipt = from.outcome) {
    done.ok = receipt->ok;
    done.block_num = receipt->block_num;
    done.text = receipt->revert;
  } else {
    done.text = receipt.error().message;
  }
  if (s.calls.erase(done.id) == 0 && done.block_num > 0) tell_sn(self, session::event::read{});
  step(self, done);
}

/// Takes what a worker has done. False: it is not wanted any more. A slot is empty already when its failure is told.
bool ends(self_pointer self, worker_slot& slot, const std::string& name, const auto& done) {
  if (slot.is(name))
    slot.end(self);
  else if (done.outcome)
    return false;
  return true;
}

caf::behavior follower_behavior(self_pointer self) {
  self->env().methods.forward("round", self->path());
  self->state().metrics.emplace(self->env().metrics, self->state().context->options.node_name);
  self->delayed_send(self, tick_interval, tick{});
  self->on_stop([self](caf::error reason) { stop(self, std::move(reason)); });
  tell_channel(*self, *self->state().context->link, program_wanted{});
  self->set_down_handler([self](caf::down_msg& down) {
    self->state().merging.take_down(down);
    self->state().checking.take_down(down);
  });
  return {
      [=](const program_resumed& from) { resume(self, from); },
      [=](const program_opened& opened) {
        if (self->state().resumed) open(self, opened); // else it is part of the session's state
      },
      [=](const program_synced& sync) {
        if (self->state().resumed) step(self, sync);
      },
      [=](const program_closing& closing) {
        if (self->state().resumed) step(self, closing);
      },
      [=](const program_loss& loss) { take_loss(self, loss); },
      [=](const program_gone& gone) {
        if (!self->state().resumed) return;
        self->state().asked.reset();
        step(self, gone);
      },
      [=](const session::action::contract_read& news) { take_reading(self, news); },
      [=](const session::action::call_done& done) { take_receipt(self, done); },
      [=](const sn_standing& news) {
        auto& s = self->state();
        s.sn_trouble = news.trouble;
        s.context->chain->sn_answers = news.trouble.empty();
      },
      [=](const model_fetched& news) {
        self->state().fetches.erase(news.digest);
        step(self, news);
      },
      [=](const layout_fetched& news) { explain_refusal(self, news); },
      [=](const merge_done& done) {
        auto& slot = self->state().merging;
        self->state().metrics->merge_ends(done, self->state().context->board->fetched, follower_state::now());
        const auto beside = beside_name(done.round_num, done.term);
        const auto name = slot.is(beside) ? beside : leader_name(done.round_num, done.term);
        if (ends(self, slot, name, done)) step(self, done);
      },
      [=](const check_done& done) {
        auto& slot = self->state().checking;
        const auto shard = shard_name(done.id);
        if (ends(self, slot, slot.is(shard) ? shard : check_name(done.id), done)) step(self, done);
      },
      [=](const leader_progress& news) { step(self, news); },
      [=](const leader_unheard& news) { step(self, news); },
      [=](tick) {
        find_sn(self);
        find_files(self);
        show(self->state());
        report_long_wait(self);
        tell_program_of_wait(self);
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
