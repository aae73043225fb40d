// What a SPIFFE agent gives, checked as other nodes will check it.
#include "base/clock.hpp"
#include "transport/identity/detail/revocation.hpp"
#include "transport/spiffe/detail/bundles.hpp"
#include "transport/tls/detail/load_identity.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <limits>

namespace swarm::transport {

namespace {

constexpr std::size_t chain_certificates_max = 8;
constexpr std::size_t bundle_certificates_max = 256;

/// Certificates in DER, one after the other; `what` names them.
result<certificate_chain> certificates_in(bytes_view der, std::size_t most, std::string_view what) {
  certificate_chain out;
  const auto* at = der.data();
  const auto* end = der.data() + der.size();
  while (at != end) {
    x509_ptr one(d2i_X509(nullptr, &at, end - at));
    if (!one)
      return fail(tls_errc::bad_svid, "certificate {} of {} is damaged: {}", out.size() + 1, what,
                  openssl_reason());
    if (out.size() == most) return fail(tls_errc::bad_svid, "{} has more than {} certificates", what, most);
    out.push_back(std::move(one));
  }
  return out;
}

result<> add_bundle(const std::string& domain, bytes_view der, trust_bundles& to) {
  SWARM_TRY(to.of[domain], certificates_in(der, bundle_certificates_max, "the bundle of spiffe://" + domain));
  if (to.of[domain].empty()) to.of.erase(domain);
  return {};
}

result<> add_crls(const std::vector<bytes>& all, X509_STORE* to) {
  for (const auto& der : all) {
    const auto* at = der.data();
    const crl_ptr one(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    if (!one || X509_STORE_add_crl(to, one.get()) != 1)
      return fail(tls_errc::bad_svid, "a CRL is damaged: {}", openssl_reason());
  }
  return {};
}

/// A store with the bundles. What is in it beside them only tells clients which certificates are welcome.
result<store_ptr> store_of(const x509_svids& from, std::size_t& trusted_count) {
  trust_bundles bundles;
  for (const auto& [domain, der] : from.federated)
    SWARM_CHECK(add_bundle(domain, der, bundles));
  const auto& own = from.all.front();
  SWARM_CHECK(add_bundle(own.id.trust_domain, own.bundle, bundles));
  store_ptr store(X509_STORE_new());
  for (const auto& [domain, authorities] : bundles.of)
    for (const auto& each : authorities) {
      X509_STORE_add_cert(store.get(), each.get());
      ++trusted_count;
    }
  ERR_clear_error();
  SWARM_CHECK(add_crls(from.crls, store.get()));
  set_bundles(store.get(), std::move(bundles));
  return store;
}

tls_errc code_of_svid(int failure) {
  if (failure == X509_V_ERR_CERT_HAS_EXPIRED) return tls_errc::expired;
  if (failure == X509_V_ERR_CERT_NOT_YET_VALID) return tls_errc::not_yet_valid;
  return tls_errc::bad_svid;
}

/// Whether it is an SVID of the ID that the agent names, and holds. Returns what its anchor says.
result<std::shared_ptr<const certificate_facts>> check_svid(const spiffe_id& id, const certificate_chain& own,
                                                            X509_STORE* store, bool known) {
  auto* leaf = own.front().get();
  if (const auto read = read_svid_of(leaf); read.failure != 0)
    return fail(tls_errc::bad_svid, "the SVID {} is a certificate {}", id.to_string(),
                svid_failure_text(read.failure));
  else if (read.id != id)
    return fail(tls_errc::bad_svid, "the SVID {} is a certificate of {}", id.to_string(),
                read.id.to_string());
  const stack_ptr between(sk_X509_new_null());
  for (std::size_t i = 1; i < own.size(); ++i)
    sk_X509_push(between.get(), own[i].get());
  chain_verdict verdict;
  for (const auto as : {presented_by::server, presented_by::client}) {
    verdict = verify_chain(leaf, between.get(), store, as);
    if (!verdict.failure) continue;
    if (known && verdict.failure == X509_V_ERR_CERT_HAS_EXPIRED) return nullptr;
    const auto* at_fault = verdict.at_fault ? verdict.at_fault.get() : leaf;
    const auto when = verdict.failure == X509_V_ERR_CERT_HAS_EXPIRED
                          ? fmt::format(" (ended {})", time_text(X509_get0_notAfter(at_fault)))
                          : std::string();
    return fail(code_of_svid(verdict.failure), "the SVID {} has in its chain a certificate {}{}",
                id.to_string(), verify_failure_text(verdict.failure), when);
  }
  return std::make_shared<const certificate_facts>(
      facts_of_anchor(verdict.verified.back().get(), leaf, store));
}

} // namespace

result<std::shared_ptr<const tls_identity::state>> load_svids(const x509_svids& from,
                                                              const tls_identity::state* before) {
  const auto& own = from.all.front();
  const auto name = own.id.to_string();
  SWARM_TRY(auto certificates, certificates_in(own.certificates, chain_certificates_max, "the SVID " + name));
  const auto* at = own.key.data();
  const pkey_ptr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(own.key.size())));
  if (!key)
    return fail(tls_errc::bad_svid, "the private key of the SVID {} is damaged: {}", name, openssl_reason());
  auto* leaf = certificates.front().get();
  if (X509_check_private_key(leaf, key.get()) != 1) {
    ERR_clear_error();
    return fail(tls_errc::key_mismatch, "the private key of the SVID {} belongs to another certificate",
                name);
  }
  std::size_t trusted_count = 0;
  SWARM_TRY(const auto store, store_of(from, trusted_count));
  const auto facts = facts_of_node(leaf, store.get());
  const bool known = before && before->certificate->fingerprint == facts.fingerprint
                     && before->certificate->serial == facts.serial;
  SWARM_TRY(auto anchor, check_svid(own.id, certificates, store.get(), known));
  certificate_chain between;
  std::move(certificates.begin() + 1, certificates.end(), std::back_inserter(between));
  SWARM_TRY(auto made, make_state({leaf, between, key.get(), store.get()}));
  made->anchor = anchor ? std::move(anchor) : before->anchor;
  made->trusted_count = trusted_count;
  made->crls_due = std::numeric_limits<std::uint64_t>::max();
  return std::shared_ptr<const tls_identity::state>(std::move(made));
}

} // namespace swarm::transport
