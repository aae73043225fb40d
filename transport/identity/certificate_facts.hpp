#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::transport {

/// One part of a distinguished name. `type` is its short name ("CN", "O") or, without one, its number ("1.2.3.4").
struct name_part {
  std::string type;
  std::string value;
  bool operator==(const name_part&) const = default;
};

/// What an X.509 certificate says, in plain words. Whether it is true depends on who signed it: a connection reports
/// only certificates whose chain it has verified. Values with control characters are left out, as nobody who reads
/// them in a log or compares them with a rule can be sure what they mean.
struct certificate_facts {
  hash32 fingerprint;                   ///< SHA-256 of the DER form
  std::string subject;                  ///< for people: "OU=Swarm-Learning, CN=SN-1"
  std::string issuer;                   ///< likewise; other authorities may use the same name
  std::vector<name_part> subject_parts; ///< in the order of the certificate
  std::vector<name_part> issuer_parts;
  std::vector<std::string> dns_names; ///< this and the next three are the subjectAltName
  std::vector<std::string> uris;
  std::vector<std::string> ip_addresses; ///< as text, IPv6 in its short form
  std::vector<std::string> emails;
  std::uint64_t not_before = 0; ///< seconds since 1970
  std::uint64_t not_after = 0;
  std::string serial; ///< hexadecimal, without leading zeros
};

/// The values of all parts of this type, in order.
std::vector<std::string_view> values_of(const std::vector<name_part>& name, std::string_view type);

} // namespace swarm::transport
