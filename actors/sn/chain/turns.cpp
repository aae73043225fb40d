#include "actors/sn/chain/turns.hpp"

#include "base/log.hpp"

namespace swarm::actors {

result<consensus::chain_head> head_for_consensus(chain_state& s) {
  const auto& block = *s.chain->head();
  SWARM_TRY(auto resting, s.chain->resting_validators());
  for (const auto& each : resting)
    if (!std::binary_search(s.resting.begin(), s.resting.end(), each))
      log::warning(s.context->log_source,
                   "the validator {} {} missed its turn to make block {}: it makes blocks after the others "
                   "for a while",
                   to_hex(each.view()), registered_name_of(*s.chain, each).who(), block.header.block_num);
  s.resting = resting;
  return consensus::chain_head{block.header.block_num, block.hash, block.header.coinbase, std::move(resting)};
}

} // namespace swarm::actors
