#include "tests/simulator/organisations/attackers.hpp"

#include "base/hash.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/organisations/member_desk.hpp"

#include <algorithm>

namespace swarm::simulator {

using namespace contracts;

namespace {

const auto registry = node_registry_address();

ledger::private_key own_key(std::size_t number) {
  return key_from("attacker", number);
}

/// The last keys of this many have certificates that expire soon.
constexpr std::size_t short_lived = 5;
constexpr std::uint64_t short_life_s = 4;

} // namespace

attackers::attackers(world& in, siege_judge& judge, std::uint16_t organisation, std::vector<std::size_t> sns,
                     std::vector<std::size_t> honest)
    : world_(in), judge_(judge), organisation_(organisation), sns_(std::move(sns)),
      honest_(std::move(honest)) {}

bool attackers::due(const char* what, sim_time every) {
  auto& last = done_[what];
  if (last != 0 && world_.now() < last + every) return false;
  last = world_.now();
  return true;
}

const ledger::chain& attackers::chain() const {
  return *world_.node(sns_[0]).app().chain();
}

/// Of one key all transactions go to one node, or their nonces would contradict each other.
std::size_t attackers::node_for(std::size_t number) const {
  return number == 0 || number % 4 == 3 ? sns_[0] : honest_[number % honest_.size()];
}

std::size_t attackers::place_of(std::size_t node) const {
  return static_cast<std::size_t>(std::find(sns_.begin(), sns_.end(), node) - sns_.begin());
}

/// A call by one of the SNs, but the first, whose own calls they need.
void attackers::call_by_some_sn(bytes input) {
  const auto i = 1 + world_.random().below(sns_.size() - 1);
  call(key_from("node", sns_[i]), node_for(i), std::move(input));
}

void attackers::call(const ledger::private_key& key, std::size_t node, bytes input) {
  send_call(world_, node, key, registry, std::move(input));
}

bytes attackers::registration(const address& account, node_type type, std::uint16_t organisation,
                              std::uint64_t expiry) {
  register_node_args args{.type = type,
                          .organisation = organisation,
                          .identity = keccak256(account.view()),
                          .expiry = expiry,
                          .sequence = ++sequence_,
                          .name = "attacker",
                          .endpoint = "10.6.6.6:30304"};
  args.proof = proof_of(organisation_, statement_hash(statement_of(account, args)));
  return encode(args);
}

void attackers::act() {
  run_seated();
  if (due("SNs", 3600 * second)) register_sns();
  if (due("keys", 200 * millisecond)) make_keys();
  if (due("vouches", 100 * millisecond)) vouch_for_own();
  if (due("inventions", 500 * millisecond)) invent_nodes();
  if (due("flood", 40 * millisecond)) flood();
  if (due("strangers", 300 * millisecond)) send_as_strangers();
  if (due("ends", 300 * millisecond)) send_after_the_end();
  if (due("accusations", 500 * millisecond)) accuse_everybody();
  if (due("votes", 400 * millisecond)) vote_against_everybody();
}

/// Of their SNs those run that have a seat.
void attackers::run_seated() {
  for (const auto node : sns_)
    if (!world_.node(node).is_up()
        && consensus::is_validator(judge_.validators(), world_.node(node).account()))
      world_.node(node).start();
}

void attackers::register_sns() {
  for (std::size_t i = 1; i < sns_.size(); ++i) {
    const auto key = key_from("node", sns_[i]);
    call(key, node_for(i), registration(key.account(), node_type::sn, organisation_));
  }
}

void attackers::make_keys() {
  const auto count = keys_ < patient_keys ? 10 : 100; // later they displace each other while they wait
  for (int i = 0; i < count && keys_ < keys_max; ++i) {
    const auto number = keys_++;
    const auto key = own_key(number);
    judge_.know(key.account(), organisation_);
    const auto time = static_cast<std::uint64_t>(world_.now() / second);
    const auto expiry = keys_ % 50 < short_lived ? time + short_life_s : 0;
    call(key, node_for(number), registration(key.account(), node_type::sl, organisation_, expiry));
  }
}

void attackers::vouch_for_own() {
  const auto waiting = ask(chain(), registry, pending_nodes_args{organisation_, u256(0), u256(60)});
  for (const auto& one : waiting) {
    auto& last = vouched_[one.hash];
    if (std::find(one.vouchers.begin(), one.vouchers.end(), organisation_) != one.vouchers.end()
        || (last != 0 && world_.now() < last + second))
      continue;
    last = world_.now();
    call(key_from("node", sns_[0]), sns_[0], encode_vouch(one.statement.account, one.hash));
  }
}

/// Nodes of other organisations, proved by the wrong CA. No honest pool takes them; all their SNs vouch.
void attackers::invent_nodes() {
  const auto key = key_from("invented", invented_++);
  constexpr std::uint16_t of = 1;
  judge_.know_invented(key.account());
  call(key, sns_[0], registration(key.account(), node_type::sn, of));
  for (const auto& one : ask(chain(), registry, pending_nodes_args{of, u256(0), u256(4)}))
    for (std::size_t i = 1; i < 6; ++i)
      call(key_from("node", sns_[i]), node_for(i), encode_vouch(one.statement.account, one.hash));
}

void attackers::flood() {
  const auto number = world_.random().below(30);
  const auto key = own_key(number);
  if (!judge_.is_member(key.account())) return;
  send_call(world_, node_for(number), key, key.account(), bytes(flood_bytes, 1));
}

void attackers::send_as_strangers() {
  const auto key = key_from("stranger", world_.random().below(100));
  send_call(world_, sns_[0], key, key.account(), bytes(200, 2));
}

/// A key whose membership its organisation has ended, and those whose certificates have expired.
void attackers::send_after_the_end() {
  const auto removed = own_key(40 + world_.random().below(8));
  if (judge_.is_member(removed.account()) && world_.chance(0.3))
    call(key_from("node", sns_[0]), sns_[0], encode_remove_node(removed.account()));
  send_call(world_, sns_[0], removed, removed.account(), bytes(100, 3));
  for (std::size_t i = 0; i < 4; ++i) {
    const auto expired = own_key(49 + i);
    send_call(world_, sns_[0], expired, expired.account(), bytes(100, 4));
  }
}

void attackers::accuse_everybody() {
  for (std::uint16_t other = 1; other < organisation_; ++other)
    call_by_some_sn(encode(accuse_args{other}));
}

/// All of them want honest nodes removed, and voted out of the validators.
void attackers::vote_against_everybody() {
  const auto target = world_.node(honest_[world_.random().below(honest_.size())]).account();
  for (int i = 0; i < 3; ++i)
    call_by_some_sn(encode_remove_node(target));
  for (const auto node : sns_)
    if (world_.node(node).is_up())
      call(key_from("node", node), node_for(place_of(node)), encode_propose_validator_vote(target, false));
}

} // namespace swarm::simulator
