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

class offline_chain {
public:
  /// `folder` is the data directory of a stopped sentinel, the only validator of its chain.
  explicit offline_chain(const std::filesystem::path& folder);

  std::uint64_t chain_id() const { return chain_->chain_id(); }
  std::uint64_t block_num() const { return chain_->head()->header.block_num; }
  /// Makes an account, which has sent nothing yet, a member of the sentinel's organisation; that takes two blocks.
  contracts::register_node_args join(const ledger::private_key& key, contracts::node_type type);
  /// Adds a block of these transactions, in this order. One that is refused or fails ends the program.
  void add_block(std::vector<ledger::transaction> txns);

private:
  ledger::private_key validator_;
  std::unique_ptr<ledger::chain> chain_;
};

} // namespace swarm::bench
