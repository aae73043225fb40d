#include "base/hash.hpp"
#include "contracts/testing/naive_training.hpp"
#include "contracts/training/commitment.hpp"
#include "contracts/training/dealing.hpp"

#include <algorithm>

// How proposals are checked and disputed.
namespace swarm::contracts {

bool naive_training::is_barred(const member& peer) const {
  return round_ < peer.barred_until;
}

std::set<organisation_id> naive_training::set_aside() const {
  std::set<organisation_id> out;
  if (!questioned_.is_zero()) out.insert(members_[place_of(questioned_)].in_organisation);
  for (const auto* peer : in_round())
    if (peer->barred_until == round_ + 1 + barred_rounds) out.insert(peer->in_organisation);
  return out;
}

std::vector<const naive_training::member*> naive_training::candidates() const {
  std::vector<const member*> out;
  for (const auto* peer : in_round()) {
    const auto state = peer->view.state;
    const bool is_there = state == peer_state::active || state == peer_state::finished;
    const bool has_made_all = proposal_.shards == 0 && peer->view.account == leader_;
    if (is_there && peer->in->model.weightage > 0 && !has_made_all) out.push_back(peer);
  }
  return out;
}

std::set<address> naive_training::waited_for(const std::set<address>& who) {
  auto heard = who;
  for (std::size_t i = 0; i < proposal_.excluded.size(); ++i)
    if (proposal_.reasons[i] == exclusion_reason::not_available) heard.erase(proposal_.excluded[i]);
  if (heard.empty()) return who;
  std::map<organisation_id, int> for_it;
  int by_node = 1;
  ++for_it[find(leader_)->in_organisation];
  for (const auto& account : who) {
    const int voice = heard.contains(account) ? 1 : -1;
    by_node += voice;
    for_it[find(account)->in_organisation] += voice;
  }
  const auto most =
      std::count_if(for_it.begin(), for_it.end(), [](const auto& one) { return one.second > 0; });
  const bool outvoted = for_it.size() > 1 ? 2 * static_cast<std::size_t>(most) > for_it.size() : by_node > 0;
  return outvoted ? heard : who;
}

void naive_training::open_checks() {
  ++proposals_;
  checks_ = {};
  shards_made_in_ = block_time - shards_since_;
  std::set<address> free, all;
  for (const auto* peer : candidates()) {
    all.insert(peer->view.account);
    if (!is_barred(*peer)) free.insert(peer->view.account);
  }
  const std::size_t enough = proposal_.shards > 0 ? 2 : 1;
  const auto who = waited_for(free.size() < enough ? all : free);
  if (who.empty()) return accept();
  phase_ = round_phase::verifying;
  const bool is_dealt =
      proposal_.shards > 0
          ? !is_dealt_to_all({who.begin(), who.end()}, plan_of(shards_size_, proposal_.shards), authors())
          : who.size() > 2 && !is_checked_whole(proposal_.size, who.size());
  if (!is_dealt) {
    checks_.able = who;
    return deal_out();
  }
  checks_.awaited = who;
  begin_stage(seed_seconds);
}

void naive_training::begin_stage(std::uint64_t seconds) {
  checks_.until = block_time + seconds;
  checks_.lasts = seconds;
}

std::uint64_t naive_training::model_size() const {
  std::map<organisation_id, std::vector<std::uint64_t>> sizes;
  for (const auto* peer : in_round())
    if (peer->in->model.weightage > 0) sizes[peer->in_organisation].push_back(peer->in->model.size);
  std::vector<std::uint64_t> middles;
  for (auto& [organisation, own] : sizes) {
    std::sort(own.begin(), own.end());
    middles.push_back(own[own.size() / 2]);
  }
  std::sort(middles.begin(), middles.end());
  return std::min(middles[middles.size() / 2], model_bytes_max);
}

void naive_training::deal_out() {
  phase_ = round_phase::verifying;
  ++checks_.attempt;
  checks_.attested.clear();
  checks_.seats.clear();
  checks_.awaited.clear();
  const auto aside = set_aside();
  std::vector<checker> checkers;
  for (const auto* peer : candidates())
    if (checks_.able.contains(peer->view.account))
      checkers.push_back({peer->view.account, peer->in_organisation, aside.contains(peer->in_organisation)});
  const auto order = proposal_.shards > 0 ? shard_deal_order(checks_.mix, checkers)
                                          : deal_order(checks_.mix, find(leader_)->in_organisation, checkers);
  std::vector<organisation_id> organisations;
  std::vector<checker> seats;
  for (const auto at : order) {
    checks_.seats.push_back(checkers[at].account);
    organisations.push_back(checkers[at].organisation);
    seats.push_back(checkers[at]);
  }
  const auto chunks = chunks_of_proposal();
  const auto dealt =
      proposal_.shards > 0
          ? deal_shards(seats, plan_of(shards_size_, proposal_.shards), authors())
          : deal(organisations, chunks, is_checked_whole(proposal_.size, organisations.size()));
  std::uint64_t most = 0;
  for (std::size_t place = 0; place < organisations.size(); ++place) {
    const auto count = dealt.chunks_of(place).size();
    if (count > 0) checks_.awaited.insert(checks_.seats[place]);
    most = std::max<std::uint64_t>(most, count);
  }
  if (most == 0) return accept();
  const auto bytes = contributors() * (model_size() / (chunks / most) + 1);
  auto seconds = check_seconds + bytes / check_bytes_per_second;
  if (proposal_.shards > 0) {
    const auto own = plan_of(shards_size_, proposal_.shards).chunks_of(0).count;
    std::uint64_t shards = 0;
    while (shards * own < most)
      ++shards;
    seconds = std::min(seconds, check_seconds + 4 * shards * (shards_made_in_ + 1));
  }
  begin_stage(seconds);
  events.emplace_back(checks_dealt{round_, generation_, term_, checks_.attempt, checks_.mix, chunks,
                                   static_cast<std::uint32_t>(checks_.awaited.size()), checks_.until});
}

std::uint64_t naive_training::chunks_of_proposal() const {
  if (proposal_.shards > 0) return plan_of(proposal_.size, proposal_.shards).chunks();
  return chunks_to_deal(proposal_.size, parse_merge_method(method_).value());
}

void naive_training::accept() {
  // Who alone checks a merge of shards checks none that it has made itself.
  bool all_checked = true;
  if (proposal_.shards > 0 && checks_.attested.size() == 1)
    for (const auto& one : shards_)
      if (!one.roots.empty() && checks_.attested.contains(one.by)) all_checked = false;
  for (const auto& peer : members_)
    if (all_checked && checks_.attested.contains(peer.view.account))
      proposal_.checkers.push_back(peer.view.account);
  merges_[round_] = proposal_;
  events.emplace_back(
      merge_accepted{round_, generation_, term_, leader_, proposal_.digest, proposal_.checkers});
  next_round();
}

void naive_training::bar(const address& account, bar_reason reason) {
  auto* peer = find(account);
  checks_.able.erase(account);
  peer->barred_until = round_ + 1 + barred_rounds;
  events.emplace_back(barred{account, round_, generation_, reason, peer->barred_until});
}

void naive_training::lose(const address& account) {
  for (auto& one : shards_)
    if (phase_ == round_phase::merging && one.maker == account && one.by.is_zero()) one.declined = true;
  if (phase_ != round_phase::verifying && phase_ != round_phase::disputed) return;
  checks_.able.erase(account);
  if (checks_.awaited.erase(account) == 0) return;
  if (phase_ == round_phase::disputed)
    settle_dispute(false);
  else if (checks_.attempt > 0 || checks_.awaited.empty())
    deal_out();
}

bool naive_training::is_current(std::uint64_t generation, std::uint64_t round_num, std::uint32_t term,
                                std::uint32_t attempt, round_phase phase) const {
  return generation == generation_ && round_num == round_ && term == term_ && attempt == checks_.attempt
         && phase == phase_;
}

bool naive_training::call(const address& caller, const reveal_seed_args& args) {
  if (!is_current(args.generation, args.round_num, args.term, 0, round_phase::verifying)) return false;
  auto* peer = find(caller);
  if (!checks_.awaited.contains(caller) || keccak256(args.seed.view()) != peer->in->seed_hash) return false;
  events.emplace_back(seed_revealed{caller, round_, generation_, term_, args.seed});
  peer->in->seed_hash = args.seed;
  checks_.mix = mixed_with(checks_.mix, caller, args.seed);
  checks_.awaited.erase(caller);
  checks_.able.insert(caller);
  if (checks_.awaited.empty()) deal_out();
  return true;
}

bool naive_training::call(const address& caller, const attest_args& args) {
  if (!is_current(args.generation, args.round_num, args.term, args.attempt, round_phase::verifying)
      || args.attempt == 0 || !checks_.awaited.contains(caller))
    return false;
  events.emplace_back(attested{caller, round_, generation_, term_, args.attempt});
  checks_.awaited.erase(caller);
  checks_.attested.insert(caller);
  if (checks_.awaited.empty()) accept();
  return true;
}

bool naive_training::is_about_availability(challenge_kind kind, std::uint64_t number) const {
  return kind == challenge_kind::exclusion && proposal_.reasons[number] == exclusion_reason::not_available;
}

bool naive_training::may_challenge(const member& peer, const address& author,
                                   const std::set<address>& said_by) const {
  std::set<organisation_id> organisations;
  for (const auto* one : in_round())
    organisations.insert(one->in_organisation);
  const bool counts_alone = organisations.size() == 1;
  for (const auto& account : said_by)
    if (account == peer.view.account
        || (!counts_alone && members_[place_of(account)].in_organisation == peer.in_organisation))
      return false;
  const auto aside = set_aside();
  organisations.erase(peer.in_organisation);
  organisations.erase(members_[place_of(author)].in_organisation);
  std::erase_if(organisations, [&](organisation_id one) { return aside.contains(one); });
  return counts_alone || organisations.empty() || !aside.contains(peer.in_organisation);
}

bool naive_training::call(const address& caller, const challenge_args& args) {
  auto* peer = find(caller);
  if (!is_current(args.generation, args.round_num, args.term, args.attempt, round_phase::verifying)
      || args.attempt == 0 || peer == nullptr || peer->view.state == peer_state::left || !peer->in)
    return false;
  if ((caller == leader_ && proposal_.shards == 0) || peer->in->model.weightage == 0) return false;
  if (is_barred(*peer) && !checks_.able.contains(caller)) return false;
  if (args.kind == challenge_kind::unserved && args.number != 0) return false;
  if (args.kind == challenge_kind::chunk && args.number >= chunks_of_proposal() + measures().units.size())
    return false;
  if (args.kind == challenge_kind::exclusion) {
    if (args.number >= proposal_.excluded.size()) return false;
    const auto* left_out = find(proposal_.excluded[args.number]);
    if (proposal_.reasons[args.number] == exclusion_reason::not_available && left_out->in->spared)
      return false;
  }
  const auto author = author_of(args.kind, args.number);
  if (args.kind == challenge_kind::chunk && caller == author) return false;
  const bool is_unserved = args.kind == challenge_kind::unserved;
  const bool is_available = is_about_availability(args.kind, args.number);
  if (!may_challenge(*peer, author,
                     is_unserved    ? checks_.said_unserved
                     : is_available ? checks_.said_available
                                    : std::set<address>{}))
    return false;
  if (is_unserved) checks_.said_unserved.insert(caller);
  if (is_available) checks_.said_available.insert(caller);
  phase_ = round_phase::disputed;
  checks_.kind = args.kind;
  checks_.number = args.number;
  checks_.challenger = caller;
  checks_.holds.clear();
  if (author != caller) checks_.holds.insert(author);
  checks_.against = {caller};
  checks_.awaited.clear();
  for (const auto* one : candidates())
    if (one->view.account != caller && one->view.account != author) checks_.awaited.insert(one->view.account);
  const auto size = model_size();
  const auto part = proposal_.shards > 0 ? plan_of(shards_size_, proposal_.shards).unit_chunks() : 1;
  const bool by_chunks = chunks_of_proposal() > 1;
  const auto bytes = args.kind == challenge_kind::exclusion
                         ? size
                         : contributors() * (by_chunks ? std::min(size, part * model_chunk_bytes) : size);
  begin_stage(check_seconds + bytes / check_bytes_per_second);
  events.emplace_back(merge_challenged{round_, generation_, term_, args.attempt, args.kind, args.number,
                                       caller, checks_.until});
  settle_dispute(false);
  return true;
}

bool naive_training::call(const address& caller, const judge_args& args) {
  if (!is_current(args.generation, args.round_num, args.term, args.attempt, round_phase::disputed)
      || !checks_.awaited.contains(caller))
    return false;
  events.emplace_back(judged{caller, round_, generation_, term_, args.attempt, args.holds});
  checks_.awaited.erase(caller);
  (args.holds ? checks_.holds : checks_.against).insert(caller);
  settle_dispute(false);
  return true;
}

bool naive_training::call(const address& caller, const close_checks_args& args) {
  const auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  const bool disputed = phase_ == round_phase::disputed;
  if (!is_current(args.generation, args.round_num, args.term, args.attempt,
                  disputed ? phase_ : round_phase::verifying)
      || block_time < checks_.until)
    return false;
  if (disputed) {
    settle_dispute(true);
    return true;
  }
  const auto reason = checks_.attempt == 0 ? bar_reason::withheld_seed : bar_reason::silent;
  for (const auto& one : members_)
    if (checks_.awaited.contains(one.view.account)) bar(one.view.account, reason);
  deal_out();
  return true;
}

/// What those of one organisation, or one node, say: more than the others of it could undo, or what most have said.
void naive_training::settle_dispute(bool is_over) {
  std::map<organisation_id, std::array<std::size_t, 3>> by_organisation;
  std::vector<std::array<std::size_t, 3>> all;
  for (const auto* peer : in_round()) {
    const auto& who = peer->view.account;
    const std::array<std::size_t, 3> says{checks_.holds.count(who), checks_.against.count(who),
                                          checks_.awaited.count(who)};
    if (says[0] + says[1] + says[2] == 0) continue;
    all.push_back(says);
    for (std::size_t i = 0; i < 3; ++i)
      by_organisation[peer->in_organisation][i] += says[i];
  }
  if (by_organisation.size() > 1) {
    all.clear();
    for (const auto& [organisation, says] : by_organisation)
      all.push_back(says);
  }
  const auto count = [&all](auto&& says) {
    return static_cast<std::uint32_t>(std::count_if(all.begin(), all.end(), says));
  };
  const auto holds = count([](const auto& s) { return s[0] > s[1]; });
  const auto against = count([](const auto& s) { return s[1] > s[0]; });
  if (2 * count([](const auto& s) { return s[0] > s[1] + s[2]; }) > all.size())
    return decide(verdict::upheld, holds, against);
  if (2 * count([](const auto& s) { return s[1] > s[0] + s[2]; }) > all.size())
    return decide(verdict::refuted, holds, against);
  if (!is_over && !checks_.awaited.empty()) return;
  if (holds == against) return decide(verdict::tied, holds, against);
  decide(holds > against ? verdict::upheld : verdict::refuted, holds, against);
}

void naive_training::decide(verdict outcome, std::uint32_t holds, std::uint32_t against) {
  events.emplace_back(
      challenge_decided{round_, generation_, term_, checks_.attempt, outcome, holds, against});
  const bool by_availability = is_about_availability(checks_.kind, checks_.number);
  const auto author = author_of(checks_.kind, checks_.number);
  const bool repeatable = checks_.kind != challenge_kind::unserved && !by_availability;
  if (outcome == verdict::upheld) {
    checks_.able.erase(checks_.challenger);
    const auto own = find(checks_.challenger)->in_organisation;
    std::set<organisation_id> organisations{find(leader_)->in_organisation};
    for (const auto* peer : candidates())
      organisations.insert(peer->in_organisation);
    for (const auto* peer : candidates())
      if (checks_.kind == challenge_kind::unserved && organisations.size() > 1
          && peer->in_organisation == own)
        checks_.able.erase(peer->view.account);
    if (repeatable) bar(checks_.challenger, bar_reason::false_challenge);
    return deal_out();
  }
  if (by_availability) find(proposal_.excluded[checks_.number])->in->spared = true;
  if (outcome == verdict::tied && !by_availability) ++ties_;
  if (outcome == verdict::tied && !by_availability && ties_ == 2) {
    phase_ = round_phase::stopped;
    events.emplace_back(round_stopped{round_, generation_, author, checks_.challenger});
    return;
  }
  if ((outcome == verdict::tied || by_availability) && questioned_.is_zero()) questioned_ = author;
  if (checks_.kind == challenge_kind::unserved && proposal_.shards > 0)
    shards_again_from_ = round_ + 1 + barred_rounds;
  if (outcome == verdict::refuted && repeatable) bar(author, bar_reason::false_merge);
  succeed();
}

merge_view naive_training::proposal() const {
  const bool is_there =
      phase_ == round_phase::verifying || phase_ == round_phase::disputed || phase_ == round_phase::stopped;
  return is_there ? proposal_ : merge_view{};
}

checks_view naive_training::checks() const {
  if (phase_ != round_phase::verifying && phase_ != round_phase::disputed) return {};
  checks_view out{round_,        term_,       checks_.attempt,     checks_.until,
                  checks_.lasts, checks_.mix, chunks_of_proposal()};
  if (phase_ == round_phase::disputed) {
    out.kind = checks_.kind;
    out.number = checks_.number;
    out.challenger = checks_.challenger;
  }
  for (const auto& peer : members_)
    if (checks_.awaited.contains(peer.view.account)) out.awaited.push_back(peer.view.account);
  for (const auto& account : checks_.seats)
    out.seats.push_back(
        {account, members_[place_of(account)].in_organisation, checks_.attested.contains(account)});
  return out;
}

} // namespace swarm::contracts
