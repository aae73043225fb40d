#pragma once
// Certificates by the rules of SPIFFE, in stores that have bundles. Included by .cpp files only.
#include "transport/identity/certificate_facts.hpp"
#include "transport/identity/detail/chain.hpp"
#include "transport/spiffe/spiffe_id.hpp"

#include <map>

namespace swarm::transport {

/// The authorities of each trust domain. They are never merged: each vouches for its own domain alone.
struct trust_bundles {
  std::map<std::string, certificate_chain> of;
};

/// Why a certificate is no SVID that a node could have, or is of a domain that is not trusted here; beside OpenSSL's
/// X509_V_ERR_....
enum svid_failure : int {
  svid_without_id = 0x10000,
  svid_with_several_ids,
  svid_with_wrong_id,
  svid_may_sign,
  svid_of_unknown_domain,
};
/// In words that fit behind "a certificate"; empty for other numbers.
std::string_view svid_failure_text(int failure);

/// What a certificate says by the rules for the SVIDs of nodes (X509-SVID.md, sections 2 to 5): exactly one URI, which is
/// a SPIFFE ID with a path, and no right to sign others.
struct svid_reading {
  int failure = 0; ///< a svid_failure; 0: it is one
  spiffe_id id;
};
svid_reading read_svid_of(X509* leaf);

/// From now on chains are verified with this store by the rules of SPIFFE, against the bundle of the domain that the
/// leaf names.
void set_bundles(X509_STORE* of, trust_bundles bundles);
/// Null: the store's chains are verified by X.509 alone.
const trust_bundles* bundles_of(X509_STORE* store);

/// X509_verify_cert, with the rules of SPIFFE where the store has bundles. Calls the context's callback as that does.
int verify_certificate(X509_STORE_CTX* ctx);

/// What a node's certificate, and the anchor that its chain ends at, say to those who verify with this store. For SVIDs
/// fingerprint, subject and URIs are those of the SPIFFE ID, and of its trust domain; there are no names of X.509.
certificate_facts facts_of_node(X509* leaf, X509_STORE* by);
certificate_facts facts_of_anchor(X509* anchor, X509* leaf, X509_STORE* by);
/// For people: the subject, or the SPIFFE ID where `by` has bundles and there is one.
std::string shown_name(X509* certificate, X509_STORE* by);

} // namespace swarm::transport
