#include "actors/ui/history/history_keeper.hpp"

#include "actors/sn_client/session/views.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/ui/history/block_times.hpp"
#include "actors/ui/history/event_logs.hpp"
#include "actors/ui/history/round_page.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::uint64_t span_first = 4096;
constexpr std::uint64_t span_most = 1 << 20;
constexpr std::uint64_t span_least = 16;
constexpr std::size_t few_events = 4096;
constexpr std::size_t names_max = 8192;
constexpr std::size_t merges_at_once = 32;
constexpr std::size_t proved_max = 20'000;

/// The mean of what is a number; none of nothing.
template <class Value>
std::optional<double> mean_of(const std::vector<training_history::report>& from, Value value) {
  double sum = 0;
  std::size_t count = 0;
  for (const auto& each : from)
    if (const double one = value(each); std::isfinite(one)) sum += one, ++count;
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

/// Of this room, where others take so much.
std::size_t left(std::size_t room, std::size_t others) {
  return room - std::min(room, others);
}

std::optional<double> mean_loss(const training_history::round& of) {
  return mean_of(of.reports, [](const auto& each) { return each.loss; });
}
std::optional<double> mean_metric(const training_history::round& of) {
  return mean_of(of.reports, [](const auto& each) { return each.metric; });
}

} // namespace

result<> history_keeper::catch_up(kept_training& which, const address& at, std::uint64_t head,
                                  swci::network& sns, const std::stop_token& stop) {
  if (which.next_block > head + 1) which = {}; // another chain
  auto span = span_first;
  while (which.next_block <= head && !stop.stop_requested()) {
    const auto last = std::min(which.next_block + span - 1, head);
    const auto events = read_events(sns, at, which.next_block, last, training_history::topics());
    if (!events) {
      if (span <= span_least || events.error().is(errc::cancelled)) return tl::unexpected(events.error());
      span /= 4;
      continue;
    }
    for (const auto& each : *events)
      which.history.take(each.what, each.at.block_num);
    which.next_block = last + 1;
    make_room();
    if (events->size() < few_events) span = std::min(2 * span, span_most);
  }
  return {};
}

training_history::amount history_keeper::kept() const {
  training_history::amount out;
  for (const auto& [name, each] : all_)
    out += each.history.kept();
  return out;
}

void history_keeper::make_room() {
  const auto share = [&](const training_history::amount& of) {
    return std::max(
        {of.reports * room_.rounds / room_.reports, of.rounds, of.members * room_.rounds / room_.members});
  };
  while (true) {
    const auto all = kept();
    kept_training* largest = nullptr;
    for (auto& [name, each] : all_)
      if (largest == nullptr || share(each.history.kept()) > share(largest->history.kept())) largest = &each;
    if (largest == nullptr || all.fits(room_)) return;
    const auto& own = largest->history.kept();
    if (!largest->history.forget_oldest({.reports = left(room_.reports, all.reports - own.reports),
                                         .rounds = left(room_.rounds, all.rounds - own.rounds),
                                         .members = left(room_.members, all.members - own.members)}))
      return;
  }
}

result<const history_keeper::generations*>
history_keeper::history_of(const std::string& contract, swci::network& sns, const std::stop_token& stop) {
  SWARM_TRY(const auto responses, sns.ask({{"eth_blockNumber", {}}}));
  SWARM_TRY(const auto head, session::quantity_of(responses.front()));
  const auto known = all_.find(contract);
  const bool is_there = known != all_.end() && known->second.next_block <= head + 1; // else another chain
  if (!is_there) SWARM_CHECK(swci::find_training(sns, contract));
  auto& which = all_[contract];
  SWARM_CHECK(catch_up(which, contracts::training_address(contract), head, sns, stop));
  return &which.history.generations();
}

result<> history_keeper::catch_up(swci::network& sns, const std::stop_token& stop) {
  SWARM_TRY(const auto names,
            swci::read_pages(sns, contracts::training_registry_address(), contracts::page_entries_max,
                             [](std::size_t first) {
                               return contracts::training_names_args{first, contracts::page_entries_max};
                             }));
  std::erase_if(all_, [&](const auto& each) { return std::ranges::find(names, each.first) == names.end(); });
  for (const auto& name : names)
    SWARM_CHECK(history_of(name, sns, stop));
  return {};
}

