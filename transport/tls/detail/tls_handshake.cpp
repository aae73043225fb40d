#include "transport/tls/detail/tls_handshake.hpp"

#include "transport/identity/detail/revocation.hpp"
#include "transport/spiffe/detail/bundles.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

namespace swarm::transport {

namespace {

constexpr int chain_depth_max = 8;
/// Names of CAs only help clients with several certificates; a long list would make every handshake larger.
constexpr std::size_t announced_cas_max = 64;
constexpr std::array<unsigned char, 5> session_context{'s', 'w', 'a', 'r', 'm'};

int notes_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

handshake_notes* notes_of(X509_STORE_CTX* ctx) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return ssl ? static_cast<handshake_notes*>(SSL_get_ex_data(ssl, notes_index())) : nullptr;
}

bool is_numeric_host(const std::string& host) {
  error_code ec;
  asio::ip::make_address(host, ec);
  return !ec;
}

/// True unless the certificate names hosts and `host` is not among them.
bool host_matches(X509* leaf, const std::string& host) {
  if (alt_names_text(leaf).empty()) return true;
  if (is_numeric_host(host)) return X509_check_ip_asc(leaf, host.c_str(), 0) == 1;
  return X509_check_host(leaf, host.data(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

void note_failure(handshake_notes& notes, X509* leaf, X509* at_fault, int failure, X509_STORE* store) {
  if (notes.failure) return;
  notes.failure = failure;
  notes.by_bundles = bundles_of(store) != nullptr;
  if (!at_fault) return;
  // A peer may send its CA along. Then the CA is what is unknown, but the message names the
  // node's certificate.
  auto* named = is_unknown_ca(failure) && leaf ? leaf : at_fault;
  notes.failed_subject = shown_name(named, store);
  notes.failed_issuer = name_text(X509_get_issuer_name(at_fault));
  if (failure == X509_V_ERR_CERT_HAS_EXPIRED)
    notes.failed_detail = "ended " + time_text(X509_get0_notAfter(at_fault));
  if (failure == X509_V_ERR_CERT_NOT_YET_VALID)
    notes.failed_detail = "begins " + time_text(X509_get0_notBefore(at_fault));
  if (failure == X509_V_ERR_HOSTNAME_MISMATCH)
    notes.failed_detail =
        fmt::format("is for {}, not for {}", alt_names_text(at_fault), notes.host_to_verify);
}

void note_failure(handshake_notes& notes, X509_STORE_CTX* ctx, int failure) {
  auto* leaf = X509_STORE_CTX_get0_cert(ctx);
  auto* at_fault = X509_STORE_CTX_get_current_cert(ctx);
  note_failure(notes, leaf, at_fault ? at_fault : leaf, failure, X509_STORE_CTX_get0_store(ctx));
}

int verify_by_store(X509_STORE_CTX* ctx, void*) {
  return verify_certificate(ctx);
}

int verify_callback(int ok, X509_STORE_CTX* ctx) {
  const bool at_leaf = X509_STORE_CTX_get_error_depth(ctx) == 0;
  if (ok && at_leaf && is_revoked(ctx)) ok = 0;
  auto* notes = notes_of(ctx);
  if (!notes) return ok;
  if (!ok) {
    note_failure(*notes, ctx, X509_STORE_CTX_get_error(ctx));
    return ok;
  }
  if (!at_leaf || notes->host_to_verify.empty()) return ok;
  if (host_matches(X509_STORE_CTX_get_current_cert(ctx), notes->host_to_verify)) return ok;
  X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
  note_failure(*notes, ctx, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

void announce_cas(SSL_CTX* ctx, X509_STORE* store) {
  auto* objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects) && i < static_cast<int>(announced_cas_max); ++i)
    if (auto* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i)))
      SSL_CTX_add_client_CA(ctx, certificate);
}

int reason_of(const error_code& ec) {
  return ec.category() == asio::error::get_ssl_category() ? ERR_GET_REASON(static_cast<unsigned>(ec.value()))
                                                          : 0;
}

/// What the other side means by its alert about our certificate.
std::string_view alert_text(int reason) {
  switch (reason) {
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    return "it does not know the CA of our certificate";
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    return "our certificate has expired by its clock";
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    return "our certificate is revoked";
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    return "our certificate is damaged, not yet valid or for another host";
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    return "our certificate is not made for this use";
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    return "our certificate is not acceptable";
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    return "it wants a certificate and got none";
  case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    return "there is no TLS version that both sides allow";
  case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    return "there is no cipher that both sides allow, or it wants a certificate and got none";
  default:
    return {};
  }
}

std::string local_failure_text(std::string_view who, const error_code& ec) {
  switch (reason_of(ec)) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return fmt::format("peer {} presented no certificate; every node and program needs one here", who);
  case SSL_R_HTTP_REQUEST:
    return fmt::format("peer {} speaks plain HTTP, this port wants https", who);
  case SSL_R_WRONG_VERSION_NUMBER:
    return fmt::format("peer {} does not speak TLS on this connection", who);
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_VERSION_TOO_LOW:
    return fmt::format("peer {} speaks no TLS version from 1.2 on", who);
  case SSL_R_NO_SHARED_CIPHER:
    return fmt::format("peer {} and this node allow no common cipher", who);
  default:
    break;
  }
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated
      || ec == asio::error::connection_reset)
    return fmt::format("peer {} closed the connection in the middle of the TLS handshake", who);
  if (ec == beast::error::timeout)
    return fmt::format("peer {} did not finish the TLS handshake in time", who);
  return fmt::format("TLS handshake with peer {} failed: {}", who, ec.message());
}

} // namespace

