#pragma once

#include "ledger/formats/keys.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::ledger {

/// Why a transaction is refused, whatever the state; malformed RLP and signatures keep their own categories.
enum class txn_errc {
  empty = 1,             ///< no bytes at all
  too_large,             ///< over `txn_size_max`
  unsupported_type,      ///< neither legacy nor EIP-2930 nor EIP-1559
  not_replay_protected,  ///< a legacy signature without chain id (v 27 or 28, before EIP-155)
  bad_v,                 ///< a legacy v that means nothing, or a y parity other than 0 or 1
  wrong_chain,           ///< signed for another chain (EIP-155, EIP-2930)
  nonce_max,             ///< nonce 2^64 - 1 (EIP-2681)
  tip_above_max_fee,     ///< max priority fee over max fee (EIP-1559)
  item_form,             ///< in a block: a legacy transaction as a string or a typed one as a list
  access_list_in_legacy, ///< fields to sign that the chosen type cannot carry
};

constexpr std::string_view error_category(txn_errc) {
  return "transaction";
}

/// The largest transaction on the network, in bytes; other clients have the same limit.
inline constexpr std::size_t txn_size_max = 128 * 1024;
/// The largest chain id: beyond it JSON numbers are no longer exact.
inline constexpr std::uint64_t chain_id_max = (std::uint64_t{1} << 53) - 1;

/// The EIP-2718 type, which is the first byte of a transaction; a legacy transaction has no such byte.
enum class txn_type : std::uint8_t { legacy = 0, access_list = 1, dynamic_fee = 2 };

struct access_entry {
  address account;
  std::vector<hash32> slots;
  bool operator==(const access_entry&) const = default;
};

/// What a sender decides. Fees are per gas, in wei. Types without a separate tip (legacy, EIP-2930) have
/// their gas price in both fee fields.
struct txn_fields {
  txn_type type = txn_type::dynamic_fee;
  std::uint64_t nonce = 0;
  u256 max_priority_fee;
  u256 max_fee;
  std::uint64_t gas_limit = 0;
  std::optional<address> to; ///< none: makes a contract
  u256 value;
  bytes data;
  std::vector<access_entry> access_list; ///< empty in a legacy transaction
  bool operator==(const txn_fields&) const = default;
};

/// The digest a sender signs (EIP-155, EIP-2930, EIP-1559).
hash32 signing_hash(const txn_fields& fields, std::uint64_t chain_id);

/// The network bytes of fields with a signature over them.
bytes encode_signed(const txn_fields& fields, std::uint64_t chain_id, const signature65& signature);

/// A well-formed signed transaction for one chain, with its exact network bytes and their hash at hand.
class transaction {
public:
  /// Decodes network bytes (EIP-2718: type byte included) strictly. It does not recover the sender, which
  /// costs far more than the rest: see `recover_sender`.
  static result<transaction> decode(bytes_view raw, std::uint64_t chain_id);
  /// The transaction as one item of a block body: a list when legacy, else a string that holds
  /// the typed bytes.
  static result<transaction> decode_item(const rlp_item& item, std::uint64_t chain_id);

  const txn_fields& fields() const { return fields_; }
  std::uint64_t chain_id() const { return chain_id_; }
  /// r, s and the y parity.
  const signature65& signature() const { return signature_; }
  /// `v` as JSON-RPC shows it: 35 + 2 * chain id + parity when legacy, else the parity.
  std::uint64_t v() const;
  /// The network bytes; also the value in the transaction trie.
  const bytes& raw() const { return raw_; }
  /// keccak of `raw`.
  const hash32& hash() const { return hash_; }

  /// Finds the sender from the signature and remembers it. Fails when the signature is not canonical.
  result<> recover_sender();
  /// The sender, which must have been recovered before. That is always so for a transaction that was signed
  /// here or accepted.
  const address& sender() const;
  bool sender_known() const { return sender_.has_value(); }

private:
  friend result<transaction> make_signed(txn_fields fields, const private_key& key, std::uint64_t chain_id);
  transaction() = default;

  txn_fields fields_;
  std::uint64_t chain_id_ = 0;
  signature65 signature_;
  bytes raw_;
  hash32 hash_;
  std::optional<address> sender_;
};

/// Signs `fields` for a chain; fails where `transaction::decode` would refuse the outcome.
result<transaction> make_signed(txn_fields fields, const private_key& key, std::uint64_t chain_id);

/// Adds `txn` to a block body's list.
void put_item(rlp_writer& to, const transaction& txn);

} // namespace swarm::ledger
