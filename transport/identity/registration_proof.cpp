#include "transport/identity/registration_proof.hpp"

#include "transport/spiffe/detail/bundles.hpp"
#include "transport/tls/detail/tls_handshake.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

namespace swarm::transport {

namespace {

// A proof: version, number of certificates, each with its length (2 bytes), signature with its length (2 bytes).
constexpr std::uint8_t proof_version = 1;
constexpr std::string_view signed_tag = "swarmd registers a node, version 1\n";
constexpr int security_bits_min = 112; ///< of a key: RSA with 2048 bits, as TLS demands

using pkey_ctx_ptr = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;

void append_number(bytes& to, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(value >> shift));
}

bytes signed_bytes(const registration_chain& chain, const registration_claim& claim) {
  bytes out = to_bytes(as_bytes(signed_tag));
  append_number(out, chain.chain_id, 8);
  append(out, chain.genesis_hash.view());
  append(out, claim.account.view());
  append_number(out, claim.organisation, 2);
  append_number(out, claim.role, 1);
  append(out, claim.identity.view());
  append_number(out, claim.expiry, 8);
  append_number(out, claim.sequence, 8);
  return out;
}

// Signatures

enum class signature_kind { none, rsa_pss, ecdsa, of_message };

signature_kind kind_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
  case EVP_PKEY_RSA:
  case EVP_PKEY_RSA_PSS:
    return signature_kind::rsa_pss;
  case EVP_PKEY_EC:
    return signature_kind::ecdsa;
  case EVP_PKEY_ED25519:
  case EVP_PKEY_ED448:
    return signature_kind::of_message;
  default:
    return signature_kind::none;
  }
}

const EVP_MD* digest_of(signature_kind kind) {
  return kind == signature_kind::of_message ? nullptr : EVP_sha256();
}

