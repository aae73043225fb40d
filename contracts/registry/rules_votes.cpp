#include "contracts/registry/rules_votes.hpp"

#include "contracts/runtime/typed_contract.hpp"
#include "ledger/formats/seal.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 votes_slot = u256(129);
constexpr hash32 schedule_slot = u256(ledger::rules_slot);

struct vote_record {
  std::uint64_t version = 0;
  std::uint64_t from_block = 0;
  bool operator==(const vote_record&) const = default;
};

} // namespace

ledger::rules_schedule rules_votes::schedule() const {
  return ledger::rules_in(slots_.load(schedule_slot));
}

result<> rules_votes::check(const vote_rules_args& args, const std::vector<address>& validators) const {
  if (std::find(validators.begin(), validators.end(), context_.caller) == validators.end())
    return refuse("{} is no validator and has no vote", to_hex(context_.caller.view()));
  const auto now = schedule();
  const auto in_force = now.at(context_.block_num);
  if (now.next > in_force)
    return refuse("version {} of the rules begins with block {}, that is decided", now.next, now.from_block);
  if (args.version != in_force + 1)
    return refuse("version {} of the rules is in force, the next one is {}, not {}", in_force, in_force + 1,
                  args.version);
  const auto first = context_.block_num + rules_notice_blocks;
  if (args.from_block < first || args.from_block - first > rules_ahead_max)
    return refuse("new rules begin {} to {} blocks after the vote, so in block {} or later, not in {}",
                  rules_notice_blocks, rules_notice_blocks + rules_ahead_max, first, args.from_block);
  return {};
}

result<> rules_votes::vote(const vote_rules_args& args) const {
  const auto validators = validators_.validators();
  SWARM_CHECK(check(args, validators));
  const vote_record wanted{args.version, args.from_block};
  slots_.put(slots_.mapped(key_of(context_.caller), votes_slot), wanted);
  host_.emit(abi::encode_event(context_.self, rules_voted{context_.caller, args.version, args.from_block}));
  const auto votes = std::count_if(validators.begin(), validators.end(), [&](const address& one) {
    return slots_.get<vote_record>(slots_.mapped(key_of(one), votes_slot)) == wanted;
  });
  if (static_cast<std::size_t>(votes) < ledger::seal_quorum(validators.size())) return {};
  const auto in_force = schedule().at(context_.block_num);
  slots_.store(schedule_slot, ledger::word_of({in_force, args.version, args.from_block}));
  host_.emit(abi::encode_event(context_.self, rules_scheduled{args.version, args.from_block}));
  return {};
}

rules_view rules_votes::view() const {
  const auto now = schedule();
  const auto in_force = now.at(context_.block_num);
  if (now.next <= in_force) return {in_force, 0, 0};
  return {in_force, now.next, now.from_block};
}

} // namespace swarm::contracts
