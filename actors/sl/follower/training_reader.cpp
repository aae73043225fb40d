#include "actors/sl/follower/training_reader.hpp"

#include "contracts/registry/client.hpp"

namespace swarm::actors {

namespace {

/// The events that change what a peer must do next; check-ins of others are seen when the round closes.
std::vector<hash32> topics_followed() {
  return {contracts::event_topic<contracts::reveals_opened>(),
          contracts::event_topic<contracts::round_closed>(),
          contracts::event_topic<contracts::round_reopened>(),
          contracts::event_topic<contracts::leader_changed>(),
          contracts::event_topic<contracts::models_measured>(),
          contracts::event_topic<contracts::merge_committed>(),
          contracts::event_topic<contracts::checks_dealt>(),
          contracts::event_topic<contracts::merge_challenged>(),
          contracts::event_topic<contracts::challenge_decided>(),
          contracts::event_topic<contracts::merge_accepted>(),
          contracts::event_topic<contracts::round_stopped>(),
          contracts::event_topic<contracts::training_complete>(),
          contracts::event_topic<contracts::training_reset>()};
}

constexpr std::size_t calls_before_peers = 7;
constexpr std::size_t pages_max = contracts::peers_max / contracts::page_entries_max + 1;

} // namespace

session::event::follow training_reader::request() const {
  const auto training = contracts::training_address(name_);
  std::vector<session::rpc_call> reads{
      {"swarm_silentNodes", {}},
      session::eth_call(training, contracts::encode_head()),
      session::eth_call(training, contracts::encode_check_ins()),
      session::eth_call(training, contracts::encode(contracts::proposal_args{})),
      session::eth_call(training, contracts::encode(contracts::checks_args{})),
      session::eth_call(training, contracts::encode(contracts::shards_args{})),
      session::eth_call(training, contracts::encode(contracts::measures_args{}))};
  for (std::size_t page = 0; page < pages_; ++page)
    reads.push_back(session::eth_call(
        training, contracts::encode_peers(page * contracts::page_entries_max, contracts::page_entries_max)));
  if (merge_of_ > 0)
    reads.push_back(session::eth_call(training, contracts::encode(contracts::merge_of_args{merge_of_})));
  return {name_, training, topics_followed(), std::move(reads)};
}

bool training_reader::watch_merge_of(std::uint64_t round_num) {
  return std::exchange(merge_of_, round_num) != round_num;
}

result<std::optional<rounds::contract_view>>
training_reader::take(const session::action::contract_read& from) {
  const auto& responses = from.responses;
  const std::size_t peers_end = calls_before_peers + pages_;
  if (responses.size() != peers_end + (merge_of_ > 0 ? 1 : 0)) // an answer to a request that came before
    return std::optional<rounds::contract_view>{};
  rounds::contract_view view;
  view.block_num = from.block_num;
  if (const auto silent = session::texts_of(responses[0], contracts::nodes_max))
    for (const auto& text : *silent)
      if (const auto account = fixed_from_hex<20>(text)) view.silent.insert(*account);
  SWARM_TRY(const auto head, session::output_of(responses[1]));
  if (head.empty()) return fail(errc::not_found, "there is no such training contract");
  SWARM_TRY(view.head, contracts::decode_head(head));
  SWARM_TRY(const auto check_ins, session::output_of(responses[2]));
  SWARM_TRY(view.check_ins, contracts::decode_check_ins(check_ins));
  SWARM_TRY(const auto proposal, session::output_of(responses[3]));
  SWARM_TRY(view.proposal, contracts::decode_answer<contracts::proposal_args>(proposal));
  SWARM_TRY(const auto checks, session::output_of(responses[4]));
  SWARM_TRY(view.checks, contracts::decode_answer<contracts::checks_args>(checks));
  SWARM_TRY(const auto shards, session::output_of(responses[5]));
  SWARM_TRY(view.shards, contracts::decode_answer<contracts::shards_args>(shards));
  // An SN that does not know yet what this is has none of it.
  if (const auto measures = session::output_of(responses[6])) {
    SWARM_TRY(view.measures, contracts::decode_answer<contracts::measures_args>(*measures));
  }
  for (std::size_t i = calls_before_peers; i < peers_end; ++i) {
    SWARM_TRY(const auto output, session::output_of(responses[i]));
    SWARM_TRY(auto page, contracts::decode_peers(output));
    view.peers.insert(view.peers.end(), std::make_move_iterator(page.begin()),
                      std::make_move_iterator(page.end()));
  }
  if (view.peers.size() == pages_ * contracts::page_entries_max && pages_ < pages_max) {
    ++pages_;
    return std::optional<rounds::contract_view>{};
  }
  if (merge_of_ > 0) {
    SWARM_TRY(const auto merge, session::output_of(responses[peers_end]));
    SWARM_TRY(view.brought_to, contracts::decode_answer<contracts::merge_of_args>(merge));
  }
  return std::optional(std::move(view));
}

} // namespace swarm::actors
