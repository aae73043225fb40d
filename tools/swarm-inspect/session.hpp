#pragma once

#include "base/result.hpp"
#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <functional>

namespace swarm::inspect {

/// The admin socket of one swarmd.
class session {
public:
  /// Opens the socket. An error says which path was tried and whether a process serves it.
  static result<session> open(const std::filesystem::path& socket);

  /// A call that has no answer after this long fails; without this, after half a minute.
  void wait_at_most(std::chrono::milliseconds time) { client_.set_timeout(time); }
  /// Makes a call and returns its answer. An error is the one that swarmd answered with, including its
  /// `similar` names.
  result<boost::json::value> call(std::string_view method, boost::json::object params);
  /// Makes a call whose events go on until `on_event` returns false or the process ends.
  result<> follow(std::string_view method, boost::json::object params,
                  const std::function<bool(const boost::json::object& line)>& on_event);

private:
  explicit session(transport::unix_client client) : client_(std::move(client)) {}
  result<boost::json::object> exchange(std::string_view method, boost::json::object params);

  transport::unix_client client_;
  std::int64_t next_id_ = 1;
};

} // namespace swarm::inspect
