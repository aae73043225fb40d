#pragma once

#include "actors/sn/membership/member_book.hpp"
#include "base/clock.hpp"
#include "config/members/member_rules.hpp"
#include "transport/http/http.hpp"
#include "transport/tls/tls_identity.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace swarm::actors {

/// What this SN lets a client do, by the client's certificate: a node registers only as what its certificate allows, and
/// only members read the chain. All functions may be called from any thread.
class admission : public std::enable_shared_from_this<admission> {
public:
  admission(std::shared_ptr<const members::member_rules> rules, std::shared_ptr<membership::member_book> book,
            std::shared_ptr<const transport::tls_identity> own, std::string log_source)
      : rules_(std::move(rules)), book_(std::move(book)), own_(std::move(own)),
        log_source_(std::move(log_source)) {}

  /// Whether a client with these certificates may call a contract with this input; for rpc::caller.
  std::function<result<>(const address& to, bytes_view input)> of(const transport::peer_info& peer);

  /// Whether a client with these certificates may read the chain: a member may, and whoever has the certificate of this
  /// SN itself. For rpc::caller.
  std::function<result<>()> reading_of(const transport::peer_info& peer);
  /// Notes that it was refused, for log and status.
  std::function<void(const std::string& why)> refusing(const transport::peer_info& peer);

  /// What people call the organisation that vouches for a client.
  std::shared_ptr<const std::string> organisation_of(const transport::peer_info& peer) const;

  struct counts {
    std::uint64_t refused = 0;
    std::string last;           ///< of the refusals: who, of which organisation, and why
    std::uint64_t readings = 0; ///< requests refused, as only members may read
    std::string last_reading;
  };
  counts refusals() const;

private:
  result<> may_call(const transport::peer_info& peer, const address& to, bytes_view input);
  result<> may_read(const transport::peer_info& peer) const;
  void note(const transport::peer_info& peer, const std::string& why);
  void note_reading(const transport::peer_info& peer, const std::string& why);
  bool is_told_now(const hash32& certificate);

  const std::shared_ptr<const members::member_rules> rules_;
  const std::shared_ptr<membership::member_book> book_;
  const std::shared_ptr<const transport::tls_identity> own_;
  const std::string log_source_;
  mutable std::mutex mutex_; ///< guards what follows
  counts counts_;
  std::map<hash32, time_point> told_; ///< when the log last told of this certificate
};

} // namespace swarm::actors
