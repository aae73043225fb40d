#include "actors/sl/files/chain_reader.hpp"

#include <algorithm>
#include <iterator>

namespace swarm::actors {

namespace {

constexpr std::size_t calls_before_readers = 7;
constexpr std::size_t reader_pages_max = contracts::peers_max / contracts::page_entries_max;
constexpr std::size_t open_max = 1024; ///< more than the gate has; older ones are not answered any more

result<gate::chain_reading> reading_of(const std::vector<boost::json::value>& from) {
  if (from.size() < calls_before_readers) return fail(errc::invalid, "the SN answers another question");
  gate::chain_reading out;
  SWARM_TRY(out.block_num, session::quantity_of(from[0]));
  SWARM_TRY(const auto node, session::output_of(from[1]));
  SWARM_TRY(out.node, contracts::decode_node(node));
  SWARM_TRY(const auto head, session::output_of(from[2]));
  if (head.empty()) return out; // there is no such training (any more)
  SWARM_TRY(out.training.head, contracts::decode_head(head));
  SWARM_TRY(const auto check_ins, session::output_of(from[3]));
  SWARM_TRY(out.training.check_ins, contracts::decode_check_ins(check_ins));
  SWARM_TRY(const auto proposal, session::output_of(from[4]));
  SWARM_TRY(out.training.proposal, contracts::decode_answer<contracts::proposal_args>(proposal));
  SWARM_TRY(const auto checks, session::output_of(from[5]));
  SWARM_TRY(out.training.checks, contracts::decode_answer<contracts::checks_args>(checks));
  SWARM_TRY(const auto shards, session::output_of(from[6]));
  SWARM_TRY(out.training.shards, contracts::decode_answer<contracts::shards_args>(shards));
  auto& peers = out.training.peers;
  for (std::size_t i = calls_before_readers; i < from.size(); ++i) {
    SWARM_TRY(const auto output, session::output_of(from[i]));
    SWARM_TRY(auto page, contracts::decode_peers(output));
    peers.insert(peers.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
  }
  return out;
}

} // namespace

session::event::ask chain_reader::question_for(const gate::action::read_chain& what,
                                               std::string asker) const {
  const auto training = contracts::training_address(what.training);
  std::vector<session::rpc_call> calls{
      {"eth_blockNumber", {}},
      session::eth_call(contracts::node_registry_address(), contracts::encode_node(what.account)),
      session::eth_call(training, contracts::encode_head()),
      session::eth_call(training, contracts::encode_check_ins()),
      session::eth_call(training, contracts::encode(contracts::proposal_args{})),
      session::eth_call(training, contracts::encode(contracts::checks_args{})),
      session::eth_call(training, contracts::encode(contracts::shards_args{}))};
  for (std::size_t page = 0; page < pages_; ++page)
    calls.push_back(session::eth_call(
        training, contracts::encode_peers(page * contracts::page_entries_max, contracts::page_entries_max)));
  return {base_ + what.id, std::move(calls), std::move(asker)};
}

session::event::ask chain_reader::ask(const gate::action::read_chain& what, std::string asker) {
  if (open_.size() >= open_max) open_.erase(open_.begin());
  open_.insert_or_assign(what.id, what);
  return question_for(what, std::move(asker));
}

std::optional<gate::event::chain_read> chain_reader::take(const session::action::answered& from,
                                                          std::optional<session::event::ask>& again) {
  const auto asked = open_.extract(from.id - base_);
  if (asked.empty()) return std::nullopt;
  if (!from.responses) return gate::event::chain_read{asked.key(), tl::unexpected(from.responses.error())};
  auto reading = reading_of(*from.responses);
  const auto pages = from.responses->size() - std::min(from.responses->size(), calls_before_readers);
  if (reading && reading->training.peers.size() == pages * contracts::page_entries_max
      && pages < reader_pages_max) {
    pages_ = std::max(pages_, pages + 1);
    again = ask(asked.mapped(), from.asker);
    return std::nullopt;
  }
  return gate::event::chain_read{asked.key(), std::move(reading)};
}

} // namespace swarm::actors
