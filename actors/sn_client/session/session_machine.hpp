#pragma once

#include "actors/sn_client/session/chain_trust.hpp"
#include "actors/sn_client/session/events.hpp"
#include "actors/sn_client/session/open_requests.hpp"
#include "actors/sn_client/session/own_asks.hpp"
#include "actors/sn_client/session/own_txns.hpp"
#include "actors/sn_client/session/registered_sn.hpp"
#include "actors/sn_client/session/sn_choice.hpp"
#include "base/back_off.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/proof/lie.hpp"
#include "transport/identity/registration_claim.hpp"

#include <deque>

/// A node's session with the network's SNs, without I/O, clock or threads: it dials one SN at a time, makes
/// sure that it belongs to the node's own network, registers the node, sends its transactions until each has
/// a receipt, follows one contract, says that the node is alive, and goes over to another SN when this one is
/// of no use. What an SN says is not believed further than that: whatever it sends, or does not send, the
/// machine goes on, holds a bounded amount of memory, and ends every call exactly once.
namespace swarm::session {

/// Of which network a node is.
struct trust_options {
  std::optional<hash32> genesis; ///< the genesis block; none: that of the first SN that is asked
  std::string kept_in;           ///< where people find and change that, in words
};

struct session_options {
  std::string configured_sn;          ///< host:port
  std::vector<std::string> other_sns; ///< that the network told of in the node's last life
  std::shared_ptr<const ledger::private_key> key;
  /// What this node registers as; none for one that only reads.
  std::optional<contracts::register_node_args> registration;
  /// None: it registers without a proof, which chains without organisations take.
  transport::prove_function prove = {};
  hash32 anchor = {}; ///< of this node's certificate, which says of which organisation the node is
  /// Views are proved from the genesis block on; without it an SN is believed.
  std::optional<trust_options> trust = {};
};

class session_machine {
public:
  static constexpr duration heartbeat_interval = std::chrono::seconds(2);
  /// Between two looks at whether it has been taken that this node's certificate now ends later.
  static constexpr duration renewal_interval = std::chrono::seconds(4);
  /// Of the other SNs; before that a few more, while none is known. With the first of them a node that has
  /// changed its SN tells the chain so: short visits are not worth a transaction, and no SN can make a node
  /// write more often.
  static constexpr unsigned heartbeats_per_survey = 15;
  static constexpr duration silence_max =
      std::chrono::seconds(15); ///< of an SN; heartbeats are answered at once
  static constexpr duration answer_max = std::chrono::seconds(60); ///< for any one answer
  static constexpr duration connect_max = std::chrono::seconds(45);
  /// Between two looks at whether others have vouched for this node.
  static constexpr duration standing_wait_first = std::chrono::milliseconds(15);
  static constexpr duration standing_wait_longest = std::chrono::seconds(2);
  static constexpr duration resend_wait = std::chrono::milliseconds(250); ///< for an SN that is busy
  static constexpr duration day_full_wait = std::chrono::seconds(30); ///< while there is no room on the chain
  /// How far a node's clock may have been set back.
  static constexpr std::uint64_t serial_ahead_max = std::uint64_t{366} * 24 * 3600 * 1000;
  /// How often it is said that another program has this node's key.
  static constexpr duration twin_note_interval = std::chrono::minutes(1);
  /// For an SN whose chain is shorter than what this node has seen of it.
  static constexpr duration behind_max = std::chrono::seconds(10);
  /// For one whose certificate is not that of a registered SN: it may have started a moment ago.
  static constexpr duration unregistered_max = std::chrono::seconds(5);
  /// For an SN that is only asked which network it belongs to, and how many of them are.
  static constexpr duration visit_max = std::chrono::seconds(5);
  static constexpr std::size_t compared_max = 3;
  /// For an SN that does not show that its chain is the newest.
  static constexpr duration stale_max = std::chrono::seconds(15);
  /// How much older than now, or newer, a validator's word on its head may be, by this node's clock.
  static constexpr std::uint64_t fresh_ms = 60'000;
  static constexpr std::size_t waiting_max = 256; ///< calls that are not sent yet
  static constexpr std::size_t txns_max = 128;    ///< under way; an SN lets 256 of one account wait

  static constexpr std::size_t asks_max = 256; ///< not answered yet

  static constexpr std::size_t unreported_max = 8; ///< lies of which no SN has heard
  static constexpr std::size_t sns_told_max = 4096;
  static constexpr std::size_t subscription_bytes_max = 128;

  explicit session_machine(session_options options);

