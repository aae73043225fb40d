#include "transport/identity/detail/chain.hpp"

#include "transport/identity/detail/revocation.hpp"
#include "transport/spiffe/detail/bundles.hpp"

#include <openssl/err.h>

namespace swarm::transport {

namespace {

x509_ptr shared(X509* certificate) {
  if (certificate) X509_up_ref(certificate);
  return x509_ptr(certificate);
}

int refuse_revoked(int ok, X509_STORE_CTX* ctx) {
  return ok && X509_STORE_CTX_get_error_depth(ctx) == 0 && is_revoked(ctx) ? 0 : ok;
}

chain_verdict verify(X509* leaf, STACK_OF(X509) * sent_along, X509_STORE* store, presented_by as,
                     unsigned long more_flags) {
  const store_ctx_ptr ctx(X509_STORE_CTX_new());
  X509_STORE_CTX_init(ctx.get(), store, leaf, sent_along);
  X509_STORE_CTX_set_default(ctx.get(), as == presented_by::server ? "ssl_server" : "ssl_client");
  X509_STORE_CTX_set_flags(ctx.get(), X509_V_FLAG_PARTIAL_CHAIN | more_flags);
  X509_STORE_CTX_set_verify_cb(ctx.get(), refuse_revoked);
  chain_verdict out;
  if (verify_certificate(ctx.get()) == 1) {
    out.verified = chain_of(X509_STORE_CTX_get0_chain(ctx.get()));
    return out;
  }
  ERR_clear_error();
  out.failure = X509_STORE_CTX_get_error(ctx.get());
  if (out.failure == X509_V_OK) out.failure = X509_V_ERR_UNSPECIFIED;
  out.at_fault = shared(X509_STORE_CTX_get_current_cert(ctx.get()));
  return out;
}

} // namespace

certificate_chain chain_of(const STACK_OF(X509) * stack) {
  certificate_chain out;
  for (int i = 0; stack && i < sk_X509_num(stack); ++i)
    out.push_back(shared(sk_X509_value(stack, i)));
  return out;
}

chain_verdict verify_chain(X509* leaf, STACK_OF(X509) * sent_along, X509_STORE* store, presented_by as) {
  return verify(leaf, sent_along, store, as, 0);
}

chain_verdict verify_again(const certificate_chain& chain, X509_STORE* store, presented_by as) {
  const stack_ptr between(sk_X509_new_null());
  for (std::size_t i = 1; i + 1 < chain.size(); ++i)
    sk_X509_push(between.get(), chain[i].get());
  return verify(chain.front().get(), between.get(), store, as,
                bundles_of(store) ? X509_V_FLAG_NO_CHECK_TIME : 0);
}

} // namespace swarm::transport
