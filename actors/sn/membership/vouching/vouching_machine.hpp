#pragma once

#include "actors/sn/membership/vouching/events.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

/// What one SN does for its organisation about nodes that want to be members: it vouches for those whose proof holds,
/// sees to it that no silent organisation keeps them waiting, answers when its own is accused, and has members of its own
/// organisation removed whose certificates are good no more.
///
/// It remembers nothing that the chain does not say: after a restart it is told of all who wait. Of several SNs of an
/// organisation the one that the node came through acts at once, the others a moment later if that does not. To settle an
/// applicant is for one organisation first, another one for each, and for the others a moment later.
namespace swarm::vouching {

class vouching_machine {
public:
  /// How long an SN waits for each that is before it in its organisation.
  static constexpr duration turn = std::chrono::milliseconds(300);
  static constexpr duration vouch_again_after = std::chrono::seconds(5);
  /// An organisation that lets an applicant wait so long is accused.
  static constexpr duration patience = std::chrono::seconds(5);
  /// After an accusation; the accused has 10 s of block time for its answer.
  static constexpr duration settle_after = std::chrono::seconds(11);
  static constexpr unsigned settles_max = 3;
  static constexpr duration accuse_again_after = std::chrono::seconds(60);
  static constexpr duration answer_again_after = std::chrono::seconds(2);
  static constexpr duration remove_again_after = std::chrono::seconds(30);
  /// What an organisation's applicants may cost: so many vouches at once, and so many a second.
  static constexpr double vouches_burst = 512;
  static constexpr double vouches_per_second = 8;
  /// Settling many takes the room of this SN's other transactions; who is not settled at once waits a little.
  static constexpr double settles_burst = 32;
  static constexpr double settles_per_second = 8;
  /// Of refusals, for each organisation.
  static constexpr duration say_again_after = std::chrono::seconds(10);
  static constexpr std::size_t applicants_max = 16384;
  static constexpr std::size_t notes_max = 4096; ///< accounts that something is remembered of

  explicit vouching_machine(const address& self) : self_(self) {}

  void step(const event::council& news, time_point now);
  void step(const event::applied& news, time_point now);
  void step(const event::vouched& news, time_point now);
  void step(const event::closed& news, time_point now);
  void step(const event::accused& news, time_point now);
  void step(const event::answered& news, time_point now);
  void step(const event::lost& news, time_point now);
  void step(event::tick, time_point now);
  std::vector<vouching_action> take_actions() { return std::exchange(actions_, {}); }

  // For people.
  std::size_t applicants() const { return applicants_.size(); }
  std::vector<address> accounts() const;
  std::uint64_t vouches() const { return vouches_; }
  std::uint64_t refusals() const { return refusals_; }
  const std::string& last_refusal() const { return last_refusal_; }

private:
  struct applicant {
    hash32 statement;
    organisation_id organisation = 0;
    address parent;
    bool good = false;
    time_point since;
    std::set<organisation_id> vouched_by;
    std::optional<time_point> vouched_at; ///< by this SN
    bool accused = false;                 ///< those who let it wait
    std::optional<time_point> settle_at;
    unsigned settled = 0;
  };

  std::optional<organisation_id> own_organisation() const;
  std::size_t place() const;
  std::size_t place_for(const applicant& one) const;
  std::size_t place_to_settle(const address& account) const;
  void settle(const address& account, applicant& one, time_point now);
  void look_at(const address& account, applicant& one, time_point now);
  void vouch(const address& account, applicant& one, time_point now);
  void accuse(const address& account, applicant& one, time_point now);
  void refuse(const event::applied& news, time_point now);
  void answer(time_point now);

  address self_;
  std::vector<member_sn> council_;
  std::map<address, applicant> applicants_;
  organisation_budget budget_{vouches_burst, vouches_per_second};
  organisation_budget settles_{settles_burst, settles_per_second};
  std::map<organisation_id, time_point> told_;
  std::map<organisation_id, time_point> accused_; ///< by whomever
  std::optional<time_point> answer_at_;           ///< the own organisation is accused
  std::map<address, time_point> removed_;
  std::uint64_t vouches_ = 0;
  std::uint64_t refusals_ = 0;
  std::string last_refusal_;
  std::vector<vouching_action> actions_;
};

} // namespace swarm::vouching
