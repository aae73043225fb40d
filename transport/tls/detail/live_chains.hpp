#pragma once
// Connections that last only as long as the certificate of the other side holds. Included by .cpp files only.
#include "transport/tls/detail/tls_handshake.hpp"

#include <functional>
#include <map>
#include <mutex>

namespace swarm::transport {

/// Knows the chain of every connection of a node. All functions may be called from any thread.
class live_chains : public std::enable_shared_from_this<live_chains> {
public:
  /// Called at most once, on any thread; it must not block.
  using on_end = std::function<void(const error& why)>;

  /// A connection whose handshake was verified with `used`. While what this returns is kept, `end` is called as soon
  /// as the chain no longer holds, be it within this call.
  std::shared_ptr<void> add(certificate_chain chain, presented_by as, X509_STORE* used, const peer_info& peer,
                            on_end end);
  /// From now on chains must hold by `store`. Ends those that do not.
  void trust(X509_STORE* store);
  /// Ends those in which a certificate has expired, unless they are SVIDs (see `verify_again`).
  void look_at_clock(std::uint64_t unix_now);
  std::size_t size() const;

private:
  struct entry;
  void check(const std::vector<std::shared_ptr<entry>>& which, X509_STORE* store);
  std::vector<std::shared_ptr<entry>> all_until(std::uint64_t unix_time) const;
  store_ptr store() const;

  mutable std::mutex mutex_; ///< guards what follows
  store_ptr store_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::weak_ptr<entry>> entries_;
};

} // namespace swarm::transport
