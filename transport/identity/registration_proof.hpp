#pragma once

#include "transport/identity/registration_claim.hpp"
#include "transport/tls/tls_identity.hpp"

namespace swarm::transport {

/// No proof is longer. A certificate of the usual size with two intermediates takes a third of it.
inline constexpr std::size_t registration_proof_bytes_max = 16384;
/// A node's own certificate and those between it and its anchor.
inline constexpr std::size_t registration_proof_certificates_max = 4;

/// Why a proof proves nothing.
enum class proof_errc {
  malformed = 1,     ///< it has not the form of a proof, or is too long
  other_certificate, ///< the claim names another certificate, or another end of it
  not_trusted, ///< no chain from the certificate to an anchor that is trusted here, or one that has expired
  revoked,     ///< its authority took the certificate back
  wrong_signature, ///< the owner of the certificate's key did not make this claim for this chain
};
constexpr std::string_view error_category(proof_errc) {
  return "registration proof";
}

/// Proves that the owner of this identity's key makes the claim, whose identity and expiry are filled in: the
/// certificate and its chain, and a signature by its key. Fails for keys of which no signature is known here.
result<proved_claim> prove_registration(const tls_identity& own, const registration_chain& chain,
                                        registration_claim claim);

/// Whose a proved certificate is.
struct proved_certificate {
  certificate_facts certificate;
  certificate_facts anchor;
};

/// Checks a proof by what `own` trusts now, as a handshake would. Role and organisation are the caller's to judge:
/// anybody can sign any claim about his own certificate.
result<proved_certificate> check_registration(bytes_view proof, const registration_chain& chain,
                                              const registration_claim& claim, const tls_identity& own);

} // namespace swarm::transport
