#include "actors/sl/rounds/testing/simulation_parts.hpp"
#include "base/hash.hpp"
#include "contracts/testing/training_probe.hpp"
#include "contracts/training/dealing.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::rounds::testing {

using namespace std::chrono_literals;

namespace {

hash32 other_layout() {
  return keccak256("another layout");
}

} // namespace

scenario scenario::draw(seeded_random& random) {
  const auto up_to = [&random](std::uint64_t most) {
    return static_cast<std::uint32_t>(random.below(most + 1));
  };
  scenario out;
  out.nodes = 2 + up_to(6);
  out.reliable = 1 + up_to(out.nodes - 1);
  out.min_peers = 1 + up_to(out.reliable - 1);
  out.quiet_at = std::chrono::seconds(20 + up_to(60));
  out.delay_max = std::chrono::milliseconds(2 + up_to(random.below(2) == 0 ? 20 : 800));
  const auto sometimes = [&](std::uint32_t most) { return random.below(2) == 0 ? 0 : up_to(most); };
  out.slow_message = sometimes(100);
  out.lost_event = sometimes(300);
  out.lost_call = sometimes(60);
  out.failed_fetch = sometimes(200);
  out.stuck_merge = sometimes(300);
  out.accidents = sometimes(12);
  out.may_reset = random.below(8) == 0;
  if (out.may_reset) out.min_peers = 1; // those who were served before the reset do not come back
  out.one_diverges = out.reliable < out.nodes && random.below(5) == 0;
  out.one_differs = !out.may_reset && out.reliable < out.nodes && random.below(8) == 0;
  out.one_asks = !out.may_reset && !out.one_differs && out.reliable < out.nodes && random.below(6) == 0;
  if (out.reliable < out.nodes && random.below(4) == 0) out.withholds = 300 + up_to(690);
  if (out.may_reset && out.reliable < out.nodes)
    out.lies = up_to(1000); // two that disagree stop a round
  else if (out.reliable >= 3 && out.reliable < out.nodes && random.below(2) == 0)
    out.lies = 500 + up_to(500);
  if (random.below(2) == 0) out.organisations = 2 + up_to(2);
  // Of those that always answer some are of two organisations besides that of the liars.
  if (out.lies > 0 && out.organisations > 0)
    out.organisations = out.reliable < 3 ? 0 : std::max(out.organisations, 3u);
  if (random.below(2) == 0) out.model_size = chunks_per_model * contracts::model_chunk_bytes;
  out.deadly = random.below(6) == 0;
  out.behind = random.below(3) == 0;
  out.one_slow = random.below(6) == 0;
  if (random.below(2) == 0) out.grace = 1s;
  out.measured = random.below(2) == 0;
  return out;
}

std::string scenario::describe() const {
  return fmt::format(
      "{} nodes of {} organisations, {} of them reliable, minPeers {}, faults until {} s, delays up to {} "
      "ms; of a "
      "thousand: {} slow messages, {} lost events, {} lost calls, {} failed fetches, {} stuck "
      "merges; {} accidents{}; models of {} bytes{}; a grace of {} s{}{}{}{}{}{}{}{}",
      nodes, organisations, reliable, min_peers,
      std::chrono::duration_cast<std::chrono::seconds>(quiet_at).count(),
      std::chrono::duration_cast<std::chrono::milliseconds>(delay_max).count(), slow_message, lost_event,
      lost_call, failed_fetch, stuck_merge, accidents, deadly ? " that are deadly" : "", model_size,
      measured ? ", measured" : "", std::chrono::duration_cast<std::chrono::seconds>(grace).count(),
      one_slow ? ", the last one is slow" : "", may_reset ? ", perhaps a reset" : "",
      behind ? ", checked behind" : "", one_diverges ? ", the last one diverges" : "",
      one_differs ? ", the last one differs" : "", one_asks ? ", the last one asks for another minPeers" : "",
      withholds > 0 ? fmt::format(", the last one withholds {}", withholds) : "",
      lies > 0 ? fmt::format(", merges of unreliable ones are wrong {}", lies) : "");
}

// Programs

