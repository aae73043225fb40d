#pragma once

#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/testing/fake_scheme.hpp"
#include "ledger/state/trie.hpp"

#include <doctest/doctest.h>

#include <ranges>

/// What the unit tests of consensus have in common: a height with validators 0 .. n-1 on top of a head,
/// messages of any of them, and a machine with its answers given by hand.
namespace swarm::consensus::testing {

inline hash32 filled(std::uint8_t with) {
  hash32 out;
  out.fill(with);
  return out;
}

inline signing_domain test_domain() {
  return {1337, filled(0x47)};
}

template <class Result, class Code>
bool breaks(const Result& outcome, Code code) {
  if (outcome.has_value()) return false;
  if (!outcome.error().is(code)) MESSAGE("broke another rule: " << outcome.error().message);
  return outcome.error().is(code) && !outcome.error().message.empty();
}

/// Block `head.block_num + 1` of validator `proposer`; `content` makes blocks differ.
inline proposed_block make_block(const chain_head& head, const address& proposer, std::uint8_t content = 1,
                                 std::vector<bytes> txns = {{0x02, 0xc0}}, std::uint64_t made_in = 0) {
  ledger::block_header header;
  header.parent_hash = head.hash;
  header.block_num = head.block_num + 1;
  header.coinbase = proposer;
  header.timestamp = content;
  put_be64(header.nonce.data(), made_in);
  const auto seals = ledger::encode_seals({});
  header.extra_data = to_bytes(keccak256(seals).view());
  header.txns_root = ledger::ordered_trie_root(txns);
  ledger::rlp_writer out;
  out.begin_list().encoded(ledger::encode_header(header)).begin_list();
  for (const auto& txn : txns)
    out.string(txn);
  out.end_list().begin_list().end_list().encoded(seals).end_list();
  return *read_block(std::make_shared<const bytes>(out.take()));
}

/// A height for which every validator's messages can be made. Validator `k` proposes in round `k` when the
/// head's proposer is the last one.
struct scene {
  explicit scene(std::size_t n, std::uint64_t block_num = 8) {
    for (std::size_t i = 0; i < n; ++i)
      validators.push_back(fake_account(i));
    head = {block_num - 1, filled(0x77), validators.back(), {}};
  }

  chain_head head;
  std::vector<address> validators;
  signing_domain domain = test_domain();
  author_finder authors{fake_recover};

  std::uint64_t block_num() const { return head.block_num + 1; }
  std::size_t quorum() const { return quorum_of(validators.size()); }
  height_view view() {
    return {domain, block_num(), head.hash, head.proposer, head.resting, validators, quorum(), authors};
  }

  /// A block that validator `proposer` made in its first turn.
  proposed_block block(std::size_t proposer, std::uint8_t content = 1) const {
    return make_block(head, validators[proposer], content, {{0x02, 0xc0}}, proposer);
  }
  signed_prepare prepare(std::size_t who, std::uint64_t round_num, const hash32& digest,
                         std::uint8_t variant = 0) const {
    signed_prepare out{block_num(), round_num, digest, {}};
    out.signature = fake_sign(validators[who], signed_digest(domain, out), variant);
    return out;
  }
  std::vector<signed_prepare> prepares(const std::vector<std::size_t>& who, std::uint64_t round_num,
                                       const hash32& digest) const {
    std::vector<signed_prepare> out;
    for (const auto one : who)
      out.push_back(prepare(one, round_num, digest));
    return out;
  }
  commit_message commit(std::size_t who, std::uint64_t round_num, const hash32& digest,
                        std::uint8_t variant = 0) const {
    commit_message out{block_num(), round_num, digest, {}};
    out.seal = fake_sign(validators[who], seal_digest(domain, out), variant);
    return out;
  }
  signed_round_change vote(std::size_t who, std::uint64_t round_num, std::optional<prepared_claim> claim = {},
                           std::uint8_t variant = 0) const {
    signed_round_change out{block_num(), round_num, claim, {}};
    out.signature = fake_sign(validators[who], signed_digest(domain, out), variant);
    return out;
  }
  round_change_message round_change(std::size_t who, std::uint64_t round_num,
                                    std::optional<certificate> proof = {}) const {
    round_change_message out;
    if (proof) {
      out.vote = vote(who, round_num, prepared_claim{proof->round_num, proof->block.hash});
      out.block = proof->block;
      out.prepares = proof->prepares;
    } else {
      out.vote = vote(who, round_num);
    }
    return out;
  }
  certificate proof(std::uint64_t round_num, const proposed_block& on,
                    const std::vector<std::size_t>& who) const {
    return {round_num, on, prepares(who, round_num, on.hash)};
  }
  proposal_message proposal(std::size_t who, std::uint64_t round_num, const proposed_block& on,
                            std::vector<signed_round_change> votes = {},
                            std::vector<signed_prepare> prepares = {}) const {
    proposal_message out{block_num(), round_num, on, {}, std::move(votes), std::move(prepares)};
    out.signature = fake_sign(validators[who], proposal_digest(domain, out.block_num, round_num, on.hash));
    return out;
  }
};

template <class Action>
std::vector<Action> all_of(const std::vector<action>& from) {
  std::vector<Action> out;
  for (const auto& item : from)
    if (const auto* found = std::get_if<Action>(&item)) out.push_back(*found);
  return out;
}

/// One machine whose disk, pool and executor answer at once unless told otherwise. Collects what it said.
class test_node {
public:
  test_node(const scene& in, std::size_t self, machine_options options = {})
      : scene_(in), self_(self), options_(std::move(options)) {
    options_.domain = in.domain;
    disk = initial_records(in.validators[self], in.domain.genesis_hash);
    for (auto& entry : disk)
      entry.value = encode_place({in.validators[self], in.domain.genesis_hash, in.block_num(), 0});
    begin();
  }

