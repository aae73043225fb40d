#pragma once

#include "base/bytes.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <vector>

/// JSON-RPC as the nodes' own client speaks it (Ethereum execution API plus swarm_* methods). Whatever a
/// server sends is read without trust: what does not fit is an error, never an exception.
namespace swarm::session {

struct rpc_call {
  std::string method;
  boost::json::array params;
  bool operator==(const rpc_call&) const = default;
};

/// Why an SN says no, as far as anybody reacts to it; read from `code` and `data.reason`, see actors/sn/rpc.
enum class refusal {
  other = 1,
  malformed_answer,   ///< the answer has not the form that the question asks for
  reverted,           ///< a contract says no
  receipt_timeout,    ///< the transaction waits, but is not final
  history_incomplete, ///< the transaction may be final in a block that the SN does not have yet
  busy,               ///< a pool, a queue or a rate is full: the same may succeed a moment later
  day_full,           ///< the organisation has used up its day on the chain: there is room at midnight
  nonce_too_low,      ///< the account has used this nonce
};
constexpr std::string_view error_category(refusal) {
  return "sn";
}

/// A batch as text, with ids from `first_id` on.
std::string encode_batch(const std::vector<rpc_call>& calls, std::uint64_t first_id);

rpc_call eth_call(const address& to, const bytes& input);
/// The number in `id`, if it is one that `encode_batch` may have written.
std::optional<std::uint64_t> id_of(const boost::json::object& response);
/// The `result`, or the error: `refusal` and the SN's words.
result<const boost::json::value*> result_of(const boost::json::value& response);
/// The output of an eth_call.
result<bytes> output_of(const boost::json::value& response);
/// A number in 0x form.
result<std::uint64_t> quantity_of(const boost::json::value& response);
/// An account in 0x form.
result<address> address_of(const boost::json::value& response);
/// A text as it is.
result<std::string> text_of(const boost::json::value& response);
/// A list of texts; what is none is left out, and so is what is beyond `count_max`.
result<std::vector<std::string>> texts_of(const boost::json::value& response, std::size_t count_max);
/// The hash of a block in an answer of eth_getBlockByNumber.
result<hash32> block_hash_of(const boost::json::value& response);

struct call_receipt {
  bool ok = false;
  std::uint64_t block_num = 0;
  std::string revert; ///< in words
  bool operator==(const call_receipt&) const = default;
};
/// The receipt in an answer of eth_sendRawTransactionSync (EIP-7966), with Besu's `revertReason`.
result<call_receipt> receipt_of(const boost::json::value& response);

} // namespace swarm::session
