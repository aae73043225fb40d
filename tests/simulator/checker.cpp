#include "tests/simulator/checker.hpp"

#include "base/hash.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/abstract_app.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

/// How many heights below the newest decided one are still watched, as a fork shows while some node is
/// still there.
constexpr std::uint64_t heights_kept = 3000;

} // namespace

checker::checker(const signing_domain& domain, std::vector<address> accounts, ledger::author_recovery recover)
    : domain_(domain), accounts_(std::move(accounts)), recover_(std::move(recover)) {}

void checker::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
}

std::size_t checker::faulty_in(const std::vector<address>& validators) const {
  std::size_t out = 0;
  for (const auto node : faulty_)
    if (is_validator(validators, accounts_[node])) ++out;
  return out;
}

std::size_t checker::honest_of(const std::set<std::size_t>& authors) const {
  return static_cast<std::size_t>(
      std::count_if(authors.begin(), authors.end(), [&](auto node) { return !is_faulty(node); }));
}

void checker::on_height(std::size_t node, std::uint64_t block_num, const std::vector<address>& validators) {
  if (is_faulty(node)) return;
  auto& at = heights_[block_num];
  if (at.validators.empty()) {
    at.validators = validators;
    const auto before = heights_.find(block_num - 1);
    if (before != heights_.end() && !before->second.validators.empty()
        && before->second.validators != validators)
      ++set_changes_;
  } else if (at.validators != validators)
    fail(fmt::format("1 agreement: node {} has other validators for block {}", node, block_num));
}

void checker::on_said(std::size_t node, bytes_view raw) {
  if (is_faulty(node)) return;
  const auto head = read_head(raw);
  if (!head) return fail(fmt::format("node {} said what it cannot read: {}", node, head.error().message));
  auto& at = heights_[head->block_num];
  auto& round_said = at.round_said[node];
  round_said = std::max(round_said, head->round_num);
  switch (head->code) {
  case message_code::proposal: {
    const auto item = decode_proposal(raw);
    if (!item) return fail("a proposal of an honest node cannot be read: " + item.error().message);
    return on_vote(node, at, item->round_num, head->code, item->block.hash);
  }
  case message_code::prepare:
    return on_prepare(node, at, *decode_prepare(raw));
  case message_code::commit:
    return on_commit(node, at, *decode_commit(raw));
  case message_code::round_change: {
    const auto item = decode_round_change(raw);
    if (!item) return fail("a round change of an honest node cannot be read: " + item.error().message);
    return on_round_change(node, at, *item);
  }
  case message_code::reentry:
    return on_vote(node, at, head->round_num, head->code, keccak256(raw));
  }
}

/// 3: one digest per author, height, round and kind of vote, across all its lives.
void checker::on_vote(std::size_t node, height& at, std::uint64_t round_num, message_code code,
                      const hash32& digest) {
  const auto [found, fresh] = at.said.emplace(vote_place{node, round_num, code}, digest);
  if (!fresh && found->second != digest)
    fail(fmt::format("3 one digest: node {} said {} for {} and {} in round {}", node, to_string(code),
                     to_hex(found->second.view()), to_hex(digest.view()), round_num));
}

/// 4: once q - f honest nodes are prepared on a block, no honest node supports another in a later round.
void checker::on_prepare(std::size_t node, height& at, const signed_prepare& vote) {
  on_vote(node, at, vote.round_num, message_code::prepare, vote.digest);
  const auto n = at.validators.size();
  if (n == 0 || only_forks_) return;
  for (const auto& [place, authors] : at.sealed)
    if (place.first < vote.round_num && place.second != vote.digest
        && honest_of(authors) >= quorum_of(n) - faults_tolerated(n))
      fail(fmt::format(
          "4 lock: node {} prepares {} in round {} of block {}, {} honest nodes are locked on {} of round {}",
          node, to_hex(vote.digest.view()), vote.round_num, vote.block_num, authors.size(),
          to_hex(place.second.view()), place.first));
}

/// 1: a block is final when honest seals, together with those of all that may lie, are a quorum, as the liars
/// can show theirs at any time.
void checker::on_commit(std::size_t node, height& at, const commit_message& vote) {
  on_vote(node, at, vote.round_num, message_code::commit, vote.digest);
  auto& authors = at.sealed[{vote.round_num, vote.digest}];
  authors.insert(node);
  if (!at.validators.empty()
      && honest_of(authors) + faulty_in(at.validators) >= quorum_of(at.validators.size()))
    on_final(at, vote.block_num, vote.digest);
}

/// 5: the certificate that a node shows never goes back to a lower round, across all its lives.
void checker::on_round_change(std::size_t node, height& at, const round_change_message& item) {
  hash32 claim;
  if (item.vote.prepared) claim = signed_digest(domain_, item.vote);
  on_vote(node, at, item.vote.round_num, message_code::round_change, claim);
  const auto before = at.claimed.find(node);
  if (before != at.claimed.end()
      && (!item.vote.prepared || item.vote.prepared->round_num < before->second.round_num))
    fail(
        fmt::format("5 certificate: node {} was prepared in round {} of block {} and claims less in round {}",
                    node, before->second.round_num, item.vote.block_num, item.vote.round_num));
  if (item.vote.prepared) at.claimed[node] = *item.vote.prepared;
}

