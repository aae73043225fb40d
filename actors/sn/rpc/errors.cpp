#include "actors/sn/rpc/errors.hpp"

#include "ledger/chain/chain_rules.hpp"
#include "ledger/chain/mempool_rules.hpp"
#include "ledger/formats/transaction.hpp"
#include "ledger/state/execute.hpp"
#include "ledger/store/kv_store.hpp"

#include <algorithm>
#include <array>

namespace swarm::rpc {

namespace json = boost::json;

namespace {

struct row {
  template <class Enum>
  constexpr row(Enum which, int code, std::string_view reason)
      : category(error_category(which)), enumerator(static_cast<int>(which)), shown{code, reason} {}

  std::string_view category;
  int enumerator;
  json_code shown;
};

constexpr int internal = -32603;         // JSON-RPC
constexpr int refused = -32000;          // the ledger says no
constexpr int resource_missing = -32001; // EIP-1474
constexpr int limit_exceeded = -32005;   // EIP-1474

constexpr std::array table{
    row{rpc_errc::parse_error, -32700, "parse_error"},
    row{rpc_errc::invalid_request, -32600, "invalid_request"},
    row{rpc_errc::method_not_found, -32601, "method_not_found"},
    row{rpc_errc::invalid_params, -32602, "invalid_params"},
    row{rpc_errc::internal, internal, "internal"},
    row{rpc_errc::beyond_head, refused, "beyond_head"},
    row{rpc_errc::out_of_gas, refused, "out_of_gas"},
    row{rpc_errc::filter_not_found, refused, "filter_not_found"},
    row{rpc_errc::history_incomplete, refused, "history_incomplete"},
    row{rpc_errc::unknown_block, resource_missing, "unknown_block"},
    row{rpc_errc::answer_too_large, -32003, "answer_too_large"},
    row{rpc_errc::rate_limited, limit_exceeded, "rate_limited"},
    row{rpc_errc::too_much_asked, limit_exceeded, "too_much_asked"},
    row{rpc_errc::filters_full, limit_exceeded, "filters_full"},
    row{rpc_errc::subscriptions_full, limit_exceeded, "subscriptions_full"},
    row{rpc_errc::waiting_full, limit_exceeded, "waiting_full"},
    row{rpc_errc::no_member, refused, "no_member"},
    row{rpc_errc::role_not_allowed, refused, "role_not_allowed"},
    row{rpc_errc::reverted, 3, "reverted"},
    row{rpc_errc::receipt_timeout, 4, "receipt_timeout"},

    row{ledger::chain_errc::unknown_block, resource_missing, "unknown_block"},
    row{ledger::chain_errc::history_missing, resource_missing, "history_incomplete"},
    row{ledger::chain_errc::state_missing, refused, "state_missing"},
    row{ledger::chain_errc::bad_filter, -32602, "bad_filter"},
    row{ledger::chain_errc::too_many_logs, limit_exceeded, "too_many_logs"},

    row{ledger::pool_errc::already_known, refused, "already_known"},
    row{ledger::pool_errc::nonce_gap, refused, "nonce_gap"},
    row{ledger::pool_errc::replacement, refused, "replacement"},
    row{ledger::pool_errc::sender_full, refused, "sender_full"},
    row{ledger::pool_errc::pool_full, refused, "pool_full"},
    row{ledger::pool_errc::no_member, refused, "no_member"},

    row{ledger::space_errc::no_member, refused, "no_member"},
    row{ledger::space_errc::day_full, limit_exceeded, "day_full"},

    row{ledger::execution_errc::nonce_too_low, refused, "nonce_too_low"},
    row{ledger::execution_errc::nonce_too_high, refused, "nonce_too_high"},
    row{ledger::execution_errc::gas_above_block, refused, "gas_above_block"},
    row{ledger::execution_errc::gas_below_intrinsic, refused, "gas_below_intrinsic"},
    row{ledger::execution_errc::insufficient_funds, refused, "insufficient_funds"},
    row{ledger::execution_errc::contract_creation, refused, "contract_creation"},

    row{ledger::txn_errc::too_large, refused, "txn_too_large"},
    row{ledger::txn_errc::unsupported_type, refused, "txn_type_unsupported"},
    row{ledger::txn_errc::not_replay_protected, refused, "not_replay_protected"},
    row{ledger::txn_errc::wrong_chain, refused, "wrong_chain"},
    row{ledger::txn_errc::nonce_max, refused, "nonce_max"},
    row{ledger::txn_errc::tip_above_max_fee, refused, "tip_above_max_fee"},

    row{ledger::store_errc::damaged, internal, "internal"},
    row{ledger::store_errc::disk_full, internal, "internal"},
    row{ledger::store_errc::io, internal, "internal"},
    row{errc::corrupt, internal, "internal"},
    row{errc::io, internal, "internal"},
    row{errc::internal, internal, "internal"},
};

/// Any other error of these categories says that a transaction is not well-formed.
constexpr std::array formats{error_category(ledger::txn_errc{}), error_category(ledger::rlp_errc{}),
                             error_category(ledger::key_errc{})};

} // namespace

json_code json_code_of(const error& why) {
  const auto* found = std::find_if(table.begin(), table.end(), [&](const row& each) {
    return each.category == why.category && each.enumerator == why.code;
  });
  if (found != table.end()) return found->shown;
  const bool malformed = std::find(formats.begin(), formats.end(), why.category) != formats.end();
  return {refused, malformed ? "txn_malformed" : "refused"};
}

bool is_internal(const error& why) {
  return json_code_of(why).code == internal;
}

json::object error_json(const failure& why) {
  const auto shown = json_code_of(why);
  json::object out{{"code", shown.code}, {"message", why.message}};
  if (is_internal(why)) // its text may name what is on this host, and clients belong to anybody
    out["message"] = "this SN has trouble of its own; its log says more";
  if (!why.data.empty())
    out["data"] = why.data;
  else if (!why.without_reason)
    out["data"] = json::object{{"reason", shown.reason}};
  return out;
}

} // namespace swarm::rpc
