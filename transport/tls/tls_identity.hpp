#pragma once

#include "base/bytes.hpp"
#include "transport/errors.hpp"
#include "transport/identity/certificate_facts.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace swarm::transport {

/// Where a node's X.509 files are. All are PEM; `cacert` or `capath` or both must be given. Or where the agent is that
/// gives a node what they would have.
struct tls_files {
  std::filesystem::path cert;   ///< this node's certificate, intermediates after it
  std::filesystem::path key;    ///< its private key, without a pass phrase
  std::filesystem::path cacert; ///< one or more certificates to trust
  std::filesystem::path
      capath; ///< a folder: every certificate in every file of it is trusted, no hash links needed
  /// Whether to compare the dialled name with the DNS and IP entries of the peer's subjectAltName as well. A
  /// peer certificate without such entries is accepted by its chain alone.
  bool verify_host = false;
  /// The socket of a SPIFFE agent, which gives certificate, key and authorities (../spiffe). With it none of the files
  /// is read, and no host name is compared.
  std::filesystem::path agent = {};
};

class live_chains;

/// Who a node is in TLS: its certificate, its key and whom it trusts. Shared by every server and client of a role; all
/// functions may be called from any thread. Both sides present a certificate that leads to a trusted one, but for clients of a
/// server that asks for none (`certificates_optional`); TLS 1.2 or newer. Chains are verified without the strict X.509
/// rules, so that leafs without extended key usage and with keyCertSign, as Swarm Learning 2.x makes them, pass.
/// With a SPIFFE agent they are verified by the rules of SPIFFE instead, and a SPIFFE ID stands for a certificate, a trust
/// domain for its anchor: so fingerprints and subjects are those of IDs, and stay when certificates are replaced.
class tls_identity {
public:
  /// Loads and checks the files: errors carry a `tls_errc` and name the file. Warns in the log when others
  /// can read the key or when the certificate ends within three days.
  static result<std::shared_ptr<const tls_identity>> load(const tls_files& files);
  /// The same, and from then on the files are looked at about twice a second. Once a change has lasted for a moment, it
  /// is taken as a whole: authorities that came or went, CRLs, the node's own renewed certificate and key. Connections
  /// stay, except those of which the other side's chain no longer holds; they end, as do those in which a certificate
  /// expires. Files that cannot be used, such as half-written ones, change nothing, and the log says so once.
  /// A SPIFFE agent is waited for at first, for half a minute, and asked on until the end: what it gives counts for new
  /// connections, and those to trust domains that it takes back end. While it is away the last of it stays in use.
  static result<std::shared_ptr<const tls_identity>> load_watched(const tls_files& files);
  ~tls_identity();
  tls_identity(const tls_identity&) = delete;
  tls_identity& operator=(const tls_identity&) = delete;

  /// What the node's own certificate says, and the trust anchor that its chain ends at.
  std::shared_ptr<const certificate_facts> certificate() const;
  std::shared_ptr<const certificate_facts> anchor() const;
  /// Whether chains that end at this anchor are of the same organisation as the node's own.
  bool shares_anchor(const certificate_facts& with) const;
  /// SHA-256 of the DER form of the node's certificate.
  hash32 fingerprint() const;
  /// The subject for people, such as "OU=Swarm-Learning, CN=SN-1".
  std::string subject() const;
  /// The last CN of the subject, empty if there is none.
  std::string common_name() const;
  /// End of validity in seconds since 1970.
  std::uint64_t not_after() const;
  /// Certificates trusted through cacert and capath, each counted once.
  std::size_t trusted_count() const;
  /// The trust domains whose bundles the SPIFFE agent gives, by name; none without an agent.
  std::vector<std::string> trust_domains() const;
  /// What is unusual about the files but no mistake; `load` has logged each of them once.
  std::vector<std::string> warnings() const;
  /// Why watched files that have changed are not in use, or the SPIFFE agent is not asked; empty when nothing is wrong.
  std::string trouble() const;

  struct state;
  /// For the other files of this folder.
  std::shared_ptr<const state> internals() const;
  live_chains& live() const;

private:
  struct shared;
  explicit tls_identity(std::shared_ptr<shared> from);
  static result<std::shared_ptr<const tls_identity>> follow_agent(const tls_files& files);
  std::shared_ptr<shared> shared_; ///< with the thread that watches the files
  std::thread watcher_;
};

} // namespace swarm::transport
