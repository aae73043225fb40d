#include "actors/sn/chain/double_votes.hpp"

#include "contracts/registry/client.hpp"

namespace swarm::actors {

namespace {

const hash32& proved_topic() {
  static const auto topic = contracts::event_topic<contracts::double_vote_proved>();
  return topic;
}

} // namespace

std::vector<contracts::double_vote_proved> double_votes_in(const ledger::executed_block& block) {
  std::vector<contracts::double_vote_proved> out;
  for (const auto& outcome : block.outcomes)
    for (const auto& log : outcome.consensus.logs) {
      if (log.emitter != contracts::node_registry_address() || log.topics.empty()
          || log.topics[0] != proved_topic())
        continue;
      const auto event = contracts::decode_event<contracts::node_registry_interface>(log.topics, log.data);
      if (!event) continue;
      if (const auto* proved = std::get_if<contracts::double_vote_proved>(&*event)) out.push_back(*proved);
    }
  return out;
}

result<convicted_map> convicted_on(const ledger::chain_view& chain) {
  ledger::log_filter filter;
  filter.to_block = chain.head()->header.block_num;
  filter.addresses = {contracts::node_registry_address()};
  filter.topics = {{proved_topic()}};
  SWARM_TRY(const auto hits, chain.logs(filter));
  convicted_map out;
  for (const auto& hit : hits) {
    const auto event =
        contracts::decode_event<contracts::node_registry_interface>(hit.entry.topics, hit.entry.data);
    if (!event) continue;
    if (const auto* proved = std::get_if<contracts::double_vote_proved>(&*event))
      out[proved->account] = {registered_name_of(chain, proved->account), hit.block_num};
  }
  return out;
}

} // namespace swarm::actors
