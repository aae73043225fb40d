#pragma once

#include "actors/sn/proofs/receipt_prover.hpp"
#include "actors/sn/proofs/shown_witnesses.hpp"
#include "actors/sn/rpc/filters.hpp"
#include "actors/sn/rpc/responder.hpp"
#include "actors/sn/rpc/turns.hpp"
#include "ledger/chain/chain_window.hpp"

#include <map>

namespace swarm::rpc {

/// Answers requests that only read the chain, each from the view that is the newest when its turn comes.
/// Organisations and clients take turns, request by request. It also keeps their filters. It belongs to one thread, which may be another one than
/// the service's, so that no transaction waits for reading.
class reader final : public responder {
public:
  static constexpr std::size_t proof_slots_max = 256;
  /// Clients take messages of 16 MiB.
  static constexpr std::size_t merge_proof_bytes_max = 15 * 1024 * 1024;
  /// Changes of validators in one answer.
  static constexpr std::size_t validator_changes_max = 32;
  static constexpr std::uint64_t fee_history_max = 1024;
  static constexpr std::size_t reward_percentiles_max = 100;

  explicit reader(filter_table::limits filters = {}) : filters_(filters) {}

  /// Whether requests of this method are for a reader.
  static bool answers(std::string_view method);
  /// Takes requests of such methods about `chain`. They are answered at once as far as a slice and earlier
  /// requests allow, the rest in `go_on`.
  void step(text_part part, std::shared_ptr<const ledger::chain_window> chain, time_point now);
  /// Forgets filters that nobody asks for; to be called about once a second.
  void tick(time_point now) { filters_.expire(now); }

  std::size_t filters() const { return filters_.size(); }

private:
  using handler = method_result (reader::*)(const params&, const caller&);
  struct waiting_part {
    text_part part;
    std::shared_ptr<const ledger::chain_window> chain;
  };

  static const std::map<std::string_view, handler>& methods();
  bool waiting() const override { return !queue_.empty(); }
  std::optional<text_part> next() override;
  void set_aside(text_part rest) override {
    const auto from = rest.from().of();
    queue_.put_back(from, {std::move(rest), chain_});
  }
  bool charge_turn(const party& of, std::uint64_t units) override {
    queue_.charge(of, units);
    return queue_.others_wait(of.organisation);
  }
  void run(std::string_view method, const params& given, const reply& to) override;

  method_result sha3(const params&, const caller&);
  method_result fee_history(const params&, const caller&);
  method_result block_by_number(const params&, const caller&);
  method_result block_by_hash(const params&, const caller&);
  method_result block_receipts(const params&, const caller&);
  method_result block_txn_count_by_number(const params&, const caller&);
  method_result block_txn_count_by_hash(const params&, const caller&);
  method_result uncle_count_by_number(const params&, const caller&);
  method_result uncle_count_by_hash(const params&, const caller&);
  method_result txn_by_block_number(const params&, const caller&);
  method_result txn_by_block_hash(const params&, const caller&);
  method_result unknown_txn(const hash32& hash) const;
  method_result txn_by_hash(const params&, const caller&);
  method_result txn_receipt(const params&, const caller&);
  method_result txn_count(const params&, const caller&);
  method_result balance(const params&, const caller&);
  method_result code(const params&, const caller&);
  method_result storage_at(const params&, const caller&);
  method_result proof(const params&, const caller&);
  method_result prove_merge(const params&, const caller&);
  method_result proved_call(const params&, const caller&);
  method_result proved_receipt(const params&, const caller&);
  method_result validator_changes(const params&, const caller&);
  method_result call(const params&, const caller&);
  method_result estimate_gas(const params&, const caller&);
  method_result logs(const params&, const caller&);
  method_result new_filter(const params&, const caller&);
  method_result new_block_filter(const params&, const caller&);
  method_result filter_changes(const params&, const caller&);
  method_result filter_logs(const params&, const caller&);
  method_result uninstall_filter(const params&, const caller&);

  /// Reads a block and counts its cost as work.
  result<ledger::block_ptr> block_at(const std::optional<std::uint64_t>& num);
  result<ledger::block_ptr> block_with(const hash32& hash);
  result<ledger::block_ptr> block_of(const block_ref& which);
  /// The number of the block whose state a request is about; none for the head.
  result<std::optional<std::uint64_t>> state_of(const params& given, std::size_t index);
  result<boost::json::array> found_logs(const ledger::log_filter& filter);
  result<boost::json::array> found_logs(const ledger::log_filter& filter, ledger::log_query_work& work);
  result<ledger::log_filter> with_range(ledger::log_filter filter, const block_range& range) const;
  method_result add_filter(filter_table::filter made);
  result<filter_table::filter*> filter_of(const params& given, const caller& from);
  result<boost::json::array> new_blocks(filter_table::filter& which);
  result<boost::json::array> new_logs(filter_table::filter& which);

  filter_table filters_;
  proofs::receipt_prover receipts_;
  proofs::shown_witnesses witnesses_;
  turns<waiting_part> queue_;
  std::shared_ptr<const ledger::chain_window> chain_; ///< for the text that is being answered
  std::shared_ptr<const ledger::chain_view> view_;    ///< for the request that is being answered
};

} // namespace swarm::rpc
