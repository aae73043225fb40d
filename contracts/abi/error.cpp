#include "contracts/abi/error.hpp"

#include "contracts/abi/function.hpp"

namespace swarm::contracts::abi {

namespace {

struct error_args {
  static constexpr call<> function{"Error"};
  std::string text;
};
struct panic_args {
  static constexpr call<> function{"Panic"};
  u256 code;
};

bool starts_with(bytes_view data, const selector& id) {
  return data.size() >= id.size() && std::equal(id.begin(), id.end(), data.begin());
}

/// Makes the text safe for logs and terminals, as it comes from another process.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

} // namespace

bytes encode_error(std::string_view text) {
  return encode_call(error_args{std::string(text)});
}

std::string describe_error(bytes_view data) {
  if (data.empty()) return "reverted without a reason";
  const auto body = data.subspan(std::min<std::size_t>(4, data.size()));
  if (starts_with(data, selector_of<error_args>()))
    if (auto decoded = decode_members<error_args>(body)) return printable(std::move(decoded->text));
  if (starts_with(data, selector_of<panic_args>()))
    if (auto decoded = decode_members<panic_args>(body)) return "panic " + to_hex(decoded->code.minimal());
  constexpr std::size_t shown = 32;
  const auto head = to_hex(data.first(std::min(shown, data.size())));
  return fmt::format("reverted with {} bytes that are no Error(string): {}{}", data.size(), head,
                     data.size() > shown ? "..." : "");
}

} // namespace swarm::contracts::abi
