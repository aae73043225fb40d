#include "actors/sn/rpc/open_methods.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/proof/witness.hpp"

#include <algorithm>
#include <array>

namespace swarm::rpc {

namespace {

/// Say nothing of what stands on the chain, or only what a newcomer checks or sends. A receipt has to be asked for by
/// the hash of its transaction, which the sender knows; others would have to read blocks.
constexpr std::array always{
    std::string_view("web3_clientVersion"),
    std::string_view("net_version"),
    std::string_view("net_listening"),
    std::string_view("eth_chainId"),
    std::string_view("eth_blockNumber"),
    std::string_view("eth_syncing"),
    std::string_view("eth_accounts"),
    std::string_view("eth_coinbase"),
    std::string_view("eth_gasPrice"),
    std::string_view("eth_maxPriorityFeePerGas"),
    std::string_view("eth_getTransactionCount"),
    std::string_view("eth_getTransactionReceipt"),
    std::string_view("eth_sendRawTransaction"),     // of who is no member the pool takes registrations alone
    std::string_view("eth_sendRawTransactionSync"), // the same
    std::string_view("swarm_provedReceipt"),
    std::string_view("swarm_genesis"),
    std::string_view("swarm_apiEndpoints"),     // to register over another SN
    std::string_view("swarm_validatorChanges"), // what proofs are checked by
    std::string_view("swarm_validatorSigns"),
};

constexpr std::size_t selector_bytes = 4;

template <class View>
bool calls(const ledger::call_request& request, const address& contract) {
  static const auto wanted = contracts::encode(View{});
  const auto& input = request.input;
  return request.to == contract && input.size() >= selector_bytes
         && std::equal(input.begin(), input.begin() + selector_bytes, wanted.begin());
}

/// A view that says how a registration stands.
bool is_standing(const result<ledger::call_request>& request) {
  if (!request) return false;
  const auto registry = contracts::node_registry_address();
  return calls<contracts::node_args>(*request, registry)
         || calls<contracts::pending_of_args>(*request, registry)
         || calls<contracts::standing_args>(*request, registry)
         || calls<contracts::anchor_owner_args>(*request, contracts::organisation_registry_address());
}

/// The head, and no older state.
bool at_head(const params& given, std::size_t index) {
  const auto which = given.block_or_hash(index);
  return which && !which->num && !which->hash;
}

bool is_standing_proved(const params& given) {
  const auto list = given.list(0, "calls", ledger::witness_calls_max);
  if (!list) return false;
  const params views(**list);
  for (std::size_t i = 0; i < views.size(); ++i)
    if (!is_standing(views.call(i))) return false;
  return at_head(given, 1);
}

} // namespace

bool is_for_everybody(std::string_view method, const params& given) {
  if (std::find(always.begin(), always.end(), method) != always.end()) return true;
  if (method == "eth_call") return is_standing(given.call(0)) && at_head(given, 1);
  if (method == "swarm_provedCall") return is_standing_proved(given);
  if (method != "eth_getBlockByNumber") return false;
  const auto num = given.block(0);
  return num && *num && **num == 0; // the genesis block
}

} // namespace swarm::rpc
