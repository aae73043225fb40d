#include "actors/sn_client/rpc_codec.hpp"

#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"

#include <charconv>

namespace swarm::actors {

namespace json = boost::json;

std::string encode_batch(const std::vector<rpc_call>& calls, std::uint64_t first_id) {
  json::array batch;
  for (const auto& call : calls)
    batch.push_back(json::object{
        {"jsonrpc", "2.0"}, {"id", first_id++}, {"method", call.method}, {"params", call.params}});
  return json::serialize(batch);
}

rpc_call eth_call(const address& to, const bytes& input) {
  return {"eth_call", {json::object{{"to", to_hex(to.view())}, {"input", to_hex(input)}}, "latest"}};
}

std::string error_of(const json::value& response) {
  const auto* object = response.if_object();
  const auto* failure = object != nullptr ? object->if_contains("error") : nullptr;
  if (failure == nullptr) return {};
  const auto* fields = failure->if_object();
  const auto* message = fields != nullptr ? fields->if_contains("message") : nullptr;
  return message != nullptr && message->is_string() ? std::string(message->get_string().c_str())
                                                    : json::serialize(*failure);
}

namespace {

result<std::string> text_result(const json::value& response) {
  if (auto text = error_of(response); !text.empty()) return fail(errc::denied, "{}", text);
  const auto* object = response.if_object();
  const auto* value = object != nullptr ? object->if_contains("result") : nullptr;
  if (value == nullptr || !value->is_string())
    return fail(errc::invalid, "the SN's answer has no text result");
  return std::string(value->get_string().c_str());
}

result<std::uint64_t> parse_quantity(std::string_view text) {
  std::uint64_t out = 0;
  if (!text.starts_with("0x"))
    return fail(errc::invalid, "'{}' is not a number in 0x form", text.substr(0, 40));
  const auto [end, failure] = std::from_chars(text.data() + 2, text.data() + text.size(), out, 16);
  if (failure != std::errc{} || end != text.data() + text.size())
    return fail(errc::invalid, "'{}' is not a number in 0x form", text.substr(0, 40));
  return out;
}

} // namespace

result<bytes> output_of(const json::value& response) {
  SWARM_TRY(const auto text, text_result(response));
  return from_hex(text);
}

result<std::uint64_t> quantity_of(const json::value& response) {
  SWARM_TRY(const auto text, text_result(response));
  return parse_quantity(text);
}

result<hash32> block_hash_of(const json::value& response) {
  if (auto text = error_of(response); !text.empty()) return fail(errc::denied, "{}", text);
  const auto* object = response.if_object();
  const auto* value = object != nullptr ? object->if_contains("result") : nullptr;
  const auto* block = value != nullptr ? value->if_object() : nullptr;
  const auto* hash = block != nullptr ? block->if_contains("hash") : nullptr;
  if (hash == nullptr || !hash->is_string()) return fail(errc::invalid, "the SN's answer is no block");
  return fixed_from_hex<32>(hash->get_string().c_str());
}

result<call_receipt> receipt_of(const json::value& response) {
  if (auto text = error_of(response); !text.empty()) return fail(errc::denied, "{}", text);
  const auto* object = response.if_object();
  const auto* value = object != nullptr ? object->if_contains("result") : nullptr;
  const auto* receipt = value != nullptr ? value->if_object() : nullptr;
  if (receipt == nullptr) return fail(errc::invalid, "the SN's answer is no receipt");
  const auto text_of = [&](std::string_view key) -> std::string {
    const auto* field = receipt->if_contains(key);
    return field != nullptr && field->is_string() ? std::string(field->get_string().c_str()) : std::string{};
  };
  call_receipt out;
  SWARM_TRY(out.block_num, parse_quantity(text_of("blockNumber")));
  out.ok = text_of("status") == "0x1";
  if (!out.ok) {
    const auto raw = from_hex(text_of("revertReason"));
    out.revert =
        raw && !raw->empty() ? contracts::revert_text(*raw) : "the transaction failed without a reason";
  }
  return out;
}

std::vector<rpc_call> view_calls(const address& training, std::size_t pages) {
  std::vector<rpc_call> calls{{"eth_blockNumber", {}},
                              {"swarm_silentNodes", {}},
                              eth_call(training, contracts::encode_head()),
                              eth_call(training, contracts::encode_check_ins())};
  for (std::size_t page = 0; page < pages; ++page)
    calls.push_back(eth_call(
        training, contracts::encode_peers(page * contracts::page_entries_max, contracts::page_entries_max)));
  return calls;
}

result<rounds::contract_view> view_of(const std::vector<json::value>& responses) {
  rounds::contract_view view;
  SWARM_TRY(view.block_num, quantity_of(responses.at(0)));
  if (const auto* object = responses.at(1).if_object()) {
    const auto* list = object->if_contains("result");
    if (list != nullptr && list->is_array()) {
      for (const auto& entry : list->get_array()) {
        if (!entry.is_string()) continue;
        if (const auto account = fixed_from_hex<20>(entry.get_string().c_str()))
          view.silent.insert(address(*account));
      }
    }
  }
  SWARM_TRY(const auto head, output_of(responses.at(2)));
  if (head.empty()) return fail(errc::not_found, "there is no such training contract");
  SWARM_TRY(view.head, contracts::decode_head(head));
  SWARM_TRY(const auto check_ins, output_of(responses.at(3)));
  SWARM_TRY(view.check_ins, contracts::decode_check_ins(check_ins));
  for (std::size_t i = 4; i < responses.size(); ++i) {
    SWARM_TRY(const auto output, output_of(responses[i]));
    SWARM_TRY(auto page, contracts::decode_peers(output));
    view.peers.insert(view.peers.end(), std::make_move_iterator(page.begin()),
                      std::make_move_iterator(page.end()));
  }
  return view;
}

} // namespace swarm::actors
