#pragma once

#include "transport/identity/certificate_facts.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a certificate means: the organisation that it belongs to, and what a node that has it may be.
namespace swarm::members {

using transport::certificate_facts;

/// The numbers are those of the kinds of nodes on the chain.
enum class role : std::uint8_t { sn = 1, sl = 2, swop = 3, swci = 4 };
inline constexpr std::array all_roles{role::sn, role::sl, role::swop, role::swci};
/// "SN", "SL", "SWOP", "SWCI".
std::string_view to_string(role which);

class role_set {
public:
  role_set() = default;
  role_set(std::initializer_list<role> roles) {
    for (const auto each : roles)
      add(each);
  }
  void add(role which) { bits_.set(static_cast<std::size_t>(which)); }
  bool has(role which) const { return bits_.test(static_cast<std::size_t>(which)); }
  bool empty() const { return bits_.none(); }
  bool operator==(const role_set&) const = default;

private:
  std::bitset<5> bits_;
};
/// "SN", or "SN and SWCI".
std::string to_string(const role_set& roles);

/// What a certificate must say for a rule to count; whatever is given must fit. '*' in a text stands for any
/// characters. A certificate with several values of a kind fits when one of them does.
struct match {
  std::optional<hash32> anchor; ///< fingerprint of the trusted certificate
  std::vector<transport::name_part> issuer;
  std::vector<transport::name_part> subject;
  std::optional<std::string> dns;
  std::optional<std::string> uri;
  std::optional<std::string> ip;
  std::optional<std::string> email;
};

struct rule {
  match when;
  std::optional<std::string> organisation;
  std::optional<role_set> roles;
  std::size_t line = 0; ///< of the file
};

/// The rules of a --members file, in order: the first that matches counts. Without a file there are none.
struct member_rules {
  std::string file; ///< its name; empty: there is none
  std::vector<rule> rules;
};

/// Of the same certificate: what it says, and the anchor that its chain ends at.
struct proved {
  const certificate_facts& certificate;
  const certificate_facts& anchor;
};

/// What a node with this certificate may be: by the first rule that matches, or else by default. By default every
/// word of a CN that is a role, in any case and perhaps with a number ("SN-1", "sl2", "sn-swci-1"), is one that it
/// has; so is every part of the path of a SPIFFE ID ("spiffe://org/sn"). What names no role is an SL's.
role_set roles_of(const proved& who, const member_rules& rules);

/// The organisation for people: what the first matching rule says, or else the anchor's subject.
std::string organisation_of(const proved& who, const member_rules& rules);

/// Why a certificate may not be used for `wanted`, and what would let it in:
/// "the certificate CN=sl-1 of CN=CA-1 is an SL's and cannot be an SN's: ..."
std::string refusal(const proved& who, role wanted, const member_rules& rules);

} // namespace swarm::members