bool set_padding(signature_kind kind, EVP_PKEY_CTX* ctx) {
  return kind != signature_kind::rsa_pss
         || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
             && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

result<bytes> sign(EVP_PKEY* key, bytes_view message) {
  const auto kind = kind_of(key);
  const pkey_ctx_ptr ctx(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  std::size_t size = 0;
  bytes out;
  const auto whole = [&](std::uint8_t* to) {
    return EVP_DigestSign(ctx.get(), to, &size, message.data(), message.size()) == 1;
  };
  if (kind != signature_kind::none
      && EVP_DigestSignInit(ctx.get(), &settings, digest_of(kind), nullptr, key) == 1
      && set_padding(kind, settings) && whole(nullptr)) {
    out.resize(size);
    if (whole(out.data())) {
      out.resize(size);
      return out;
    }
  }
  return fail(tls_errc::rejected, "the key of the certificate cannot sign a registration: {}",
              kind == signature_kind::none ? std::string("it is neither RSA, EC, Ed25519 nor Ed448")
                                           : openssl_reason());
}

bool is_signed(EVP_PKEY* key, bytes_view message, bytes_view signature) {
  const auto kind = kind_of(key);
  if (kind == signature_kind::none || EVP_PKEY_get_security_bits(key) < security_bits_min) return false;
  const pkey_ctx_ptr ctx(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  const bool good =
      EVP_DigestVerifyInit(ctx.get(), &settings, digest_of(kind), nullptr, key) == 1
      && set_padding(kind, settings)
      && EVP_DigestVerify(ctx.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

// The form of a proof

struct parsed_proof {
  certificate_chain certificates; ///< at least one
  bytes_view signature;
};

/// Takes `size` bytes off `rest`; false when there are fewer.
bool take(bytes_view& rest, std::size_t size, bytes_view& into) {
  if (rest.size() < size) return false;
  into = rest.first(size);
  rest = rest.subspan(size);
  return true;
}

bool take_sized(bytes_view& rest, bytes_view& into) {
  bytes_view size;
  return take(rest, 2, size) && take(rest, static_cast<std::size_t>(size[0] << 8 | size[1]), into);
}

/// One certificate in exactly these bytes, or null.
x509_ptr certificate_in(bytes_view der) {
  const auto* at = der.data();
  x509_ptr out(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return out && at == der.data() + der.size() ? std::move(out) : nullptr;
}

std::optional<parsed_proof> parse(bytes_view proof) {
  bytes_view head, der;
  parsed_proof out;
  if (proof.size() > registration_proof_bytes_max || !take(proof, 2, head) || head[0] != proof_version)
    return std::nullopt;
  const std::size_t count = head[1];
  if (count == 0 || count > registration_proof_certificates_max) return std::nullopt;
  while (out.certificates.size() < count) {
    if (!take_sized(proof, der)) return std::nullopt;
    auto one = certificate_in(der);
    if (!one) return std::nullopt;
    out.certificates.push_back(std::move(one));
  }
  if (!take_sized(proof, out.signature) || !proof.empty()) return std::nullopt;
  return out;
}

result<> append_certificate(bytes& to, X509* certificate) {
  const auto size = i2d_X509(certificate, nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > registration_proof_bytes_max)
    return fail(tls_errc::rejected, "the certificate {} is too large to register with",
                name_text(X509_get_subject_name(certificate)));
  append_number(to, static_cast<std::uint64_t>(size), 2);
  to.resize(to.size() + static_cast<std::size_t>(size));
  auto* at = to.data() + to.size() - static_cast<std::size_t>(size);
  i2d_X509(certificate, &at);
  return {};
}

/// The certificates to send: the node's own and those that follow it in its file, but no root, which others have.
certificate_chain sent_certificates(SSL_CTX* of) {
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(of, &between);
  auto out = chain_of(between);
  std::erase_if(out, [](const x509_ptr& one) {
    return X509_NAME_cmp(X509_get_subject_name(one.get()), X509_get_issuer_name(one.get())) == 0;
  });
  auto* leaf = SSL_CTX_get0_certificate(of);
  X509_up_ref(leaf);
  out.insert(out.begin(), x509_ptr(leaf));
  return out;
}

} // namespace

result<proved_claim> prove_registration(const tls_identity& own, const registration_chain& chain,
                                        registration_claim claim) {
  const auto held = own.internals();
  auto* context = held->server.native_handle();
  claim.identity = held->certificate->fingerprint;
  claim.expiry = held->certificate->not_after;
  const auto certificates = sent_certificates(context);
  if (certificates.size() > registration_proof_certificates_max)
    return fail(tls_errc::rejected,
                "{} certificates stand between {} and its authority; at most {} can register",
                certificates.size() - 1, held->certificate->subject, registration_proof_certificates_max - 1);
  bytes out{proof_version, static_cast<std::uint8_t>(certificates.size())};
  for (const auto& one : certificates)
    SWARM_CHECK(append_certificate(out, one.get()));
  SWARM_TRY(const auto signature, sign(SSL_CTX_get0_privatekey(context), signed_bytes(chain, claim)));
  append_number(out, signature.size(), 2);
  append(out, signature);
  if (out.size() > registration_proof_bytes_max)
    return fail(tls_errc::rejected, "the certificates of {} take {} bytes; at most {} can register",
                held->certificate->subject, out.size(), registration_proof_bytes_max);
  return proved_claim{claim, std::move(out)};
}

result<proved_certificate> check_registration(bytes_view proof, const registration_chain& chain,
                                              const registration_claim& claim, const tls_identity& own) {
  const auto parsed = parse(proof);
  if (!parsed)
    return fail(proof_errc::malformed, "{} bytes that are no proof of a registration", proof.size());
  auto* leaf = parsed->certificates.front().get();
  const auto held = own.internals();
  auto* store = SSL_CTX_get_cert_store(held->server.native_handle());
  auto facts = facts_of_node(leaf, store);
  if (facts.fingerprint != claim.identity || facts.not_after != claim.expiry)
    return fail(proof_errc::other_certificate,
                "the proof has the certificate {} that ends at {}, the registration names {} and {}",
                to_hex(facts.fingerprint.view()), facts.not_after, to_hex(claim.identity.view()),
                claim.expiry);
  if (!is_signed(X509_get0_pubkey(leaf), signed_bytes(chain, claim), parsed->signature))
    return fail(proof_errc::wrong_signature,
                "the registration is not signed with the key of the certificate {}", facts.subject);
  const stack_ptr between(sk_X509_new_null());
  for (std::size_t i = 1; i < parsed->certificates.size(); ++i)
    sk_X509_push(between.get(), parsed->certificates[i].get());
  const auto verdict = verify_chain(leaf, between.get(), store, presented_by::client);
  if (verdict.failure)
    return fail(verdict.failure == X509_V_ERR_CERT_REVOKED ? proof_errc::revoked : proof_errc::not_trusted,
                "the certificate {} of {} is {}", facts.subject, facts.issuer,
                verify_failure_text(verdict.failure));
  auto anchor = facts_of_anchor(verdict.verified.back().get(), leaf, store);
  return proved_certificate{std::move(facts), std::move(anchor)};
}

} // namespace swarm::transport
