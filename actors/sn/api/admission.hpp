#pragma once

#include "base/clock.hpp"
#include "config/members/member_rules.hpp"
#include "transport/http/http.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace swarm::actors {

/// Which transactions this SN takes from a client, by the roles of the client's certificate: a node registers only as
/// what its certificate allows. All functions may be called from any thread.
class admission : public std::enable_shared_from_this<admission> {
public:
  admission(std::shared_ptr<const members::member_rules> rules, std::string log_source)
      : rules_(std::move(rules)), log_source_(std::move(log_source)) {}

  /// Whether a client with these certificates may call a contract with this input; for rpc::caller.
  std::function<result<>(const address& to, bytes_view input)> of(const transport::peer_info& peer);

  /// What people call the organisation that vouches for a client.
  std::shared_ptr<const std::string> organisation_of(const transport::peer_info& peer) const;

  struct counts {
    std::uint64_t refused = 0;
    std::string last; ///< of the refusals: who, of which organisation, and why
  };
  counts refusals() const;

private:
  result<> may_call(const transport::peer_info& peer, const address& to, bytes_view input);
  void note(const transport::peer_info& peer, const std::string& why);

  const std::shared_ptr<const members::member_rules> rules_;
  const std::string log_source_;
  mutable std::mutex mutex_; ///< guards what follows
  counts counts_;
  std::map<hash32, time_point> told_; ///< when the log last told of this certificate
};

} // namespace swarm::actors
