#include "transport/identity/detail/revocation.hpp"

#include <openssl/err.h>

namespace swarm::transport {

namespace {

using crl_stack =
    std::unique_ptr<STACK_OF(X509_CRL),
                    freed_by<[](STACK_OF(X509_CRL) * s) { sk_X509_CRL_pop_free(s, X509_CRL_free); }>>;

constexpr int listed = 1; ///< what X509_CRL_get0_by_cert answers; 2 means that the entry lifts an earlier one

bool revokes(X509_CRL* list, const X509* issuer, X509* certificate) {
  X509_REVOKED* entry = nullptr;
  if (X509_CRL_get0_by_cert(list, &entry, certificate) != listed) return false;
  const bool genuine = X509_CRL_verify(list, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return genuine;
}

} // namespace

bool is_revoked(X509_STORE_CTX* ctx) {
  auto* chain = X509_STORE_CTX_get0_chain(ctx);
  for (int i = 0; i + 1 < sk_X509_num(chain); ++i) {
    auto* certificate = sk_X509_value(chain, i);
    const crl_stack lists(X509_STORE_CTX_get1_crls(ctx, X509_get_issuer_name(certificate)));
    for (int k = 0; lists && k < sk_X509_CRL_num(lists.get()); ++k) {
      if (!revokes(sk_X509_CRL_value(lists.get(), k), sk_X509_value(chain, i + 1), certificate)) continue;
      X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REVOKED);
      X509_STORE_CTX_set_current_cert(ctx, certificate);
      return true;
    }
  }
  return false;
}

} // namespace swarm::transport