void checker::on_final(height& at, std::uint64_t block_num, const hash32& block) {
  if (!at.final_block) {
    at.final_block = block;
    if (block_num > decided_max_) {
      decided_max_ = block_num;
      forget_old();
    }
  } else if (*at.final_block != block) {
    fail(fmt::format("1 agreement: block {} is final as {} and as {}", block_num,
                     to_hex(at.final_block->view()), to_hex(block.view())));
  }
}

void checker::on_decided(std::size_t node, const proposed_block& block, const ledger::seal_record& seals) {
  auto& at = heights_[block.block_num];
  if (is_faulty(node)) return;
  if (at.validators.empty()) return fail("a block was decided at a height nobody works on");
  // 9: the hash is that of the header, whatever round and seals.
  auto copy = block;
  if (block.raw) {
    const auto again = read_block(block.raw);
    if (!again || again->hash != block.hash) return fail("9 hash: a decided block has another hash");
    copy = *again;
    if (auto whole = check_body(copy); !whole) return fail("2 validity: a decided block has another body");
  }
  if (block.raw) check_parent_seals(block);
  if (!is_validator(at.validators, copy.proposer))
    return fail(fmt::format("2 validity: block {} was made by no validator", block.block_num));
  if (seals.round_num > 0) ++later_rounds_;
  // A lone validator's seal is only sent with the durable block.
  if (at.validators.size() > 1) on_final(at, block.block_num, block.hash);
}

/// 10: a block names seals of its parent that make that one final.
void checker::check_parent_seals(const proposed_block& block) {
  const auto parent = heights_.find(block.block_num - 1);
  if (seals_ignored_) return;
  if (parent == heights_.end() || !parent->second.final_block) return;
  const auto& set = parent->second.validators;
  if (set.empty()) return;
  const auto record = parent_seals_of(*block.raw);
  if (!record) return fail("10 parent's seals: " + record.error().message);
  const auto digest = ledger::seal_digest(domain_.chain_id, domain_.genesis_hash, *parent->second.final_block,
                                          record->round_num);
  if (auto sealed = ledger::check_seals(*record, digest, set, quorum_of(set.size()), recover_); !sealed)
    fail(fmt::format("10 parent's seals: block {}: {}", block.block_num, sealed.error().message));
}

void checker::on_durable(std::size_t node, const proposed_block& block) {
  if (is_faulty(node)) return;
  auto& at = heights_[block.block_num];
  at.durable = true;
  on_final(at, block.block_num, block.hash);
}

void checker::on_reentry(std::size_t node, std::uint64_t block_num) {
  auto& at = heights_[block_num];
  at.claimed.erase(node);
  for (auto& [place, authors] : at.sealed)
    authors.erase(node);
  if (at.durable) return;
  at.final_block.reset();
  for (const auto& [place, authors] : at.sealed)
    if (honest_of(authors) + faulty_in(at.validators) >= quorum_of(at.validators.size()))
      on_final(at, block_num, place.second);
}

void checker::on_status(std::size_t node, const machine_status& now, const park_limits& limits) {
  // 8: memory is bounded whatever arrives.
  if (now.parked_bytes > limits.total_bytes_max)
    fail(fmt::format("8 memory: node {} keeps {} bytes of early messages", node, now.parked_bytes));
  if (is_faulty(node)) return;
  auto& own = lives_[node];
  const auto prepared = now.prepared ? std::optional(now.prepared->round_num) : std::nullopt;
  if (own.block_num == now.block_num) {
    if (now.round_num < own.round_num)
      fail(fmt::format("5 round: node {} went from round {} back to {}", node, own.round_num, now.round_num));
    if (prepared < own.prepared_round)
      fail(fmt::format("5 certificate: node {} lost its certificate of round {}", node, *own.prepared_round));
  } else if (now.block_num < own.block_num) {
    fail(fmt::format("5 height: node {} went from block {} back to {}", node, own.block_num, now.block_num));
  } else if (const auto known = heights_.find(now.block_num); known != heights_.end() && !now.silent) {
    // This is the first look at a height, perhaps in a new life: the round must not be below what
    // was said there.
    const auto said = known->second.round_said.find(node);
    if (said != known->second.round_said.end() && now.validator && now.round_num < said->second)
      fail(fmt::format("5 round: node {} had reached round {} of block {} and is in {}", node, said->second,
                       now.block_num, now.round_num));
  }
  own = {now.block_num, now.round_num, prepared};
}

void checker::forget_old() {
  while (!heights_.empty() && heights_.begin()->first + heights_kept < decided_max_)
    heights_.erase(heights_.begin());
}

} // namespace swarm::simulator
