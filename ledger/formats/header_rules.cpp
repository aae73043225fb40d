#include "ledger/formats/header_rules.hpp"

#include "ledger/formats/seal.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {

/// Checks the fields that have the same value in every header.
result<> check_constants(const block_header& header) {
  const auto at = header.block_num;
  if (header.ommers_hash != empty_ommers_hash)
    return fail(header_errc::ommers_hash, "header {}: the ommers hash is not that of an empty list", at);
  if (header.difficulty != u256(1))
    return fail(header_errc::difficulty, "header {}: difficulty must be 1", at);
  if (header.mix_hash != qbft_mix_hash)
    return fail(header_errc::mix_hash, "header {}: mix hash is not QBFT's", at);
  const auto round_max = at == 0 ? 0 : round_num_max;
  if (made_in_round(header) > round_max)
    return fail(header_errc::nonce, "header {}: made in round {}, at most {} is possible", at,
                made_in_round(header), round_max);
  if (!header.base_fee.is_zero())
    return fail(header_errc::base_fee, "header {}: base fee must be 0 on this chain", at);
  return {};
}

} // namespace

result<> check_header_alone(const block_header& header) {
  const auto at = header.block_num;
  if (at > header_number_max) return fail(header_errc::block_num, "header {}: number is 2^53 or more", at);
  if (header.timestamp > header_number_max)
    return fail(header_errc::timestamp, "header {}: timestamp {} is 2^53 or more", at, header.timestamp);
  if (header.gas_limit < gas_limit_min || header.gas_limit > header_number_max)
    return fail(header_errc::gas_limit, "header {}: gas limit {} is not in {} .. {}", at, header.gas_limit,
                gas_limit_min, header_number_max);
  if (header.gas_used > header.gas_limit)
    return fail(header_errc::gas_used, "header {}: gas used {} is over the limit {}", at, header.gas_used,
                header.gas_limit);
  if (header.extra_data.size() > extra_data_max)
    return fail(header_errc::extra_data_size, "header {}: {} bytes of extra data, at most {} are allowed", at,
                header.extra_data.size(), extra_data_max);
  return check_constants(header);
}

result<> check_header(const block_header& header, const block_header& parent, const hash32& parent_hash) {
  const auto at = header.block_num;
  if (at != parent.block_num + 1)
    return fail(header_errc::block_num, "header {}: follows block {}, so its number must be {}", at,
                parent.block_num, parent.block_num + 1);
  if (header.parent_hash != parent_hash)
    return fail(header_errc::parent_hash, "header {}: names parent {}, block {} is {}", at,
                to_hex(header.parent_hash.view()), parent.block_num, to_hex(parent_hash.view()));
  if (header.timestamp < parent.timestamp)
    return fail(header_errc::timestamp, "header {}: timestamp {} is before its parent's {}", at,
                header.timestamp, parent.timestamp);
  if (header.gas_limit != parent.gas_limit)
    return fail(header_errc::gas_limit, "header {}: gas limit {} differs from its parent's {}", at,
                header.gas_limit, parent.gas_limit);
  if (header.extra_data.size() != extra_data_max)
    return fail(header_errc::extra_data_size, "header {}: {} bytes of extra data, must be a hash of 32", at,
                header.extra_data.size());
  return check_header_alone(header);
}

bool is_early(const block_header& header, const block_header& parent, std::uint64_t now) {
  return header.timestamp > std::max(parent.timestamp, now + clock_lead_max);
}

result<> check_genesis_header(const block_header& header) {
  if (header.block_num != 0)
    return fail(header_errc::block_num, "genesis header: number {}, must be 0", header.block_num);
  if (!header.parent_hash.is_zero())
    return fail(header_errc::genesis_parent, "genesis header: names a parent, but can have none");
  return check_header_alone(header);
}

} // namespace swarm::ledger
