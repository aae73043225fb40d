#pragma once

#include "base/testing/temporary_folder.hpp"
#include "ledger/chain/chain.hpp"
#include "ledger/state/testing/test_contract.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

/// What the tests of the chain, and the processes they start, have in common.
namespace swarm::ledger::test {

using temp_dir = swarm::testing::temporary_folder;

/// The same in memory, where the system has such a file system, for tests that make very many stores.
class fast_dir : public temp_dir {
public:
  fast_dir() : temp_dir(swarm::testing::memory_folder()) {}
};

/// Key number `which`; number 1 is the validator.
inline private_key test_key(std::uint8_t which) {
  bytes raw(32);
  raw[31] = which;
  return *private_key::from_bytes(raw);
}

inline chain_options test_options(std::filesystem::path dir) {
  chain_options out;
  out.dir = std::move(dir);
  out.genesis = genesis_params{.validators = {test_key(1).account()}};
  out.contracts = test_contracts();
  return out;
}

inline transaction make_txn(const private_key& key, std::uint64_t nonce, bytes input,
                            std::uint64_t gas = 1'000'000) {
  txn_fields fields;
  fields.type = nonce % 2 == 0 ? txn_type::dynamic_fee : txn_type::legacy;
  fields.nonce = nonce;
  fields.gas_limit = gas;
  fields.to = test_address();
  fields.data = std::move(input);
  return *make_signed(fields, key, default_chain_id);
}

/// Builds and commits a block of everything that can be executed, sealed by validator 1.
inline result<block_ptr> seal_block(chain& on, std::uint64_t timestamp = 0) {
  SWARM_TRY(auto made, on.build_block(timestamp, on.genesis().validators.front(), 1000));
  const auto digest = seal_digest(on.chain_id(), on.genesis_hash(), made->block->hash, 0);
  return on.commit(made, {.round_num = 0, .seals = {{test_key(1).sign_recoverable(digest)}}});
}

} // namespace swarm::ledger::test
