#include "contracts/registry/evidence.hpp"

#include "contracts/runtime/typed_contract.hpp"
#include "ledger/formats/double_vote.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 proved_slot = u256(128);
/// What recovering the authors of two signatures costs, as the EVM charges it.
constexpr std::uint64_t recovery_gas = 2 * 3000;

} // namespace

result<> double_votes::report(const report_double_vote_args& args) const {
  host_.charge(recovery_gas + args.proof.size());
  const auto proof = ledger::decode_double_vote(args.proof);
  if (!proof) return refuse("no proof of a double vote: {}", proof.error().message);
  const auto author = ledger::check_double_vote(*proof, context_.chain_id, context_.genesis_hash);
  if (!author) return refuse("no proof of a double vote: {}", author.error().message);
  if (!seats_.has(*author))
    return refuse("{} is no member of the validators, whatever it signed", to_hex(author->view()));
  SWARM_CHECK(seats_.change(*author, false));
  slots_.store(slots_.mapped(key_of(*author), proved_slot), u256(context_.block_num));
  host_.emit(abi::encode_event(context_.self,
                               double_vote_proved{*author, static_cast<std::uint8_t>(proof->kind),
                                                  proof->block_num, proof->round_num, context_.caller}));
  return {};
}

std::uint64_t double_votes::proved_in(const address& account) const {
  return u256(slots_.load(slots_.mapped(key_of(account), proved_slot))).to_u64();
}

result<> double_votes::check_never(const address& account) const {
  const auto block_num = proved_in(account);
  if (block_num == 0) return {};
  return refuse(
      "{} signed two different votes, as was proved in block {}: it never seals again; a node goes on "
      "with another key",
      to_hex(account.view()), block_num);
}

} // namespace swarm::contracts
