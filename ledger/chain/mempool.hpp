#pragma once

#include "ledger/chain/mempool_rules.hpp"
#include "ledger/formats/transaction.hpp"

#include <map>
#include <unordered_map>

namespace swarm::ledger {

/// Transactions that wait for a block, by sender and nonce. It is pure: it is told the nonces of accounts,
/// and each transaction alone has been checked already.
///
/// Each belongs to an organisation, 0 on a chain without any. What can be executed now is handed out so that all have the
/// same number of bytes in a block, and within one by arrival. In a full pool an organisation that has less there takes
/// the place of the youngest of the one that has most.
class mempool {
public:
  explicit mempool(pool_limits limits) : limits_(limits) {}

  /// Lets in a transaction whose sender is known. `account_nonce` is the sender's nonce at the head. What waits of a
  /// sender belongs to the organisation with which the first of it came.
  result<> add(transaction txn, std::uint64_t account_nonce, std::uint16_t organisation = 0);
  /// Drops the transactions with nonces below `account_nonce`, which the sender's account has reached
  /// at the head.
  void advance(const address& sender, std::uint64_t account_nonce);
  /// Takes out one transaction, such as one that cannot be executed after all.
  void remove(const hash32& hash);

  bool has_executable() const;
  /// Up to `count_max` transactions that can be executed one after the other: each sender's nonces in order
  /// and without a gap. The pointers are valid until the next change.
  std::vector<const transaction*> executable(std::size_t count_max) const;
  const transaction* find(const hash32& hash) const;
  /// The nonce after the waiting ones that follow `account_nonce` without a gap.
  std::uint64_t next_nonce(const address& sender, std::uint64_t account_nonce) const;

  std::vector<address> senders() const;
  std::size_t txn_count() const { return by_hash_.size(); }
  std::size_t byte_count() const { return byte_count_; }
  std::size_t sender_count() const { return senders_.size(); }

private:
  struct waiting {
    transaction txn;
    std::uint64_t arrival;
  };
  struct sender_queue {
    std::uint64_t account_nonce = 0;
    std::uint16_t organisation = 0;
    std::map<std::uint64_t, waiting> by_nonce;
  };
  /// What waits of one organisation.
  struct share {
    std::map<std::uint64_t, address> ready; ///< by arrival: senders whose first transaction can be executed
    std::size_t byte_count = 0;
    std::size_t txn_count = 0;
  };
  class stream;
  using sender_map = std::unordered_map<address, sender_queue>;

  result<> check_sender(const transaction& txn, std::uint64_t account_nonce) const;
  result<> make_room(const transaction& txn, std::uint64_t account_nonce, std::uint16_t organisation);
  bool drop_youngest_gapped();
  bool drop_of_largest(std::uint16_t organisation, std::size_t bytes);
  void erase(sender_queue& queue, std::map<std::uint64_t, waiting>::iterator at);
  void take_ready(const sender_queue& queue);
  void put_ready(const address& sender, const sender_queue& queue);
  void drop_if_empty(sender_map::iterator sender);

  pool_limits limits_;
  sender_map senders_;
  std::unordered_map<hash32, const transaction*> by_hash_;
  std::map<std::uint16_t, share> shares_; ///< by organisation; none is empty
  std::size_t byte_count_ = 0;
  std::uint64_t arrivals_ = 0;
};

} // namespace swarm::ledger
