#include "actors/sn/proofs/make_proof.hpp"

#include "actors/sn/proofs/proof_json.hpp"
#include "actors/sn/proofs/validator_changes.hpp"
#include "contracts/training/client.hpp"
#include "ledger/native_contract.hpp"

#include <boost/json.hpp>

namespace swarm::proofs {

namespace json = boost::json;
using contracts::attested;
using contracts::merge_accepted;
using contracts::merge_committed;
using contracts::merge_proof;
using contracts::revealed;
using contracts::shard_committed;

namespace {

/// An event of the contract and where it stands.
template <class Event>
struct found_event {
  Event event;
  ledger::log_hit at;
};

/// Reads one chain for one proof.
class proof_maker {
public:
  proof_maker(const ledger::chain_view& chain, std::string contract, std::uint64_t round_num)
      : chain_(chain), round_num_(round_num) {
    proof_.chain = {chain.chain_id(), chain.genesis_hash()};
    proof_.contract = std::move(contract);
    proof_.round_num = round_num;
  }

  result<merge_proof> make(std::optional<std::uint64_t> generation) {
    SWARM_TRY(const auto acceptance, find_acceptance(generation));
    SWARM_TRY(const auto merge, find_merge(acceptance));
    proof_.generation = merge.event.generation;
    proof_.term = merge.event.term;
    proof_.leader = merge.event.leader;
    proof_.digest = merge.event.digest;
    proof_.size = merge.event.size;
    SWARM_TRY(proof_.merge, prove(merge.at));
    SWARM_CHECK(add_shards(merge));
    SWARM_CHECK(add_models(merge));
    SWARM_TRY(proof_.acceptance, prove(acceptance.at));
    SWARM_CHECK(add_checkers(acceptance));
    for (const auto& [block_num, block] : blocks_) {
      SWARM_CHECK(add_handovers(block_num));
      SWARM_TRY(proof_.blocks.emplace_back(), sealed(*block));
    }
    return std::move(proof_);
  }

private:
  /// The events of the round with their places, oldest first. `round_topic` is the number of the topic that
  /// holds the round.
  template <class Event>
  result<std::vector<found_event<Event>>> events(std::size_t round_topic, std::uint64_t to_block) {
    ledger::log_filter filter;
    filter.to_block = to_block;
    filter.addresses = {contracts::training_address(proof_.contract)};
    filter.topics.resize(round_topic + 1);
    filter.topics[0] = {contracts::event_topic<Event>()};
    filter.topics[round_topic] = {u256(round_num_)};
    SWARM_TRY(auto hits, chain_.logs(filter));
    std::vector<found_event<Event>> out;
    for (auto& hit : hits) {
      SWARM_TRY(auto event, contracts::decode_training_event(hit.entry.topics, hit.entry.data));
      out.push_back({std::get<Event>(std::move(event)), std::move(hit)});
    }
    return out;
  }

  result<found_event<merge_accepted>> find_acceptance(std::optional<std::uint64_t> generation) {
    SWARM_TRY(auto merges, events<merge_accepted>(1, chain_.head()->header.block_num));
    while (!merges.empty() && generation && merges.back().event.generation != *generation)
      merges.pop_back();
    if (!merges.empty()) return std::move(merges.back());
    SWARM_TRY(const auto code, chain_.code_of(contracts::training_address(proof_.contract)));
    if (code.empty())
      return fail(errc::not_found, "there is no training contract '{}' on this chain", proof_.contract);
    return fail(errc::not_found, "'{}' has no merge of round {}{}", proof_.contract, round_num_,
                generation ? fmt::format(" in generation {}", *generation) : "");
  }

  /// The proposal that was accepted: a term has one.
  result<found_event<merge_committed>> find_merge(const found_event<merge_accepted>& acceptance) {
    SWARM_TRY(auto proposals, events<merge_committed>(1, acceptance.at.block_num));
    for (auto& one : proposals)
      if (one.event.generation == acceptance.event.generation && one.event.term == acceptance.event.term)
        return std::move(one);
    return fail(errc::corrupt, "the chain has no proposal of the merge of round {}", round_num_);
  }

  /// Adds the last attestation of each peer that the acceptance names.
  result<> add_checkers(const found_event<merge_accepted>& acceptance) {
    SWARM_TRY(const auto said, events<attested>(2, acceptance.at.block_num));
    for (const auto& peer : acceptance.event.checkers) {
      const found_event<attested>* last = nullptr;
      for (const auto& one : said)
        if (one.event.peer == peer && one.event.generation == proof_.generation
            && one.event.term == proof_.term)
          last = &one;
      if (last == nullptr)
        return fail(errc::corrupt, "the chain has no attestation of {}, which the acceptance names",
                    to_hex(peer.view()));
      SWARM_TRY(auto proved, prove(last->at));
      proof_.checkers.push_back({peer, std::move(proved)});
    }
    return {};
  }

  /// Adds the shards of which the merge was put together. In its term each of them was made once.
  result<> add_shards(const found_event<merge_committed>& merge) {
    if (merge.event.shards == 0) return {};
    SWARM_TRY(const auto made, events<shard_committed>(2, merge.at.block_num));
    std::map<std::uint32_t, const found_event<shard_committed>*> by_number;
    for (const auto& one : made)
      if (one.event.generation == proof_.generation && one.event.term == proof_.term
          && !one.event.roots.empty())
        by_number[one.event.shard] = &one;
    for (const auto& [number, one] : by_number) {
      SWARM_TRY(auto proved, prove(one->at));
      proof_.shards.push_back({one->event.peer, number, std::move(proved)});
    }
    return {};
  }

