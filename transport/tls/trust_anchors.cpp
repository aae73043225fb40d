#include "transport/tls/trust_anchors.hpp"

#include "base/utf8.hpp"
#include "transport/spiffe/agent_link.hpp"
#include "transport/tls/detail/pem_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace swarm::transport {

namespace {

/// The last part of this kind; empty when there is none that is UTF-8.
std::string last_part(const X509_NAME* name, int kind) {
  int at = -1;
  for (int next = at; (next = X509_NAME_get_index_by_NID(name, kind, next)) >= 0;)
    at = next;
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const auto length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (length < 0) return {};
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return is_utf8(out) ? out : std::string{};
}

hash32 key_digest(const X509* certificate) {
  hash32 out;
  unsigned int size = 0;
  X509_pubkey_digest(certificate, EVP_sha256(), out.data(), &size);
  return out;
}

std::string pem_of(X509* certificate) {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (PEM_write_bio_X509(out.get(), certificate) != 1) return {};
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::vector<trust_anchor> anchors_of(const std::vector<x509_ptr>& certificates) {
  std::vector<trust_anchor> out;
  for (const auto& one : certificates) {
    const auto* subject = X509_get_subject_name(one.get());
    out.push_back({certificate_fingerprint(one.get()), key_digest(one.get()), name_text(subject),
                   last_part(subject, NID_organizationName), last_part(subject, NID_commonName),
                   pem_of(one.get()), seconds_of(X509_get0_notAfter(one.get()))});
  }
  const auto order = [](const trust_anchor& a, const trust_anchor& b) {
    return a.fingerprint < b.fingerprint;
  };
  const auto same = [](const trust_anchor& a, const trust_anchor& b) {
    return a.fingerprint == b.fingerprint;
  };
  std::sort(out.begin(), out.end(), order);
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

result<std::vector<x509_ptr>> read_trusted(const tls_files& files) {
  std::vector<x509_ptr> out;
  if (!files.cacert.empty()) {
    SWARM_TRY(auto named, read_trusted_file(files.cacert, "--cacert"));
    out = std::move(named.certificates);
  }
  if (files.capath.empty()) return out;
  std::vector<std::string> passed_over;
  SWARM_TRY(auto found, read_trusted_folder(files.capath, "--capath", passed_over));
  for (auto& one : found.certificates)
    out.push_back(std::move(one));
  return out;
}

/// A trust domain as an anchor. What its bundle has is for people: whoever verifies takes it from his own agent.
trust_anchor anchor_of(const std::string& domain, bytes_view bundle) {
  trust_anchor out;
  out.fingerprint = digest_of_trust_domain(domain);
  out.public_key = out.fingerprint;
  out.subject = spiffe_id{domain, {}}.to_string();
  out.organisation = domain;
  const auto* at = bundle.data();
  const auto* end = at + bundle.size();
  while (at != end) {
    const x509_ptr one(d2i_X509(nullptr, &at, end - at));
    if (!one) break;
    out.pem += pem_of(one.get());
    out.not_after = std::max(out.not_after, seconds_of(X509_get0_notAfter(one.get())));
  }
  ERR_clear_error();
  return out;
}

std::vector<trust_anchor> anchors_of(const x509_svids& from) {
  auto bundles = from.federated;
  const auto& own = from.all.front();
  bundles[own.id.trust_domain] = own.bundle;
  std::vector<trust_anchor> out;
  for (const auto& [domain, bundle] : bundles)
    out.push_back(anchor_of(domain, bundle));
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.fingerprint < b.fingerprint; });
  return out;
}

} // namespace

result<std::vector<trust_anchor>> read_trust_anchors(const tls_files& files) {
  if (!files.agent.empty()) {
    SWARM_TRY(const auto svids, svids_of(files.agent));
    return anchors_of(svids);
  }
  SWARM_TRY(const auto certificates, read_trusted(files));
  return anchors_of(certificates);
}

result<std::vector<trust_anchor>> read_anchor_file(const std::filesystem::path& file, std::string_view what) {
  SWARM_TRY(const auto certificates, read_certificates(file, what));
  return anchors_of(certificates);
}

bool names_trust_domain(std::string_view text) {
  return is_spiffe_uri(text);
}

result<std::vector<hash32>> anchors_named(const std::string& file_or_domain, std::string_view what) {
  if (names_trust_domain(file_or_domain)) {
    auto domain = parse_trust_domain(file_or_domain);
    if (!domain)
      return fail(errc::invalid, "{}: '{}' is no trust domain: {}", what, file_or_domain,
                  domain.error().message);
    return std::vector{digest_of_trust_domain(*domain)};
  }
  SWARM_TRY(const auto anchors, read_anchor_file(file_or_domain, what));
  std::vector<hash32> out;
  for (const auto& one : anchors)
    out.push_back(one.fingerprint);
  return out;
}

result<hash32> own_anchor(const tls_files& files) {
  if (!files.agent.empty()) {
    SWARM_TRY(const auto svids, svids_of(files.agent));
    return digest_of_trust_domain(svids.all.front().id.trust_domain);
  }
  SWARM_TRY(const auto own, read_certificates(files.cert, "--cert"));
  SWARM_TRY(const auto trusted, read_trusted(files));
  const store_ptr store(X509_STORE_new());
  for (const auto& one : trusted)
    X509_STORE_add_cert(store.get(), one.get());
  std::unique_ptr<STACK_OF(X509), freed_by<[](STACK_OF(X509) * s) { sk_X509_free(s); }>> between(
      sk_X509_new_null());
  for (std::size_t i = 1; i < own.size(); ++i)
    sk_X509_push(between.get(), own[i].get());
  const store_ctx_ptr ctx(X509_STORE_CTX_new());
  X509_STORE_CTX_init(ctx.get(), store.get(), own.front().get(), between.get());
  X509_STORE_CTX_set_flags(ctx.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const bool holds = X509_verify_cert(ctx.get()) == 1;
  ERR_clear_error();
  const auto* chain = X509_STORE_CTX_get0_chain(ctx.get());
  if (!holds || sk_X509_num(chain) < 1)
    return fail(tls_errc::foreign_ca, "--cert: {}: its chain does not lead to a trusted CA certificate",
                files.cert.string());
  return certificate_fingerprint(sk_X509_value(chain, sk_X509_num(chain) - 1));
}

} // namespace swarm::transport
