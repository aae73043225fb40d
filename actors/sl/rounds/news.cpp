#include "actors/sl/rounds/peer_machine.hpp"
#include "base/merge_method.hpp"

#include <fmt/ranges.h>

#include <algorithm>

// What a program's user has to know beside its model; it goes with the next answer, and into the log.
namespace swarm::rounds {

namespace {

/// So many lines of one kind stand in one notice, however many peers there are.
constexpr std::size_t lines_max = 5;

void add_first(std::vector<std::string>& to, const std::vector<std::string>& lines, std::string_view what) {
  to.insert(to.end(), lines.begin(),
            lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines.size(), lines_max)));
  if (lines.size() > lines_max) to.push_back(fmt::format("{} more {}", lines.size() - lines_max, what));
}

} // namespace

/// What is new since the last answer; empty when nothing is.
std::string peer_machine::take_notice(session& s) {
  std::vector<std::string> news;
  tell_of_merge(s, news);
  tell_of_refusals(s, news);
  for (const auto& line : news)
    act(action::note{true, line});
  return fmt::format("{}", fmt::join(news, "; "));
}

/// About the last merge that this node brought a model to: that it was left out of it is told each time, of
/// the others what was not so in the merge before.
void peer_machine::tell_of_merge(session& s, std::vector<std::string>& news) const {
  const auto& merge = view_->brought_to;
  auto& told = s.training.told;
  if (merge.round_num == 0 || merge.round_num != s.training.brought_to || merge.round_num <= told.merge_of)
    return;
  told.merge_of = merge.round_num;
  if (auto own = left_out_text(*view_, options_.self, options_.self); !own.empty())
    news.push_back(std::move(own));
  std::vector<std::string> others;
  std::map<address, contracts::exclusion_reason> left_out;
  for (std::size_t i = 0; i < std::min(merge.excluded.size(), merge.reasons.size()); ++i) {
    const auto& who = merge.excluded[i];
    if (who == options_.self) continue;
    left_out.emplace(who, merge.reasons[i]);
    const auto before = told.left_out.find(who);
    if (before == told.left_out.end() || before->second != merge.reasons[i])
      others.push_back(left_out_text(*view_, who, options_.self));
  }
  told.left_out = std::move(left_out);
  add_first(news, others, "were left out of it");
  const auto lowered = lowered_krum_text(*view_);
  if (!lowered.empty() && merge.contributors.size() != told.krum_of) news.push_back(lowered);
  told.krum_of = lowered.empty() ? 0 : merge.contributors.size();
}

/// Those that were refused before this session began are no news: who waits for them is told in the text of
/// what is waited for.
void peer_machine::know_refusals(session& s) const {
  if (s.training.told.refused) return;
  auto& known = s.training.told.refused.emplace();
  for (const auto& peer : view_->peers)
    if (was_refused(peer)) known.emplace(peer.account, peer.reason);
}

void peer_machine::tell_of_refusals(session& s, std::vector<std::string>& news) const {
  know_refusals(s);
  auto& known = *s.training.told.refused;
  std::vector<std::string> lines;
  std::map<address, contracts::leave_reason> now;
  for (const auto& peer : view_->peers) {
    if (!was_refused(peer) || peer.account == options_.self) continue;
    now.emplace(peer.account, peer.reason);
    const auto before = known.find(peer.account);
    if (before == known.end() || before->second != peer.reason) lines.push_back(departure_text(peer));
  }
  known = std::move(now);
  add_first(news, lines, "were refused");
}

} // namespace swarm::rounds
