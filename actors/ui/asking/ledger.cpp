#include "actors/ui/asking/ledger.hpp"

#include "actors/ui/asking/known_calls.hpp"
#include "actors/ui/history/event_logs.hpp"
#include "actors/ui/reading/answers.hpp"
#include "contracts/abi/client.hpp"

#include <algorithm>

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::size_t events_shown_max = 64;

using names = std::map<address, std::string>;

/// Names for people, where the network's contracts can be asked; texts and numbers otherwise.
names names_of(swci::network& sns) {
  return contract_names(sns).value_or(names{});
}

void add_call(json::object& to, const json::value& txn, const names& all) {
  if (auto contract = text_in(txn, "to"); !contract.empty()) {
    if (const auto name = all.find(account_in(txn, "to")); name != all.end()) to["to_name"] = name->second;
    to["to"] = std::move(contract);
  }
  const auto* input = field_of(txn, "input");
  const auto* digits = input != nullptr ? input->if_string() : nullptr;
  const auto size = digits != nullptr ? digits->size() : 2;
  to["input_bytes"] = (std::max<std::size_t>(size, 2) - 2) / 2;
  if (digits == nullptr || size < 10) return;
  const auto selector = from_hex(std::string_view(digits->data(), 10));
  if (!selector) return;
  if (const auto name = call_name(*selector); !name.empty()) to["call"] = name;
}

json::array events_of(const json::value& receipt, const names& all) {
  json::array out;
  const auto* logs = field_of(receipt, "logs");
  if (logs == nullptr || !logs->is_array()) return out;
  for (const auto& each : logs->get_array()) {
    if (out.size() >= events_shown_max) break;
    const auto name = all.find(account_in(each, "address"));
    const auto raw = raw_log_of(each);
    const auto words = raw ? words_of_event(raw->topics, raw->data) : event_words{};
    out.push_back(json::object{{"contract", name == all.end() ? text_in(each, "address") : name->second},
                               {"kind", words.kind},
                               {"text", words.text}});
  }
  return out;
}

json::object transaction_of(const json::value& txn, const json::value& receipt, const names& all) {
  json::object out{{"hash", text_in(txn, "hash")},
                   {"block_num", number_in(txn, "blockNumber")},
                   {"index", number_in(txn, "transactionIndex")},
                   {"from", text_in(txn, "from")},
                   {"ok", number_in(receipt, "status") == 1},
                   {"gas_used", number_in(receipt, "gasUsed")},
                   {"nonce", number_in(txn, "nonce")}};
  add_call(out, txn, all);
  if (const auto why = from_hex(text_in(receipt, "revertReason")); why && !why->empty())
    out["revert"] = contracts::revert_text(*why);
  out["events"] = events_of(receipt, all);
  return out;
}

json::object block_of(const json::value& block) {
  const auto* txns = field_of(block, "transactions");
  return {{"block_num", number_in(block, "number")},
          {"hash", text_in(block, "hash")},
          {"parent_hash", text_in(block, "parentHash")},
          {"state_root", text_in(block, "stateRoot")},
          {"time_ms", number_in(block, "timestamp") * 1000},
          {"proposer", text_in(block, "miner")},
          {"gas_used", number_in(block, "gasUsed")},
          {"size", number_in(block, "size")},
          {"transactions", json::array{}},
          {"transaction_count", txns != nullptr && txns->is_array() ? txns->get_array().size() : 0}};
}

} // namespace

result<json::value> block_json(swci::network& sns, std::uint64_t block_num) {
  const auto number = fmt::format("{:#x}", block_num);
  SWARM_TRY(const auto responses,
            sns.ask({{"eth_getBlockByNumber", {number, true}}, {"eth_getBlockReceipts", {number}}}));
  SWARM_TRY(const auto* block, session::result_of(responses[0]));
  if (!block->is_object()) return fail(errc::not_found, "there is no block {}", block_num);
  auto out = block_of(*block);
  const auto receipts = session::result_of(responses[1]);
  const auto* all = receipts ? (*receipts)->if_array() : nullptr;
  const auto* txns = field_of(*block, "transactions");
  if (txns == nullptr || !txns->is_array()) return out;
  const auto all_names = names_of(sns);
  auto& shown = out["transactions"].get_array();
  for (std::size_t i = 0; i < txns->get_array().size(); ++i)
    shown.push_back(transaction_of(txns->get_array()[i],
                                   all != nullptr && i < all->size() ? (*all)[i] : json::value(), all_names));
  return out;
}

result<json::value> blocks_json(swci::network& sns, std::optional<std::uint64_t> before,
                                std::uint64_t count) {
  std::uint64_t end = 0; // one behind the newest
  if (before) {
    end = *before;
  } else {
    SWARM_TRY(const auto responses, sns.ask({{"eth_blockNumber", {}}}));
    SWARM_TRY(const auto head, session::quantity_of(responses.front()));
    end = head + 1;
  }
  json::array out;
  std::vector<session::rpc_call> calls;
  for (auto number = end; number > 0 && end - number < count; --number)
    calls.push_back({"eth_getBlockByNumber", {fmt::format("{:#x}", number - 1), false}});
  if (calls.empty()) return json::object{{"blocks", std::move(out)}};
  SWARM_TRY(const auto responses, sns.ask(std::move(calls)));
  for (const auto& each : responses)
    if (const auto block = session::result_of(each); block && (*block)->is_object())
      out.push_back(block_of(**block));
  return json::object{{"blocks", std::move(out)}};
}

result<json::value> transaction_json(swci::network& sns, const std::string& hash) {
  if (!fixed_from_hex<32>(hash)) return fail(errc::invalid, "'hash' is 0x and 64 hexadecimal digits");
  SWARM_TRY(const auto responses, sns.ask({{"eth_getTransactionByHash", {json::string(hash)}},
                                           {"eth_getTransactionReceipt", {json::string(hash)}}}));
  SWARM_TRY(const auto* txn, session::result_of(responses[0]));
  if (!txn->is_object()) return fail(errc::not_found, "there is no transaction with this hash");
  const auto receipt = session::result_of(responses[1]);
  return transaction_of(*txn, receipt ? **receipt : json::value(), names_of(sns));
}

} // namespace swarm::ui