  void step(const event::tick& now_is, time_point now);
  void step(const event::link_up& news, time_point now);
  void step(const event::link_down& news, time_point now);
  void step(const event::received& news, time_point now);
  void step(const event::follow& wanted, time_point now);
  void step(const event::read&, time_point now);
  void step(const event::submit& call, time_point now);
  void step(const event::ask& call, time_point now);
  /// Connects and registers anew; what is under way goes on.
  void step(const event::renewed& what, time_point now);
  /// What is to be done, in this order.
  std::vector<session_action> take_actions() { return std::exchange(actions_, {}); }
  /// When the next tick is due.
  time_point wake_at() const;

  // For people.
  const std::string& sn() const { return choice_.current(); }
  std::size_t sns_known() const { return choice_.count(); }
  bool connected() const { return link_of(phase_) != nullptr; }
  bool registered() const { return std::holds_alternative<ready>(phase_); }
  const std::string& contract() const { return followed_.name; }
  std::uint64_t block_num() const { return block_num_; }
  std::size_t calls_open() const { return txns_.size() + waiting_.size(); }
  std::size_t asks_open() const { return asks_.size(); }
  std::size_t txns_open() const { return txns_.size(); }
  std::size_t requests_open() const;
  /// How often an SN was left because of a lie.
  std::uint64_t lies() const { return lies_; }
  /// The genesis block of this node's network; none: not known yet, or whatever the SN says.
  std::optional<hash32> genesis() const { return trust_ ? trust_->genesis() : std::nullopt; }
  std::uint64_t reconnects() const { return serial_ > 0 ? serial_ - 1 : 0; }
  std::string status() const;

private:
  /// A batch with views that could not be checked when its answer was here.
  struct asked_again {
    std::vector<rpc_call> calls;
    any_question what;
    std::uint64_t reached = 0; ///< the last change of validators that was known then
    std::string why;
    std::optional<time_point> at; ///< none: once later changes of validators are known
  };
  /// Of whom and what the next SN is to hear.
  struct unreported {
    hash32 accused; ///< the certificate that was presented
    ledger::lie about{};
    bool operator==(const unreported&) const = default;
  };
  /// Which network there is, before this node believes the first SN that.
  struct comparison {
    std::string first;
    hash32 anchor;                      ///< of its certificate
    std::vector<std::string> to_visit;  ///< the next one last
    std::optional<std::string> visited; ///< the SN that is asked now
  };
  /// A connection.
  struct link {
    open_requests asked;
    time_point last_heard;
    event::presented certificate{};
    address sn{}; ///< its account as it says, which this node names as its parent; zero: it does not say
    bool introduced = false;                ///< it was asked who it is
    bool asking_changes = false;            ///< of validators
    std::optional<time_point> changes_at{}; ///< when it is asked for these again
    std::optional<time_point> behind_since{};
    std::vector<asked_again> again{};
    std::optional<time_point> unregistered_since{}; ///< its certificate is not that of an SN
    std::optional<time_point> introduce_at{};       ///< when it is asked again who it is
  };
  /// Waits before it dials again.
  struct down {
    time_point dial_at;
  };
  struct connecting {
    time_point since;
  };
  /// Asked who this SN is.
  struct introducing : link {};
  /// The registration of this node is under way, or waits for vouches.
  struct registering : link {
    std::optional<time_point> look_at; ///< when to ask whether it counts by now
    duration wait = standing_wait_first;
    bool told = false; ///< that it waits
  };
  struct ready : link {
    bool reading = false;
    bool read_again = false;
    bool subscribing = false;
    std::string subscription;             ///< empty for none
    std::uint64_t subscribed_version = 0; ///< of `watch_version_`: of it, or of what is being asked for
    bool recounting = false;              ///< asked for the account's nonce; calls wait for it
    unsigned heartbeats = 0;
    time_point heartbeat_at;
    bool parent_is_stale = false;            ///< the chain names another SN
    std::optional<time_point> stale_since{}; ///< it does not show that its chain is the newest
  };
  using phase = std::variant<down, connecting, introducing, registering, ready>;
  struct network {
    std::uint64_t chain_id = 0;
    hash32 genesis;
    bool operator==(const network&) const = default;
  };

  static const link* link_of(const phase& of);
  link* live() { return const_cast<link*>(link_of(phase_)); }
  void act(session_action what) { actions_.push_back(std::move(what)); }
  void note(log::level level, std::string text) { act(action::note{level, std::move(text)}); }
  void ask(const std::vector<rpc_call>& calls, any_question what, time_point now);

  void dial(time_point now);
  void went_down(const std::string& reason, bool elsewhere, time_point now);
  void give_up(const std::string& reason, bool elsewhere, time_point now);
  duration connect_wait() const { return comparing_ && comparing_->visited ? visit_max : connect_max; }
  void check_link(time_point now);
  void beat(time_point now);
  void survey(time_point now);

