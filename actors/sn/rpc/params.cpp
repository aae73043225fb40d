#include "actors/sn/rpc/params.hpp"

#include "ledger/formats/receipt.hpp"

#include <charconv>

namespace swarm::rpc {

namespace json = boost::json;

std::string_view shown(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  auto end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) // in the middle of a character
    --end;
  return text.substr(0, end);
}

std::string quantity(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

std::string quantity(const u256& value) {
  const auto digits = to_hex(value.minimal(), false);
  const auto first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0x0" : "0x" + digits.substr(first);
}

std::string hex_data(bytes_view raw) {
  return to_hex(raw);
}

result<std::uint64_t> parse_quantity(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  if (!text.starts_with("0x") || text.size() < 3)
    return fail(rpc_errc::invalid_params, "{}: '{}' is not a number in 0x form", what, shown(text));
  const auto [end, failure] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  if (failure == std::errc::result_out_of_range)
    return fail(rpc_errc::invalid_params, "{}: '{}' does not fit 64 bits", what, shown(text));
  if (failure != std::errc{} || end != text.data() + text.size())
    return fail(rpc_errc::invalid_params, "{}: '{}' is not a number in 0x form", what, shown(text));
  return value;
}

result<u256> parse_wide_quantity(std::string_view text, std::string_view what) {
  if (text.starts_with("0x") && text.size() > 2 && text.size() <= 66) {
    const auto digits = std::string(66 - text.size(), '0') + std::string(text.substr(2));
    if (const auto out = fixed_from_hex<32>(digits)) return u256(*out);
  }
  return fail(rpc_errc::invalid_params, "{}: '{}' is not a number of at most 256 bits in 0x form", what,
              shown(text));
}

result<std::string> params::text(std::size_t index, std::string_view what) const {
  if (!has(index))
    return fail(rpc_errc::invalid_params, "missing value for required argument {} ({})", index, what);
  if (!list_[index].is_string())
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be a string", index, what);
  const auto& value = list_[index].get_string();
  return std::string(value.data(), value.size());
}

result<std::uint64_t> params::number(std::size_t index, std::string_view what) const {
  SWARM_TRY(const auto value, text(index, what));
  return parse_quantity(value, what);
}

result<std::uint64_t> params::count(std::size_t index, std::string_view what) const {
  if (has(index) && list_[index].is_int64() && list_[index].get_int64() >= 0)
    return static_cast<std::uint64_t>(list_[index].get_int64());
  return number(index, what);
}

result<std::size_t> params::numbers(std::size_t index, std::string_view what, std::size_t count_max) const {
  if (!has(index)) return 0;
  const auto* list = list_[index].if_array();
  const auto is_number = [](const json::value& one) { return one.is_number(); };
  if (list == nullptr || !std::all_of(list->begin(), list->end(), is_number))
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be an array of numbers", index, what);
  if (list->size() > count_max) return fail(rpc_errc::too_much_asked, "{}: at most {}", what, count_max);
  return list->size();
}

result<bool> params::flag(std::size_t index, std::string_view what) const {
  if (!has(index)) return false;
  if (!list_[index].is_bool())
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be true or false", index, what);
  return list_[index].get_bool();
}

result<bytes> params::raw(std::size_t index, std::string_view what) const {
  SWARM_TRY(const auto value, text(index, what));
  if (!value.starts_with("0x")) return fail(rpc_errc::invalid_params, "{}: data must start with 0x", what);
  auto out = from_hex(value);
  if (!out) return fail(rpc_errc::invalid_params, "{}: {}", what, out.error().message);
  return out;
}

result<hash32> params::hash(std::size_t index, std::string_view what) const {
  SWARM_TRY(const auto value, raw(index, what));
  auto out = hash32::from_view(value);
  if (!out) return fail(rpc_errc::invalid_params, "{}: {}", what, out.error().message);
  return hash32(*out);
}

result<address> params::account(std::size_t index, std::string_view what) const {
  SWARM_TRY(const auto value, raw(index, what));
  auto out = address::from_view(value);
  if (!out) return fail(rpc_errc::invalid_params, "{}: {}", what, out.error().message);
  return address(*out);
}

result<std::optional<std::uint64_t>> params::block(std::size_t index) const {
  if (!has(index)) return std::nullopt;
  SWARM_TRY(const auto tag, text(index, "block"));
  if (tag == "latest" || tag == "safe" || tag == "finalized" || tag == "pending") return std::nullopt;
  if (tag == "earliest") return std::optional<std::uint64_t>(0);
  SWARM_TRY(const auto num, parse_quantity(tag, "block"));
  return std::optional(num);
}

result<std::vector<std::string>> params::texts(std::size_t index, std::string_view what,
                                               std::size_t count_max) const {
  const auto* list = has(index) ? list_[index].if_array() : nullptr;
  if (list == nullptr)
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be an array", index, what);
  if (list->size() > count_max) return fail(rpc_errc::too_much_asked, "{}: at most {}", what, count_max);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    SWARM_TRY(auto one, params(*list).text(i, what));
    out.push_back(std::move(one));
  }
  return out;
}

result<const json::array*> params::list(std::size_t index, std::string_view what,
                                        std::size_t count_max) const {
  const auto* out = has(index) ? list_[index].if_array() : nullptr;
  if (out == nullptr || out->empty())
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be an array that is not empty", index, what);
  if (out->size() > count_max) return fail(rpc_errc::too_much_asked, "{}: at most {}", what, count_max);
  return out;
}

