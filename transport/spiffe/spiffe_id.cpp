#include "transport/spiffe/spiffe_id.hpp"

#include "base/hash.hpp"

#include <algorithm>

namespace swarm::transport {

namespace {

constexpr std::string_view id_scheme = "spiffe://";
constexpr std::size_t id_bytes_max = 2048;
constexpr std::size_t trust_domain_bytes_max = 255;

bool is_of_domain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_of_path(char c) {
  return is_of_domain(c) || (c >= 'A' && c <= 'Z');
}

result<> check_trust_domain(std::string_view name) {
  if (name.empty()) return fail(errc::invalid, "it names no trust domain");
  if (name.size() > trust_domain_bytes_max)
    return fail(errc::invalid, "its trust domain has more than {} bytes", trust_domain_bytes_max);
  if (!std::all_of(name.begin(), name.end(), is_of_domain))
    return fail(errc::invalid,
                "its trust domain has other characters than lower case letters, digits, '.', '-' and '_'");
  return {};
}

result<> check_path(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1); // the slash
    const auto part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..")
      return fail(errc::invalid, "its path has a part that is empty, '.' or '..'");
    if (!std::all_of(part.begin(), part.end(), is_of_path))
      return fail(errc::invalid,
                  "its path has other characters than letters, digits, '.', '-', '_' and slashes");
    path.remove_prefix(part.size());
  }
  return {};
}

} // namespace

bool is_spiffe_uri(std::string_view text) {
  return text.starts_with(id_scheme);
}

result<spiffe_id> spiffe_id::parse(std::string_view text) {
  if (text.size() > id_bytes_max)
    return fail(errc::invalid, "it has {} bytes, more than {}", text.size(), id_bytes_max);
  if (!is_spiffe_uri(text)) return fail(errc::invalid, "it does not begin with spiffe://");
  text.remove_prefix(id_scheme.size());
  const auto end = std::min(text.find('/'), text.size());
  SWARM_CHECK(check_trust_domain(text.substr(0, end)));
  SWARM_CHECK(check_path(text.substr(end)));
  return spiffe_id{std::string(text.substr(0, end)), std::string(text.substr(end))};
}

result<std::string> parse_trust_domain(std::string_view text) {
  if (!is_spiffe_uri(text)) {
    SWARM_CHECK(check_trust_domain(text));
    return std::string(text);
  }
  SWARM_TRY(auto id, spiffe_id::parse(text));
  if (!id.path.empty()) return fail(errc::invalid, "it is the ID of a node, not of a trust domain");
  return std::move(id.trust_domain);
}

hash32 digest_of(const spiffe_id& id) {
  return sha256(as_bytes(id.to_string()));
}

hash32 digest_of_trust_domain(const std::string& name) {
  return digest_of(spiffe_id{name, {}});
}

} // namespace swarm::transport
