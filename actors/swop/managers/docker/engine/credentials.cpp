// What a registry wants to know, as engines take it.
#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <array>

namespace swarm::engine {

using namespace detail;

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view docker_own = "https://index.docker.io/v1/";

std::string base64url(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const auto part = text.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= part.size() ? letters[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

/// Of either alphabet. What is none is left out.
std::string from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
    const auto value = letters.find(c);
    if (value == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

/// The key of an image's registry in config.json.
std::string registry_of(const std::string& image) {
  const auto slash = image.find('/');
  if (slash == std::string::npos) return std::string(docker_own);
  const auto first = image.substr(0, slash);
  if (first == "docker.io") return std::string(docker_own);
  return first.find_first_of(".:") != std::string::npos || first == "localhost" ? first
                                                                                : std::string(docker_own);
}

/// "https://host:port/v1/" is the host's entry as well.
std::string_view host_of(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  return key.substr(0, key.find('/'));
}

} // namespace

std::string registry_host(const std::string& image) {
  auto out = registry_of(image);
  return out == docker_own ? "docker.io" : out;
}

std::string registry_credentials(const std::string& user, const std::string& password,
                                 const std::string& registry) {
  return base64url(
      json::serialize(json::object{{"username", user}, {"password", password}, {"serveraddress", registry}}));
}

result<std::string> registry_credentials_in(std::string_view config_json, const std::string& image) {
  boost::system::error_code failure;
  const auto value = json::parse(config_json, failure);
  if (failure || !value.is_object()) return fail(errc::invalid, "is not JSON, as docker's config.json is");
  const auto registry = registry_of(image);
  for (const auto& [key, entry] : object_at(value.get_object(), "auths")) {
    if (!entry.is_object() || (key != registry && host_of(key) != host_of(registry))) continue;
    const auto& from = entry.get_object();
    if (auto token = text_at(from, "identitytoken"); !token.empty())
      return base64url(json::serialize(json::object{{"identitytoken", token}, {"serveraddress", registry}}));
    const auto pair = from_base64(text_at(from, "auth"));
    const auto colon = pair.find(':');
    if (colon != std::string::npos)
      return registry_credentials(pair.substr(0, colon), pair.substr(colon + 1), registry);
    if (!text_at(from, "username").empty())
      return registry_credentials(text_at(from, "username"), text_at(from, "password"), registry);
  }
  return std::string();
}

} // namespace swarm::engine
