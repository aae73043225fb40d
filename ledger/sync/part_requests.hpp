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

/// Keeps open questions by neighbor, and chooses whom to ask next. `About` is what the asker must remember
/// of a question.
template <class About>
class part_requests {
public:
  part_requests(std::size_t per_neighbor, duration answer_wait)
      : per_neighbor_(per_neighbor), answer_wait_(answer_wait) {}

  /// Takes the list of all neighbors. Returns the questions whose neighbor is gone.
  std::vector<About> set_neighbors(std::span<const neighbor_claim> neighbors) {
    std::map<neighbor_id, state> now;
    for (const auto& [neighbor, claim] : neighbors) {
      const auto known = neighbors_.find(neighbor);
      auto& entry = now[neighbor];
      if (known != neighbors_.end()) entry = known->second;
      entry.claim = claim;
    }
    neighbors_ = std::move(now);
    std::erase_if(distrusted_, [&](neighbor_id neighbor) { return !neighbors_.contains(neighbor); });
    return drop([&](const question& each) { return !neighbors_.contains(each.neighbor); });
  }
  /// The least busy neighbor that claims a head of at least `claim` and has room for a question.
  template <class Fits>
  std::optional<neighbor_id> free_neighbor(std::uint64_t claim, time_point now, const Fits& fits) const {
    std::optional<neighbor_id> best;
    for (const auto& [neighbor, each] : neighbors_) {
      if (each.claim < claim || each.open >= per_neighbor_ || now < each.rests_until) continue;
      if (distrusted_.contains(neighbor) || !fits(neighbor)) continue;
      if (!best || each.open < neighbors_.at(*best).open) best = neighbor;
    }
    return best;
  }
  std::optional<neighbor_id> free_neighbor(std::uint64_t claim, time_point now) const {
    return free_neighbor(claim, now, [](neighbor_id) { return true; });
  }
  /// Notes a question to `neighbor` and returns its tag.
  std::uint64_t ask(neighbor_id neighbor, About about, time_point now) {
    ++neighbors_.at(neighbor).open;
    questions_.emplace(++last_tag_, question{neighbor, std::move(about), now});
    return last_tag_;
  }
  /// What the answer with this tag is about; none when it is too late or was never asked for.
  std::optional<About> answered(neighbor_id neighbor, std::uint64_t tag) {
    const auto found = questions_.find(tag);
    if (found == questions_.end() || found->second.neighbor != neighbor) return std::nullopt;
    auto out = std::move(found->second.about);
    close(found->second.neighbor);
    questions_.erase(found);
    return out;
  }
  /// Takes out questions that have waited too long; their neighbors rest for the same time.
  std::vector<std::pair<neighbor_id, About>> expired(time_point now) {
    std::vector<std::pair<neighbor_id, About>> out;
    for (auto it = questions_.begin(); it != questions_.end();) {
      if (now - it->second.since < answer_wait_) {
        ++it;
        continue;
      }
      out.emplace_back(it->second.neighbor, std::move(it->second.about));
      close(it->second.neighbor);
      rest(it->second.neighbor, now + answer_wait_);
      it = questions_.erase(it);
    }
    return out;
  }
  void rest(neighbor_id neighbor, time_point until) {
    if (const auto found = neighbors_.find(neighbor); found != neighbors_.end())
      found->second.rests_until = std::max(found->second.rests_until, until);
  }
  /// From now on the neighbor is asked nothing. Returns what it was asked.
  std::vector<About> distrust(neighbor_id neighbor) {
    distrusted_.insert(neighbor);
    return drop([&](const question& each) { return each.neighbor == neighbor; });
  }
  /// Forgets all questions.
  void clear() {
    drop([](const question&) { return true; });
  }

  std::size_t open() const { return questions_.size(); }
  std::size_t neighbors() const { return neighbors_.size() - distrusted_.size(); }
  std::uint64_t claim_of(neighbor_id neighbor) const {
    const auto found = neighbors_.find(neighbor);
    return found == neighbors_.end() ? 0 : found->second.claim;
  }
  /// The neighbors that may be asked.
  std::vector<neighbor_id> trusted() const {
    std::vector<neighbor_id> out;
    for (const auto& [neighbor, each] : neighbors_)
      if (!distrusted_.contains(neighbor)) out.push_back(neighbor);
    return out;
  }
  /// Shows each question, so that callers can look for what one is about.
  template <class See>
  void each(const See& see) const {
    for (const auto& [tag, one] : questions_)
      see(one.neighbor, one.about);
  }

private:
  struct state {
    std::uint64_t claim = 0;
    std::size_t open = 0;
    time_point rests_until{};
  };
  struct question {
    neighbor_id neighbor = 0;
    About about;
    time_point since;
  };
  void close(neighbor_id neighbor) {
    if (const auto found = neighbors_.find(neighbor); found != neighbors_.end()) --found->second.open;
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
      close(it->second.neighbor);
      it = questions_.erase(it);
    }
    return out;
  }

  std::size_t per_neighbor_;
  duration answer_wait_;
  std::map<neighbor_id, state> neighbors_;
  std::set<neighbor_id> distrusted_;
  std::map<std::uint64_t, question> questions_;
  std::uint64_t last_tag_ = 0;
};

} // namespace swarm::sync
