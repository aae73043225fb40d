#include "contracts/proofs/merge_proof.hpp"

#include "base/hash_tree.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training/sharding.hpp"

namespace swarm::contracts {

namespace {

using ledger::block_header;
using ledger::proof_errc;
using ledger::proven_log;

std::string text_of(const fixed_bytes<20>& who) {
  return to_hex(who.view());
}

/// The proof's blocks, once it is checked that those whom the auditor trusts sealed them.
class trusted_blocks {
public:
  static result<trusted_blocks> open(const merge_proof& proof, const merge_trust& trust) {
    if (trust.validators.empty() && !trust.genesis_hash)
      return fail(merge_proof_errc::no_trust, "name the validators or the genesis block that you trust");
    if (trust.genesis_hash && *trust.genesis_hash != proof.chain.genesis_hash)
      return fail(proof_errc::genesis, "the proof is of the chain with genesis block {}, not of {}",
                  to_hex(proof.chain.genesis_hash.view()), to_hex(trust.genesis_hash->view()));
    SWARM_TRY(const auto history, ledger::validator_history::follow(proof.chain, proof.handovers));
    trusted_blocks out;
    for (const auto& sealed : proof.blocks) {
      SWARM_TRY(auto header, ledger::open_header(sealed.header));
      const auto block_num = header.block_num;
      if (trust.genesis_hash)
        SWARM_CHECK(ledger::open_sealed(sealed, proof.chain, history.sealers_of(block_num)));
      if (!trust.validators.empty()) SWARM_CHECK(ledger::open_sealed(sealed, proof.chain, trust.validators));
      const auto validators =
          trust.validators.empty() ? history.sealers_of(block_num).size() : trust.validators.size();
      if (!out.blocks_.emplace(block_num, known{std::move(header), sealed.seals.seals.size(), validators})
               .second)
        return fail(proof_errc::order, "block {} is in the proof twice", block_num);
    }
    return out;
  }

