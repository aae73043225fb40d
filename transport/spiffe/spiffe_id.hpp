#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace swarm::transport {

/// A SPIFFE ID, "spiffe://trust-domain/path". Source: SPIFFE-ID.md of the SPIFFE standards, sections 2.1 to 2.4.
struct spiffe_id {
  std::string trust_domain; ///< lower case letters, digits, '.', '-' and '_'
  std::string path;         ///< begins with '/'; empty: it stands for the trust domain itself

  /// Takes nothing but the form of the standard; the error says what is wrong with it.
  static result<spiffe_id> parse(std::string_view text);
  std::string to_string() const { return "spiffe://" + trust_domain + path; }
  bool operator==(const spiffe_id&) const = default;
};

/// A trust domain, given as its name or as its SPIFFE ID; fails for the ID of a node.
result<std::string> parse_trust_domain(std::string_view text);
/// Whether this is meant to be a SPIFFE ID, right or wrong.
bool is_spiffe_uri(std::string_view text);

/// What stands for a node on the chain in place of the fingerprint of its certificate, which lives for hours only.
hash32 digest_of(const spiffe_id& id);
/// What stands for the organisation of a trust domain, in place of the fingerprint of a CA certificate.
hash32 digest_of_trust_domain(const std::string& name);

} // namespace swarm::transport
