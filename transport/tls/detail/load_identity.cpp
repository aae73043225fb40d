#include "transport/tls/detail/load_identity.hpp"

#include "base/clock.hpp"
#include "transport/identity/detail/read_certificate.hpp"
#include "transport/spiffe/detail/bundles.hpp"
#include "transport/tls/detail/pem_files.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <set>

namespace swarm::transport {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t ending_soon_seconds = 3 * 24 * 3600;

/// Everything that the files hold, before it is checked together.
struct loaded_files {
  x509_ptr leaf;
  std::vector<x509_ptr> chain;
  pkey_ptr key;
  store_ptr store{X509_STORE_new()};
  std::size_t trusted_count = 0;
  std::uint64_t crls_due = std::numeric_limits<std::uint64_t>::max(); ///< when the first CRL will be too old
  std::vector<std::string> warnings;
};

/// Whether one of these certificates has signed the list.
bool is_signed_by_one(X509_CRL* list, const std::vector<x509_ptr>& certificates) {
  const bool found = std::any_of(certificates.begin(), certificates.end(), [&](const x509_ptr& each) {
    return X509_NAME_cmp(X509_get_subject_name(each.get()), X509_CRL_get_issuer(list)) == 0
           && X509_CRL_verify(list, X509_get0_pubkey(each.get())) == 1;
  });
  ERR_clear_error();
  return found;
}

result<> add_crl(X509_CRL* list, const std::vector<x509_ptr>& trusted, loaded_files& into) {
  const auto issuer = name_text(X509_CRL_get_issuer(list));
  if (X509_STORE_add_crl(into.store.get(), list) != 1)
    return fail(tls_errc::rejected, "the CRL of {} is refused by OpenSSL: {}", issuer, openssl_reason());
  if (!is_signed_by_one(list, trusted))
    into.warnings.push_back(
        fmt::format("the CRL of {} is signed by none of the trusted certificates; it counts only "
                    "for chains through the certificate that has signed it",
                    issuer));
  const auto* next = X509_CRL_get0_nextUpdate(list);
  if (!next) return {};
  if (const auto due = seconds_of(next); due > unix_seconds())
    into.crls_due = std::min(into.crls_due, due);
  else
    into.warnings.push_back(
        fmt::format("the CRL of {} should have been replaced by {}; what it revokes stays "
                    "revoked, but newer revocations may be missing",
                    issuer, time_text(next)));
  return {};
}

result<> load_trusted(const tls_files& files, loaded_files& into) {
  if (files.cacert.empty() && files.capath.empty())
    return fail(tls_errc::no_ca,
                "no CA given: name the CA certificates to trust with --cacert FILE or --capath FOLDER");
  trusted_files trusted;
  if (!files.cacert.empty()) {
    SWARM_TRY(trusted, read_trusted_file(files.cacert, "--cacert"));
  }
  if (!files.capath.empty()) {
    std::vector<std::string> passed_over;
    SWARM_TRY(auto found, read_trusted_folder(files.capath, "--capath", passed_over));
    std::move(found.certificates.begin(), found.certificates.end(), std::back_inserter(trusted.certificates));
    std::move(found.crls.begin(), found.crls.end(), std::back_inserter(trusted.crls));
    for (const auto& name : passed_over)
      into.warnings.push_back(fmt::format("--capath: {}: holds neither certificate nor CRL, passed over",
                                          (files.capath / name).string()));
  }
  std::set<hash32> seen;
  for (const auto& one : trusted.certificates) {
    if (!seen.insert(certificate_fingerprint(one.get())).second) continue;
    if (X509_STORE_add_cert(into.store.get(), one.get()) != 1)
      return fail(tls_errc::rejected, "the CA certificate {} is refused by OpenSSL: {}",
                  name_text(X509_get_subject_name(one.get())), openssl_reason());
  }
  into.trusted_count = seen.size();
  for (const auto& one : trusted.crls)
    SWARM_CHECK(add_crl(one.get(), trusted.certificates, into));
  return {};
}

void warn_of_readable_key(const fs::path& key, std::vector<std::string>& warnings) {
  struct stat info {};
  if (stat(key.c_str(), &info) != 0 || !(info.st_mode & (S_IRWXG | S_IRWXO))) return;
  warnings.push_back(fmt::format("--key: {}: others on this machine can use this private key (mode {:04o}); "
                                 "protect it with: chmod 600 {}",
                                 key.string(), info.st_mode & 07777, key.string()));
}

result<loaded_files> load_files(const tls_files& files) {
  loaded_files out;
  if (files.cert.empty())
    return fail(tls_errc::missing_file,
                "no certificate given: name this node's certificate with --cert FILE");
  if (files.key.empty())
    return fail(tls_errc::missing_file, "no private key given: name the key of {} with --key FILE",
                files.cert.string());
  SWARM_TRY(auto certificates, read_certificates(files.cert, "--cert"));
  out.leaf = std::move(certificates.front());
  for (std::size_t i = 1; i < certificates.size(); ++i)
    out.chain.push_back(std::move(certificates[i]));
  SWARM_TRY(out.key, read_private_key(files.key, "--key"));
  warn_of_readable_key(files.key, out.warnings);
  SWARM_CHECK(load_trusted(files, out));
  return out;
}

result<> check_dates(const tls_files& files, const X509* leaf) {
  const auto* begin = X509_get0_notBefore(leaf);
  const auto* end = X509_get0_notAfter(leaf);
  if (X509_cmp_current_time(end) < 0)
    return fail(tls_errc::expired, "--cert: {}: the certificate {} expired on {}; make a new one",
                files.cert.string(), name_text(X509_get_subject_name(leaf)), time_text(end));
  if (X509_cmp_current_time(begin) > 0)
    return fail(tls_errc::not_yet_valid,
                "--cert: {}: the certificate {} is not valid before {}; is this machine's clock right?",
                files.cert.string(), name_text(X509_get_subject_name(leaf)), time_text(begin));
  return {};
}

tls_errc code_of(int failure) {
  if (is_unknown_ca(failure)) return tls_errc::foreign_ca;
  switch (failure) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return tls_errc::expired;
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return tls_errc::not_yet_valid;
  case X509_V_ERR_INVALID_PURPOSE:
    return tls_errc::wrong_purpose;
  default:
    return tls_errc::rejected;
  }
}

