#pragma once

#include "base/bytes.hpp"
#include "transport/errors.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace swarm::transport {

/// Where a node's X.509 files are. All are PEM; `cacert` or `capath` or both must be given.
struct tls_files {
  std::filesystem::path cert;   ///< this node's certificate, intermediates after it
  std::filesystem::path key;    ///< its private key, without a pass phrase
  std::filesystem::path cacert; ///< one or more certificates to trust
  std::filesystem::path
      capath; ///< a folder: every certificate in every file of it is trusted, no hash links needed
  /// Whether to compare the dialled name with the DNS and IP entries of the peer's subjectAltName as well. A
  /// peer certificate without such entries is accepted by its chain alone.
  bool verify_host = false;
};

/// Who a node is in TLS: its certificate, its key and whom it trusts. Immutable and shared by every server
/// and client of the process. Both sides of every connection must present a certificate that leads to a
/// trusted one; TLS 1.2 or newer. Chains are verified without the strict X.509 rules, so that leafs without
/// extended key usage and with keyCertSign, as Swarm Learning 2.x makes them, pass.
class tls_identity {
public:
  /// Loads and checks the files: errors carry a `tls_errc` and name the file. Warns in the log when others
  /// can read the key or when the certificate ends within three days.
  static result<std::shared_ptr<const tls_identity>> load(const tls_files& files);
  ~tls_identity();
  tls_identity(const tls_identity&) = delete;
  tls_identity& operator=(const tls_identity&) = delete;

  /// SHA-256 of the DER form of the node's certificate.
  const hash32& fingerprint() const;
  /// The subject for people, such as "OU=Swarm-Learning, CN=SN-1".
  const std::string& subject() const;
  /// The last CN of the subject, empty if there is none.
  const std::string& common_name() const;
  /// The trusted certificate that this node's own chain leads to, as a fingerprint: its organisation's.
  const hash32& anchor() const;
  /// Whether a chain that leads to `with` comes from the same authority as this node's own.
  bool shares_anchor(const hash32& with) const;
  /// End of validity in seconds since 1970.
  std::uint64_t not_after() const;
  /// Certificates trusted through cacert and capath, each counted once.
  std::size_t trusted_count() const;
  /// What is unusual about the files but no mistake; `load` has logged each of them once.
  const std::vector<std::string>& warnings() const;

  struct state;
  /// For the other files of this folder.
  const state& internals() const { return *state_; }

private:
  explicit tls_identity(std::unique_ptr<state> from);
  std::unique_ptr<state> state_;
};

} // namespace swarm::transport
