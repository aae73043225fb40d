#include "ledger/proof/trust_chain.hpp"

#include "ledger/native_contract.hpp"
#include "ledger/proof/proof_wire.hpp"

namespace swarm::ledger {

namespace {

constexpr std::size_t proof_nodes_max = 80; ///< 64 nibbles and what splits them
constexpr node_limits limits{proof_nodes_max, trie_node_bytes_max, proof_errc::validators};

/// The validators in a block's state, as its own proof shows them.
result<std::vector<address>> shown_by(const handover& from, const block_header& header) {
  auto set = check_validators(header.state_root, from.proof);
  if (!set) return fail_with(set.error(), fmt::format("block {}", header.block_num));
  return set;
}

} // namespace

trust_chain::trust_chain(const chain_identity& of, trusted_block from)
    : of_(of), reached_(from.block_num), validators_(std::move(from.validators)) {}

result<> trust_chain::follow(const handover& next) {
  SWARM_TRY(const auto header, open_sealed(next.block, of_, validators_));
  if (header.block_num <= reached_)
    return fail(proof_errc::order, "block {}: said to come after block {}", header.block_num, reached_);
  SWARM_TRY(auto set, shown_by(next, header));
  if (set == validators_)
    return fail(proof_errc::unchanged, "block {}: said to change the validators, but has the same",
                header.block_num);
  reached_ = header.block_num;
  validators_ = std::move(set);
  return {};
}

result<block_header> trust_chain::arrive(const handover& pivot) const {
  SWARM_TRY(auto header, open_sealed(pivot.block, of_, validators_));
  if (header.block_num <= reached_)
    return fail(proof_errc::old_pivot, "block {}: said to be near the head, but block {} is known already",
                header.block_num, reached_);
  SWARM_TRY(const auto set, shown_by(pivot, header));
  if (set != validators_)
    return fail(proof_errc::other_validators,
                "block {}: its state has other validators than those who sealed it; a change is left out",
                header.block_num);
  return header;
}

bytes encode_handover(const handover& item) {
  rlp_writer out(4096);
  out.begin_list();
  write_sealed(out, item.block);
  write_nodes(out, item.proof.account);
  write_nodes(out, item.proof.count);
  out.begin_list();
  for (const auto& member : item.proof.members)
    write_nodes(out, member);
  return out.end_list().end_list().take();
}

result<handover> decode_handover(bytes_view raw) {
  handover out;
  SWARM_TRY(auto from, rlp_reader::open(raw, "handover"));
  SWARM_TRY(out.block, read_sealed(from));
  SWARM_TRY(out.proof.account, read_nodes(from, "account proof", limits));
  SWARM_TRY(out.proof.count, read_nodes(from, "count proof", limits));
  SWARM_TRY(auto members, from.list("members"));
  SWARM_CHECK(from.finish());
  while (!members.at_end()) {
    if (out.proof.members.size() >= validators_max)
      return fail(proof_errc::validators, "handover: more than {} validators", validators_max);
    SWARM_TRY(out.proof.members.emplace_back(), read_nodes(members, "member proof", limits));
  }
  return out;
}

} // namespace swarm::ledger
