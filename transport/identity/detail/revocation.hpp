#pragma once
// Certificates that their authority took back. Included by .cpp files only.
#include "transport/tls/detail/openssl.hpp"

namespace swarm::transport {

using crl_ptr = std::unique_ptr<X509_CRL, freed_by<X509_CRL_free>>;

/// To be called by a verify callback at the node's own certificate, when the chain in `ctx` is complete: whether a CRL
/// in its store revokes a certificate of the chain. If so, `ctx` says which, and X509_V_ERR_CERT_REVOKED.
///
/// A CRL counts for the certificates whose issuer has signed it. No authority needs one; one that is past its next
/// update still counts, since what it revokes stays revoked and its authority must not be cut off by a late file. A
/// certificate is revoked when any CRL of its issuer lists it, so an old file that is left behind revokes no less.
bool is_revoked(X509_STORE_CTX* ctx);

} // namespace swarm::transport
