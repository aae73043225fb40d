#include "actors/sn_client/session/own_txns.hpp"

#include "contracts/training/client.hpp"
#include "ledger/formats/transaction.hpp"

#include <algorithm>

namespace swarm::session {

result<const open_txn*> own_txns::sign(const address& to, bytes input, std::string what,
                                       std::optional<std::uint64_t> call, std::uint64_t chain_id) {
  ledger::txn_fields fields;
  fields.nonce = next_nonce();
  fields.gas_limit = contracts::call_gas;
  fields.to = to;
  fields.data = std::move(input);
  const auto nonce = fields.nonce;
  SWARM_TRY(const auto txn, ledger::make_signed(std::move(fields), *key_, chain_id));
  const auto at = txns_.emplace(nonce, open_txn{nonce, to_hex(txn.raw()), std::move(what), call, {}}).first;
  return &at->second;
}

open_txn* own_txns::find(std::uint64_t nonce) {
  const auto found = txns_.find(nonce);
  return found == txns_.end() ? nullptr : &found->second;
}

std::optional<open_txn> own_txns::take(std::uint64_t nonce) {
  auto node = txns_.extract(nonce);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<open_txn> own_txns::take_all() {
  std::vector<open_txn> out;
  for (auto& [nonce, txn] : std::exchange(txns_, {}))
    out.push_back(std::move(txn));
  return out;
}

std::uint64_t own_txns::next_nonce() const {
  auto nonce = count_;
  for (auto at = txns_.lower_bound(nonce); at != txns_.end() && at->first == nonce; ++at)
    ++nonce;
  return nonce;
}

bool own_txns::registers() const {
  return std::any_of(txns_.begin(), txns_.end(), [](const auto& each) { return !each.second.call; });
}

} // namespace swarm::session
