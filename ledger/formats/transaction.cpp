#include "ledger/formats/transaction.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

constexpr std::uint64_t eip155_offset = 35;
constexpr std::size_t fields_size_guess = 256;
constexpr auto transaction_name = "transaction";

void put_access_list(rlp_writer& to, const std::vector<access_entry>& list) {
  to.begin_list();
  for (const auto& entry : list) {
    to.begin_list().string(entry.account.view()).begin_list();
    for (const auto& slot : entry.slots)
      to.string(slot.view());
    to.end_list().end_list();
  }
  to.end_list();
}

/// Writes the items in front of the signature into an open list.
void put_fields(rlp_writer& to, const txn_fields& fields, std::uint64_t chain_id) {
  if (fields.type != txn_type::legacy) to.number(chain_id);
  to.number(fields.nonce);
  if (fields.type == txn_type::dynamic_fee) to.number(fields.max_priority_fee);
  to.number(fields.max_fee).number(fields.gas_limit).address_or_none(fields.to).number(fields.value);
  to.string(fields.data);
  if (fields.type != txn_type::legacy) put_access_list(to, fields.access_list);
}

bytes with_type_byte(txn_type type, bytes list) {
  if (type != txn_type::legacy) list.insert(list.begin(), static_cast<std::uint8_t>(type));
  return list;
}

/// The number that stands in the place of v.
std::uint64_t v_of(txn_type type, std::uint64_t chain_id, std::uint8_t parity) {
  return type == txn_type::legacy ? eip155_offset + 2 * chain_id + parity : parity;
}

u256 word_at(const signature65& signature, std::size_t offset) {
  u256 out;
  std::copy_n(signature.begin() + offset, out.size(), out.begin());
  return out;
}

result<> check_chain(std::uint64_t signed_for, std::uint64_t chain_id) {
  if (signed_for != chain_id)
    return fail(txn_errc::wrong_chain, "invalid chain id for signer: have {}, want {}; sign it for chain {}",
                signed_for, chain_id, chain_id);
  return {};
}

/// Checks what a sender can get wrong in any encoding.
result<> check_fields(const txn_fields& fields) {
  if (fields.nonce == ~std::uint64_t{0})
    return fail(txn_errc::nonce_max, "nonce has max value: 2^64-1 can never be used (EIP-2681)");
  if (fields.max_priority_fee > fields.max_fee)
    return fail(txn_errc::tip_above_max_fee, "max priority fee per gas higher than max fee per gas");
  return {};
}

result<> check_size(std::size_t size) {
  if (size == 0) return fail(txn_errc::empty, "transaction: no bytes at all");
  if (size > txn_size_max)
    return fail(txn_errc::too_large, "oversized data: transaction size {}, limit {}", size, txn_size_max);
  return {};
}

result<std::vector<access_entry>> read_access_list(rlp_reader entries) {
  std::vector<access_entry> out;
  while (!entries.at_end()) {
    SWARM_TRY(rlp_reader entry, entries.list("entry"));
    access_entry next;
    SWARM_TRY(next.account, entry.fixed<20>("address"));
    SWARM_TRY(rlp_reader slots, entry.list("slots"));
    while (!slots.at_end()) {
      SWARM_TRY(const hash32 slot, slots.fixed<32>("slot"));
      next.slots.push_back(slot);
    }
    SWARM_CHECK(entry.finish());
    out.push_back(std::move(next));
  }
  return out;
}

/// Reads what `put_fields` writes, less the chain id.
result<txn_fields> read_fields(rlp_reader& from, txn_type type) {
  txn_fields out;
  out.type = type;
  SWARM_TRY(out.nonce, from.number("nonce"));
  if (type == txn_type::dynamic_fee) {
    SWARM_TRY(out.max_priority_fee, from.number256("max priority fee"));
    SWARM_TRY(out.max_fee, from.number256("max fee"));
  } else {
    SWARM_TRY(out.max_fee, from.number256("gas price"));
    out.max_priority_fee = out.max_fee;
  }
  SWARM_TRY(out.gas_limit, from.number("gas limit"));
  SWARM_TRY(out.to, from.address_or_none("to"));
  SWARM_TRY(out.value, from.number256("value"));
  SWARM_TRY(const bytes_view data, from.string("data"));
  out.data = to_bytes(data);
  if (type != txn_type::legacy) {
    SWARM_TRY(const rlp_reader entries, from.list("access list"));
    SWARM_TRY(out.access_list, read_access_list(entries));
  }
  return out;
}

/// The y parity from a legacy v, which must carry the chain id.
result<std::uint8_t> legacy_parity(std::uint64_t v, std::uint64_t chain_id) {
  if (v == 27 || v == 28)
    return fail(txn_errc::not_replay_protected,
                "only replay-protected (EIP-155) transactions are accepted; sign it with chain id {}",
                chain_id);
  if (v < eip155_offset) return fail(txn_errc::bad_v, "transaction: v is {}, which EIP-155 does not know", v);
  SWARM_CHECK(check_chain((v - eip155_offset) / 2, chain_id));
  return static_cast<std::uint8_t>((v - eip155_offset) % 2);
}

