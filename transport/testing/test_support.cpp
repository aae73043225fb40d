#include "transport/testing/test_support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace swarm::transport::test {

namespace fs = std::filesystem;

namespace {

/// SIGPIPE is ignored, as OpenSSL's blocking calls write to sockets that the other side has closed.
const auto sigpipe_ignored = std::signal(SIGPIPE, SIG_IGN);

/// Makes sockets of the tests give up rather than hang.
void set_patience(int fd) {
  timeval limit{patience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

pkey_ptr make_key(key_kind kind) {
  switch (kind) {
  case key_kind::rsa_2048:
    return pkey_ptr(EVP_RSA_gen(2048));
  case key_kind::rsa_1024:
    return pkey_ptr(EVP_RSA_gen(1024));
  case key_kind::ed25519:
    return pkey_ptr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  default:
    return pkey_ptr(EVP_EC_gen("P-256"));
  }
}

void add_extension(X509* to, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, to, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>> made(
      X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str()));
  if (!made) throw std::runtime_error("bad extension " + value);
  X509_add_ext(to, made.get(), -1);
}

x509_ptr make_certificate(const certificate_wish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static std::uint64_t serial = 1;
  x509_ptr made(X509_new());
  auto* raw = made.get();
  X509_set_version(raw, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), wish.begins);
  X509_gmtime_adj(X509_getm_notAfter(raw), wish.ends);
  X509_set_pubkey(raw, key);
  auto* name = X509_get_subject_name(raw);
  auto add = [&](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  };
  add("OU", "Swarm-Learning");
  add("CN", wish.common_name);
  X509_set_issuer_name(raw, issuer ? X509_get_subject_name(issuer) : name);
  auto* signer = issuer ? issuer : raw;
  add_extension(raw, signer, NID_basic_constraints, wish.ca ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(raw, signer, NID_key_usage, wish.key_usage);
  add_extension(raw, signer, NID_ext_key_usage, wish.extended_key_usage);
  add_extension(raw, signer, NID_subject_alt_name, wish.alt_names);
  if (X509_sign(raw, issuer_key, EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  return made;
}

void save(const fs::path& file, X509* certificate) {
  bio_ptr out(BIO_new_file(file.c_str(), "w"));
  PEM_write_bio_X509(out.get(), certificate);
}

void save(const fs::path& file, EVP_PKEY* key) {
  bio_ptr out(BIO_new_file(file.c_str(), "w"));
  chmod(file.c_str(), 0600);
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

ssl_ctx_ptr context_for(const std::optional<tls_files>& files, bool server) {
  ssl_ctx_ptr ctx(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX_set_session_id_context(ctx.get(), reinterpret_cast<const unsigned char*>("raw"), 3);
  if (files) {
    SSL_CTX_use_certificate_chain_file(ctx.get(), files->cert.c_str());
    SSL_CTX_use_PrivateKey_file(ctx.get(), files->key.c_str(), SSL_FILETYPE_PEM);
  }
  return ctx;
}

} // namespace

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

certificate_wish original_wish(std::string common_name) {
  certificate_wish wish;
  wish.alt_names = "DNS:" + common_name;
  wish.common_name = std::move(common_name);
  wish.key = key_kind::rsa_2048;
  wish.key_usage = "digitalSignature,keyCertSign";
  return wish;
}

authority::authority(fs::path folder, std::string common_name, long ends) : folder_(std::move(folder)) {
  fs::create_directories(folder_);
  certificate_wish wish;
  wish.ca = true;
  wish.ends = ends;
  wish.common_name = std::move(common_name);
  wish.key_usage = "critical,keyCertSign,cRLSign";
  if (ends < 0) wish.begins = ends - 3600;
  key_ = make_key(key_kind::ec);
  certificate_ = make_certificate(wish, key_.get(), nullptr, key_.get());
  ca_file_ = folder_ / "ca-cert.pem";
  save(ca_file_, certificate_.get());
}

authority::authority(fs::path folder, pkey_ptr key, x509_ptr certificate, bool is_intermediate)
    : folder_(std::move(folder)), ca_file_(folder_ / "ca-cert.pem"), key_(std::move(key)),
      certificate_(std::move(certificate)), is_intermediate_(is_intermediate) {
  fs::create_directories(folder_);
  save(ca_file_, certificate_.get());
}

authority authority::intermediate(const std::string& name) const {
  certificate_wish wish;
  wish.ca = true;
  wish.common_name = name;
  wish.key_usage = "critical,keyCertSign,cRLSign";
  auto key = make_key(key_kind::ec);
  auto certificate = make_certificate(wish, key.get(), certificate_.get(), key_.get());
  return {folder_ / name, std::move(key), std::move(certificate), true};
}

void authority::revoke(const fs::path& into, const std::vector<fs::path>& certificates,
                       long next_update) const {
  const std::unique_ptr<X509_CRL, freed_by<X509_CRL_free>> list(X509_CRL_new());
  const std::unique_ptr<ASN1_TIME, freed_by<ASN1_TIME_free>> made(X509_gmtime_adj(nullptr, -7200));
  const std::unique_ptr<ASN1_TIME, freed_by<ASN1_TIME_free>> next(X509_gmtime_adj(nullptr, next_update));
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
  X509_CRL_set1_lastUpdate(list.get(), made.get());
  X509_CRL_set1_nextUpdate(list.get(), next.get());
  for (const auto& file : certificates) {
    const bio_ptr in(BIO_new_file(file.c_str(), "r"));
    const x509_ptr taken_back(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    auto* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(taken_back.get()));
    X509_REVOKED_set_revocationDate(entry, made.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  X509_CRL_sort(list.get());
  if (X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  const auto half = into.native() + ".half"; // the watcher sees the whole file or none
  {
    const bio_ptr out(BIO_new_file(half.c_str(), "w"));
    PEM_write_bio_X509_CRL(out.get(), list.get());
  }
  fs::rename(half, into);
}

tls_files authority::issue(const std::string& name, certificate_wish wish) const {
  if (wish.common_name == "node") wish.common_name = name;
  auto key = make_key(wish.key);
  auto certificate = make_certificate(wish, key.get(), certificate_.get(), key_.get());
  tls_files files;
  files.cert = folder_ / (name + "-cert.pem");
  files.key = folder_ / (name + "-key.pem");
  files.cacert = ca_file_;
  save(files.cert, certificate.get());
  if (is_intermediate_) write_file(files.cert, read_file(files.cert) + read_file(ca_file_));
  save(files.key, key.get());
  return files;
}

std::shared_ptr<const tls_identity> identity_of(const tls_files& files) {
  auto loaded = tls_identity::load(files);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

bool eventually(const std::function<bool()>& condition) {
  auto limit = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < limit) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return false;
}

int connect_tcp(std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_patience(fd);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0) return fd;
  ::close(fd);
  return -1;
}

std::string read_plain_to_end(int fd) {
  std::string out;
  char piece[4096];
  for (ssize_t got; (got = recv(fd, piece, sizeof piece, 0)) > 0;)
    out.append(piece, static_cast<std::size_t>(got));
  return out;
}

raw_tls::raw_tls(int fd, ssl_ctx_ptr ctx, bool server)
    : fd_(fd), ctx_(std::move(ctx)), ssl_(SSL_new(ctx_.get())) {
  SSL_set_fd(ssl_.get(), fd_);
  ERR_clear_error();
  shaken_ = (server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
}

raw_tls raw_tls::connect(std::uint16_t port, const std::optional<tls_files>& files, int max_version) {
  auto ctx = context_for(files, false);
  if (max_version != 0) {
    SSL_CTX_set_security_level(ctx.get(), 0);
    SSL_CTX_set_min_proto_version(ctx.get(), 0);
    SSL_CTX_set_max_proto_version(ctx.get(), max_version);
  }
  return raw_tls(connect_tcp(port), std::move(ctx), false);
}

raw_tls raw_tls::accept(int fd, const tls_files& files) {
  return raw_tls(dup(fd), context_for(files, true), true);
}

raw_tls::raw_tls(raw_tls&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ctx_(std::move(other.ctx_)), ssl_(std::move(other.ssl_)),
      shaken_(other.shaken_), pending_(std::move(other.pending_)) {}

raw_tls::~raw_tls() {
  if (fd_ >= 0) ::close(fd_);
}

void raw_tls::shut() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ::shutdown(fd_, SHUT_WR);
}

std::string raw_tls::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

bool raw_tls::write(std::string_view text) {
  ERR_clear_error();
  return text.empty() || SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0;
}

std::optional<std::string> raw_tls::read_some() {
  char piece[16 * 1024];
  ERR_clear_error();
  int got = SSL_read(ssl_.get(), piece, sizeof piece);
  if (got <= 0) return std::nullopt;
  return std::string(piece, static_cast<std::size_t>(got));
}

std::string raw_tls::read_until(std::string_view mark) {
  std::size_t at = 0;
  while ((at = pending_.find(mark)) == std::string::npos) {
    auto piece = read_some();
    if (!piece) return std::exchange(pending_, {});
    pending_ += *piece;
  }
  return read_exactly(at + mark.size());
}

std::string raw_tls::read_exactly(std::size_t count) {
  while (pending_.size() < count) {
    auto piece = read_some();
    if (!piece) break;
    pending_ += *piece;
  }
  auto out = pending_.substr(0, count);
  pending_.erase(0, out.size());
  return out;
}

std::string raw_tls::read_to_end() {
  auto out = std::exchange(pending_, {});
  while (auto piece = read_some())
    out += *piece;
  return out;
}

raw_answer raw_tls::read_answer(bool head_only) {
  raw_answer out;
  out.head = read_until("\r\n\r\n");
  constexpr std::string_view field = "Content-Length: ";
  auto at = out.head.find(field);
  if (!head_only && at != std::string::npos)
    out.body = read_exactly(std::stoull(out.head.substr(at + field.size())));
  return out;
}

raw_listener::raw_listener(std::function<void(int)> serve) : serve_(std::move(serve)) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  if (bind(fd_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || listen(fd_, 64) != 0
      || getsockname(fd_, reinterpret_cast<sockaddr*>(&where), &length) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(where.sin_port);
  thread_ = std::thread([this] {
    for (int fd; (fd = ::accept(fd_, nullptr, nullptr)) >= 0;) {
      set_patience(fd);
      serve_(fd);
      ::close(fd);
    }
  });
}

raw_listener::~raw_listener() {
  ::shutdown(fd_, SHUT_RDWR);
  thread_.join();
  ::close(fd_);
}

} // namespace swarm::transport::test
