#pragma once

#include "actors/swop/lines/last_lines.hpp"
#include "config/members/member_rules.hpp"
#include "transport/http/http_server.hpp"

namespace swarm::swop {

struct lines_server_options {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;                               ///< 0: any free one
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean; null: the default
  std::function<std::string()> offer;                   ///< as offer.hpp has it; empty: there is none
  std::function<std::string(std::uint64_t after)> log;  ///< as own_log.hpp has it; the same
  std::string log_source = "swarm.swop";
  std::size_t connections_max = 64;
  std::chrono::milliseconds patience{5'000}; ///< with a handshake, a head, an answer that is not taken
};

/// Serves the last lines of programs, this SWOP's own log, and what this host offers, to SWCIs of this organisation, over mutual
/// TLS. The sockets belong to the process; lines of programs come from whoever says that it answers.
class lines_server {
public:
  using reply = std::function<void(std::string json)>;
  /// Called on the threads of the runtime; false: nobody answers now.
  using answerer = std::function<bool(const lines_wish& wish, reply to)>;

  static result<std::unique_ptr<lines_server>> start(transport::io_runtime& io,
                                                     std::shared_ptr<const transport::tls_identity> identity,
                                                     lines_server_options options);

  /// From now on; an empty function: nobody.
  void answered_by(answerer who);
  std::uint16_t port() const { return server_->port(); }
  transport::http_server_status status() const { return server_->status(); }
  std::uint64_t refused() const;

private:
  struct shared;
  explicit lines_server(std::shared_ptr<shared> from) : shared_(std::move(from)) {}

  std::shared_ptr<shared> shared_;
  std::unique_ptr<transport::http_server> server_; ///< the first to go
};

} // namespace swarm::swop