error chain_error(const tls_files& files, const loaded_files& loaded, presented_by as,
                  const chain_verdict& verdict) {
  const auto code = code_of(verdict.failure);
  const auto subject = name_text(X509_get_subject_name(loaded.leaf.get()));
  if (code == tls_errc::foreign_ca)
    return fail(code,
                "--cert: {}: the certificate {} was issued by {}, which is not among the {} CA certificates "
                "of "
                "--cacert and --capath",
                files.cert.string(), subject, name_text(X509_get_issuer_name(loaded.leaf.get())),
                loaded.trusted_count)
        .value();
  if (code == tls_errc::wrong_purpose)
    return fail(code,
                "--cert: {}: the certificate {} may not be used by a TLS {}; a node is both, so its extended "
                "key "
                "usage must be absent or name serverAuth and clientAuth",
                files.cert.string(), subject, as == presented_by::server ? "server" : "client")
        .value();
  return fail(code, "--cert: {}: its chain has a certificate {}: {}", files.cert.string(),
              verify_failure_text(verdict.failure),
              verdict.at_fault ? name_text(X509_get_subject_name(verdict.at_fault.get())) : subject)
      .value();
}

/// What ends the use of a certificate but says nothing against what else the files hold.
bool is_end_of_use(int failure) {
  return failure == X509_V_ERR_CERT_HAS_EXPIRED || failure == X509_V_ERR_CERT_REVOKED;
}

/// Checks the node's own certificate as other nodes will, as a client's and as a server's. Returns its anchor. `before`
/// is what the node has used so far: when that certificate ends, this is no more than a warning, so that what others
/// may do still follows the files.
result<std::shared_ptr<const certificate_facts>> check_chain(const tls_files& files, loaded_files& loaded,
                                                             const tls_identity::state* before) {
  const stack_ptr between(sk_X509_new_null());
  for (const auto& one : loaded.chain)
    sk_X509_push(between.get(), one.get());
  chain_verdict verdict;
  for (const auto as : {presented_by::server, presented_by::client}) {
    verdict = verify_chain(loaded.leaf.get(), between.get(), loaded.store.get(), as);
    if (!verdict.failure) continue;
    auto why = chain_error(files, loaded, as, verdict);
    const bool known =
        before && before->certificate->fingerprint == certificate_fingerprint(loaded.leaf.get());
    if (!known || !is_end_of_use(verdict.failure)) return tl::unexpected(std::move(why));
    loaded.warnings.push_back(why.message + "; other nodes refuse it, make a new one");
    return before->anchor;
  }
  return std::make_shared<const certificate_facts>(facts_of(verdict.verified.back().get()));
}

} // namespace

result<std::shared_ptr<tls_identity::state>> make_state(const own_material& from) {
  SWARM_TRY(auto server, make_tls_context(true, from.leaf, from.chain, from.key, from.store));
  SWARM_TRY(auto client, make_tls_context(false, from.leaf, from.chain, from.key, from.store));
  auto made = std::make_shared<tls_identity::state>(std::move(server), std::move(client));
  made->certificate = std::make_shared<const certificate_facts>(facts_of_node(from.leaf, from.store));
  return made;
}

result<std::shared_ptr<const tls_identity::state>> load_identity(const tls_files& files,
                                                                 const tls_identity::state* before) {
  SWARM_TRY(auto loaded, load_files(files));
  auto* leaf = loaded.leaf.get();
  if (X509_check_private_key(leaf, loaded.key.get()) != 1) {
    ERR_clear_error();
    return fail(tls_errc::key_mismatch, "--key: {}: this key belongs to another certificate than {} ({})",
                files.key.string(), files.cert.string(), name_text(X509_get_subject_name(leaf)));
  }
  if (!before || before->certificate->fingerprint != certificate_fingerprint(leaf))
    SWARM_CHECK(check_dates(files, leaf));
  SWARM_TRY(auto anchor, check_chain(files, loaded, before));
  auto state = make_state({leaf, loaded.chain, loaded.key.get(), loaded.store.get()});
  if (!state) return fail_with(state.error(), "--cert: " + files.cert.string());
  auto& made = *state;
  made->anchor = std::move(anchor);
  made->crls_due = loaded.crls_due;
  made->trusted_count = loaded.trusted_count;
  made->verify_host = files.verify_host;
  made->warnings = std::move(loaded.warnings);
  if (made->certificate->not_after < unix_seconds() + ending_soon_seconds)
    made->warnings.push_back(fmt::format("--cert: {}: the certificate {} ends on {}", files.cert.string(),
                                         made->certificate->subject, time_text(X509_get0_notAfter(leaf))));
  return std::shared_ptr<const tls_identity::state>(std::move(made));
}

} // namespace swarm::transport
