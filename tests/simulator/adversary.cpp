#include "tests/simulator/adversary.hpp"

#include "ledger/consensus/quorum.hpp"
#include "ledger/formats/turns.hpp"
#include "tests/simulator/abstract_app.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/sim_node.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr std::size_t heard_max = 300;

} // namespace

adversary::adversary(world& in, std::vector<std::size_t> liars)
    : world_(in), liars_(std::move(liars)),
      moods_(in.plan().validators + in.plan().observers, mood::obedient) {}

bool adversary::is_liar(std::size_t node) const {
  return std::find(liars_.begin(), liars_.end(), node) != liars_.end();
}

void adversary::change_mood() {
  for (const auto liar : liars_) {
    const auto draw = world_.random().below(10);
    moods_[liar] = draw < 1 ? mood::obedient : draw < 2 ? mood::mute : draw < 4 ? mood::picky : mood::hostile;
  }
}

void adversary::behave() {
  std::fill(moods_.begin(), moods_.end(), mood::obedient);
}

// What the liars know

void adversary::overhear(std::size_t node, bytes_view raw) {
  if (!is_liar(node)) return;
  const auto head = read_head(raw);
  if (!head) return;
  if (heard_.size() == heard_max) heard_.pop_front();
  if (raw.size() < 8192) heard_.push_back(to_bytes(raw));
  const auto height = world_.node(node).head_num() + 1;
  if (height > lore_.block_num) {
    lore_ = {};
    lore_.block_num = height;
  }
  if (head->block_num != lore_.block_num) return;
  if (head->round_num < 1000) lore_.round_max = std::max(lore_.round_max, head->round_num);
  if (head->code == message_code::proposal) {
    if (auto item = decode_proposal(raw)) {
      auto& known = lore_.proposals[item->round_num];
      const auto same = [&](const auto& other) { return other.block.hash == item->block.hash; };
      if (known.size() < 4 && std::none_of(known.begin(), known.end(), same))
        known.push_back(std::move(*item));
    }
  } else if (head->code == message_code::prepare) {
    if (const auto item = decode_prepare(raw))
      if (const auto author =
              world_.node(node).scheme().recover(signed_digest(world_.domain(), *item), item->signature))
        lore_.prepares[{item->round_num, item->digest}].emplace(*author, *item);
  } else if (head->code == message_code::round_change) {
    if (auto item = decode_round_change(raw))
      if (const auto author = world_.node(node).scheme().recover(signed_digest(world_.domain(), item->vote),
                                                                 item->vote.signature))
        lore_.round_changes[item->vote.round_num].emplace(*author, std::move(*item));
  }
}

bool adversary::lets_pass(std::size_t from, std::size_t, bytes_view raw) {
  switch (moods_[from]) {
  case mood::obedient:
    return true;
  case mood::mute:
    return false;
  case mood::picky:
    return world_.chance(0.6);
  case mood::hostile: {
    const auto head = read_head(raw);
    return world_.chance(head && head->code == message_code::commit ? 0.25 : 0.5);
  }
  }
  return true;
}

// Mischief

void adversary::act() {
  for (const auto liar : liars_)
    if (moods_[liar] == mood::hostile && world_.node(liar).is_up()) attack(liar);
}

void adversary::attack(std::size_t liar) {
  if (lore_.block_num != world_.node(liar).head_num() + 1) {
    lore_ = {};
    lore_.block_num = world_.node(liar).head_num() + 1;
  }
  ++world_.counts().attacks;
  switch (world_.random().below(14)) {
  case 0:
  case 1:
  case 2:
    return two_proposals(liar);
  case 3:
  case 4:
    return forged_proposal(liar);
  case 5:
  case 6:
    return votes_for_everything(liar);
  case 7:
  case 8:
    return lying_round_change(liar);
  case 9:
    return forged_round_change(liar);
  case 10:
    return world_.chance(0.7) ? replay_something(liar) : flood(liar);
  case 11:
    return false_head(liar);
  case 12:
    return bent_proposal(liar);
  default:
    return junk(liar);
  }
}

