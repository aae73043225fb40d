#include "actors/sn_client/session/json_rpc.hpp"

#include "contracts/registry/client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace swarm::session {

namespace json = boost::json;

namespace {

constexpr std::size_t message_bytes_max = 1024; ///< of what an SN says in words

struct known_reason {
  std::string_view reason;
  refusal meaning;
};
constexpr std::array reasons{
    known_reason{"reverted", refusal::reverted},
    known_reason{"receipt_timeout", refusal::receipt_timeout},
    known_reason{"history_incomplete", refusal::history_incomplete},
    known_reason{"nonce_too_low", refusal::nonce_too_low},
    known_reason{"pool_full", refusal::busy},
    known_reason{"sender_full", refusal::busy},
    known_reason{"day_full", refusal::day_full},
    known_reason{"waiting_full", refusal::busy},
    known_reason{"rate_limited", refusal::busy},
};

const json::value* member(const json::value* of, std::string_view name) {
  const auto* object = of != nullptr ? of->if_object() : nullptr;
  return object != nullptr ? object->if_contains(name) : nullptr;
}

std::optional<std::string_view> text(const json::value* from) {
  const auto* value = from != nullptr ? from->if_string() : nullptr;
  if (value == nullptr) return std::nullopt;
  return std::string_view(value->data(), value->size());
}

/// Codes that say all (EIP-1474, EIP-7966, and 3 for a revert) come without a reason.
refusal meaning_of(const json::value& failure) {
  const auto* code = member(&failure, "code");
  const auto number = code != nullptr && code->is_int64() ? code->get_int64() : 0;
  if (number == 3) return refusal::reverted;
  if (number == 4) return refusal::receipt_timeout;
  const auto reason = text(member(member(&failure, "data"), "reason"));
  if (!reason) return number == -32005 ? refusal::busy : refusal::other;
  const auto* found = std::find_if(reasons.begin(), reasons.end(),
                                   [&](const known_reason& each) { return each.reason == *reason; });
  return found == reasons.end() ? refusal::other : found->meaning;
}

result<std::uint64_t> parse_quantity(std::string_view digits) {
  std::uint64_t out = 0;
  if (!digits.starts_with("0x"))
    return fail(refusal::malformed_answer, "'{}' is not a number in 0x form", digits.substr(0, 40));
  const auto* last = digits.data() + digits.size();
  const auto [end, failure] = std::from_chars(digits.data() + 2, last, out, 16);
  if (failure != std::errc{} || end != last)
    return fail(refusal::malformed_answer, "'{}' is not a number of 64 bits in 0x form",
                digits.substr(0, 40));
  return out;
}

} // namespace

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

std::optional<std::uint64_t> id_of(const json::object& response) {
  const auto* id = response.if_contains("id");
  if (id == nullptr) return std::nullopt;
  if (id->is_uint64()) return id->get_uint64();
  if (id->is_int64() && id->get_int64() >= 0) return static_cast<std::uint64_t>(id->get_int64());
  return std::nullopt;
}

result<const json::value*> result_of(const json::value& response) {
  if (const auto* failure = member(&response, "error"); failure != nullptr && !failure->is_null()) {
    const auto said = text(member(failure, "message"));
    const auto words = said ? std::string(*said) : json::serialize(*failure);
    return fail(meaning_of(*failure), "{}", std::string_view(words).substr(0, message_bytes_max));
  }
  const auto* value = member(&response, "result");
  if (value == nullptr) return fail(refusal::malformed_answer, "the SN's answer has no result");
  return value;
}

result<std::string> text_of(const json::value& response) {
  SWARM_TRY(const auto* value, result_of(response));
  const auto out = text(value);
  if (!out) return fail(refusal::malformed_answer, "the SN's answer has no text result");
  return std::string(*out);
}

result<bytes> output_of(const json::value& response) {
  SWARM_TRY(const auto digits, text_of(response));
  return from_hex(digits);
}

result<std::uint64_t> quantity_of(const json::value& response) {
  SWARM_TRY(const auto digits, text_of(response));
  return parse_quantity(digits);
}

result<address> address_of(const json::value& response) {
  SWARM_TRY(const auto digits, text_of(response));
  return fixed_from_hex<20>(digits);
}

result<std::vector<std::string>> texts_of(const json::value& response, std::size_t count_max) {
  SWARM_TRY(const auto* value, result_of(response));
  const auto* list = value->if_array();
  if (list == nullptr) return fail(refusal::malformed_answer, "the SN's answer is no list");
  std::vector<std::string> out;
  for (const auto& each : *list)
    if (const auto one = text(&each); one && out.size() < count_max) out.emplace_back(*one);
  return out;
}

result<hash32> block_hash_of(const json::value& response) {
  SWARM_TRY(const auto* value, result_of(response));
  const auto digits = text(member(value, "hash"));
  if (!digits) return fail(refusal::malformed_answer, "the SN's answer is no block");
  return fixed_from_hex<32>(*digits);
}

result<call_receipt> receipt_of(const json::value& response) {
  SWARM_TRY(const auto* receipt, result_of(response));
  if (!receipt->is_object()) return fail(refusal::malformed_answer, "the SN's answer is no receipt");
  call_receipt out;
  SWARM_TRY(out.block_num, parse_quantity(text(member(receipt, "blockNumber")).value_or("")));
  const auto status = text(member(receipt, "status")).value_or("");
  if (status != "0x1" && status != "0x0")
    return fail(refusal::malformed_answer, "the SN's receipt has no status");
  out.ok = status == "0x1";
  if (out.ok) return out;
  const auto raw = from_hex(text(member(receipt, "revertReason")).value_or(""));
  out.revert =
      raw && !raw->empty() ? contracts::revert_text(*raw) : "the transaction failed without a reason";
  return out;
}

} // namespace swarm::session