  // trusting.cpp
  void ask_changes(time_point now);
  void other_network(const std::string& reason, time_point now);
  void lied(ledger::lie about, const std::string& how, time_point now);
  void remember_lie(ledger::lie about);
  void report_lies(time_point now);
  void take_proved(open_requests::answered from, time_point now);
  void ask_again(time_point now);
  void check_behind(time_point now);
  bool unregistered(const sn_record& record, time_point now);
  void leave_unregistered(const sn_record& record, const std::string& trouble, time_point now);
  void ask_freshness(time_point now);
  time_point trust_due() const;

  // newcomer.cpp
  void began_trust();
  void ask_others_to_compare(time_point now);
  void visit_next(time_point now);
  void compare(const event::presented& by, time_point now);
  void believe_network(std::string_view alone);
  void contradicted(const hash32& other, time_point now);
  void stay_outside(time_point now);

  // receipts.cpp
  void ask_receipt_proof(const question::receipt_proof& about, time_point now);
  void unproved(const question::receipt_proof& about, const std::string& why, time_point now);
  void ended(std::uint64_t nonce, call_receipt outcome, time_point now);

  void take(open_requests::answered from, time_point now);
  using responses = std::vector<boost::json::value>;
  void answer(const question::introduction&, responses& from, time_point now);
  void answer(const question::validator_changes&, responses& from, time_point now);
  void answer(const question::others_to_compare&, responses& from, time_point now);
  void answer(const question::same_network&, responses& from, time_point now);
  void answer(const question::freshness&, responses& from, time_point now);
  void answer(const question::receipt& to, responses& from, time_point now);
  void answer(const question::receipt_proof& to, responses& from, time_point now);
  void answer(const question::account_count&, responses& from, time_point now);
  void answer(const question::standing&, responses& from, time_point now);
  void answer(const question::contract& to, responses& from, time_point now);
  void answer(const question::subscription& to, responses& from, time_point now);
  void answer(const question::other_sns&, responses& from, time_point now);
  void answer(const question::sign_of_life&, responses& from, time_point now);
  void answer(const question::lie_report&, responses&, time_point) {}
  void answer(const question::unsubscription&, responses&, time_point) {}
  void answer(const question::own_ask& to, responses& from, time_point now);

  void ask_introduction(time_point now);
  void enter_network(const network& told, std::uint64_t txn_count, time_point now);
  std::vector<rpc_call> questions_about_self() const;
  void take_standing(const responses& from, std::size_t first);
  void introduce(time_point now);
  result<contracts::register_node_args> registration() const;
  bool renewal_due() const;
  void register_node(time_point now);
  void ask_standing(time_point now);
  void became_ready(time_point now);
  void submit(const address& to, bytes input, std::string what, std::optional<std::uint64_t> call,
              time_point now);
  void submit_waiting(time_point now);
  void send_asks(time_point now);
  void send_txn(open_txn& txn, time_point now);
  void refused(std::uint64_t nonce, const error& why, time_point now);
  void finish(open_txn txn, result<call_receipt> outcome, time_point now);
  /// False: there is nothing to wait for.
  bool subscribe(time_point now);
  void read(time_point now);

  session_options options_;
  sn_choice choice_;
  back_off pause_;
  phase phase_ = down{};
  std::string trouble_ = "not tried yet";
  std::uint64_t serial_ = 0; ///< of the present connection
  std::uint64_t next_id_ = 1;
  std::optional<network> network_; ///< that this node belongs to; told by the first SN
  /// What the chain knows of this node, and what waits there for vouches.
  contracts::node_view known_;
  contracts::pending_view waits_;
  contracts::organisation_id organisation_ = 0; ///< that this node's anchor belongs to
  time_point renew_at_{};                       ///< not before, if it is due
  std::optional<chain_trust> trust_;
  std::optional<comparison> comparing_;
  std::optional<std::string> contradicted_; ///< how SNs contradicted each other about the network
  std::uint64_t lies_ = 0;
  std::vector<unreported> unreported_;
  time_point stale_noted_ = time_point::min() + twin_note_interval;
  own_txns txns_;
  bool told_of_full_day_ = false;     ///< since a transaction became final
  std::deque<event::submit> waiting_; ///< to be sent once this node is registered
  own_asks asks_;
  event::follow followed_;
  std::uint64_t followed_version_ = 0; ///< of `followed_`
  std::uint64_t watch_version_ = 0;    ///< of its contract and topics
  std::uint64_t block_num_ = 0;
  std::uint64_t last_serial_ = 0; ///< of this node's signs of life
  bool knows_serials_ = false;    ///< those of its former life, as an SN has told
  time_point twin_noted_ = time_point::min() + twin_note_interval;
  std::uint64_t unix_ms_ = 0; ///< at the last tick
  std::vector<session_action> actions_;
};

} // namespace swarm::session
