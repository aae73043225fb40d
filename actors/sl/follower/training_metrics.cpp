#include "actors/sl/follower/training_metrics.hpp"

#include "actors/metrics/series.hpp"

#include <algorithm>
#include <array>

namespace swarm::actors {

namespace {

constexpr auto look_interval = std::chrono::milliseconds(500);

/// As a label; every one there is has its count from the beginning.
constexpr std::array<std::pair<contracts::exclusion_reason, const char*>, 3> reasons{
    {{contracts::exclusion_reason::not_available, "not_available"},
     {contracts::exclusion_reason::other_parameters, "other_parameters"},
     {contracts::exclusion_reason::not_finite, "not_finite"}}};

} // namespace

struct training_metrics::values {
  metrics::gauge generation, round, merged_round, peers, waited_for, checked_in, absent, silent, leader, loss,
      metric, epochs_done;
  metrics::counter leader_changes, merge_bytes;
  metrics::histogram fetch_time, merge_time, verify_time;
  std::map<contracts::exclusion_reason, metrics::counter> rejected;

  values(metrics::registry& to, const metrics::labels& which)
      : generation(to.gauge_of(metrics::generation, which)), round(to.gauge_of(metrics::round, which)),
        merged_round(to.gauge_of(metrics::merged_round, which)), peers(to.gauge_of(metrics::peers, which)),
        waited_for(to.gauge_of(metrics::waited_for, which)),
        checked_in(to.gauge_of(metrics::checked_in, which)),
        absent(to.gauge_of(metrics::absent_peers, which)), silent(to.gauge_of(metrics::silent_peers, which)),
        leader(to.gauge_of(metrics::leader, which)), loss(to.gauge_of(metrics::loss, which)),
        metric(to.gauge_of(metrics::metric, which)), epochs_done(to.gauge_of(metrics::epochs_done, which)),
        leader_changes(to.counter_of(metrics::leader_changes, which)),
        merge_bytes(to.counter_of(metrics::merge_bytes, which)), fetch_time(time_of(to, which, "fetch")),
        merge_time(time_of(to, which, "merge")), verify_time(time_of(to, which, "verify")) {
    for (const auto& [reason, name] : reasons) {
      auto with = which;
      with.emplace("reason", name);
      rejected.emplace(reason, to.counter_of(metrics::rejected_contributions, with));
    }
  }

  static metrics::histogram time_of(metrics::registry& to, metrics::labels which, const char* phase) {
    which.emplace("phase", phase);
    return to.histogram_of(metrics::merge_time, which);
  }
};

training_metrics::training_metrics(metrics::registry& to, std::string node)
    : to_(to), node_(std::move(node)), in_session_(to.gauge_of(metrics::in_session, {{"node", node_}})),
      waiting_(to.gauge_of(metrics::waiting_time, {{"node", node_}})),
      model_bytes_(to.gauge_of(metrics::model_bytes, {{"node", node_}})) {}

void training_metrics::look(const rounds::peer_machine& machine, const std::string& contract,
                            const address& self, const merge::model_store& store, time_point now) {
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  const bool in_session = machine.in_session();
  in_session_.set(in_session ? 1 : 0);
  waiting_.set(in_session ? std::chrono::duration<double>(now - machine.phase_since()).count() : 0);
  model_bytes_.set(static_cast<double>(store.bytes_used()));
  const auto& view = machine.view();
  if (contract.empty() || !view) return;
  if (contract != contract_) {
    if (values_) to_.remove({{"node", node_}, {"contract", contract_}});
    values_ = std::make_shared<const values>(to_, metrics::labels{{"node", node_}, {"contract", contract}});
    contract_ = contract;
    seen_ = {};
    proposed_.reset();
  }
  show(*values_, *view, self);
}

void training_metrics::show(const values& to, const rounds::contract_view& view, const address& self) {
  const auto& head = view.head;
  const auto members = std::ranges::count_if(
      view.peers, [&](const auto& peer) { return rounds::is_member(view, peer.account); });
  to.generation.set(static_cast<double>(head.generation));
  to.round.set(static_cast<double>(head.round_num));
  to.merged_round.set(static_cast<double>(head.merged_round));
  to.peers.set(static_cast<double>(members));
  to.waited_for.set(head.waited_for);
  to.checked_in.set(head.checked_in);
  const bool waits = head.phase == contracts::round_phase::collecting && rounds::is_listed(view, self);
  to.absent.set(waits ? static_cast<double>(rounds::missing_peers(view).size()) : 0);
  to.silent.set(static_cast<double>(view.silent.size()));
  to.leader.set(head.leader == self ? 1 : 0);
  if (const auto* own = rounds::find_peer(view, self)) {
    to.loss.set(contracts::from_micro(own->loss_micro));
    to.metric.set(contracts::from_micro(own->metric_micro));
    to.epochs_done.set(own->epochs_done);
  }
  const bool same_round = head.generation == seen_.generation && head.round_num == seen_.round_num;
  if (same_round && head.term > seen_.term) to.leader_changes.add(head.term - seen_.term);
  seen_ = {head.generation, head.round_num, head.term};
}

void training_metrics::merge_begins(const rounds::action::start_merge& what, time_point now) {
  if (!what.leads) return;
  led_ = led_merge{what.round_num, what.term, 0, now};
  for (const auto& input : what.inputs)
    led_->bytes += input.size;
}

void training_metrics::merge_ends(const rounds::event::merge_done& done, time_point fetched, time_point now) {
  if (!values_ || !led_ || led_->round_num != done.round_num || led_->term != done.term) return;
  const auto led = *std::exchange(led_, std::nullopt);
  if (!done.outcome) return;
  const auto between = std::clamp(fetched, led.since, now);
  values_->fetch_time.observe(between - led.since);
  values_->merge_time.observe(now - between);
  proposed_ = proposal{led.round_num, done.outcome->digest, now};
  values_->merge_bytes.add(static_cast<double>(led.bytes));
  for (const auto& one : done.outcome->excluded)
    values_->rejected.at(one.reason).add();
}

void training_metrics::merge_seen(const rounds::peer_machine& machine, time_point now) {
  if (!proposed_ || !machine.view()) return;
  const auto& head = machine.view()->head;
  const bool is_accepted =
      head.merged_round == proposed_->round_num && head.merged_digest == proposed_->digest;
  if (is_accepted && values_) values_->verify_time.observe(now - proposed_->since);
  if (is_accepted || head.merged_round >= proposed_->round_num || head.round_num != proposed_->round_num)
    proposed_.reset();
}

} // namespace swarm::actors