result<> history_keeper::prove_merges(const std::string& contract, std::uint64_t generation,
                                      std::vector<shown_round>& rounds, swci::network& sns) {
  if (proved_.size() > proved_max) proved_.clear();
  const auto at = contracts::training_address(contract);
  std::vector<std::uint64_t> unknown;
  for (const auto& each : rounds)
    if (!each.merge.empty() && !proved_.contains({contract, generation, each.round_num}))
      unknown.push_back(each.round_num);
  for (std::size_t first = 0; first < unknown.size(); first += merges_at_once) {
    const auto last = std::min(first + merges_at_once, unknown.size());
    std::vector<session::rpc_call> calls{session::eth_call(at, contracts::encode_head())};
    for (auto i = first; i < last; ++i)
      calls.push_back(session::eth_call(at, contracts::encode(contracts::merge_of_args{unknown[i]})));
    SWARM_TRY(const auto responses, sns.ask(std::move(calls)));
    SWARM_TRY(const auto head, session::view_at<contracts::head_args>(responses, 0));
    if (head.generation != generation) break; // of an earlier one the contract has none any more
    for (auto i = first; i < last; ++i) {
      SWARM_TRY(const auto view, session::view_at<contracts::merge_of_args>(responses, 1 + i - first));
      if (view.round_num == unknown[i]) proved_[{contract, generation, unknown[i]}] = view.digest;
    }
  }
  for (auto& each : rounds) {
    const auto known = proved_.find({contract, generation, each.round_num});
    if (each.merge.empty() || known == proved_.end()) continue;
    if (each.merge.at("digest") != json::value(to_hex(known->second.view())))
      return fail(errc::denied,
                  "the SN tells another merge of round {} than the contract has, which is proved: it lies",
                  each.round_num);
    each.merge["proved"] = true;
  }
  return {};
}

bool history_keeper::is_proved(const std::string& contract, std::uint64_t number,
                               const training_history::generation& of, std::uint64_t round_num) const {
  if (!proved_reports_) return false;
  std::vector<proved_reports::report> told;
  for (const auto& each : of.rounds.at(round_num).reports)
    told.push_back({of.peers[each.peer], each.loss, each.metric});
  return proved_reports_->agrees(contract, number, round_num, told);
}

result<> history_keeper::learn_times(const std::set<std::uint64_t>& blocks, swci::network& sns) {
  if (times_.size() > times_max) times_.clear();
  return ui::learn_times(times_, blocks, sns);
}

void history_keeper::add_time(json::object& to, std::string_view key, std::uint64_t block_num) const {
  if (const auto found = times_.find(block_num); found != times_.end()) to[key] = found->second;
}

result<std::string> history_keeper::name_of(const address& node, swci::network& sns) {
  if (names_.size() > names_max) names_.clear();
  if (const auto found = names_.find(node); found != names_.end()) return found->second;
  SWARM_TRY(auto view, swci::read(sns, contracts::node_registry_address(), contracts::node_args{node}));
  return names_[node] = view.name.empty() ? to_hex(node.view()) : std::move(view.name);
}

result<json::value> history_keeper::answer(const question::rounds& what, swci::network& sns,
                                           const std::stop_token& stop) {
  SWARM_TRY(const auto* all, history_of(what.contract, sns, stop));
  const auto number = what.generation.value_or(all->empty() ? 0 : all->rbegin()->first);
  json::object out{{"contract", what.contract}, {"generation", number}, {"complete", true}};
  const auto generation = all->find(number);
  if (generation == all->end()) {
    out["rounds"] = json::array{};
    out["more"] = false;
    return out;
  }
  out["complete"] = !generation->second.misses_rounds;
  const auto after = std::next(generation);
  const auto last_block =
      after == all->end() ? all_[what.contract].next_block - 1 : after->second.first_block;
  const auto page = page_of(generation->second, what.before, what.count, last_block);
  SWARM_TRY(const auto events, read_events(sns, contracts::training_address(what.contract), page.first_block,
                                           page.last_block, {}));
  auto rounds = rounds_of(page, number, events, events_max);
  if (after == all->end()) {
    SWARM_CHECK(prove_merges(what.contract, number, rounds, sns));
  }
  std::set<std::uint64_t> blocks;
  for (const auto& each : rounds)
    for (const auto& event : each.events)
      blocks.insert(event.at("block_num").to_number<std::uint64_t>());
  for (const auto& [round_num, each] : page.rounds)
    blocks.insert(each->merge_block);
  blocks.insert(generation->second.first_block);
  SWARM_CHECK(learn_times(blocks, sns));
  json::array shown;
  for (auto& each : rounds) {
    json::object round{{"round_num", each.round_num}};
    json::array list;
    for (auto& event : each.events) {
      add_time(event, "time_ms", event.at("block_num").to_number<std::uint64_t>());
      list.push_back(std::move(event));
    }
    if (!list.empty()) add_time(round, "opened_ms", list.front().at("block_num").to_number<std::uint64_t>());
    round["events"] = std::move(list);
    if (!each.merge.empty()) round["merge"] = std::move(each.merge);
    const auto& known = *page.rounds.at(each.round_num);
    if (known.merge_block > 0) add_time(round, "merged_ms", known.merge_block);
    if (const auto loss = mean_loss(known)) round["loss"] = *loss;
    if (const auto metric = mean_metric(known)) round["metric"] = *metric;
    if (is_proved(what.contract, number, generation->second, each.round_num)) round["reports_proved"] = true;
    shown.push_back(std::move(round));
  }
  out["rounds"] = std::move(shown);
  out["more"] = page.has_more;
  add_time(out, "started_ms", generation->second.first_block);
  return out;
}

