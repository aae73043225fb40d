#include "actors/swop/lines/readers.hpp"

#include <cctype>
#include <set>

namespace swarm::swop {

namespace {

/// The words of a common name that are roles: "SWCI-1" and "swci.hospital.example" name SWCI.
std::set<std::string> roles_in(std::string_view common_name) {
  static const std::set<std::string> roles{"sn", "sl", "swop", "swci"};
  std::set<std::string> out;
  std::string word;
  const auto take = [&] {
    if (roles.contains(word)) out.insert(word);
    word.clear();
  };
  for (const char c : common_name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalpha(letter) == 0)
      take();
    else
      word += static_cast<char>(std::tolower(letter));
  }
  take();
  return out;
}

} // namespace

std::optional<lines_refusal> refusal_of(const transport::peer_info& client,
                                        const transport::tls_identity& self) {
  if (!client.has_proof() || !self.shares_anchor(client.anchor)) return lines_refusal::other_organisation;
  const auto roles = roles_in(client.common_name);
  if (!roles.empty() && !roles.contains("swci")) return lines_refusal::no_swci;
  return std::nullopt;
}

} // namespace swarm::swop