  struct known {
    block_header header;
    std::size_t seals = 0;
    std::size_t validators = 0;
  };
  result<const known*> find(std::uint64_t block_num) const {
    const auto found = blocks_.find(block_num);
    if (found == blocks_.end())
      return fail(proof_errc::missing_block, "block {} is not in the proof", block_num);
    return &found->second;
  }

private:
  std::map<std::uint64_t, known> blocks_;
};

/// Decodes the event that `log` proves, and checks that it is of the contract and the round.
template <class Event>
result<Event> check_event(const proven_log& log, const merge_proof& proof) {
  const auto contract = training_address(proof.contract);
  if (log.entry.emitter != contract)
    return fail(merge_proof_errc::contract, "block {}: the log is of contract {}, that of '{}' is {}",
                log.block_num, text_of(log.entry.emitter), proof.contract, text_of(contract));
  if (!log.to || *log.to != contract)
    return fail(merge_proof_errc::contract, "block {}: the transaction was not sent to the contract '{}'",
                log.block_num, proof.contract);
  const auto event = decode_training_event(log.entry.topics, log.entry.data);
  if (!event) return fail(merge_proof_errc::event, "block {}: {}", log.block_num, event.error().message);
  const auto* wanted = std::get_if<Event>(&*event);
  if (wanted == nullptr)
    return fail(merge_proof_errc::event, "block {}: the log is another event", log.block_num);
  if (wanted->generation != proof.generation || wanted->round_num != proof.round_num)
    return fail(merge_proof_errc::round, "block {}: the event is of generation {} round {}, not {} and {}",
                log.block_num, wanted->generation, wanted->round_num, proof.generation, proof.round_num);
  return *wanted;
}

result<> check_sender(const proven_log& log, const address& sender) {
  if (log.sender == sender) return {};
  return fail(merge_proof_errc::sender, "block {}: {} signed the transaction, not {}", log.block_num,
              text_of(log.sender), text_of(sender));
}

template <class T>
result<> same(std::string_view what, const T& claimed, const T& recorded) {
  if (claimed == recorded) return {};
  return fail(merge_proof_errc::claim, "the proof says another {} than the chain", what);
}

auto place_of(const proven_log& log) {
  return std::pair(log.block_num, log.txn_index);
}

/// The leader signed what it has merged; or all makers signed their shards, which are put together to the merge.
result<> check_makers(const merge_proof& proof, const trusted_blocks& blocks, const proven_log& merge,
                      const merge_committed& event) {
  if (event.shards == 0) {
    if (!proof.shards.empty())
      return fail(merge_proof_errc::shards, "shards of a merge that the leader has made");
    return check_sender(merge, event.leader);
  }
  if (event.size == 0 || event.shards > peers_max)
    return fail(merge_proof_errc::event, "{} bytes in {} shards", event.size, event.shards);
  const auto plan = plan_of(event.size, event.shards);
  std::vector<hash32> roots;
  for (const auto& one : proof.shards) {
    SWARM_TRY(const auto* block, blocks.find(one.commit.block_num));
    SWARM_TRY(const auto log, ledger::check_log_proof(one.commit, block->header, proof.chain.chain_id));
    SWARM_TRY(const auto made, check_event<shard_committed>(log, proof));
    SWARM_CHECK(same("term", proof.term, made.term));
    SWARM_CHECK(same("maker", one.peer, made.peer));
    SWARM_CHECK(same("shard", one.shard, made.shard));
    SWARM_CHECK(check_sender(log, made.peer));
    if (place_of(log) > place_of(merge))
      return fail(merge_proof_errc::order, "shard {} is behind the merge", made.shard);
    const auto units = made.shard < event.shards ? plan.units_of(made.shard) : run{};
    if (units.count == 0 || units.first != roots.size() || units.count != made.roots.size())
      return fail(merge_proof_errc::shards, "shard {} is not the next one of the merge", made.shard);
    roots.insert(roots.end(), made.roots.begin(), made.roots.end());
  }
  if (roots.size() != plan.units())
    return fail(merge_proof_errc::shards, "{} units of the merge have makers, it has {}", roots.size(),
                plan.units());
  if (model_digest(event.size, model_chunk_bytes, tree_root(roots)) != event.digest)
    return fail(merge_proof_errc::shards, "the shards are not put together to the merge");
  return {};
}

result<> check_merge_claim(const merge_proof& proof, const merge_committed& event) {
  SWARM_CHECK(same("leader", proof.leader, event.leader));
  SWARM_CHECK(same("term", proof.term, event.term));
  SWARM_CHECK(same("digest", proof.digest, event.digest));
  SWARM_CHECK(same("size", proof.size, event.size));
  if (event.reasons.size() != event.excluded.size())
    return fail(merge_proof_errc::event, "{} peers are excluded with {} reasons", event.excluded.size(),
                event.reasons.size());
  std::vector<address> contributors, excluded;
  std::vector<exclusion_reason> reasons;
  for (const auto& model : proof.models) {
    if (!model.excluded && !excluded.empty())
      return fail(merge_proof_errc::models, "models: a contributor stands behind an excluded peer");
    (model.excluded ? excluded : contributors).push_back(model.peer);
    if (model.excluded) reasons.push_back(*model.excluded);
  }
  if (contributors != event.contributors)
    return fail(merge_proof_errc::models, "models: the contributors are not those of the merge");
  if (excluded != event.excluded)
    return fail(merge_proof_errc::models, "models: the excluded peers are not those of the merge");
  return same("reason for excluding a peer", reasons, event.reasons);
}

result<> check_model(const merge_proof& proof, const proved_model& model, const trusted_blocks& blocks,
                     const proven_log& merge) {
  SWARM_TRY(const auto* block, blocks.find(model.reveal.block_num));
  SWARM_TRY(const auto log, ledger::check_log_proof(model.reveal, block->header, proof.chain.chain_id));
  SWARM_TRY(const auto event, check_event<revealed>(log, proof));
  SWARM_CHECK(same("peer", model.peer, event.peer));
  SWARM_CHECK(same("digest", model.digest, event.digest));
  SWARM_CHECK(same("size", model.size, event.size));
  SWARM_CHECK(same("weightage", model.weightage, event.weightage));
  SWARM_CHECK(same("base round", model.base_round, event.base_round));
  SWARM_CHECK(check_sender(log, event.peer));
  if (std::pair(log.block_num, log.txn_index) >= std::pair(merge.block_num, merge.txn_index))
    return fail(merge_proof_errc::order, "the model of block {} is not before the merge in block {}",
                log.block_num, merge.block_num);
  return {};
}

/// The log of `at`, which is not before the merge, and its event.
template <class Event>
result<std::pair<proven_log, Event>> check_later(const merge_proof& proof, const ledger::log_proof& at,
                                                 const trusted_blocks& blocks, const proven_log& merge) {
  SWARM_TRY(const auto* block, blocks.find(at.block_num));
  SWARM_TRY(auto log, ledger::check_log_proof(at, block->header, proof.chain.chain_id));
  SWARM_TRY(auto event, check_event<Event>(log, proof));
  SWARM_CHECK(same("term", proof.term, event.term));
  if (place_of(log) < place_of(merge))
    return fail(merge_proof_errc::order, "block {}: it is before the merge in block {}", log.block_num,
                merge.block_num);
  return std::pair(std::move(log), std::move(event));
}

/// Who attested the merge, all in the attempt after which it was accepted.
result<> check_acceptance(const merge_proof& proof, const trusted_blocks& blocks, const proven_log& merge) {
  SWARM_TRY(const auto accepted, check_later<merge_accepted>(proof, proof.acceptance, blocks, merge));
  SWARM_CHECK(same("leader", proof.leader, accepted.second.leader));
  SWARM_CHECK(same("digest", proof.digest, accepted.second.digest));
  std::vector<address> checkers;
  for (const auto& one : proof.checkers)
    checkers.push_back(one.peer);
  if (checkers != accepted.second.checkers)
    return fail(merge_proof_errc::checkers, "the checkers are not those of the acceptance");
  std::optional<std::uint32_t> attempt;
  for (const auto& one : proof.checkers) {
    SWARM_TRY(const auto said, check_later<attested>(proof, one.attest, blocks, merge));
    SWARM_CHECK(same("checker", one.peer, said.second.peer));
    SWARM_CHECK(check_sender(said.first, one.peer));
    if (place_of(accepted.first) < place_of(said.first))
      return fail(merge_proof_errc::order, "block {}: an attestation after the acceptance",
                  said.first.block_num);
    if (attempt && *attempt != said.second.attempt)
      return fail(merge_proof_errc::checkers, "attestations of attempts {} and {}", *attempt,
                  said.second.attempt);
    attempt = said.second.attempt;
  }
  return {};
}

} // namespace

result<merge_place> verify_merge_proof(const merge_proof& proof, const merge_trust& trust) {
  SWARM_TRY(const auto blocks, trusted_blocks::open(proof, trust));
  SWARM_TRY(const auto* block, blocks.find(proof.merge.block_num));
  const auto merge = [&]() -> result<proven_log> {
    SWARM_TRY(auto log, ledger::check_log_proof(proof.merge, block->header, proof.chain.chain_id));
    SWARM_TRY(const auto event, check_event<merge_committed>(log, proof));
    SWARM_CHECK(check_merge_claim(proof, event));
    SWARM_CHECK(check_makers(proof, blocks, log, event));
    return log;
  }();
  if (!merge) return fail_with(merge.error(), "merge");
  for (const auto& model : proof.models)
    if (const auto fits = check_model(proof, model, blocks, *merge); !fits)
      return fail_with(fits.error(), "model of " + text_of(model.peer));
  if (const auto fits = check_acceptance(proof, blocks, *merge); !fits)
    return fail_with(fits.error(), "acceptance");
  return merge_place{block->header.block_num, block->header.timestamp, block->seals, block->validators};
}

} // namespace swarm::contracts