  /// Starts a new life from what is on disk.
  std::vector<action> begin() {
    machine.emplace(options_, fake_scheme(scene_.validators[self_]));
    said.clear();
    return feed(start{scene_.head, scene_.validators, disk});
  }

  std::vector<action> feed(event what) {
    auto out = machine->step(std::move(what));
    for (std::size_t i = 0; i < out.size(); ++i) {
      auto more = answer(action(out[i]));
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }
  template <class Message>
  std::vector<action> hear(const Message& item, neighbor_id neighbor = 9) {
    return feed(message{neighbor, std::make_shared<const bytes>(encode(item))});
  }
  std::vector<action> timer(timer_kind kind = timer_kind::round) {
    const auto now = machine->status();
    return feed(timer_fired{{kind, now.block_num, kind == timer_kind::round ? now.round_num : 0}});
  }
  /// How many messages with this code were said so far; only their heads are decoded.
  std::size_t said_count(message_code code) const {
    return static_cast<std::size_t>(std::count_if(
        said.begin(), said.end(), [&](const auto& raw) { return read_head(*raw)->code == code; }));
  }
  shared_bytes last_said(message_code code) const {
    for (const auto& at : std::ranges::reverse_view(said))
      if (read_head(*at)->code == code) return at;
    return nullptr;
  }

  std::optional<qbft_machine> machine;
  std::vector<record_entry> disk;
  std::vector<shared_bytes> said;
  std::vector<commit_block> decided;
  bool disk_works = true;
  bool has_work = true;
  bool blocks_are_good = true;
  bool blocks_are_early = false;
  std::uint8_t content = 1;
  std::uint64_t unwritten = 0; ///< the last token that was not answered

private:
  std::vector<action> answer(action what) {
    if (auto* write = std::get_if<persist>(&what)) {
      unwritten = write->token;
      if (!disk_works) return {};
      for (auto& entry : write->entries) {
        std::erase_if(disk, [&](const auto& old) { return old.key == entry.key; });
        disk.push_back(entry);
      }
      return machine->step(persisted{write->token});
    }
    if (auto* sent = std::get_if<broadcast>(&what)) said.push_back(sent->raw);
    if (auto* build = std::get_if<build_block>(&what)) {
      auto block =
          make_block(scene_.head, scene_.validators[self_], content, {{0x02, 0xc0}}, build->round_num);
      return machine->step(
          block_built{build->block_num, build->round_num, has_work ? std::optional{block} : std::nullopt});
    }
    if (auto* validate = std::get_if<validate_block>(&what))
      return machine->step(
          block_validated{scene_.block_num(), validate->block.hash, blocks_are_good, blocks_are_early});
    if (auto* commit = std::get_if<commit_block>(&what)) decided.push_back(*commit);
    return {};
  }

  const scene& scene_;
  std::size_t self_;
  machine_options options_;
};

} // namespace swarm::consensus::testing
