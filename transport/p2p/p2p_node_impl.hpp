#pragma once
// For the sources of p2p_node only.
#include "transport/detail/log_limiter.hpp"
#include "transport/http/http_server.hpp"
#include "transport/p2p/neighbor_places.hpp"
#include "transport/p2p/p2p_link.hpp"
#include "transport/p2p/txn_relay.hpp"
#include "transport/sharing/waiting_room.hpp"

namespace swarm::p2p {

using link_ptr = std::shared_ptr<link>;

inline time_point time_now() {
  return std::chrono::steady_clock::now();
}

/// There are three kinds of locks: this mutex, a link's own, and the one for the order of a link's
/// callbacks. A link's own may be taken while this one is held, never the other way round; neither is held
/// during a callback.
struct p2p_node::impl : std::enable_shared_from_this<impl> {
  impl(transport::io_runtime& on, std::shared_ptr<const transport::tls_identity> who, address own,
       signer signs, p2p_options given, head_facts at, p2p_callbacks tell);

  transport::io_runtime& io;
  const std::shared_ptr<const transport::tls_identity> identity;
  const address account;
  const signer sign;
  const p2p_options options;
  const p2p_callbacks callbacks;
  const std::uint64_t instance;
  std::unique_ptr<transport::http_server> server;
  transport::log_limiter limiter{std::chrono::seconds(10)};

  std::mutex
      telling; ///< held while on_neighbor and on_neighbor_gone are called; taken before a link's own locks
  std::map<address, link_ptr> told; ///< by on_neighbor, and not yet by on_neighbor_gone

  mutable std::mutex mutex;
  head_facts own_head;
  std::map<neighbor_id, link_ptr> links; ///< also those that are not admitted yet, or about to end
  std::map<address, link_ptr> neighbors; ///< the admitted ones
  neighbor_book book;
  transport::waiting_room<hash32> newcomers; ///< accepted, without a hello; by organisation
  txn_relay relay;
  neighbor_id last_id = 0;
  std::uint64_t dials = 0;
  bool stopping = false;
  std::uint64_t unwanted = 0;
  std::string last_unwanted;
  std::set<address> validators;
  std::map<address, hash32> registered; ///< SNs of the chain, with their certificates
  std::map<hash32, known_sns::owner> anchors;
  std::uint64_t over_share = 0;
  std::string last_over_share;
  transport::timer_handle timer;

  // Connections (p2p_node.cpp)
  result<> listen();
  void tick();
  void dial_due(time_point now);
  void dial(const neighbor_book::dial_order& order);
  /// `offered`: what stands in the header of versions, empty where there is none.
  void accept(const std::shared_ptr<transport::ws_session>& socket, const std::string& target,
              const transport::peer_info& remote, std::string_view offered);
  /// Why no connection is taken from there; empty words: one is. The caller holds the mutex.
  std::string why_not_accepted(const transport::peer_info& remote) const;
  /// Why this certificate is refused; empty words: it is not. The mutex is not held.
  std::string refusal_of(const transport::peer_info& remote, bool dialled);
  void opened(const link_ptr& which, const transport::peer_info& remote);
  void greet(const link_ptr& to, const transport::peer_info& remote, const version_range& versions);
  void on_message(const link_ptr& from, transport::ws_message message);
  void on_closed(const link_ptr& which, const error& why);
  /// Ends it: `reason` goes to the other end, with `code`, and into the log.
  void drop(const link_ptr& which, const std::string& reason, bool refuse,
            transport::ws_close_code code = transport::ws_close_code::policy);
  void stop();
  std::vector<link_ptr> neighbor_links() const;
  link_ptr find(neighbor_id neighbor) const;
  transport::ws_options socket_options() const;
  transport::ws_callbacks socket_callbacks(const link_ptr& of);
  p2p_status status() const;

  // What sessions want (p2p_actions.cpp)
  template <class Event>
  void with(const link_ptr& which, const Event& event) {
    perform(which, which->with(event), nullptr);
  }
  void perform(const link_ptr& from, std::vector<session_action> actions, const credit& held);
  void on(const link_ptr& from, const action::greeted& what, const credit&);
  void on(const link_ptr& from, action::deliver_consensus what, const credit& held);
  void on(const link_ptr& from, action::deliver_head what, const credit&);
  void on(const link_ptr& from, action::deliver_signs what, const credit& held);
  void on(const link_ptr& from, action::deliver_txns what, const credit& held);
  void on(const link_ptr& from, action::txns_heard what, const credit&);
  void on(const link_ptr& from, action::txns_wanted what, const credit&);
  void on(const link_ptr& from, action::txns_missed what, const credit&);
  void on(const link_ptr& from, action::blocks_wanted what, const credit&);
  void on(const link_ptr& from, action::deliver_blocks what, const credit& held);
  void on(const link_ptr& from, action::part_wanted what, const credit& held);
  void on(const link_ptr& from, action::deliver_part what, const credit& held);
  void on(const link_ptr& from, action::neighbors_wanted, const credit&);
  void on(const link_ptr& from, const action::neighbors_heard& what, const credit&);
  void on(const link_ptr& from, action::offence what, const credit&);
  void on(const link_ptr& from, const action::close& what, const credit&);

  struct entrance {
    std::optional<std::string> why_not;
    link_ptr old;       ///< the account's former connection, which ends
    link_ptr displaced; ///< another neighbor, whose place it takes
    bool over_share = false;
  };
  /// Accepts the neighbor, or says why not.
  entrance take_in(const link_ptr& fresh, const hello& from);
  /// A place beside the other neighbors. The caller holds the mutex.
  place_found place_for(const link_ptr& fresh) const;
  place place_of(const link_ptr& of) const;
  /// The organisation of an anchor, and how many places it has.
  std::pair<hash32, std::size_t> organisation_at(const hash32& anchor) const;
  void note_over_share(const link_ptr& of, const std::string& what);
  /// Reports the neighbor. The owner hears of an account's next connection only after the end of
  /// the one before.
  void tell_neighbor(const link_ptr& which, const neighbor_facts& facts);
  void tell_gone(const link_ptr& which, const std::string& reason);
  void ask(txn_relay::questions questions);
  /// Writes at most one line per key every few seconds.
  void warn_limited(const std::string& key, std::string text);
};

} // namespace swarm::p2p
