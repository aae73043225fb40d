#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

/// The longest beginning of `text` of at most `size` bytes that does not split a character.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0) == 0x80)
    --size;
  return text.substr(0, size);
}

} // namespace

ledger::call_outcome reverted(std::string_view text) {
  return {false, abi::encode_error(cut(text, revert_text_bytes_max))};
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown = 40;
  return fmt::format("'{}{}'", cut(text, shown), text.size() > shown ? "..." : "");
}

namespace {

result<> check_printable(std::string_view what, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) return refuse("{} has a control character at byte {}", what, i);
  }
  return {};
}

} // namespace

result<> check_text(std::string_view what, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return refuse("{} has {} bytes, at most {} are allowed", what, text.size(), bytes_max);
  return check_printable(what, text);
}

result<> check_characters(std::string_view what, std::string_view text, std::size_t characters_max) {
  const auto starts = [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80; };
  const auto count = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts));
  if (count > characters_max)
    return refuse("{} has {} characters, at most {} are allowed", what, count, characters_max);
  return check_printable(what, text);
}

namespace detail {

std::string undecodable(const std::string& signature, const error& reason) {
  return fmt::format("{}: call data is not its canonical ABI encoding: {}", signature, reason.message);
}

std::string needs_rules(const std::string& signature, std::uint64_t version) {
  return fmt::format("{}: this needs version {} of the chain's rules, which is not in force: 'swarm-inspect "
                     "rules' says how it begins",
                     signature, version);
}

std::string no_such_function(std::string_view contract, bytes_view input) {
  if (input.size() < 4)
    return fmt::format("{}: call data of {} bytes has no function selector", contract, input.size());
  return fmt::format("{} has no function with selector {}", contract, to_hex(input.first(4)));
}

} // namespace detail

} // namespace swarm::contracts
