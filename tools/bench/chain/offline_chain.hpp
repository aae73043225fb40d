#pragma once

#include "contracts/registry/client.hpp"
#include "ledger/chain/chain.hpp"
#include "tools/bench/txn/sn_client.hpp"

/// A chain that is made longer without a network, while the SN that owns it does not run.
namespace swarm::bench {

/// What there is; an error ends the program with its message.
template <class T>
T value_of(result<T> from) {
  if (!from) die(from.error().message);
  return std::move(*from);
}

/// A node to be, of an organisation for which nobody but the sentinel's has to vouch.
struct new_node {
  ledger::private_key key = ledger::private_key::make_random();
  contracts::node_type type = contracts::node_type::sl;
  contracts::organisation_id organisation = 0;
  std::string name;
  std::string endpoint;
};

class offline_chain {
public:
  /// `folder` is the data directory of a stopped sentinel, the only validator of its chain and an SN of the organisation
  /// that founded it, which is given room for whatever is added.
  explicit offline_chain(const std::filesystem::path& folder);

  std::uint64_t chain_id() const { return chain_->chain_id(); }
  std::uint64_t block_num() const { return chain_->head()->header.block_num; }
  /// Adds a block of these transactions, in this order. One that is refused or fails ends the program.
  void add_block(std::vector<ledger::transaction> txns);

  /// A transaction of the sentinel, with its next nonce.
  ledger::transaction call(const address& to, bytes input);
  /// Registers them in one block, vouches for them in the next.
  void admit(const std::vector<new_node>& nodes);
  /// A transaction that tells another endpoint of the sentinel: some storage slots and an event, as most have.
  ledger::transaction move_to(std::string endpoint);
  /// The sentinel as it is registered.
  const contracts::node_view& self() const { return self_; }
  /// What a view of a contract answers.
  template <class Args>
  contracts::abi::answer_of<Args> ask(const address& contract, const Args& args) const {
    const auto answer = value_of(chain_->call({.to = contract, .input = contracts::encode(args)}));
    return value_of(contracts::decode_answer<Args>(answer.output));
  }

private:
  void make_room();

  ledger::private_key validator_;
  std::unique_ptr<ledger::chain> chain_;
  std::uint64_t nonce_ = 0;
  contracts::node_view self_;
};

} // namespace swarm::bench
