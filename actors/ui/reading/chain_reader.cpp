#include "actors/ui/reading/chain_reader.hpp"

#include "actors/sn_client/session/views.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/ui/feed/requests.hpp"
#include "actors/ui/reading/answers.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/taskrunner_registry/client.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"

#include <algorithm>

namespace swarm::ui {

namespace json = boost::json;
using contracts::page_entries_max;
using session::eth_call;
using session::view_at;

namespace {

constexpr std::uint64_t silent_after_ms = 10'000;
/// A silence that seems to have begun so little later is the same one.
constexpr std::uint64_t silence_slack_ms = 5'000;

/// True for topics that show trainings.
bool shows_trainings(const std::set<std::string>& topics) {
  return topics.contains("trainings")
         || std::ranges::any_of(topics, [](const auto& each) { return training_of(each).has_value(); });
}

} // namespace

result<> chain_reader::look(swci::network& sns, const std::set<std::string>& topics, std::uint64_t now_ms) {
  SWARM_CHECK(look_at_head(sns, now_ms));
  if (now_ms >= all_at_ms_ + all_anew_ms) {
    all_at_ms_ = now_ms;
    forget_everything();
  }
  if (topics.contains("network")) SWARM_CHECK(look_at_network(sns));
  if (shows_trainings(topics)) SWARM_CHECK(look_at_names(sns));
  for (auto& [name, each] : trainings_)
    if (each.is_stale && (topics.contains("trainings") || topics.contains("training/" + name)))
      SWARM_CHECK(look_at_training(sns, each, now_ms));
  if (topics.contains("tasks")) SWARM_CHECK(look_at_tasks(sns));
  if (topics.contains("taskrunners")) SWARM_CHECK(look_at_taskrunners(sns));
  is_known_ = true;
  return {};
}

/// What everything depends on: the newest block, who is alive, and which contracts have changed.
result<> chain_reader::look_at_head(swci::network& sns, std::uint64_t now_ms) {
  std::vector<session::rpc_call> calls{{"eth_getBlockByNumber", {"latest", false}}};
  const bool wants_signs = now_ms >= signs_at_ms_ + signs_ms;
  const bool wants_logs = net_.block_num > 0 && is_known_;
  if (wants_signs) calls.push_back({"swarm_nodes", {}});
  if (wants_logs)
    calls.push_back({"eth_getLogs", {json::object{{"fromBlock", fmt::format("{:#x}", net_.block_num + 1)}}}});
  SWARM_TRY(const auto responses, sns.ask(std::move(calls)));
  SWARM_TRY(const auto* block, session::result_of(responses[0]));
  const auto before = net_.block_num;
  take_block(*block, now_ms);
  if (wants_signs)
    if (const auto nodes = session::result_of(responses[1])) {
      take_signs(**nodes, now_ms);
      signs_at_ms_ = now_ms;
    }
  if (net_.block_num < before) { // another chain
    forget_everything();
    if (proved_) proved_->forget();
  }
  if (!wants_logs) return {};
  if (const auto logs = session::result_of(responses.back()))
    take_changes(**logs, net_.block_num);
  else if (net_.block_num != before)
    forget_everything();
  return {};
}

void chain_reader::take_block(const json::value& block, std::uint64_t) {
  net_.block_num = number_in(block, "number");
  net_.block_hash = hash_in(block, "hash");
  net_.block_ms = number_in(block, "timestamp") * 1000;
  const auto* object = block.if_object();
  const auto* txns = object != nullptr ? object->if_contains("transactions") : nullptr;
  net_.transactions = txns != nullptr && txns->is_array() ? txns->get_array().size() : 0;
  times_[net_.block_num] = net_.block_ms;
  if (times_.size() > 4096) times_.erase(times_.begin());
}

void chain_reader::take_signs(const json::value& nodes, std::uint64_t now_ms) {
  const auto* all = nodes.if_array();
  if (all == nullptr) return;
  silence now_silent;
  for (const auto& each : *all) {
    const auto account = account_in(each, "account");
    const auto ms = plain_number_in(each, "silentMs");
    net_.api_endpoints[account] = text_in(each, "apiEndpoint");
    if (ms <= silent_after_ms) continue;
    const auto since = now_ms - std::min(now_ms, ms);
    const auto before = silent_.find(account);
    const bool is_same = before != silent_.end() && since <= before->second + silence_slack_ms;
    now_silent[account] = is_same ? before->second : since;
  }
  silent_ = std::move(now_silent);
}

void chain_reader::take_changes(const json::value& logs, std::uint64_t) {
  const auto* all = logs.if_array();
  if (all == nullptr) return forget_everything();
  for (const auto& each : *all) {
    const auto of = account_in(each, "address");
    nodes_stale_ |= of == contracts::node_registry_address();
    organisations_stale_ |= of == contracts::organisation_registry_address();
    names_stale_ |= of == contracts::training_registry_address();
    tasks_stale_ |= of == contracts::task_registry_address();
    taskrunner_names_stale_ |= of == contracts::taskrunner_registry_address();
    if (const auto found = training_names_.find(of); found != training_names_.end()) {
      auto& training = trainings_[found->second];
      training.is_stale = true;
      training.picture.changed_ms = net_.block_ms;
    }
    if (const auto found = taskrunner_names_.find(of); found != taskrunner_names_.end())
      taskrunners_[found->second].is_stale = true;
  }
}

void chain_reader::forget_everything() {
  nodes_stale_ = organisations_stale_ = names_stale_ = tasks_stale_ = taskrunner_names_stale_ = true;
  for (auto& [name, each] : trainings_)
    each.is_stale = true;
  for (auto& [name, each] : taskrunners_)
    each.is_stale = true;
}

result<> chain_reader::look_at_network(swci::network& sns) {
  if (nodes_stale_) {
    const auto registry = contracts::node_registry_address();
    SWARM_TRY(net_.nodes, swci::read_pages(sns, registry, page_entries_max, [](std::size_t first) {
                return contracts::nodes_args{first, page_entries_max};
              }));
    SWARM_TRY(const auto responses,
              sns.ask({{"eth_chainId", {}},
                       {"web3_clientVersion", {}},
                       {"eth_getBlockByNumber", {"0x0", false}},
                       eth_call(registry, contracts::encode(contracts::get_validators_args{})),
                       eth_call(registry, contracts::encode(contracts::rules_args{}))}));
    SWARM_TRY(net_.chain_id, session::quantity_of(responses[0]));
    if (const auto version = session::text_of(responses[1])) net_.sn_version = version->substr(0, 64);
    if (const auto genesis = session::block_hash_of(responses[2])) net_.genesis = *genesis;
    SWARM_TRY(net_.validators, view_at<contracts::get_validators_args>(responses, 3));
    SWARM_TRY(net_.rules, view_at<contracts::rules_args>(responses, 4));
    nodes_stale_ = false;
  }
  if (organisations_stale_) {
    const auto registry = contracts::organisation_registry_address();
    constexpr auto page = contracts::organisations_page_max;
    SWARM_TRY(net_.organisations, swci::read_pages(sns, registry, page, [](std::size_t first) {
                return contracts::organisations_args{first, page};
              }));
    SWARM_TRY(net_.uses, swci::read_pages(sns, registry, page, [](std::size_t first) {
                return contracts::chain_uses_args{first, page};
              }));
    SWARM_TRY(net_.motions, swci::read_pages(sns, registry, page, [](std::size_t first) {
                return contracts::motions_args{first, page};
              }));
    organisations_stale_ = false;
  }
  network_known_ = true;
  return {};
}

result<> chain_reader::look_at_names(swci::network& sns) {
  if (!names_stale_) return {};
  SWARM_TRY(
      const auto names,
      swci::read_pages(sns, contracts::training_registry_address(), page_entries_max, [](std::size_t first) {
        return contracts::training_names_args{first, page_entries_max};
      }));
  for (const auto& name : names) {
    auto& one = trainings_[name];
    one.picture.name = name;
    one.picture.at = contracts::training_address(name);
    training_names_[one.picture.at] = name;
  }
  std::erase_if(trainings_,
                [&](const auto& each) { return std::ranges::find(names, each.first) == names.end(); });
  names_stale_ = false;
  names_known_ = true;
  return {};
}

result<> chain_reader::look_at_training(swci::network& sns, training_seen& which, std::uint64_t now_ms) {
  auto& to = which.picture;
  SWARM_TRY(
      const auto responses,
      sns.ask({eth_call(to.at, contracts::encode_head()), eth_call(to.at, contracts::encode_check_ins()),
               eth_call(to.at, contracts::encode(contracts::proposal_args{})),
               eth_call(to.at, contracts::encode(contracts::checks_args{})),
               eth_call(to.at, contracts::encode(contracts::shards_args{})),
               eth_call(to.at, contracts::encode(contracts::owner_args{})),
               eth_call(to.at, contracts::encode(contracts::invited_args{})),
               eth_call(to.at, contracts::encode(contracts::reset_votes_args{})),
               eth_call(to.at, contracts::encode_peers(0, page_entries_max)),
               eth_call(to.at, contracts::encode(contracts::last_reset_args{}))}));
  SWARM_TRY(to.head, view_at<contracts::head_args>(responses, 0));
  SWARM_TRY(to.check_ins, view_at<contracts::check_ins_args>(responses, 1));
  SWARM_TRY(to.proposal, view_at<contracts::proposal_args>(responses, 2));
  SWARM_TRY(to.checks, view_at<contracts::checks_args>(responses, 3));
  SWARM_TRY(to.shards, view_at<contracts::shards_args>(responses, 4));
  SWARM_TRY(to.owner, view_at<contracts::owner_args>(responses, 5));
  SWARM_TRY(to.invited, view_at<contracts::invited_args>(responses, 6));
  SWARM_TRY(to.reset_votes, view_at<contracts::reset_votes_args>(responses, 7));
  SWARM_TRY(to.peers, view_at<contracts::peers_args>(responses, 8));
  // An SN of release 0.2 does not know this question.
  to.last_reset = view_at<contracts::last_reset_args>(responses, 9).value_or(contracts::reset_view{});
  while (to.peers.size() % page_entries_max == 0 && !to.peers.empty()) {
    SWARM_TRY(auto more, swci::read(sns, to.at, contracts::peers_args{to.peers.size(), page_entries_max}));
    if (more.empty()) break;
    to.peers.insert(to.peers.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
  if (to.head.merged_round == 0) {
    to.merged = {};
  } else if (to.merged.round_num != to.head.merged_round) {
    SWARM_TRY(to.merged, swci::read(sns, to.at, contracts::merge_of_args{to.head.merged_round}));
  }
  if (proved_) proved_->note(to.name, to.head.generation, to.peers);
  note_pace(which, now_ms);
  which.is_stale = false;
  which.is_known = true;
  return {};
}

/// Watches how epochs and rounds go by.
void chain_reader::note_pace(training_seen& which, std::uint64_t now_ms) {
  constexpr std::size_t samples_max = 24;
  auto& picture = which.picture;
  std::optional<std::uint64_t> epochs;
  for (const auto& peer : picture.peers)
    if (peer.state == contracts::peer_state::active && peer.epochs_total > 0)
      epochs = std::min<std::uint64_t>(epochs.value_or(peer.epochs_done), peer.epochs_done);
  const sample now{now_ms, picture.head.merged_round, epochs.value_or(0)};
  auto& samples = which.samples;
  const bool goes_back =
      !samples.empty()
      && (now.merged_round < samples.back().merged_round || now.epochs < samples.back().epochs);
  if (goes_back || picture.head.phase == contracts::round_phase::complete) samples.clear();
  const bool is_new =
      samples.empty() || now.merged_round > samples.back().merged_round || now.epochs > samples.back().epochs;
  if (is_new) samples.push_back(now);
  if (samples.size() > samples_max) samples.pop_front();
  picture.goes = {};
  if (samples.size() < 2) return;
  const auto& first = samples.front();
  const auto& last = samples.back();
  const auto ms = last.ms - first.ms;
  if (ms == 0) return;
  if (last.merged_round > first.merged_round)
    picture.goes.round_ms = ms / (last.merged_round - first.merged_round);
  if (last.epochs > first.epochs)
    picture.goes.epochs_per_ms = static_cast<double>(last.epochs - first.epochs) / static_cast<double>(ms);
}

std::vector<topic_read> chain_reader::take(const std::set<std::string>& topics, std::uint64_t now_ms) const {
  std::vector<topic_read> out;
  if (network_known_ && topics.contains("network"))
    out.push_back({"network", network_json(net_, silent_, now_ms)});
  if (names_known_ && topics.contains("trainings")) {
    json::object contracts;
    for (const auto& [name, each] : trainings_)
      if (each.is_known) contracts[name] = training_summary_json(each.picture, silent_);
    out.push_back({"trainings", json::object{{"contracts", std::move(contracts)}}});
  }
  for (const auto& topic : topics) {
    const auto name = training_of(topic);
    if (!name || !names_known_) continue;
    const auto found = trainings_.find(std::string(*name));
    if (found == trainings_.end())
      out.push_back({topic, "there is no such contract"});
    else if (found->second.is_known)
      out.push_back({topic, training_json(found->second.picture, silent_)});
  }
  if (tasks_known_ && topics.contains("tasks")) {
    json::object all;
    for (const auto& [name, each] : tasks_)
      all[name] = task_json(each);
    out.push_back({"tasks", json::object{{"tasks", std::move(all)}}});
  }
  if (taskrunners_known_ && topics.contains("taskrunners")) {
    json::object all;
    for (const auto& [name, each] : taskrunners_)
      if (each.is_known) all[name] = taskrunner_json(each.picture, silent_, times_);
    out.push_back({"taskrunners", json::object{{"taskrunners", std::move(all)}}});
  }
  return out;
}

} // namespace swarm::ui