result<ssl_ctx_ptr> make_tls_context(bool server, X509* leaf, const std::vector<x509_ptr>& chain,
                                     EVP_PKEY* key, X509_STORE* store) {
  ssl_ctx_ptr ctx(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  if (!ctx) return fail(tls_errc::rejected, "OpenSSL makes no TLS context: {}", openssl_reason());
  auto* raw = ctx.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                            | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate(raw, leaf) != 1)
    return fail(tls_errc::rejected, "the certificate is refused by OpenSSL: {}", openssl_reason());
  if (SSL_CTX_use_PrivateKey(raw, key) != 1)
    return fail(tls_errc::rejected, "the private key is refused by OpenSSL: {}", openssl_reason());
  for (const auto& intermediate : chain) {
    if (SSL_CTX_add1_chain_cert(raw, intermediate.get()) != 1)
      return fail(tls_errc::rejected, "an intermediate certificate is refused by OpenSSL: {}",
                  openssl_reason());
  }
  SSL_CTX_set1_cert_store(raw, store);
  SSL_CTX_set_verify_depth(raw, chain_depth_max);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify_callback);
  SSL_CTX_set_cert_verify_callback(raw, verify_by_store, nullptr);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_PARTIAL_CHAIN);
  if (server) {
    SSL_CTX_set_session_id_context(raw, session_context.data(), session_context.size());
    SSL_CTX_set_num_tickets(raw, 0); // see send_ticket
    announce_cas(raw, store);
  }
  ERR_clear_error();
  return ctx;
}

void send_ticket(SSL* ssl) {
  const auto* chain = SSL_get0_verified_chain(ssl);
  const bool short_chain = SSL_session_reused(ssl) || sk_X509_num(chain) <= 2;
  if (short_chain && SSL_version(ssl) == TLS1_3_VERSION && SSL_new_session_ticket(ssl) != 1)
    ERR_clear_error();
}

void attach_notes(SSL* ssl, handshake_notes* notes) {
  SSL_set_ex_data(ssl, notes_index(), notes);
}

X509_STORE* verified_by(const SSL* ssl) {
  return SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
}

