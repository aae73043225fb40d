#pragma once

#include "transport/tls/tls_identity.hpp"

namespace swarm::transport {

/// What tells one trusted CA certificate, and one authority, from another.
struct trust_anchor {
  hash32 fingerprint; ///< SHA-256 of the DER form
  hash32 public_key;  ///< SHA-256 of its DER form
  std::string subject;
  std::string organisation;    ///< the last O of the subject, UTF-8; empty if there is none
  std::string common_name;     ///< likewise the last CN
  std::string pem;             ///< the certificate
  std::uint64_t not_after = 0; ///< seconds since 1970
};

/// The certificates of `cacert` and `capath`, each once, in the order of their fingerprints. With a SPIFFE agent one
/// for each trust domain: its digest in place of the fingerprint, its name as organisation, its bundle as PEM. Errors
/// are those of `tls_identity::load`.
result<std::vector<trust_anchor>> read_trust_anchors(const tls_files& files);
/// The certificates of one PEM file, each once, in the order of their fingerprints; at least one. `what` names the
/// file's purpose in errors, which carry a `tls_errc`.
result<std::vector<trust_anchor>> read_anchor_file(const std::filesystem::path& file, std::string_view what);

/// Whether the text names a trust domain, "spiffe://hospital-a.example", and no file.
bool names_trust_domain(std::string_view text);
/// The anchors that stand for an organisation on the chain: those of a PEM file, or of the trust domain that is named.
result<std::vector<hash32>> anchors_named(const std::string& file_or_domain, std::string_view what);

/// The fingerprint of the anchor that the chain of the node's own certificate ends at, or the digest of its trust domain.
result<hash32> own_anchor(const tls_files& files);

} // namespace swarm::transport
