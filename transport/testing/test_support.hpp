#pragma once
// For tests only: certificates of every kind, and blocking TLS connections that misbehave on purpose.
#include "base/testing/temporary_folder.hpp"
#include "transport/tls/detail/openssl.hpp"
#include "transport/tls/tls_identity.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace swarm::transport::test {

/// How long tests wait for something that must happen.
constexpr std::chrono::seconds patience{60};

using temp_folder = swarm::testing::temporary_folder;

std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);

enum class key_kind { ec, rsa_2048, rsa_1024, ed25519 };

struct certificate_wish {
  std::string common_name = "node";
  key_kind key = key_kind::ec;
  long begins = -3600; ///< seconds from now
  long ends = 30 * 24 * 3600;
  bool ca = false;
  std::string key_usage;          ///< as in openssl.cnf; empty: no such extension
  std::string extended_key_usage; ///< same
  std::string alt_names;          ///< same
};

/// The profile of Swarm Learning 2.x: no extended key usage, keyCertSign on a leaf.
certificate_wish original_wish(std::string common_name);

/// A CA whose files lie in one folder with those of its nodes.
class authority {
public:
  authority(std::filesystem::path folder, std::string common_name, long ends = 3650L * 24 * 3600);
  /// Makes NAME-cert.pem and NAME-key.pem; the result trusts this CA.
  tls_files issue(const std::string& name, certificate_wish wish = {}) const;
  const std::filesystem::path& ca_file() const { return ca_file_; }
  /// A CA whose certificate this one has signed; what it issues is followed by that certificate.
  authority intermediate(const std::string& name) const;
  /// Writes a CRL of the certificates in these files. It is to be replaced after so many seconds from now.
  void revoke(const std::filesystem::path& into, const std::vector<std::filesystem::path>& certificates,
              long next_update = 24 * 3600) const;

private:
  authority(std::filesystem::path folder, pkey_ptr key, x509_ptr certificate, bool is_intermediate);
  std::filesystem::path folder_;
  std::filesystem::path ca_file_;
  pkey_ptr key_;
  x509_ptr certificate_;
  bool is_intermediate_ = false;
};

/// Loads the identity or fails the test.
std::shared_ptr<const tls_identity> identity_of(const tls_files& files);

/// A result that another thread delivers.
template <class T>
class waiting_for {
public:
  void set(T value) {
    std::lock_guard lock(mutex_);
    value_ = std::move(value);
    changed_.notify_all();
  }
  bool ready() {
    std::lock_guard lock(mutex_);
    return value_.has_value();
  }
  /// The value; throws when it never comes.
  T get() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return value_.has_value(); }))
      throw std::runtime_error("waited in vain");
    return std::move(*value_);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

/// Waits until `condition` holds; false when it never does.
bool eventually(const std::function<bool()>& condition);

struct raw_answer {
  std::string head; ///< with the empty line
  std::string body;
  bool has(std::string_view part) const { return head.find(part) != std::string::npos; }
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A blocking TLS connection that does exactly what it is told.
class raw_tls {
public:
  /// Client: connects to 127.0.0.1. Without files it presents no certificate and trusts everybody.
  static raw_tls connect(std::uint16_t port, const std::optional<tls_files>& files, int max_version = 0);
  /// Server: over an accepted socket.
  static raw_tls accept(int fd, const tls_files& files);
  ~raw_tls();
  raw_tls(raw_tls&& other) noexcept;
  raw_tls& operator=(raw_tls&&) = delete;

  bool shaken() const { return shaken_; }
  /// The server name that the client sent.
  std::string server_name() const;
  /// False when the other side is gone.
  bool write(std::string_view text);
  /// Reads some bytes; nothing at the end of the stream or after an error.
  std::optional<std::string> read_some();
  /// Reads up to and including `mark`, or up to the end of the stream.
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  std::string read_to_end();
  /// Reads a head and as many bytes as its Content-Length says (none for `head_only`).
  raw_answer read_answer(bool head_only = false);
  /// Ends this side of the connection with TLS's close.
  void shut();
  int fd() const { return fd_; }

private:
  raw_tls(int fd, ssl_ctx_ptr ctx, bool server);
  int fd_ = -1;
  ssl_ctx_ptr ctx_;
  std::unique_ptr<SSL, freed_by<SSL_free>> ssl_;
  bool shaken_ = false;
  std::string pending_;
};

/// Connects a plain TCP socket to 127.0.0.1; -1 on failure.
int connect_tcp(std::uint16_t port);
/// Reads from a plain socket to its end.
std::string read_plain_to_end(int fd);

/// Listens on 127.0.0.1 and hands each accepted socket to a function on one thread, one after another.
class raw_listener {
public:
  explicit raw_listener(std::function<void(int fd)> serve);
  ~raw_listener();
  raw_listener(const raw_listener&) = delete;
  raw_listener& operator=(const raw_listener&) = delete;
  std::uint16_t port() const { return port_; }

private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::function<void(int)> serve_;
  std::thread thread_;
};

} // namespace swarm::transport::test
