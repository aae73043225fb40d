#include "transport/spiffe/detail/bundles.hpp"

#include "transport/identity/detail/read_certificate.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <vector>

namespace swarm::transport {

namespace {

constexpr std::size_t shown_bytes_max = 256;

using general_names = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

void free_bundles(void*, void* held, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<trust_bundles*>(held);
}

int bundles_index() {
  static const int index =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, nullptr, nullptr, nullptr, free_bundles);
  return index;
}

/// All URIs of its alternative names, whatever they are.
std::vector<std::string> uris_of(const X509* certificate) {
  std::vector<std::string> out;
  const general_names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* text = name->d.uniformResourceIdentifier;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  ERR_clear_error();
  return out;
}

bool may_sign(X509* certificate) {
  constexpr std::uint32_t unsaid = UINT32_MAX;
  const auto usage = X509_get_key_usage(certificate);
  return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0
         || (usage != unsaid && (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0);
}

/// As X509_verify_cert refuses: the callback hears of it.
int refuse(X509_STORE_CTX* ctx, X509* leaf, int failure) {
  X509_STORE_CTX_set_error(ctx, failure);
  X509_STORE_CTX_set_error_depth(ctx, 0);
  X509_STORE_CTX_set_current_cert(ctx, leaf);
  if (const auto callback = X509_STORE_CTX_get_verify_cb(ctx)) callback(0, ctx);
  return 0;
}

certificate_facts named(certificate_facts facts, const spiffe_id& id) {
  facts.fingerprint = digest_of(id);
  facts.subject = id.to_string();
  facts.subject_parts.clear();
  facts.uris = {facts.subject};
  facts.dns_names.clear();
  facts.ip_addresses.clear();
  facts.emails.clear();
  return facts;
}

} // namespace

std::string_view svid_failure_text(int failure) {
  switch (failure) {
  case svid_without_id:
    return "without a SPIFFE ID (one URI as alternative name)";
  case svid_with_several_ids:
    return "with several URIs, where one SPIFFE ID has to be";
  case svid_with_wrong_id:
    return "whose URI is not the SPIFFE ID of a node";
  case svid_may_sign:
    return "that may sign others (CA, keyCertSign or cRLSign), as no SVID of a node may";
  case svid_of_unknown_domain:
    return "of a trust domain whose bundle the SPIFFE agent does not give";
  default:
    return {};
  }
}

svid_reading read_svid_of(X509* leaf) {
  const auto uris = uris_of(leaf);
  if (uris.empty()) return {svid_without_id, {}};
  if (uris.size() > 1) return {svid_with_several_ids, {}};
  auto id = spiffe_id::parse(uris.front());
  if (!id || id->path.empty()) return {svid_with_wrong_id, {}};
  if (may_sign(leaf)) return {svid_may_sign, std::move(*id)};
  return {0, std::move(*id)};
}

void set_bundles(X509_STORE* of, trust_bundles bundles) {
  X509_STORE_set_ex_data(of, bundles_index(), new trust_bundles(std::move(bundles)));
}

const trust_bundles* bundles_of(X509_STORE* store) {
  return store ? static_cast<const trust_bundles*>(X509_STORE_get_ex_data(store, bundles_index())) : nullptr;
}

int verify_certificate(X509_STORE_CTX* ctx) {
  const auto* bundles = bundles_of(X509_STORE_CTX_get0_store(ctx));
  if (!bundles) return X509_verify_cert(ctx);
  auto* leaf = X509_STORE_CTX_get0_cert(ctx);
  const auto read = read_svid_of(leaf);
  if (read.failure != 0) return refuse(ctx, leaf, read.failure);
  const auto found = bundles->of.find(read.id.trust_domain);
  if (found == bundles->of.end()) return refuse(ctx, leaf, svid_of_unknown_domain);
  const stack_ptr trusted(sk_X509_new_null());
  for (const auto& each : found->second)
    sk_X509_push(trusted.get(), each.get());
  X509_STORE_CTX_set0_trusted_stack(ctx, trusted.get());
  const auto verdict = X509_verify_cert(ctx);
  X509_STORE_CTX_set0_trusted_stack(ctx, nullptr); // which ends with this function
  return verdict;
}

certificate_facts facts_of_node(X509* leaf, X509_STORE* by) {
  auto out = facts_of(leaf);
  if (!bundles_of(by)) return out;
  const auto read = read_svid_of(leaf);
  return read.failure != 0 ? out : named(std::move(out), read.id);
}

certificate_facts facts_of_anchor(X509* anchor, X509* leaf, X509_STORE* by) {
  auto out = facts_of(anchor);
  if (!bundles_of(by)) return out;
  const auto read = read_svid_of(leaf);
  return read.failure != 0 ? out : named(std::move(out), {read.id.trust_domain, {}});
}

std::string shown_name(X509* certificate, X509_STORE* by) {
  if (!bundles_of(by)) return name_text(X509_get_subject_name(certificate));
  std::string out;
  for (const auto& uri : uris_of(certificate))
    for (const char c : (out.empty() ? "" : ", ") + uri) {
      if (out.size() == shown_bytes_max) return out + "...";
      out += c >= 0x20 && c < 0x7f ? c : '?';
    }
  return out.empty() ? name_text(X509_get_subject_name(certificate)) : out;
}

} // namespace swarm::transport
