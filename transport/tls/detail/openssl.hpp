#pragma once
// Owners for OpenSSL objects and words for what certificates say. Included by .cpp files only.
#include "base/bytes.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace swarm::transport {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_ctx_ptr = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using session_ptr = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;

/// "OU=Swarm-Learning, CN=SN-1"; what cannot be printed is escaped, the end of a very long name cut off.
std::string name_text(const X509_NAME* name);
/// "2026-01-31 12:00:00 UTC".
std::string time_text(const ASN1_TIME* time);
/// "DNS:sn-1, IP:10.0.0.1": the entries of subjectAltName that name a host; empty without any.
std::string alt_names_text(const X509* certificate);
/// "10.0.0.1" or "fe80::1" of an entry of subjectAltName.
std::string ip_text(const ASN1_OCTET_STRING* raw);
/// Seconds since 1970; 0 for what cannot be read.
std::uint64_t seconds_of(const ASN1_TIME* time);
/// SHA-256 of the DER form.
hash32 certificate_fingerprint(const X509* certificate);
/// The newest entry of the thread's error queue in words; the queue is empty afterwards.
std::string openssl_reason();

} // namespace swarm::transport