result<const json::object*> params::object(std::size_t index, std::string_view what) const {
  if (!has(index))
    return fail(rpc_errc::invalid_params, "missing value for required argument {} ({})", index, what);
  const auto* out = list_[index].if_object();
  if (out == nullptr)
    return fail(rpc_errc::invalid_params, "argument {} ({}) must be an object", index, what);
  return out;
}

namespace {

/// A field of an object as a list of one item, so that it is read like a parameter.
json::array field(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value == nullptr ? json::array{} : json::array{*value};
}

} // namespace

result<block_ref> params::block_or_hash(std::size_t index) const {
  block_ref out;
  if (!has(index)) return out;
  if (const auto* object = list_[index].if_object()) {
    const auto hash_field = field(*object, "blockHash");
    const auto num_field = field(*object, "blockNumber");
    if (params(hash_field).has(0) == params(num_field).has(0))
      return fail(rpc_errc::invalid_params, "argument {} (block): needs either blockHash or blockNumber",
                  index);
    if (params(hash_field).has(0)) {
      SWARM_TRY(out.hash, params(hash_field).hash(0, "blockHash"));
      return out;
    }
    SWARM_TRY(out.num, params(num_field).block(0));
    return out;
  }
  SWARM_TRY(const auto tag, text(index, "block"));
  if (tag.size() == 66) {
    SWARM_TRY(out.hash, hash(index, "block hash"));
    return out;
  }
  SWARM_TRY(out.num, block(index));
  out.pending = tag == "pending";
  return out;
}

result<ledger::call_request> params::call(std::size_t index) const {
  SWARM_TRY(const auto* from, object(index, "call"));
  ledger::call_request out;
  if (const auto f = field(*from, "from"); params(f).has(0)) {
    SWARM_TRY(out.from, params(f).account(0, "from"));
  }
  if (const auto f = field(*from, "to"); params(f).has(0)) {
    SWARM_TRY(out.to, params(f).account(0, "to"));
  }
  if (const auto f = field(*from, "gas"); params(f).has(0)) {
    SWARM_TRY(out.gas_limit, params(f).number(0, "gas"));
  }
  if (const auto f = field(*from, "value"); params(f).has(0)) {
    SWARM_TRY(const auto value, params(f).text(0, "value"));
    SWARM_TRY(out.value, parse_wide_quantity(value, "value"));
  }
  const auto input = field(*from, "input");
  const auto legacy = field(*from, "data");
  if (params(input).has(0)) {
    SWARM_TRY(out.input, params(input).raw(0, "input"));
    if (params(legacy).has(0)) {
      SWARM_TRY(const auto other, params(legacy).raw(0, "data"));
      if (other != out.input)
        return fail(rpc_errc::invalid_params,
                    R"(both "data" and "input" are set and not equal; use "input")");
    }
  } else if (params(legacy).has(0)) {
    SWARM_TRY(out.input, params(legacy).raw(0, "data"));
  }
  return out;
}

result<block_range> parse_range(const json::object& from) {
  block_range out;
  const auto first = field(from, "fromBlock");
  const auto last = field(from, "toBlock");
  if (const auto hash = field(from, "blockHash"); params(hash).has(0)) {
    if (params(first).has(0) || params(last).has(0))
      return fail(rpc_errc::invalid_params,
                  "cannot specify both blockHash and fromBlock/toBlock, choose one or the other");
    SWARM_TRY(out.block_hash, params(hash).hash(0, "blockHash"));
    return out;
  }
  SWARM_TRY(out.from, params(first).block(0));
  SWARM_TRY(out.to, params(last).block(0));
  return out;
}

result<hash32> parse_slot(std::string_view text) {
  if (text.starts_with("0x") && text.size() > 2 && text.size() <= 66) {
    const std::string padded = std::string(66 - text.size(), '0') + std::string(text.substr(2));
    if (const auto out = fixed_from_hex<32>(padded)) return hash32(*out);
  }
  return fail(rpc_errc::invalid_params, "storage key '{}' is not 0x and 1 to 64 hexadecimal digits",
              shown(text));
}

result<ledger::log_filter> parse_filter(const json::object& from) {
  using ledger::log_filter;
  log_filter out;
  if (const auto* where = from.if_contains("address"); where != nullptr && !where->is_null()) {
    const json::array list = where->is_array() ? where->get_array() : json::array{*where};
    if (list.size() > log_filter::alternatives_max)
      return fail(rpc_errc::too_much_asked, "at most {} addresses", log_filter::alternatives_max);
    for (std::size_t i = 0; i < list.size(); ++i) {
      SWARM_TRY(const auto account, params(list).account(i, "address"));
      out.addresses.push_back(account);
    }
  }
  const auto* topics = from.if_contains("topics");
  if (topics == nullptr || topics->is_null()) return out;
  if (!topics->is_array()) return fail(rpc_errc::invalid_params, "topics must be an array");
  if (topics->get_array().size() > ledger::topics_max)
    return fail(rpc_errc::invalid_params, "a log has at most {} topics", ledger::topics_max);
  for (const auto& position : topics->get_array()) {
    auto& allowed = out.topics.emplace_back();
    if (position.is_null()) continue;
    const json::array list = position.is_array() ? position.get_array() : json::array{position};
    if (list.size() > log_filter::alternatives_max)
      return fail(rpc_errc::too_much_asked, "at most {} values for one topic", log_filter::alternatives_max);
    for (std::size_t i = 0; i < list.size(); ++i) {
      SWARM_TRY(const auto topic, params(list).hash(i, "topic"));
      allowed.push_back(topic);
    }
  }
  return out;
}

} // namespace swarm::rpc
