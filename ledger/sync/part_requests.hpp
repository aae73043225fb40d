#pragma once

#include "base/clock.hpp"
#include "ledger/sync/sync_machine.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace swarm::sync {

/// Questions that are open, by peer, and whom to ask next. `About` is what the asker must remember
/// of a question.
template <class About>
class part_requests {
public:
  part_requests(std::size_t per_peer, duration answer_wait)
      : per_peer_(per_peer), answer_wait_(answer_wait) {}

  /// All peers that there are. Returns the questions whose peer is gone.
  std::vector<About> set_peers(std::span<const peer_claim> peers) {
    std::map<peer_id, state> now;
    for (const auto& [peer, claim] : peers) {
      const auto known = peers_.find(peer);
      auto& entry = now[peer];
      if (known != peers_.end()) entry = known->second;
      entry.claim = claim;
    }
    peers_ = std::move(now);
    std::erase_if(distrusted_, [&](peer_id peer) { return !peers_.contains(peer); });
    return drop([&](const question& each) { return !peers_.contains(each.peer); });
  }
  /// Some peer that claims a head of at least `claim` and has room for a question: the least busy one.
  template <class Fits>
  std::optional<peer_id> free_peer(std::uint64_t claim, time_point now, const Fits& fits) const {
    std::optional<peer_id> best;
    for (const auto& [peer, each] : peers_) {
      if (each.claim < claim || each.open >= per_peer_ || now < each.rests_until) continue;
      if (distrusted_.contains(peer) || !fits(peer)) continue;
      if (!best || each.open < peers_.at(*best).open) best = peer;
    }
    return best;
  }
  std::optional<peer_id> free_peer(std::uint64_t claim, time_point now) const {
    return free_peer(claim, now, [](peer_id) { return true; });
  }
  /// Notes a question to `peer` and returns its tag.
  std::uint64_t ask(peer_id peer, About about, time_point now) {
    ++peers_.at(peer).open;
    questions_.emplace(++last_tag_, question{peer, std::move(about), now});
    return last_tag_;
  }
  /// What the answer with this tag is about; none: too late, or never asked.
  std::optional<About> answered(peer_id peer, std::uint64_t tag) {
    const auto found = questions_.find(tag);
    if (found == questions_.end() || found->second.peer != peer) return std::nullopt;
    auto out = std::move(found->second.about);
    close(found->second.peer);
    questions_.erase(found);
    return out;
  }
  /// Questions that wait for too long; their peers rest as long again.
  std::vector<std::pair<peer_id, About>> expired(time_point now) {
    std::vector<std::pair<peer_id, About>> out;
    for (auto it = questions_.begin(); it != questions_.end();) {
      if (now - it->second.since < answer_wait_) {
        ++it;
        continue;
      }
      out.emplace_back(it->second.peer, std::move(it->second.about));
      close(it->second.peer);
      rest(it->second.peer, now + answer_wait_);
      it = questions_.erase(it);
    }
    return out;
  }
  void rest(peer_id peer, time_point until) {
    if (const auto found = peers_.find(peer); found != peers_.end())
      found->second.rests_until = std::max(found->second.rests_until, until);
  }
  /// Asks it nothing more. Returns what it was asked.
  std::vector<About> distrust(peer_id peer) {
    distrusted_.insert(peer);
    return drop([&](const question& each) { return each.peer == peer; });
  }
  /// Forgets all questions.
  void clear() {
    drop([](const question&) { return true; });
  }

  std::size_t open() const { return questions_.size(); }
  std::size_t peers() const { return peers_.size() - distrusted_.size(); }
  std::uint64_t claim_of(peer_id peer) const {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? 0 : found->second.claim;
  }
  /// Peers that are asked.
  std::vector<peer_id> trusted() const {
    std::vector<peer_id> out;
    for (const auto& [peer, each] : peers_)
      if (!distrusted_.contains(peer)) out.push_back(peer);
    return out;
  }
  /// The questions, for look-ups by what they are about.
  template <class See>
  void each(const See& see) const {
    for (const auto& [tag, one] : questions_)
      see(one.peer, one.about);
  }

private:
  struct state {
    std::uint64_t claim = 0;
    std::size_t open = 0;
    time_point rests_until{};
  };
  struct question {
    peer_id peer = 0;
    About about;
    time_point since;
  };
  void close(peer_id peer) {
    if (const auto found = peers_.find(peer); found != peers_.end()) --found->second.open;
  }
  template <class Which>
  std::vector<About> drop(const Which& which) {
    std::vector<About> out;
    for (auto it = questions_.begin(); it != questions_.end();) {
      if (!which(it->second)) {
        ++it;
        continue;
      }
      out.push_back(std::move(it->second.about));
      close(it->second.peer);
      it = questions_.erase(it);
    }
    return out;
  }

  std::size_t per_peer_;
  duration answer_wait_;
  std::map<peer_id, state> peers_;
  std::set<peer_id> distrusted_;
  std::map<std::uint64_t, question> questions_;
  std::uint64_t last_tag_ = 0;
};

} // namespace swarm::sync