void simulation::start_program(node& n) {
  auto& p = n.prog;
  if (n.stopping || (p.serial > 0 && p.now != program::doing::over)) return;
  const bool last = n.number + 1u == nodes_.size();
  const bool differs = last && scenario_.one_differs;
  const auto& head = contracts::training_probe(world_, training_).head();
  const bool asks = last && scenario_.one_asks;
  const bool would_be_first = (differs && head.layout_digest.is_zero()) || (asks && head.min_peers == 0);
  if (would_be_first && head.phase != contracts::round_phase::complete) // who comes first is right
    return in_life(n, 1s, [this, &n] { start_program(n); });
  const auto serial = p.serial + 1;
  p = {};
  p.serial = serial;
  p.params.min_peers = scenario_.min_peers + (asks ? 1 : 0);
  if (scenario_.measured) p.params.merge_method = "geomedian";
  p.params.adaptive_sync = random_.below(4) == 0;
  p.params.on_train_end = static_cast<contracts::on_train_end>(random_.below(3));
  if (n.reliable && p.params.on_train_end == contracts::on_train_end::inactive)
    p.params.on_train_end = contracts::on_train_end::snapshot; // peers that are all inactive are refused
  p.params.weightage = 1 + static_cast<std::uint32_t>(random_.below(4));
  p.weightage = p.params.weightage;
  p.params.takes_back = scenario_.behind && random_.below(4) > 0;
  p.syncs_left = static_cast<std::uint32_t>(random_.below(scenario_.syncs_max + 1));
  p.pace = between(10, random_.below(3) == 0 ? 20000 : 2000);
  if (scenario_.one_slow) p.pace = last ? 11s : 5s;
  p.loss_takes = between(1, random_.below(4) == 0 ? 5000 : 200);
  p.diverges = last && scenario_.one_diverges;
  p.layout = differs ? other_layout() : keccak256("the layout");
  p.has = {static_cast<double>(random_.below(1000)), true, p.layout};
  p.now = program::doing::opening;
  note(&n, fmt::format("program {} opens, {} syncs to come", serial, p.syncs_left));
  n.machine->step(event::program_opened{p.params, std::string(contracts::default_training_name)}, now_);
  drain(n);
}

void simulation::step(node& n) {
  n.prog.now = program::doing::training;
  const auto pace = n.prog.pace;
  in_life(n, pace / 2 + between(0, std::chrono::duration_cast<std::chrono::milliseconds>(pace).count()),
          [this, &n, serial = n.prog.serial] {
            if (n.prog.serial != serial || n.prog.now != program::doing::training) return;
            send_models(n, n.prog.syncs_left == 0);
          });
}

void simulation::send_models(node& n, bool close) {
  auto& p = n.prog;
  p.has.value += static_cast<double>(random_.below(100)) / 10;
  p.has.finite = !p.diverges;
  const auto digest = p.has.digest();
  models_[digest] = p.has;
  n.put(digest);
  bases_[{n.account, digest}] = {p.last_round, p.last_digest};
  const model_ref model{digest, scenario_.model_size, p.layout};
  p.asked_in_request = false;
  note(&n,
       fmt::format("program {}: {}", close ? "closes with" : "syncs", to_hex(digest.view()).substr(0, 10)));
  if (close) {
    p.now = program::doing::waiting_for_close;
    const bool inactive = p.params.on_train_end == contracts::on_train_end::inactive;
    n.machine->step(event::program_closing{model, inactive ? 0 : p.weightage}, now_);
    if (has(mistake::ends_without_model)) take_answer_close(n);
  } else {
    --p.syncs_left;
    p.now = program::doing::waiting_for_sync;
    n.machine->step(event::program_synced{model, p.weightage}, now_);
  }
  drain(n);
}

void simulation::take_answer_open(node& n) {
  if (n.prog.now == program::doing::over) return;
  if (n.prog.now != program::doing::opening) return broken(n.name + ": an answer to no open");
  note(&n, "program is let in");
  step(n);
}

void simulation::take_ask_loss(node& n, const action::ask_loss& ask) {
  auto& p = n.prog;
  if (p.now == program::doing::over) return;
  note(&n,
       fmt::format("program gets {} of round {}", to_hex(ask.digest.view()).substr(0, 10), ask.round_num));
  if (p.now != program::doing::waiting_for_sync && p.now != program::doing::waiting_for_close)
    return broken(n.name + ": a merged model for a program that did not ask");
  if (p.evaluating) return broken(n.name + ": a merged model while the program evaluates another");
  if (!n.store.contains(ask.digest)) return broken(n.name + ": a merged model that is not in the store");
  if (auto wrong = wrong_with(p, ask); !wrong.empty()) return broken(fmt::format("{}: {}", n.name, wrong));
  given_ahead_ += ask.ahead ? 1 : 0;
  taken_back_ += ask.goes_back ? 1 : 0;
  p.has_ahead = ask.ahead;
  p.last_round = ask.round_num;
  p.last_digest = ask.digest;
  p.has = models_.at(ask.digest);
  p.asked_in_request = p.evaluating = true;
  in_life(n, p.loss_takes, [this, &n, serial = p.serial] {
    if (n.prog.serial != serial || n.prog.now == program::doing::over) return;
    n.prog.evaluating = false;
    const auto loss = n.prog.diverges ? std::nan("") : 1.0 / (1.0 + static_cast<double>(n.prog.last_round));
    n.machine->step(event::program_loss{{loss, 0.5, 1, 2}}, now_);
    drain(n);
  });
}

