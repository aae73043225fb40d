#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "base/bytes.hpp"

#include <boost/json.hpp>

#include <string>
#include <vector>

/// JSON-RPC as the nodes' own client speaks it (Ethereum execution API plus swarm_* methods).
namespace swarm::actors {

struct rpc_call {
  std::string method;
  boost::json::array params;
};

/// A batch as text, with ids from `first_id` on.
std::string encode_batch(const std::vector<rpc_call>& calls, std::uint64_t first_id);

rpc_call eth_call(const address& to, const bytes& input);
/// The output of an eth_call, or the revert reason or other error in words.
result<bytes> output_of(const boost::json::value& response);
/// A number in 0x form.
result<std::uint64_t> quantity_of(const boost::json::value& response);
/// The hash of a block in an answer of eth_getBlockByNumber.
result<hash32> block_hash_of(const boost::json::value& response);
/// The error's message, or an empty text.
std::string error_of(const boost::json::value& response);

struct call_receipt {
  bool ok = false;
  std::uint64_t block_num = 0;
  std::string revert; ///< in words
};
/// The receipt in an answer of eth_sendRawTransactionSync (EIP-7966), with Besu's `revertReason`.
result<call_receipt> receipt_of(const boost::json::value& response);

/// The calls that read a training contract at one block; `pages` of 256 peers.
std::vector<rpc_call> view_calls(const address& training, std::size_t pages);
/// Their answers put together. errc::not_found: there is no such contract.
result<rounds::contract_view> view_of(const std::vector<boost::json::value>& responses);

} // namespace swarm::actors