  /// Adds the last model of each peer that the merge names.
  result<> add_models(const found_event<merge_committed>& merge) {
    SWARM_TRY(const auto reveals, events<revealed>(2, merge.at.block_num));
    const auto& event = merge.event;
    std::map<address, const found_event<revealed>*> last;
    for (const auto& one : reveals)
      if (one.event.generation == event.generation && is_before(one.at, merge.at))
        last[one.event.peer] = &one;
    const auto add = [&](const address& peer,
                         std::optional<contracts::exclusion_reason> excluded) -> result<> {
      const auto found = last.find(peer);
      if (found == last.end())
        return fail(errc::corrupt, "the chain has no revealed model of {}, which the merge names",
                    to_hex(peer.view()));
      const auto& in = found->second->event;
      SWARM_TRY(auto proved, prove(found->second->at));
      proof_.models.push_back(
          {peer, in.digest, in.size, in.weightage, in.base_round, excluded, std::move(proved)});
      return {};
    };
    for (const auto& peer : event.contributors)
      SWARM_CHECK(add(peer, std::nullopt));
    for (std::size_t i = 0; i < event.excluded.size(); ++i)
      SWARM_CHECK(add(event.excluded[i], event.reasons[i]));
    return {};
  }
  static bool is_before(const ledger::log_hit& a, const ledger::log_hit& b) {
    return std::pair(a.block_num, a.txn_index) < std::pair(b.block_num, b.txn_index);
  }

  result<const ledger::executed_block*> block(std::uint64_t block_num) {
    auto& kept = blocks_[block_num];
    if (!kept) {
      SWARM_TRY(kept, read(block_num));
    }
    return kept.get();
  }
  result<ledger::block_ptr> read(std::uint64_t block_num) const {
    SWARM_TRY(auto found, chain_.block_by_num(block_num));
    if (!found)
      return fail(errc::not_found,
                  "this SN does not have block {}: ask one that has the chain from its beginning", block_num);
    return found;
  }

  result<ledger::log_proof> prove(const ledger::log_hit& at) {
    SWARM_TRY(const auto* in, block(at.block_num));
    std::vector<bytes> txns, receipts;
    for (const auto& txn : in->txns)
      txns.push_back(txn.raw());
    for (const auto& outcome : in->outcomes)
      receipts.push_back(ledger::encode_receipt(outcome.consensus));
    return ledger::log_proof{at.block_num, at.txn_index, at.log_index - in->first_log_index(at.txn_index),
                             ledger::prove_ordered(txns, at.txn_index),
                             ledger::prove_ordered(receipts, at.txn_index)};
  }

  result<ledger::sealed_header> sealed(const ledger::executed_block& block) const {
    SWARM_TRY(auto seals, chain_.seals_of(block.header.block_num));
    if (!seals)
      return fail(errc::not_found, "this SN does not have the seals of block {}", block.header.block_num);
    return ledger::sealed_header{ledger::encode_header(block.header), std::move(*seals)};
  }

  /// Appends the handovers up to the one that brought the validators who sealed `block_num`.
  result<> add_handovers(std::uint64_t block_num) {
    if (proof_.handovers.empty()) SWARM_CHECK(add_handover(0));
    for (;;) {
      SWARM_TRY(const auto next, next_change(chain_, handed_over_, block_num - 1, validators_));
      if (!next) return {};
      SWARM_CHECK(add_handover(*next));
    }
  }
  result<> add_handover(std::uint64_t block_num) {
    SWARM_TRY(const auto block, read(block_num));
    SWARM_TRY(validators_, chain_.validators_after(block_num));
    handed_over_ = block_num;
    auto& out = proof_.handovers.emplace_back();
    out.block.header = ledger::encode_header(block->header);
    if (block_num > 0) {
      SWARM_TRY(out.block, sealed(*block));
    }
    SWARM_TRY(out.proof, chain_.prove_validators(block_num));
    return {};
  }

  const ledger::chain_view& chain_;
  std::uint64_t round_num_;
  merge_proof proof_;
  std::map<std::uint64_t, ledger::block_ptr> blocks_; ///< with logs of the proof
  std::vector<address> validators_;                   ///< after the last handover
  std::uint64_t handed_over_ = 0;
};

result<std::optional<std::uint64_t>> number_in(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code failed;
  const auto number = value->is_int64() || value->is_uint64() ? value->to_number<std::uint64_t>(failed) : 0;
  if (failed || !(value->is_int64() || value->is_uint64()))
    return fail(errc::invalid, "params.{} is not a whole number", key);
  return number;
}

} // namespace

result<merge_proof> make_proof(const ledger::chain_view& chain, const std::string& contract,
                               std::uint64_t round_num, std::optional<std::uint64_t> generation) {
  return proof_maker(chain, contract, round_num).make(generation);
}

result<std::string> answer_proof(const ledger::chain_view& chain, std::string_view params) {
  boost::system::error_code failed;
  const auto value = json::parse(json::string_view(params.data(), params.size()), failed);
  if (failed || !value.is_object()) return fail(errc::invalid, "params is not an object");
  const auto& from = value.as_object();
  const auto* contract = from.if_contains("contract");
  if (contract == nullptr || !contract->is_string())
    return fail(errc::invalid, "params.contract is missing: the name of a training contract");
  SWARM_TRY(const auto round_num, number_in(from, "round"));
  if (!round_num) return fail(errc::invalid, "params.round is missing: the number of a merged round");
  SWARM_TRY(const auto generation, number_in(from, "generation"));
  SWARM_TRY(const auto made, make_proof(chain, std::string(contract->as_string()), *round_num, generation));
  return json::serialize(to_json(made));
}

} // namespace swarm::proofs