/// A merge that a program is given is the one of its round, unless it may be taken back; and one that was not, is.
std::string simulation::wrong_with(const program& p, const action::ask_loss& ask) const {
  if (ask.ahead && !p.params.takes_back)
    return "a merge that is checked for a program that cannot take it back";
  if (ask.ahead && p.now != program::doing::waiting_for_sync)
    return "a merge that is checked at a program's end";
  if (!ask.ahead && !checker_.was_merged(ask.round_num, ask.digest))
    return fmt::format("{} is not what was merged in round {}", to_hex(ask.digest.view()), ask.round_num);
  if (!was_reset_ && ask.round_num < p.last_round) return "a merge older than the last one";
  const bool was_false = p.has_ahead && !checker_.was_merged(p.last_round, p.last_digest);
  if (was_false && !was_reset_ && !ask.goes_back) return "what was not accepted is not taken back";
  return {};
}

/// Nobody brings to a round what he has made from something that was not accepted; unless a reset came before that was decided.
std::string simulation::wrong_base(const contracts::revealed& shown) const {
  const auto found = bases_.find({shown.peer, shown.digest});
  if (was_reset_ || found == bases_.end() || shown.weightage == 0 || found->second.first == 0) return {};
  const auto& [round_num, digest] = found->second;
  if (checker_.was_merged(round_num, digest)) return {};
  return fmt::format("round {}: a model made from what was not accepted in round {}", shown.round_num,
                     round_num);
}

void simulation::take_answer_sync(node& n, const action::answer_sync& answer) {
  auto& p = n.prog;
  if (p.now == program::doing::over) return;
  if (p.now != program::doing::waiting_for_sync || p.evaluating)
    return broken(n.name + ": an answer to no sync");
  if (!p.asked_in_request && !answer.training_over)
    return broken(n.name + ": a sync is answered without a merged model");
  if (answer.next_interval < 1) return broken(n.name + ": an interval of 0");
  ++p.syncs_answered;
  note(&n, answer.training_over ? "sync answered, training is over" : "sync answered");
  if (answer.training_over) p.syncs_left = 0;
  step(n);
}

void simulation::take_answer_close(node& n) {
  auto& p = n.prog;
  if (p.now == program::doing::over) return;
  if (p.now != program::doing::waiting_for_close || p.evaluating)
    return broken(n.name + ": an answer to no close");
  const auto head = contracts::training_probe(world_, training_).head();
  if (!was_reset_ && head.phase != contracts::round_phase::complete)
    return broken(n.name + ": a close is answered before the training is complete");
  if (!was_reset_ && head.merged_round > 0 && p.last_digest != head.merged_digest)
    return broken(n.name + ": a close is answered without the final model");
  p.served = true;
  end_program(n, "it is served", true);
}

void simulation::end_program(node& n, std::string_view how, bool orderly) {
  auto& p = n.prog;
  if (p.serial == 0 || p.now == program::doing::over) return;
  note(&n, fmt::format("program ends: {}", how));
  if (view_now()->head.layout_digest == other_layout()
      || view_now()->head.min_peers == scenario_.min_peers + 1)
    odd_one_first_ = true;
  if (odd_one_first_) return;
  const bool came_too_late =
      p.now == program::doing::opening && view_now()->head.phase == contracts::round_phase::complete;
  if (n.reliable && !came_too_late && !orderly && !was_reset_ && !is_final_model_lost())
    broken(fmt::format("{}: its program is refused: {}", n.name, how));
  p.now = program::doing::over;
  in_life(n, between(1, 200), [this, &n, orderly] {
    n.machine->step(event::program_gone{"it closed its pipes", orderly}, now_);
    drain(n);
    if (!n.reliable && n.is_up() && !n.prog.served && random_.below(2) == 0)
      in_life(n, between(1, 4000), [this, &n] { start_program(n); });
  });
}

