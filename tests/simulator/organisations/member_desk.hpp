#pragma once

#include "actors/sn/membership/machine/votes.hpp"
#include "actors/sn/membership/vouching/vouching_machine.hpp"
#include "contracts/abi/client.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain.hpp"
#include "tests/simulator/sim_node.hpp"

#include <map>
#include <set>

namespace swarm::simulator {

/// Asks a contract on top of the node's head.
template <class Args>
contracts::abi::answer_of<Args> ask(const ledger::chain_view& chain, const address& contract,
                                    const Args& args) {
  const auto out = chain.call({.to = contract, .input = contracts::encode(args)}).value();
  return contracts::decode_answer<Args>(out.output).value();
}

/// Signs a call as the next transaction of an account, and gives it to a node. Returns the number of the work.
std::uint64_t send_call(world& in, std::size_t node, const ledger::private_key& key, const address& to,
                        bytes input);

/// What an honest SN does for its organisation, beside consensus: the shipped vouching machine and arithmetic of votes,
/// on the node's chain. It stands where the product has /sn/vouching and /sn/membership.
class member_desk {
public:
  member_desk(world& in, std::size_t node);

  /// To come often: reads the blocks that are new, and does what is due.
  void tick();
  void on_evidence(const consensus::evidence& found);

private:
  static constexpr sim_time votes_every =
      200 * millisecond; ///< sooner than the product, so that runs are short
  static constexpr sim_time machine_every = 100 * millisecond;

  const ledger::chain& chain() const;
  time_point now() const;
  void take(const ledger::executed_block& block);
  void take(const contracts::node_event& event);
  template <class Event>
  void step(const Event& event);
  void call(bytes input, bool try_first);
  void look_at_council();
  void vote(bool pending);
  void report_liars(bool pending);

  world& world_;
  std::size_t node_;
  ledger::private_key key_;
  vouching::vouching_machine machine_;
  std::vector<vouching::member_sn> council_;
  std::map<address, bytes> proofs_; ///< of double votes
  std::set<address> reported_;      ///< whose reports wait for a block
  std::uint64_t sent_at_ = 0;       ///< head when the last was sent
  std::optional<membership::vote> last_vote_;
  std::uint64_t voted_at_ = 0;
  std::uint64_t seen_ = 0; ///< the last block that was read
  sim_time stepped_ = 0;
  sim_time voted_ = 0;
};

} // namespace swarm::simulator
