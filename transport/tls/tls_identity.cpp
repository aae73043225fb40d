#include "transport/tls/tls_identity.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "transport/tls/detail/pem_files.hpp"
#include "transport/tls/detail/tls_handshake.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <ctime>
#include <set>

namespace swarm::transport {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view log_source = "swarm.tls";
constexpr std::uint64_t ending_soon_seconds = 3 * 24 * 3600;

/// Everything that the files hold, before it is checked together.
struct loaded_files {
  x509_ptr leaf;
  std::vector<x509_ptr> chain;
  pkey_ptr key;
  store_ptr store{X509_STORE_new()};
  std::size_t trusted_count = 0;
  std::vector<std::string> warnings;
};

result<> load_trusted(const tls_files& files, loaded_files& into) {
  if (files.cacert.empty() && files.capath.empty())
    return fail(tls_errc::no_ca,
                "no CA given: name the CA certificates to trust with --cacert FILE or --capath FOLDER");
  std::vector<x509_ptr> trusted;
  if (!files.cacert.empty()) {
    SWARM_TRY(trusted, read_certificates(files.cacert, "--cacert"));
  }
  if (!files.capath.empty()) {
    std::vector<std::string> passed_over;
    SWARM_TRY(auto found, read_certificate_folder(files.capath, "--capath", passed_over));
    for (auto& one : found)
      trusted.push_back(std::move(one));
    for (const auto& name : passed_over)
      into.warnings.push_back(
          fmt::format("--capath: {}: holds no certificate, passed over", (files.capath / name).string()));
  }
  std::set<hash32> seen;
  for (const auto& one : trusted) {
    if (!seen.insert(certificate_fingerprint(one.get())).second) continue;
    if (X509_STORE_add_cert(into.store.get(), one.get()) != 1)
      return fail(tls_errc::rejected, "the CA certificate {} is refused by OpenSSL: {}",
                  name_text(X509_get_subject_name(one.get())), openssl_reason());
  }
  into.trusted_count = seen.size();
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

/// Checks the node's own certificate as other nodes will, as a client's and as a server's. Gives the fingerprint of the
/// trusted certificate that its chain leads to.
result<hash32> check_chain(const tls_files& files, const loaded_files& loaded) {
  std::unique_ptr<STACK_OF(X509), freed_by<[](STACK_OF(X509) * s) { sk_X509_free(s); }>> untrusted(
      sk_X509_new_null());
  for (const auto& one : loaded.chain)
    sk_X509_push(untrusted.get(), one.get());
  hash32 anchor;
  for (const char* role : {"ssl_server", "ssl_client"}) {
    store_ctx_ptr ctx(X509_STORE_CTX_new());
    X509_STORE_CTX_init(ctx.get(), loaded.store.get(), loaded.leaf.get(), untrusted.get());
    X509_STORE_CTX_set_default(ctx.get(), role);
    X509_STORE_CTX_set_flags(ctx.get(), X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(ctx.get()) == 1) {
      anchor = anchor_of(ctx.get());
      continue;
    }
    ERR_clear_error();
    auto failure = X509_STORE_CTX_get_error(ctx.get());
    auto code = code_of(failure);
    auto subject = name_text(X509_get_subject_name(loaded.leaf.get()));
    auto issuer = name_text(X509_get_issuer_name(loaded.leaf.get()));
    if (code == tls_errc::foreign_ca)
      return fail(
          code,
          "--cert: {}: the certificate {} was issued by {}, which is not among the {} CA certificates of "
          "--cacert and --capath",
          files.cert.string(), subject, issuer, loaded.trusted_count);
    if (code == tls_errc::wrong_purpose)
      return fail(
          code,
          "--cert: {}: the certificate {} may not be used by a TLS {}; a node is both, so its extended key "
          "usage must be absent or name serverAuth and clientAuth",
          files.cert.string(), subject, role + 4);
    auto* at_fault = X509_STORE_CTX_get_current_cert(ctx.get());
    return fail(code, "--cert: {}: its chain has a certificate {}: {}", files.cert.string(),
                verify_failure_text(failure),
                at_fault ? name_text(X509_get_subject_name(at_fault)) : subject);
  }
  return anchor;
}

std::uint64_t seconds_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (!ASN1_TIME_to_tm(time, &broken_down)) return 0;
  return static_cast<std::uint64_t>(timegm(&broken_down));
}

} // namespace

tls_identity::tls_identity(std::unique_ptr<state> from) : state_(std::move(from)) {}
tls_identity::~tls_identity() = default;

result<std::shared_ptr<const tls_identity>> tls_identity::load(const tls_files& files) {
  SWARM_TRY(auto loaded, load_files(files));
  auto* leaf = loaded.leaf.get();
  if (X509_check_private_key(leaf, loaded.key.get()) != 1) {
    ERR_clear_error();
    return fail(tls_errc::key_mismatch, "--key: {}: this key belongs to another certificate than {} ({})",
                files.key.string(), files.cert.string(), name_text(X509_get_subject_name(leaf)));
  }
  SWARM_CHECK(check_dates(files, leaf));
  SWARM_TRY(const auto anchor, check_chain(files, loaded));
  auto server = make_tls_context(true, leaf, loaded.chain, loaded.key.get(), loaded.store.get());
  if (!server) return fail_with(server.error(), "--cert: " + files.cert.string());
  auto client = make_tls_context(false, leaf, loaded.chain, loaded.key.get(), loaded.store.get());
  if (!client) return fail_with(client.error(), "--cert: " + files.cert.string());

  auto made = std::make_unique<state>(std::move(*server), std::move(*client));
  made->fingerprint = certificate_fingerprint(leaf);
  made->subject = name_text(X509_get_subject_name(leaf));
  made->anchor = anchor;
  made->common_name = common_name_of(X509_get_subject_name(leaf));
  made->not_after = seconds_of(X509_get0_notAfter(leaf));
  made->trusted_count = loaded.trusted_count;
  made->verify_host = files.verify_host;
  made->warnings = std::move(loaded.warnings);
  if (made->not_after < unix_seconds() + ending_soon_seconds)
    made->warnings.push_back(fmt::format("--cert: {}: the certificate {} ends on {}", files.cert.string(),
                                         made->subject, time_text(X509_get0_notAfter(leaf))));
  for (const auto& warning : made->warnings)
    log::warning(log_source, "{}", warning);
  return std::shared_ptr<const tls_identity>(new tls_identity(std::move(made)));
}

const hash32& tls_identity::fingerprint() const {
  return state_->fingerprint;
}
const std::string& tls_identity::subject() const {
  return state_->subject;
}
const std::string& tls_identity::common_name() const {
  return state_->common_name;
}
const hash32& tls_identity::anchor() const {
  return state_->anchor;
}
bool tls_identity::shares_anchor(const hash32& with) const {
  return with == state_->anchor && with != hash32{};
}
std::uint64_t tls_identity::not_after() const {
  return state_->not_after;
}
std::size_t tls_identity::trusted_count() const {
  return state_->trusted_count;
}
const std::vector<std::string>& tls_identity::warnings() const {
  return state_->warnings;
}

} // namespace swarm::transport
