#include "actors/node/key_file.hpp"

#include "base/file.hpp"

#include <array>
#include <cstring>

namespace swarm::actors {

namespace {

constexpr std::size_t key_text_max = 256;

/// A text that holds a secret and is overwritten at its end.
struct secret_text {
  std::array<char, key_text_max> chars{};
  std::size_t size = 0;
  secret_text() = default;
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { explicit_bzero(chars.data(), chars.size()); }
  std::string_view view() const { return {chars.data(), size}; }
};

tl::unexpected<error> io_failure(const error& why) {
  return fail(ledger::key_errc::file_io, "key file {}", why.message);
}

result<> check_access(const file& from) {
  const auto mode = from.mode();
  if (!mode) return io_failure(mode.error());
  const auto& path = from.path().native();
  if ((*mode & 077) != 0)
    return fail(ledger::key_errc::file_access,
                "key file {}: mode {:04o} lets others reach it; run: chmod 600 '{}'", path, *mode, path);
  return {};
}

result<> read_text(const file& from, secret_text& text) {
  const auto got = from.read({reinterpret_cast<std::uint8_t*>(text.chars.data()), text.chars.size()});
  if (!got) return io_failure(got.error());
  text.size = *got;
  if (text.size == text.chars.size())
    return fail(ledger::key_errc::file_malformed, "key file {}: too long, must hold 64 hexadecimal digits",
                from.path().native());
  return {};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Reads the digits without leaving copies of the secret on the heap.
result<ledger::private_key> parse_key(std::string_view text, const std::string& path) {
  text = trimmed(text);
  if (text.starts_with("0x")) text.remove_prefix(2);
  if (text.size() != 64)
    return fail(ledger::key_errc::file_malformed,
                "key file {}: holds {} characters, must hold 64 hexadecimal digits", path, text.size());
  hash32 secret;
  bool good = true;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    good = good && high >= 0 && low >= 0;
    secret[i] = static_cast<std::uint8_t>((high & 15) << 4 | (low & 15));
  }
  auto key = ledger::private_key::from_bytes(secret.view());
  explicit_bzero(secret.data(), secret.size());
  if (!good)
    return fail(ledger::key_errc::file_malformed, "key file {}: holds something else than hexadecimal digits",
                path);
  if (!key) return fail_with(std::move(key).error(), "key file " + path);
  return key;
}

void print_key(const ledger::private_key& key, secret_text& text) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const auto byte : key.secret()) {
    text.chars[text.size++] = digits[byte >> 4];
    text.chars[text.size++] = digits[byte & 15];
  }
  text.chars[text.size++] = '\n';
}

/// Makes a new key file, or loads the one that another process made in the meantime.
result<ledger::private_key> make_key(const std::string& path) {
  auto key = ledger::private_key::make_random();
  secret_text text;
  print_key(key, text);
  const auto made = create_file(path, as_bytes(text.view()), 0600);
  if (made) return key;
  if (made.error().is(file_errc::exists)) return load_key(path);
  return fail(ledger::key_errc::file_io, "key file {}; the directory must exist and be writable",
              made.error().message);
}

} // namespace

result<ledger::private_key> load_key(const std::string& path) {
  const auto from = file::open(path);
  if (!from) return io_failure(from.error());
  SWARM_CHECK(check_access(*from));
  secret_text text;
  SWARM_CHECK(read_text(*from, text));
  return parse_key(text.view(), path);
}

result<ledger::private_key> load_or_make_key(const std::string& path) {
  // A dangling symbolic link counts as a file, as a key must not be made where nobody looks for it.
  std::error_code failure;
  const auto there = std::filesystem::symlink_status(path, failure);
  if (there.type() == std::filesystem::file_type::not_found) return make_key(path);
  return load_key(path);
}

} // namespace swarm::actors