/// The lowest round in which it is the liar's turn and that is not before the highest round heard of.
std::optional<std::uint64_t> adversary::own_round(std::size_t liar) {
  const auto set = world_.node(liar).app().validators();
  const auto head = world_.node(liar).app().head();
  if (!is_validator(set, world_.node(liar).account())) return std::nullopt;
  const auto first = world_.chance(0.2) ? 0 : lore_.round_max;
  for (auto round_num = first; round_num < first + set.size(); ++round_num)
    if (ledger::proposer_of(set, head.resting, head.proposer, round_num) == world_.node(liar).account())
      return round_num;
  return std::nullopt;
}

std::size_t adversary::quorum(std::size_t liar) {
  return world_.node(liar).status().quorum;
}

forger adversary::pen(std::size_t liar) const {
  return forger(world_.node(liar).scheme(), world_.domain(), !world_.options().real_chain);
}

/// The round changes to `round_num` that claim nothing, with lies of all liars. Nodes that were prepared are
/// left out where possible.
std::vector<signed_round_change> adversary::unprepared_votes(std::uint64_t round_num) {
  std::vector<signed_round_change> out;
  for (const auto& [author, item] : lore_.round_changes[round_num]) {
    const auto node = world_.node_of(author);
    if (!item.vote.prepared && node && !is_liar(*node)) out.push_back(item.vote);
  }
  for (const auto liar : liars_)
    if (is_validator(world_.node(liar).app().validators(), world_.node(liar).account()))
      out.push_back(pen(liar).vote(lore_.block_num, round_num));
  return out;
}

/// Proposes different fresh blocks to different nodes, with the best justification that can be had.
void adversary::two_proposals(std::size_t liar) {
  const auto round_num = own_round(liar);
  if (!round_num) return;
  const auto one = world_.node(liar).app().build(world_.now(), *round_num);
  const auto later = world_.options().real_chain ? 2 * second : 1; // its headers count seconds
  const auto other = world_.node(liar).app().build(world_.now() + later, *round_num);
  if (!one || !other) return;
  std::vector<signed_round_change> votes;
  if (*round_num > 0) {
    votes = unprepared_votes(*round_num);
    if (votes.size() < quorum(liar)) return;
  }
  const auto side = split();
  send_to_side(liar, encode(pen(liar).proposal(*round_num, *one, votes)), side, true);
  if (world_.chance(0.7))
    send_to_side(liar, encode(pen(liar).proposal(*round_num, *other, votes)), side, false);
}

/// Proposes with justifications that nobody may believe: its own round change repeated, votes for another
/// round, prepares of nobody.
void adversary::forged_proposal(std::size_t liar) {
  const auto round_num = own_round(liar);
  if (!round_num) return;
  const auto block = world_.node(liar).app().build(world_.now(), *round_num);
  if (!block) return;
  std::vector<signed_round_change> votes;
  std::vector<signed_prepare> prepares;
  switch (world_.random().below(4)) {
  case 0:
    for (std::size_t i = 0; i < quorum(liar); ++i)
      votes.push_back(pen(liar).vote(block->block_num, *round_num, {}, static_cast<std::uint8_t>(i)));
    break;
  case 1:
    for (const auto& [other_round, known] : lore_.round_changes)
      for (const auto& [author, item] : known)
        votes.push_back(item.vote);
    break;
  case 2:
    for (std::size_t i = 0; i < quorum(liar); ++i) {
      votes.push_back(pen(liar).vote(block->block_num, *round_num, prepared_claim{0, block->hash}));
      prepares.push_back({block->block_num, 0, block->hash, {}});
    }
    break;
  default:
    for (std::size_t i = 0; i < quorum(liar); ++i) {
      const auto variant = static_cast<std::uint8_t>(i);
      prepares.push_back(pen(liar).prepare(block->block_num, 0, block->hash, variant));
      votes.push_back(pen(liar).vote(block->block_num, *round_num, prepared_claim{0, block->hash}, variant));
    }
  }
  if (votes.size() > ledger::seals_max) votes.resize(ledger::seals_max);
  send_to_some(liar, encode(pen(liar).proposal(*round_num, *block, std::move(votes), std::move(prepares))),
               0.8);
}

