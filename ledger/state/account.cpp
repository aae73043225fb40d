#include "ledger/state/account.hpp"

namespace swarm::ledger {

bytes encode_account(const account& item) {
  return rlp_writer(112)
      .begin_list()
      .number(item.nonce)
      .number(item.balance)
      .string(item.storage_root.view())
      .string(item.code_hash.view())
      .end_list()
      .take();
}

result<account> decode_account(bytes_view raw) {
  account out;
  SWARM_TRY(auto reader, rlp_reader::open(raw, "account"));
  SWARM_TRY(out.nonce, reader.number("nonce"));
  SWARM_TRY(out.balance, reader.number256("balance"));
  SWARM_TRY(out.storage_root, reader.fixed<32>("storage root"));
  SWARM_TRY(out.code_hash, reader.fixed<32>("code hash"));
  SWARM_CHECK(reader.finish());
  return out;
}

} // namespace swarm::ledger
