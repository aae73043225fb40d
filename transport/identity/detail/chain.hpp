#pragma once
// Chains of certificates from a node's own up to the anchor. Included by .cpp files only.
#include "transport/tls/detail/openssl.hpp"

#include <vector>

namespace swarm::transport {

/// A chain as it was verified: the node's own certificate first, the trust anchor last.
using certificate_chain = std::vector<x509_ptr>;

/// A list of certificates that belong to others.
struct stack_free {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using stack_ptr = std::unique_ptr<STACK_OF(X509), stack_free>;

/// In which part of a connection a certificate is presented; its extended key usage must allow that.
enum class presented_by { client, server };

struct chain_verdict {
  int failure = 0;            ///< X509_V_ERR_..., 0 when the chain holds
  x509_ptr at_fault;          ///< the certificate that the failure is about
  certificate_chain verified; ///< when it holds
};

/// Verifies `leaf` as a handshake does: dates, signatures, usage and revocation (revocation.hpp), and by the rules of
/// SPIFFE where `store` has bundles (spiffe/detail/bundles.hpp).
/// `sent_along` are the certificates that may stand between it and an anchor of `store`; it may be null.
chain_verdict verify_chain(X509* leaf, STACK_OF(X509) * sent_along, X509_STORE* store, presented_by as);
/// The same for a chain that held before: what has changed since then may break it. SVIDs live for hours or minutes, and
/// what was begun with one goes on when it has ended: of them dates do not count.
chain_verdict verify_again(const certificate_chain& chain, X509_STORE* store, presented_by as);

/// Copies of the references in a stack; it may be null.
certificate_chain chain_of(const STACK_OF(X509) * stack);

} // namespace swarm::transport