std::optional<certificate_chain> fill_peer_certificate(SSL* ssl, peer_info& peer, handshake_notes& notes) {
  const x509_ptr leaf(SSL_get1_peer_certificate(ssl));
  if (!leaf) return std::nullopt;
  auto chain = chain_of(SSL_get0_verified_chain(ssl));
  if (chain.empty()) {
    const auto as = SSL_is_server(ssl) ? presented_by::client : presented_by::server;
    auto verdict = verify_chain(leaf.get(), SSL_get_peer_cert_chain(ssl), verified_by(ssl), as);
    if (verdict.failure) {
      note_failure(notes, leaf.get(), verdict.at_fault ? verdict.at_fault.get() : leaf.get(), verdict.failure,
                   verified_by(ssl));
      return std::nullopt;
    }
    chain = std::move(verdict.verified);
  }
  auto* by = verified_by(ssl);
  peer.certificate = std::make_shared<const certificate_facts>(facts_of_node(leaf.get(), by));
  peer.anchor =
      std::make_shared<const certificate_facts>(facts_of_anchor(chain.back().get(), leaf.get(), by));
  peer.cert_fingerprint = peer.certificate->fingerprint;
  peer.cert_subject = peer.certificate->subject;
  if (auto* own = SSL_get_certificate(ssl)) peer.own_fingerprint = facts_of_node(own, by).fingerprint;
  return chain;
}

bool is_unknown_ca(int failure) {
  switch (failure) {
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_CERT_SIGNATURE_FAILURE:
  case X509_V_ERR_CERT_UNTRUSTED:
    return true;
  default:
    return false;
  }
}

std::string_view verify_failure_text(int failure) {
  if (is_unknown_ca(failure)) return "from an unknown CA";
  if (const auto text = svid_failure_text(failure); !text.empty()) return text;
  switch (failure) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return "that has expired";
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "that is not valid yet";
  case X509_V_ERR_CERT_REVOKED:
    return "that its authority has revoked";
  case X509_V_ERR_HOSTNAME_MISMATCH:
    return "of another host";
  case X509_V_ERR_INVALID_PURPOSE:
    return "that is not made for this side of a connection (extended key usage)";
  case X509_V_ERR_INVALID_CA:
    return "whose issuer is no CA";
  case X509_V_ERR_EE_KEY_TOO_SMALL:
  case X509_V_ERR_CA_KEY_TOO_SMALL:
    return "with a key that is too short";
  case X509_V_ERR_CA_MD_TOO_WEAK:
    return "signed with a hash that is too weak";
  case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    return "with too long a chain";
  case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    return "with a chain longer than its CA allows";
  default:
    return X509_verify_cert_error_string(failure);
  }
}

bool is_peer_alert(const error_code& ec) {
  auto reason = reason_of(ec);
  return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

std::string handshake_failure_text(std::string_view who, const error_code& ec, const handshake_notes& notes,
                                   const tls_identity& self, bool server) {
  if (notes.failure) {
    auto text = fmt::format("peer {} presented a certificate {}: {}", who, verify_failure_text(notes.failure),
                            notes.failed_subject);
    if (!notes.failed_detail.empty()) text += fmt::format(" ({})", notes.failed_detail);
    if (notes.by_bundles && is_unknown_ca(notes.failure))
      text += fmt::format(" (issued by {}, which is not in the bundle of that trust domain)",
                          notes.failed_issuer);
    else if (notes.failure == svid_of_unknown_domain)
      text += "; to accept it, let the SPIFFE server federate with that trust domain";
    else if (is_unknown_ca(notes.failure))
      text += fmt::format(" (issued by {}); to accept it, add that CA with --cacert or --capath",
                          notes.failed_issuer);
    return text;
  }
  if (is_peer_alert(ec)) {
    auto why = alert_text(reason_of(ec));
    return fmt::format("peer {} refused this node's certificate or handshake: {} (ours: {})", who,
                       why.empty() ? ec.message() : std::string(why), self.subject());
  }
  if (!server && reason_of(ec) == SSL_R_WRONG_VERSION_NUMBER)
    return fmt::format("{} does not speak TLS; is it the right port?", who);
  return local_failure_text(who, ec);
}

std::string socket_failure_text(const error_code& ec) {
  if (ec == asio::error::connection_refused) return "connection refused: nobody listens there";
  if (ec == asio::error::host_unreachable || ec == asio::error::network_unreachable)
    return fmt::format("no way to that address: {}", ec.message());
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) return "closed by the other side";
  if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe) return "reset by the other side";
  return ec.message();
}

} // namespace swarm::transport
