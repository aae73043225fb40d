#pragma once

#include "contracts/registry/client.hpp"
#include "contracts/testing/memory_host.hpp"
#include "contracts/training/client.hpp"

namespace swarm::contracts {

/// All that can be seen of a training at one block.
struct training_reading {
  head_view head;
  std::vector<check_in_view> check_ins;
  std::vector<peer_view> peers;
  merge_view proposal;
  checks_view checks;
  shards_view shards;
};

/// Reads a training of a world through its views; a view that reverts or does not decode ends the test.
class training_probe {
public:
  training_probe(const memory_world& world, const address& where) : world_(world), where_(where) {}

  head_view head() const { return decode_head(read(encode_head())).value(); }
  std::vector<peer_view> peers() const {
    std::vector<peer_view> out;
    const auto count = count_of(decode_answer<peer_count_args>(read(encode(peer_count_args{})))).value();
    while (out.size() < count) {
      auto part = decode_peers(read(encode_peers(out.size(), page_entries_max))).value();
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }
  std::vector<check_in_view> check_ins() const { return decode_check_ins(read(encode_check_ins())).value(); }
  merge_view merge_of(std::uint64_t round_num) const {
    return decode_answer<merge_of_args>(read(encode(merge_of_args{round_num}))).value();
  }
  merge_view proposal() const { return decode_answer<proposal_args>(read(encode(proposal_args{}))).value(); }
  checks_view checks() const { return decode_answer<checks_args>(read(encode(checks_args{}))).value(); }
  shards_view shards() const { return decode_answer<shards_args>(read(encode(shards_args{}))).value(); }
  std::vector<hash32> shard_roots(std::uint32_t shard) const {
    return decode_answer<shard_roots_args>(read(encode(shard_roots_args{shard}))).value();
  }
  std::string name() const {
    return decode_answer<training_name_args>(read(encode(training_name_args{}))).value();
  }

  measures_view measures() const {
    return decode_answer<measures_args>(read(encode(measures_args{}))).value();
  }
  training_reading reading() const { return {head(), check_ins(), peers(), proposal(), checks(), shards()}; }
  /// The invariant of the state that does not hold; empty when all do.
  std::string broken_invariant() const { return broken_invariant(reading()); }
  /// The same of one that was read at this block.
  std::string broken_invariant(const training_reading& now) const;

private:
  bytes read(const bytes& input) const {
    auto out = world_.view({}, where_, input);
    return out.ok ? out.output : bytes{};
  }

  const memory_world& world_;
  address where_;
};

/// Organisations "Org 1", "Org 2" and so on, to which the test accounts of these numbers belong; each has
/// an SN besides, which vouches for them when they register.
std::vector<ledger::founder> test_founders(const std::vector<std::vector<std::uint16_t>>& accounts);

/// The SN of organisation `number` of `test_founders`; a member from the first registration of anybody on.
address test_voucher(std::size_t number);

/// An SL that is registered moves to organisation `to` of `test_founders`, which all vouch for.
void move_node(memory_world& world, const address& account, organisation_id to);

/// Registers `account` in the NodeRegistry of `world`, with a sequence that grows. In a world with founders it claims the
/// one whose validator it is, otherwise the first.
memory_world::outcome register_node(memory_world& world, const address& account, node_type type,
                                    std::string_view name = "node");

} // namespace swarm::contracts
