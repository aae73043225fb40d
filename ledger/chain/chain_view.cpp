#include "ledger/chain/chain_parts.hpp"
#include "ledger/proof/trust_chain.hpp"
#include "ledger/proof/witness.hpp"

namespace swarm::ledger {

namespace {

/// An estimate allows for this much more gas than was used, in percent, because storage that changes in the
/// meantime changes the price.
constexpr std::uint64_t estimate_margin_percent = 50;

} // namespace

result<block_header> chain_view::parts::header_at(at_block at) const {
  if (!at || *at == head->header.block_num) return head->header;
  if (*at > head->header.block_num)
    return fail(chain_errc::unknown_block, "block {} is not there, the head is {}", *at,
                head->header.block_num);
  if (gaps.lacks_block(*at)) return tl::unexpected(missing_block_error(gaps, *at));
  return from->blocks.header_of(*at);
}

result<state_view> chain_view::parts::state_at(at_block at) const {
  SWARM_TRY(auto header, header_with_state(at));
  return state_view(*state, header.state_root);
}

result<block_header> chain_view::parts::header_with_state(at_block at) const {
  const auto block_num = at.value_or(head->header.block_num);
  if (lacks_state(block_num)) return tl::unexpected(missing_state(block_num));
  return header_at(at);
}

bool chain_view::parts::lacks_state(std::uint64_t block_num) const {
  return block_num < from->store->states_from() || gaps.lacks_state(block_num);
}

error chain_view::parts::missing_state(std::uint64_t block_num) const {
  const auto first = from->store->states_from();
  return block_num < first ? given_up_error(block_num, first) : missing_state_error(gaps, block_num);
}

result<std::vector<address>> chain_view::parts::skipped_validators(std::uint64_t block_num) const {
  // Changes are kept of all blocks without a state, and of some others. So either the last one says it, or
  // a later state does.
  const auto first = from->store->states_from();
  auto before = block_num;
  while (before >= first && gaps.lacks_state(before))
    before = std::find_if(gaps.states.begin(), gaps.states.end(),
                          [&](const auto& each) { return each.first <= before && before <= each.last; })
                 ->first
             - 1;
  const bool has_state = before >= first;
  SWARM_TRY(
      const auto names,
      from->store->notes_after(handover_notes, has_state ? handover_note(before) : std::string{}, SIZE_MAX));
  const auto after = std::upper_bound(names.begin(), names.end(), handover_note(block_num));
  if (after == names.begin()) {
    if (!has_state)
      return fail(errc::corrupt, "who were the validators after block {} was not kept", block_num);
    SWARM_TRY(auto view, state_at(before));
    return read_validators(view);
  }
  SWARM_TRY(const auto last, from->store->note(*std::prev(after)));
  SWARM_TRY(const auto change, decode_handover(last.value_or(bytes{})));
  SWARM_TRY(const auto header, decode_header(change.block.header));
  return check_validators(header.state_root, change.proof);
}

std::uint64_t chain_view::chain_id() const {
  return parts_->from->genesis.chain_id;
}
const hash32& chain_view::genesis_hash() const {
  return parts_->from->genesis_hash;
}
const genesis_params& chain_view::genesis() const {
  return parts_->from->genesis;
}
const block_ptr& chain_view::head() const {
  return parts_->head;
}

result<std::vector<address>> chain_view::validators_after(std::uint64_t block_num) const {
  if (parts_->lacks_state(block_num)) return parts_->skipped_validators(block_num);
  SWARM_TRY(auto state, parts_->state_at(block_num));
  auto out = read_validators(state);
  if (!out && parts_->lacks_state(block_num)) return parts_->skipped_validators(block_num);
  return out;
}

result<std::vector<address>> chain_view::resting_validators() const {
  const auto& head = parts_->head->header;
  SWARM_TRY(const auto validators, validators_after(head.block_num));
  state_overlay state(*parts_->state, head.state_root);
  return ledger::resting_validators(state, validators, head.timestamp, parts_->from->contracts);
}

bool chain_view::history_complete() const {
  return parts_->gaps.blocks.empty();
}

// A block beyond the head may be in the store after a failed write: it does not count before recovery.
result<block_ptr> chain_view::block_by_num(std::uint64_t block_num) const {
  if (block_num > parts_->head->header.block_num) return block_ptr{};
  if (parts_->gaps.lacks_block(block_num))
    return tl::unexpected(missing_block_error(parts_->gaps, block_num));
  return parts_->from->blocks.by_num(block_num);
}

result<block_ptr> chain_view::block_by_hash(const hash32& hash) const {
  SWARM_TRY(auto block, parts_->from->blocks.by_hash(hash, parts_->head->header.block_num));
  if (block && block->hash == hash) return block;
  if (history_complete()) return block_ptr{};
  return fail(chain_errc::history_missing, "block {} is not here, or not yet: history is being fetched",
              to_hex(hash.view()));
}

result<std::optional<block_header>> chain_view::header_by_num(std::uint64_t block_num) const {
  if (block_num > parts_->head->header.block_num) return std::optional<block_header>{};
  SWARM_TRY(auto header, parts_->header_at(block_num));
  return std::optional{std::move(header)};
}

result<std::optional<txn_place>> chain_view::find_txn(const hash32& hash) const {
  return parts_->from->blocks.find_txn(hash, parts_->head->header.block_num);
}

result<std::optional<seal_record>> chain_view::seals_of(std::uint64_t block_num) const {
  if (block_num > parts_->head->header.block_num) return std::optional<seal_record>{};
  return parts_->from->blocks.seals_of(block_num);
}

result<std::optional<sealed_block_bytes>> chain_view::sealed_block_of(std::uint64_t block_num) const {
  if (block_num > parts_->head->header.block_num) return std::optional<sealed_block_bytes>{};
  return parts_->from->blocks.sealed_bytes(block_num);
}

bool chain_view::has_state(std::uint64_t block_num) const {
  return block_num <= parts_->head->header.block_num && !parts_->lacks_state(block_num);
}

result<account> chain_view::account_of(const address& who, at_block at) const {
  SWARM_TRY(auto state, parts_->state_at(at));
  SWARM_TRY(auto found, parts_->told(at, state.account_of(who)));
  return found.value_or(account{});
}

result<bytes> chain_view::code_of(const address& who, at_block at) const {
  SWARM_TRY(auto state, parts_->state_at(at));
  return parts_->told(at, state.code_of(who));
}

result<hash32> chain_view::storage_of(const address& who, const hash32& slot, at_block at) const {
  SWARM_TRY(auto state, parts_->state_at(at));
  return parts_->told(at, state.storage_of(who, slot));
}

result<account_proof> chain_view::prove(const address& who, std::span<const hash32> slots,
                                        at_block at) const {
  SWARM_TRY(auto state, parts_->state_at(at));
  return parts_->told(at, state.prove(who, slots));
}

result<validators_proof> chain_view::prove_validators(std::uint64_t block_num) const {
  SWARM_TRY(const auto kept, parts_->from->store->note(handover_note(block_num)));
  if (kept) {
    SWARM_TRY(auto change, decode_handover(*kept));
    return std::move(change.proof);
  }
  SWARM_TRY(const auto validators, validators_after(block_num));
  SWARM_TRY(auto shown, prove(validators_account(), validator_slots(validators.size()), block_num));
  validators_proof out{std::move(shown.nodes), std::move(shown.slots.front().nodes), {}};
  for (std::size_t i = 1; i < shown.slots.size(); ++i)
    out.members.push_back(std::move(shown.slots[i].nodes));
  return out;
}

result<rules_schedule> chain_view::rules() const {
  SWARM_TRY(const auto word, storage_of(validators_account(), u256(rules_slot)));
  return rules_in(word);
}

result<call_result> chain_view::call(const call_request& request, at_block at) const {
  return parts_->told(at, execute(request, at));
}

result<call_result> chain_view::execute(const call_request& request, at_block at) const {
  SWARM_TRY(auto header, parts_->header_with_state(at));
  state_overlay state(*parts_->state, header.state_root);
  SWARM_TRY(auto done, execute_view(state, {chain_id(), parts_->from->genesis_hash}, header, request,
                                    parts_->from->contracts));
  return std::move(done.call);
}

result<recorded_calls> chain_view::prove_calls(std::span<const call_request> requests, at_block at,
                                               const witness_set* has) const {
  SWARM_TRY(auto header, parts_->header_with_state(at));
  recorded_calls out;
  witness_recorder recorder(*parts_->state, has);
  state_overlay state(recorder.state(), header.state_root);
  for (const auto& request : requests) {
    SWARM_TRY(const auto done, execute_view(state, {chain_id(), parts_->from->genesis_hash}, header, request,
                                            parts_->from->contracts));
    out.gas_used += done.call.gas_used;
  }
  out.shown.nodes = recorder.take();
  out.read = {witness_id(block_hash(header), requests), recorder.take_read()};
  SWARM_TRY(out.shown.block, sealed_header_of(header.block_num));
  return out;
}

result<hash32> chain_view::witness_of(std::span<const call_request> requests, at_block at) const {
  SWARM_TRY(const auto header, parts_->header_with_state(at));
  return witness_id(block_hash(header), requests);
}

result<proved_calls> chain_view::show(const witness_set& read, at_block at, const witness_set* has) const {
  SWARM_TRY(const auto header, parts_->header_with_state(at));
  proved_calls out;
  SWARM_TRY(out.nodes, nodes_to_show(*parts_->state, read, has));
  SWARM_TRY(out.block, sealed_header_of(header.block_num));
  return out;
}

result<sealed_header> chain_view::sealed_header_of(std::uint64_t block_num) const {
  SWARM_TRY(const auto header, parts_->header_at(block_num));
  SWARM_TRY(auto seals, seals_of(block_num));
  if (!seals)
    return fail(chain_errc::history_missing, "the seals of block {} are not here, or not yet", block_num);
  return sealed_header{encode_header(header), std::move(*seals)};
}

result<handover> chain_view::handover_at(std::uint64_t block_num) const {
  SWARM_TRY(const auto kept, parts_->from->store->note(handover_note(block_num)));
  if (kept) return decode_handover(*kept);
  handover out;
  SWARM_TRY(out.block, sealed_header_of(block_num));
  SWARM_TRY(out.proof, prove_validators(block_num));
  return out;
}

result<call_result> chain_view::estimate_gas(const call_request& request, at_block at) const {
  SWARM_TRY(auto done, call(request, at));
  if (done.status != call_status::ok) return done;
  auto limit = request.gas_limit.value_or(parts_->head->header.gas_limit);
  done.gas_used = std::min(limit, done.gas_used + done.gas_used * estimate_margin_percent / 100);
  return done;
}

result<std::vector<log_hit>> chain_view::logs(const log_filter& filter) const {
  log_query_work work;
  return logs(filter, work);
}

result<std::vector<log_hit>> chain_view::logs(const log_filter& filter, log_query_work& work) const {
  if (filter.from_block > filter.to_block)
    return fail(chain_errc::bad_filter, "invalid block range: from {} is after to {}", filter.from_block,
                filter.to_block);
  if (filter.topics.size() > topics_max)
    return fail(chain_errc::bad_filter, "filter with {} topics, a log has at most {}", filter.topics.size(),
                topics_max);
  auto too_wide = [](const auto& set) { return set.size() > log_filter::alternatives_max; };
  if (too_wide(filter.addresses) || std::any_of(filter.topics.begin(), filter.topics.end(), too_wide))
    return fail(chain_errc::bad_filter, "filter with more than {} alternatives in one place",
                log_filter::alternatives_max);
  auto bounded = filter;
  bounded.to_block = std::min(filter.to_block, parts_->head->header.block_num);
  if (bounded.from_block > bounded.to_block) return std::vector<log_hit>{};
  if (!parts_->gaps.whole(bounded.from_block, bounded.to_block))
    return tl::unexpected(missing_block_error(parts_->gaps, parts_->gaps.blocks.front().first));
  return parts_->from->blocks.logs(bounded, parts_->from->limits, work);
}

} // namespace swarm::ledger
