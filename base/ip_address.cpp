#include "base/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

namespace swarm {

std::optional<std::vector<std::uint8_t>> parse_ip(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  const bool is_six = text.find(':') != std::string_view::npos;
  std::vector<std::uint8_t> out(is_six ? sizeof(in6_addr) : sizeof(in_addr));
  if (::inet_pton(is_six ? AF_INET6 : AF_INET, copy.c_str(), out.data()) != 1) return std::nullopt;
  return out;
}

} // namespace swarm
