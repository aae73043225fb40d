#pragma once

#include "base/clock.hpp"
#include "ledger/formats/keys.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace swarm::session {

/// A signed transaction on its way. Until its receipt is here it is sent again, byte for byte, on every new
/// connection, so it takes effect once however often the connection breaks.
struct open_txn {
  std::uint64_t nonce = 0;
  std::string raw; ///< hexadecimal
  std::string what;
  std::optional<std::uint64_t> call; ///< whose it is; none for this node's registration
  std::optional<time_point> send_at; ///< the SN could not take it; when it is asked again
};

/// This node's transactions that are under way, and the nonces of the next ones.
class own_txns {
public:
  explicit own_txns(std::shared_ptr<const ledger::private_key> key) : key_(std::move(key)) {}

  result<const open_txn*> sign(const address& to, bytes input, std::string what,
                               std::optional<std::uint64_t> call, std::uint64_t chain_id);
  open_txn* find(std::uint64_t nonce);
  std::optional<open_txn> take(std::uint64_t nonce);
  std::vector<open_txn> take_all();

  /// The SN says that the account's next nonce is `count`.
  void count_is(std::uint64_t count) { count_ = count; }
  /// A transaction with this nonce is final.
  void used(std::uint64_t nonce) { count_ = std::max(count_, nonce + 1); }
  /// The first one that is neither used nor under way: what was refused leaves no gap behind.
  std::uint64_t next_nonce() const;

  bool registers() const;
  bool empty() const { return txns_.empty(); }
  std::size_t size() const { return txns_.size(); }
  const std::map<std::uint64_t, open_txn>& all() const { return txns_; }

private:
  std::shared_ptr<const ledger::private_key> key_;
  std::map<std::uint64_t, open_txn> txns_; ///< by nonce
  std::uint64_t count_ = 0;
};

} // namespace swarm::session