result<json::value> history_keeper::answer(const question::series& what, swci::network& sns,
                                           const std::stop_token& stop) {
  SWARM_TRY(const auto* all, history_of(what.contract, sns, stop));
  const auto number = what.generation.value_or(all->empty() ? 0 : all->rbegin()->first);
  json::object out{{"contract", what.contract}, {"generation", number}, {"complete", true}};
  const auto found = all->find(number);
  if (found == all->end()) {
    out["rounds"] = json::array{};
    out["peers"] = json::object{};
    return out;
  }
  const auto& generation = found->second;
  std::vector<std::pair<std::uint64_t, const training_history::round*>> rounds;
  for (auto each = generation.rounds.lower_bound(what.from); each != generation.rounds.end(); ++each)
    if (!each->second.reports.empty()) rounds.emplace_back(each->first, &each->second);
  // Of more than anybody can see, evenly some, and always the newest.
  const auto numbers = rounds.size() * std::max<std::size_t>(generation.peers.size(), 1) * 2;
  const auto stride = numbers / points_max + 1;
  std::vector<std::pair<std::uint64_t, const training_history::round*>> taken;
  for (std::size_t i = 0; i < rounds.size(); ++i)
    if ((rounds.size() - 1 - i) % stride == 0) taken.push_back(rounds[i]);
  struct curve {
    json::array loss, metric;
  };
  std::vector<curve> curves(generation.peers.size());
  json::array numbers_shown;
  const auto value_of = [](float from) {
    return std::isfinite(from) ? json::value(double{from}) : json::value();
  };
  for (const auto& [round_num, round] : taken) {
    numbers_shown.emplace_back(round_num);
    for (auto& each : curves) {
      each.loss.emplace_back(nullptr);
      each.metric.emplace_back(nullptr);
    }
    for (const auto& report : round->reports) {
      curves[report.peer].loss.back() = value_of(report.loss);
      curves[report.peer].metric.back() = value_of(report.metric);
    }
  }
  json::object peers;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    SWARM_TRY(auto name, name_of(generation.peers[i], sns));
    peers[to_hex(generation.peers[i].view())] = json::object{{"name", std::move(name)},
                                                             {"loss", std::move(curves[i].loss)},
                                                             {"metric", std::move(curves[i].metric)}};
  }
  out["complete"] = !generation.misses_rounds && stride == 1;
  out["rounds"] = std::move(numbers_shown);
  out["peers"] = std::move(peers);
  return out;
}

json::object history_keeper::run_json(const std::string& contract, std::uint64_t number,
                                      const training_history::generation& from) const {
  const auto* state = from.is_complete  ? "complete"
                      : from.is_reset   ? "reset"
                      : from.is_stopped ? "stopped"
                                        : "running";
  json::object out{{"contract", contract},
                   {"generation", number},
                   {"state", state},
                   {"min_peers", from.min_peers},
                   {"merge_method", from.merge_method},
                   {"peers", from.peers.size()}};
  std::uint64_t merged = 0;
  std::optional<double> best_loss, best_metric;
  for (const auto& [round_num, round] : from.rounds) {
    if (round.merge_block > 0) merged = round_num;
    if (const auto loss = mean_loss(round)) {
      out["loss"] = *loss;
      if (!best_loss || *loss < *best_loss) {
        best_loss = loss;
        out["best_loss"] = *loss;
        out["best_loss_round"] = round_num;
      }
    }
    if (const auto metric = mean_metric(round)) {
      out["metric"] = *metric;
      if (!best_metric || *metric > *best_metric) {
        best_metric = metric;
        out["best_metric"] = *metric;
        out["best_metric_round"] = round_num;
      }
    }
  }
  out["rounds"] = merged;
  if (!from.digest.is_zero()) out["digest"] = to_hex(from.digest.view());
  add_time(out, "started_ms", from.first_block);
  if (from.is_complete || from.is_reset) add_time(out, "ended_ms", from.last_block);
  return out;
}

result<json::value> history_keeper::answer(const question::runs&, swci::network& sns,
                                           const std::stop_token& stop) {
  SWARM_CHECK(catch_up(sns, stop));
  std::set<std::uint64_t> blocks;
  for (const auto& [name, each] : all_)
    for (const auto& [number, generation] : each.history.generations()) {
      blocks.insert(generation.first_block);
      blocks.insert(generation.last_block);
    }
  SWARM_CHECK(learn_times(blocks, sns));
  json::array runs;
  for (const auto& [name, each] : all_)
    for (const auto& [number, generation] : each.history.generations())
      if (!generation.peers.empty()) runs.push_back(run_json(name, number, generation));
  return json::object{{"runs", std::move(runs)}};
}

} // namespace swarm::ui