/// Proposes a block that breaks a rule of the chain: its date is an hour ahead, it says that it was made in another
/// round, or the seals of its parent are none, the liar's own several times, or too few.
void adversary::bent_proposal(std::size_t liar) {
  const auto round_num = own_round(liar);
  if (!round_num) return;
  const auto made_in = world_.chance(0.2) ? world_.random().below(4) : *round_num;
  auto block =
      world_.node(liar).app().build(world_.now() + (world_.chance(0.4) ? 3600 * second : 0), made_in);
  if (!block) return;
  std::vector<signed_round_change> votes;
  if (*round_num > 0) {
    votes = unprepared_votes(*round_num);
    if (votes.size() < quorum(liar)) return;
  }
  if (world_.chance(0.6)) {
    auto seals = *parent_seals_of(*block->raw);
    if (world_.chance(0.3))
      for (auto& seal : seals.seals)
        seal.signature = pen(liar).commit(block->block_num - 1, seals.round_num, block->parent_hash).seal;
    else if (!seals.seals.empty())
      seals.seals.pop_back();
    if (world_.chance(0.2)) seals.seals.clear();
    block = forger::with_parent_seals(*block, seals);
  }
  send_to_some(liar, encode(pen(liar).proposal(*round_num, *block, std::move(votes))), 0.9);
}

/// Sends prepares and seals for every block there is, to nodes chosen by chance.
void adversary::votes_for_everything(std::size_t liar) {
  for (const auto& [round_num, known] : lore_.proposals)
    for (const auto& item : known) {
      const auto& hash = item.block.hash;
      send_to_some(liar, encode(pen(liar).prepare(lore_.block_num, round_num, hash)), 0.6);
      if (world_.chance(0.4))
        send_to_some(liar, encode(pen(liar).commit(lore_.block_num, round_num, hash)), 0.4);
    }
}

/// Sends round changes that say "I was not prepared" or show an old certificate, for this round and others.
void adversary::lying_round_change(std::size_t liar) {
  round_change_message out;
  const auto ahead =
      world_.chance(0.9) ? world_.random().below(3) : world_.random().below(ledger::round_num_max);
  const auto round_num = std::max<std::uint64_t>(1, lore_.round_max + ahead);
  out.vote = pen(liar).vote(lore_.block_num, round_num);
  if (world_.chance(0.4))
    for (const auto& [place, votes] : lore_.prepares) {
      const auto proposals = lore_.proposals.find(place.first);
      if (votes.size() < quorum(liar) || place.first >= round_num || proposals == lore_.proposals.end())
        continue;
      for (const auto& item : proposals->second) {
        if (item.block.hash != place.second) continue;
        out.vote = pen(liar).vote(lore_.block_num, round_num, prepared_claim{place.first, place.second});
        out.block = item.block;
        out.prepares.clear();
        for (const auto& [author, prepare] : votes)
          out.prepares.push_back(prepare);
      }
      if (out.block) break; // the oldest there is
    }
  send_to_some(liar, encode(out), 0.7);
}

void adversary::forged_round_change(std::size_t liar) {
  const auto block = world_.node(liar).app().build(world_.now(), lore_.round_max);
  if (!block) return;
  std::vector<signed_prepare> prepares;
  for (std::size_t i = 0; i < quorum(liar); ++i)
    prepares.push_back(
        pen(liar).prepare(lore_.block_num, lore_.round_max, block->hash, static_cast<std::uint8_t>(i)));
  const auto lie = pen(liar).round_change(lore_.block_num, lore_.round_max + 1, lore_.round_max, block,
                                          std::move(prepares));
  send_to_some(liar, encode(lie), 0.7);
}

void adversary::replay_something(std::size_t liar) {
  if (heard_.empty()) return;
  for (int i = 0; i < 5; ++i)
    send_to_some(liar, heard_[world_.random().below(heard_.size())], 0.5);
}

/// Sends messages of future heights and rounds, more than the buffers take.
void adversary::flood(std::size_t liar) {
  const auto to = world_.random().below(world_.node_count());
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto one = pen(liar).prepare(lore_.block_num + i % 15, i, {});
    if (to != liar) world_.node(liar).send_raw(to, std::make_shared<const bytes>(encode(one)));
  }
}

