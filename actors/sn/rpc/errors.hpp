#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

namespace swarm::rpc {

/// What the service itself refuses. `json_code_of` gives the number and the word for JSON-RPC.
enum class rpc_errc {
  parse_error = 1, ///< not JSON
  invalid_request, ///< JSON, but no request
  method_not_found,
  invalid_params,
  internal,           ///< this SN's own trouble
  beyond_head,        ///< asks for a block that is not made yet
  out_of_gas,         ///< a call that needs more gas than it may use
  filter_not_found,   ///< unknown, expired, or another client's
  history_incomplete, ///< a transaction that may be in a block that this SN does not have yet
  unknown_block,
  answer_too_large,
  rate_limited,       ///< the client has used up its rate of work
  too_much_asked,     ///< more values in one request than are looked at
  filters_full,       ///< as many as this client, or all, may have
  subscriptions_full, ///< the same
  waiting_full,       ///< too many calls wait for receipts
  no_member,          ///< what only members may ask
  role_not_allowed,   ///< a transaction that the client's certificate does not cover
  reverted,
  receipt_timeout, ///< EIP-7966: not final in time, still waiting
};
constexpr std::string_view error_category(rpc_errc) {
  return "rpc";
}

/// How programs see an error: `code` follows JSON-RPC 2.0 section 5.1, EIP-1474 and EIP-7966; `reason` is a
/// word that never changes.
struct json_code {
  int code = 0;
  std::string_view reason;
};
json_code json_code_of(const error& why);
/// Whether it is this SN's own trouble, whose text is for its log only.
bool is_internal(const error& why);

/// An error, with JSON-RPC's `data` if that is not `{"reason": ...}`.
struct failure : error {
  failure(error from) : error(std::move(from)) {} // NOLINT: every error can be shown
  std::string data;                               ///< in hexadecimal, e.g. what a reverted call returned
  /// Set for errors of calls, as Ethereum's tools take any `data` there for that of a revert.
  bool without_reason = false;
};
/// What a method answers with.
using method_result = tl::expected<boost::json::value, failure>;

/// The `error` of a response.
boost::json::object error_json(const failure& why);

} // namespace swarm::rpc