result<std::uint8_t> typed_parity(std::uint64_t v) {
  if (v > 1) return fail(txn_errc::bad_v, "transaction: y parity is {}, must be 0 or 1", v);
  return static_cast<std::uint8_t>(v);
}

/// The kind of a transaction from its first byte (EIP-2718).
result<txn_type> type_of(std::uint8_t first) {
  if (first >= 0xc0) return txn_type::legacy;
  if (first == 1) return txn_type::access_list;
  if (first == 2) return txn_type::dynamic_fee;
  return fail(txn_errc::unsupported_type,
              "transaction type not supported: first byte {:#04x}; legacy, 1 (EIP-2930) and 2 (EIP-1559) are",
              first);
}

} // namespace

hash32 signing_hash(const txn_fields& fields, std::uint64_t chain_id) {
  rlp_writer out(fields_size_guess + fields.data.size());
  out.begin_list();
  put_fields(out, fields, chain_id);
  if (fields.type == txn_type::legacy) out.number(chain_id).number(0).number(0);
  out.end_list();
  return keccak256(with_type_byte(fields.type, out.take()));
}

bytes encode_signed(const txn_fields& fields, std::uint64_t chain_id, const signature65& signature) {
  rlp_writer out(fields_size_guess + fields.data.size());
  out.begin_list();
  put_fields(out, fields, chain_id);
  out.number(v_of(fields.type, chain_id, signature[64]));
  out.number(word_at(signature, 0)).number(word_at(signature, 32)).end_list();
  return with_type_byte(fields.type, out.take());
}

result<transaction> transaction::decode(bytes_view raw, std::uint64_t chain_id) {
  SWARM_CHECK(check_size(raw.size()));
  SWARM_TRY(const txn_type type, type_of(raw[0]));
  const bool legacy = type == txn_type::legacy;
  SWARM_TRY(rlp_reader from, rlp_reader::open(legacy ? raw : raw.subspan(1), transaction_name, txn_size_max));
  if (!legacy) {
    SWARM_TRY(const std::uint64_t signed_for, from.number("chain id"));
    SWARM_CHECK(check_chain(signed_for, chain_id));
  }
  transaction out;
  SWARM_TRY(out.fields_, read_fields(from, type));
  SWARM_TRY(const std::uint64_t v, from.number(legacy ? "v" : "y parity"));
  SWARM_TRY(const u256 r, from.number256("r"));
  SWARM_TRY(const u256 s, from.number256("s"));
  SWARM_CHECK(from.finish());
  SWARM_TRY(out.signature_[64], legacy ? legacy_parity(v, chain_id) : typed_parity(v));
  std::copy(r.begin(), r.end(), out.signature_.begin());
  std::copy(s.begin(), s.end(), out.signature_.begin() + 32);
  SWARM_CHECK(check_fields(out.fields_));
  out.chain_id_ = chain_id;
  out.raw_ = to_bytes(raw);
  out.hash_ = keccak256(raw);
  return out;
}

result<transaction> transaction::decode_item(const rlp_item& item, std::uint64_t chain_id) {
  if (item.is_list) return decode(item.encoded, chain_id);
  if (!item.payload.empty() && item.payload[0] >= 0xc0)
    return fail(txn_errc::item_form,
                "transaction: a legacy one stands in a block as a list, not as a string");
  return decode(item.payload, chain_id);
}

std::uint64_t transaction::v() const {
  return v_of(fields_.type, chain_id_, signature_[64]);
}

result<> transaction::recover_sender() {
  if (sender_) return {};
  SWARM_TRY(sender_, recover(signing_hash(fields_, chain_id_), signature_));
  return {};
}

const address& transaction::sender() const {
  SWARM_ASSERT(sender_.has_value());
  return *sender_;
}

result<transaction> make_signed(txn_fields fields, const private_key& key, std::uint64_t chain_id) {
  if (chain_id == 0 || chain_id > chain_id_max)
    return fail(txn_errc::wrong_chain, "chain id {} is not in 1 .. {}", chain_id, chain_id_max);
  if (fields.type == txn_type::legacy && !fields.access_list.empty())
    return fail(txn_errc::access_list_in_legacy, "a legacy transaction cannot carry an access list");
  if (fields.type != txn_type::dynamic_fee) fields.max_priority_fee = fields.max_fee;
  SWARM_CHECK(check_fields(fields));
  transaction out;
  out.signature_ = key.sign_recoverable(signing_hash(fields, chain_id));
  out.raw_ = encode_signed(fields, chain_id, out.signature_);
  SWARM_CHECK(check_size(out.raw_.size()));
  out.hash_ = keccak256(out.raw_);
  out.fields_ = std::move(fields);
  out.chain_id_ = chain_id;
  out.sender_ = key.account();
  return out;
}

void put_item(rlp_writer& to, const transaction& txn) {
  if (txn.fields().type == txn_type::legacy)
    to.encoded(txn.raw());
  else
    to.string(txn.raw());
}

} // namespace swarm::ledger