void adversary::junk(std::size_t liar) {
  bytes raw(world_.random().below(200), 0);
  if (!heard_.empty() && world_.chance(0.7)) raw = heard_[world_.random().below(heard_.size())];
  for (int i = 0; i < 3 && !raw.empty(); ++i)
    raw[world_.random().below(raw.size())] = static_cast<std::uint8_t>(world_.random()());
  send_to_some(liar, std::move(raw), 0.5);
}

// Lies about the chain

/// Claims to be far ahead, so that whoever believes it asks this node for blocks.
void adversary::false_head(std::size_t liar) {
  const auto claim =
      world_.node(liar).head_num() + (world_.chance(0.5) ? 1 : world_.random().below(1u << 30));
  for (std::size_t to = 0; to < world_.node_count(); ++to)
    if (to != liar && world_.chance(0.5))
      world_.transmit(liar, to, {.what = packet::kind::head, .block_num = claim});
}

std::optional<std::vector<sealed_ptr>> adversary::answer(std::size_t from, std::uint64_t first,
                                                         std::vector<sealed_ptr> blocks) {
  if (moods_[from] == mood::obedient) return blocks;
  if (moods_[from] == mood::mute || (moods_[from] == mood::picky && world_.chance(0.4))) return std::nullopt;
  if (moods_[from] == mood::picky) return blocks;
  ++world_.counts().attacks;
  switch (world_.random().below(6)) {
  case 0:
    return std::vector<sealed_ptr>{};
  case 1: // more than anybody asked for
    while (!blocks.empty() && blocks.size() < 100)
      blocks.push_back(blocks.back());
    return blocks;
  case 2: // in another order, so that seals and numbers do not fit
    std::reverse(blocks.begin(), blocks.end());
    return blocks;
  case 3: { // the seals of one block beside another
    if (blocks.size() < 2) return std::nullopt;
    blocks[0] =
        std::make_shared<const sync::sealed_block>(sync::sealed_block{blocks[0]->block, blocks[1]->seals});
    return blocks;
  }
  default:
    if (blocks.empty()) blocks.emplace_back();
    blocks[world_.random().below(blocks.size())] = forged_block(from, first);
    if (blocks[0] == nullptr) return std::nullopt;
    std::erase(blocks, nullptr);
    return blocks;
  }
}

sealed_ptr adversary::forged_block(std::size_t liar, std::uint64_t block_num) {
  const auto block = world_.node(liar).app().build(world_.now(), 0);
  if (!block) return nullptr;
  ledger::seal_record seals;
  seals.round_num = world_.random().below(3);
  for (std::size_t i = 0; i < quorum(liar); ++i)
    seals.seals.push_back(
        {pen(liar).commit(block_num, seals.round_num, block->hash, static_cast<std::uint8_t>(i)).seal});
  if (world_.chance(0.3)) seals.seals.resize(1);
  if (world_.chance(0.3)) seals.seals.back().signature = {};
  return std::make_shared<const sync::sealed_block>(
      sync::sealed_block{*block->raw, ledger::encode_seals(seals)});
}

// Sending

void adversary::send_to_some(std::size_t liar, bytes raw, double share) {
  const auto shared = std::make_shared<const bytes>(std::move(raw));
  for (std::size_t to = 0; to < world_.node_count(); ++to)
    if (to != liar && world_.chance(share)) world_.node(liar).send_raw(to, shared);
}

std::vector<bool> adversary::split() {
  std::vector<bool> out(world_.node_count());
  for (auto&& side : out)
    side = world_.chance(0.6);
  return out;
}

void adversary::send_to_side(std::size_t liar, const bytes& raw, const std::vector<bool>& side, bool which) {
  const auto shared = std::make_shared<const bytes>(raw);
  for (std::size_t to = 0; to < world_.node_count(); ++to)
    if (to != liar && side[to] == which) world_.node(liar).send_raw(to, shared);
}

} // namespace swarm::simulator
