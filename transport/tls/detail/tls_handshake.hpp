#pragma once
// TLS contexts of an identity and words for handshakes that fail. Included by .cpp files only.
#include "transport/detail/asio.hpp"
#include "transport/http/http.hpp"
#include "transport/identity/detail/chain.hpp"
#include "transport/tls/detail/openssl.hpp"
#include "transport/tls/tls_identity.hpp"

namespace swarm::transport {

struct tls_identity::state {
  /// Asio takes contexts by mutable reference, but making sessions from one changes nothing but its counters.
  mutable asio::ssl::context server;
  mutable asio::ssl::context client;
  std::shared_ptr<const certificate_facts> certificate; ///< the node's own
  std::shared_ptr<const certificate_facts> anchor;      ///< of the node's own chain
  std::size_t trusted_count = 0;
  std::uint64_t crls_due = 0; ///< when a CRL will be too old, in seconds since 1970
  bool verify_host = false;
  std::vector<std::string> warnings;

  state(ssl_ctx_ptr server_ctx, ssl_ctx_ptr client_ctx)
      : server(server_ctx.release()), client(client_ctx.release()) {}
};

/// What the verification of the peer's chain found. It is attached to the SSL object of a handshake and
/// must outlive it.
struct handshake_notes {
  std::string host_to_verify; ///< for a client with verify_host: compared with the names in the certificate
  int failure = 0;            ///< X509_V_ERR_..., of the certificate below
  std::string failed_subject;
  std::string failed_issuer;
  std::string failed_detail; ///< dates or names, where they explain the failure
  bool by_bundles = false;   ///< it was verified by the rules of SPIFFE
};

/// A context that presents `leaf` and `chain` and accepts peers whose chains lead to `store`.
result<ssl_ctx_ptr> make_tls_context(bool server, X509* leaf, const std::vector<x509_ptr>& chain,
                                     EVP_PKEY* key, X509_STORE* store);
/// Sends a ticket, by which a client resumes its TLS 1.3 session, with the next bytes that the server
/// writes. It is not sent with the handshake: a WebSocket needs none, and clients that read and write in two
/// threads, such as Python's, can wait for ever for the end of a ticket that comes while they write their
/// first request. A client with intermediate certificates gets none: a ticket holds only its own certificate, by which
/// its chain could not be verified again.
void send_ticket(SSL* ssl);
/// Makes the verification write into `notes`, or stops that with null.
void attach_notes(SSL* ssl, handshake_notes* notes);
/// After a handshake: fills in what the other side's certificate says and returns its chain. The chain of a resumed
/// session is verified again, as certificates expire and anchors come and go. None: it does not hold, `notes` say why.
std::optional<certificate_chain> fill_peer_certificate(SSL* ssl, peer_info& peer, handshake_notes& notes);
/// The trusted certificates by which this connection was verified.
X509_STORE* verified_by(const SSL* ssl);
/// The words for one of X509_V_ERR_..., such as "from an unknown CA"; they fit the peer's and the
/// own certificate.
std::string_view verify_failure_text(int failure);
/// True for the codes that mean "issued by nobody we know".
bool is_unknown_ca(int failure);

/// True for a TLS alert by which the other side refuses our certificate or our handshake.
bool is_peer_alert(const error_code& ec);
/// Why the handshake with `who` failed, as seen from here: names the certificate that was refused and
/// who refused it.
std::string handshake_failure_text(std::string_view who, const error_code& ec, const handshake_notes& notes,
                                   const tls_identity& self, bool server);
/// For any other socket error: "connection refused: nobody listens there", "closed by the other side", ...
std::string socket_failure_text(const error_code& ec);

} // namespace swarm::transport