void simulation::session_ended(node& n, const action::session_ended& how) {
  note(&n, fmt::format("session ended: {}", how.text));
  if (!how.node_ends) return;
  kill(n, "session over");
  n.ended = true;
}

// Accidents

void simulation::plan_accident() {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(scenario_.quiet_at).count();
  at(now_ + between(0, ms), [this] { accident(); });
}

void simulation::accident() {
  if (scenario_.may_reset && random_.below(4) == 0) {
    note(nullptr, "an operator resets the training");
    return at(sn_up(now_), [this] { reset_training(); });
  }
  if (random_.below(5) == 0) {
    note(nullptr, "the SN is down for a while");
    sn_down_until_ = std::max(sn_down_until_, now_ + between(100, 15000));
    return;
  }
  const auto unreliable = scenario_.nodes - scenario_.reliable;
  if (unreliable == 0) return;
  // The leader of a merge is the most interesting node to fail.
  auto* n = nodes_[scenario_.reliable + random_.below(unreliable)].get();
  const auto leader = contracts::training_probe(world_, training_).head().leader;
  if (auto* leads = find(leader); leads != nullptr && !leads->reliable) n = leads;
  if (!n->is_up()) return;
  switch (random_.below(6)) {
  case 0:
    return end_program(*n, "it crashes", false);
  case 1:
    return end_program(*n, "it kills its session", true);
  case 2:
    return terminate(*n);
  default:
    kill(*n, "kill -9");
    if (random_.below(4) == 0) n->store.clear();
    n->doomed = scenario_.deadly || random_.below(4) == 0;
    if (n->doomed) return note(n, "and will not come back");
    after(between(200, 20000), [this, n] { boot(*n); });
  }
}

/// A round needs one of its models. When all of them are gone for good, only an operator can help; the documented way
/// is a reset.
void simulation::help_hopeless_round() {
  after(50s, [this] { help_hopeless_round(); });
  const auto view = view_now();
  const auto phase = view->head.phase;
  if (phase == contracts::round_phase::stopped) {
    note(nullptr, "the round is stopped, so an operator resets the training");
    ++stopped_;
    return reset_training();
  }
  if (phase == contracts::round_phase::complete || now_ - last_move_ < 300s) return;
  const auto is_there = [this](const auto& in) {
    const auto* peer = find(in.peer);
    const bool is_open = !in.digest.is_zero();
    return in.weightage == 0 || (peer->is_up() && (!is_open || peer->store.contains(in.digest)));
  };
  if (std::ranges::any_of(view->check_ins, is_there)) return;
  note(nullptr, "no model of the round is left, so an operator resets the training");
  ++operator_resets_;
  reset_training();
}

void simulation::reset_training() {
  last_move_ = now_;
  was_reset_ = true;
  const auto generation = view_now()->head.generation;
  cached_view_.reset();
  // Of each organisation, until most of those that are at work have asked for it.
  std::vector<address> operators{operator_account};
  for (std::uint32_t of = 1; of <= scenario_.organisations; ++of)
    operators.push_back(contracts::test_voucher(of));
  const contracts::training_probe probe(world_, training_);
  for (const auto& who : operators)
    if (probe.head().generation == generation) world_.send(who, training_, contracts::encode_reset());
  if (probe.head().generation == generation) broken("a training cannot be reset");
  contract_moved();
}

/// Whether nobody has the last merge of a complete training any more.
bool simulation::is_final_model_lost() {
  const auto head = view_now()->head;
  return head.phase == contracts::round_phase::complete
         && std::none_of(nodes_.begin(), nodes_.end(),
                         [&](const auto& n) { return n->is_up() && n->store.contains(head.merged_digest); });
}

bool simulation::all_done() const {
  return now_ > quiet_ && std::all_of(nodes_.begin(), nodes_.end(), [](const auto& n) {
           if (n->ended || n->doomed) return true;
           if (!n->is_up()) return false;
           const bool idle = n->prog.serial > 0 && n->prog.now == program::doing::over;
           return idle && !n->machine->in_session();
         });
}

std::string simulation::who_is_left() const {
  std::string out;
  for (const auto& n : nodes_)
    if (n->is_up()) out += fmt::format("\n  {}: {}", n->name, n->machine->waiting_for(now_));
  return out;
}

} // namespace swarm::rounds::testing
