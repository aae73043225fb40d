#include "ledger/formats/header.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

constexpr std::size_t header_size_guess = 640;

result<block_header> read_header(rlp_reader fields) {
  block_header out;
  SWARM_TRY(out.parent_hash, fields.fixed<32>("parent hash"));
  SWARM_TRY(out.ommers_hash, fields.fixed<32>("ommers hash"));
  SWARM_TRY(out.coinbase, fields.fixed<20>("coinbase"));
  SWARM_TRY(out.state_root, fields.fixed<32>("state root"));
  SWARM_TRY(out.txns_root, fields.fixed<32>("transactions root"));
  SWARM_TRY(out.receipts_root, fields.fixed<32>("receipts root"));
  SWARM_TRY(const auto bits, fields.fixed<256>("bloom"));
  out.logs_bloom = bloom(bits);
  SWARM_TRY(out.difficulty, fields.number256("difficulty"));
  SWARM_TRY(out.block_num, fields.number("number"));
  SWARM_TRY(out.gas_limit, fields.number("gas limit"));
  SWARM_TRY(out.gas_used, fields.number("gas used"));
  SWARM_TRY(out.timestamp, fields.number("timestamp"));
  SWARM_TRY(const bytes_view extra, fields.string("extra data", extra_data_read_max));
  out.extra_data = to_bytes(extra);
  SWARM_TRY(out.mix_hash, fields.fixed<32>("mix hash"));
  SWARM_TRY(out.nonce, fields.fixed<8>("nonce"));
  SWARM_TRY(out.base_fee, fields.number256("base fee"));
  SWARM_CHECK(fields.finish());
  return out;
}

} // namespace

bytes encode_header(const block_header& header) {
  rlp_writer out(header_size_guess);
  out.begin_list().string(header.parent_hash.view()).string(header.ommers_hash.view());
  out.string(header.coinbase.view()).string(header.state_root.view()).string(header.txns_root.view());
  out.string(header.receipts_root.view()).string(header.logs_bloom.view()).number(header.difficulty);
  out.number(header.block_num).number(header.gas_limit).number(header.gas_used).number(header.timestamp);
  out.string(header.extra_data).string(header.mix_hash.view()).string(header.nonce.view());
  out.number(header.base_fee).end_list();
  return out.take();
}

result<block_header> decode_header(bytes_view raw) {
  SWARM_TRY(const rlp_item item, rlp_decode(raw, "header", header_size_guess + extra_data_read_max));
  return decode_header(item);
}

result<block_header> decode_header(const rlp_item& item) {
  SWARM_TRY(rlp_reader fields, rlp_reader::open(item, "header"));
  return read_header(fields);
}

hash32 block_hash(const block_header& header) {
  return keccak256(encode_header(header));
}

} // namespace swarm::ledger
