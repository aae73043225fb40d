#include "tests/simulator/organisations/siege.hpp"

#include "base/hash.hpp"
#include "contracts/organisations/client.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/adversary.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/organisations/attackers.hpp"
#include "tests/simulator/organisations/member_desk.hpp"

#include <algorithm>
#include <deque>

namespace swarm::simulator {

using namespace contracts;

namespace {

constexpr std::uint16_t organisation_count = 4;
constexpr std::uint16_t attacker = 4;
constexpr std::size_t attacker_sns = 20;
constexpr std::size_t clients_each = 2;                 ///< SLs of each honest organisation
constexpr std::uint64_t bytes_a_day = 11 * 1024 * 1024; ///< of which a tenth is more than what is always kept

constexpr sim_time step_length = 5 * millisecond;
constexpr sim_time gossip_every = 250 * millisecond;
constexpr sim_time setup_length = 2 * second;
constexpr sim_time expulsion_length =
    8 * second; ///< at the end the others remove the attackers' organisation
/// A round that fails by its timer, of the slowest clock.
constexpr sim_time round_change = 220 * millisecond;
/// Liars may let one node alone decide a block, so that the others learn of it when their rounds end; and messages.
constexpr sim_time stop_allowance = 220 * millisecond + 5 * 100 * millisecond;

/// Nodes 0 to 2 found the honest organisations, node 3 the attackers'; then come the honest ones' others.
simulation_plan plan_of_siege(const siege_options& options) {
  simulation_plan out;
  out.validators = organisation_count;
  for (std::uint16_t id = 1; id <= organisation_count; ++id)
    out.organisations.push_back(id);
  for (std::size_t i = 1; i < options.honest_sns; ++i)
    for (std::uint16_t id = 1; id < attacker; ++id)
      out.organisations.push_back(id);
  if (options.attack) out.liars.push_back(attacker - 1);
  for (std::size_t i = 1; i < attacker_sns; ++i) {
    if (options.attack) out.liars.push_back(out.organisations.size());
    out.organisations.push_back(attacker);
  }
  out.observers = out.organisations.size() - out.validators;
  return out;
}

simulation_options options_of(const siege_options& options) {
  simulation_options out;
  out.seed = options.seed;
  out.real_chain = true;
  out.trace_lines = options.trace_lines;
  out.planted_rule = options.planted;
  return out;
}

/// An SL that sends a transaction, waits until it is final at its SN, and sends the next a moment later.
struct client {
  ledger::private_key key;
  std::size_t sn = 0;
  std::uint16_t organisation = 0;
  std::optional<std::uint64_t> waiting; ///< the work
  sim_time since = 0;                   ///< when it was sent, or the next is to be
  std::uint64_t nonce = 0;
};

class siege {
public:
  explicit siege(const siege_options& options)
      : options_(options), world_(options_of(options), plan_of_siege(options)),
        judge_(world_, attacker, bytes_a_day) {
    world_.air().delay_min = 5 * millisecond; // as between organisations
    world_.air().delay_max = 25 * millisecond;
    const auto& of = world_.plan().organisations;
    for (std::size_t node = 0; node < of.size(); ++node) {
      judge_.know(world_.node(node).account(), of[node]);
      if (of[node] == attacker)
        attacker_nodes_.push_back(node);
      else
        honest_.push_back(node);
    }
    if (options.attack) {
      liars_ = std::make_unique<adversary>(world_, world_.plan().liars);
      world_.set_liars(liars_.get());
      attackers_.emplace(world_, judge_, attacker, attacker_nodes_, honest_);
    }
    world_.set_evidence_hook([this](auto node, const auto& found) {
      if (const auto desk = desks_.find(node); desk != desks_.end()) {
        desk->second.on_evidence(found);
        judge_.know_double_vote(found.author);
      }
    });
  }

  siege_outcome run() {
    start();
    while (world_.now() < options_.length && !world_.check().failed()) {
      world_.run_until(world_.now() + step_length);
      tick();
    }
    if (!world_.check().failed()) check_end();
    return finish();
  }

private:
  ledger::chain& chain(std::size_t node) { return *world_.node(node).app().chain(); }
  bool attack_is_on() const { return options_.attack && world_.now() >= setup_length; }

  void start() {
    const auto last = std::max(honest_.back(), attacker_nodes_.front());
    for (std::size_t node = 0; node <= last; ++node)
      world_.node(node).start();
    for (std::size_t node = 0; node <= last; ++node) {
      const auto key = key_from("node", node);
      send_registration(key, node, node_type::sn, world_.plan().organisations[node]);
      if (!options_.attack || world_.plan().organisations[node] != attacker)
        desks_.try_emplace(node, world_, node);
    }
    for (std::size_t i = 0; i < clients_each * (attacker - 1); ++i) {
      const auto sn = honest_[i % honest_.size()];
      clients_.push_back({key_from("client", i), sn, world_.plan().organisations[sn], {}, 0, 0});
      judge_.know(clients_.back().key.account(), clients_.back().organisation);
    }
    gossip();
  }

  void gossip() {
    for (std::size_t node = 0; node < world_.node_count(); ++node)
      world_.node(node).gossip();
    world_.after(gossip_every, [this] { gossip(); });
  }

  void send_registration(const ledger::private_key& key, std::size_t sn, node_type type,
                         std::uint16_t organisation) {
    register_node_args args{.type = type,
                            .organisation = organisation,
                            .identity = keccak256(key.account().view()),
                            .sequence = 1,
                            .parent = type == node_type::sn ? address{} : world_.node(sn).account(),
                            .name = "node",
                            .endpoint = "10.0.0.1:30304"};
    args.proof = proof_of(organisation, statement_hash(statement_of(key.account(), args)));
    send_call(world_, sn, key, node_registry_address(), encode(args));
  }

  void tick() {
    const auto& seen = chain(0);
    for (const auto head = seen.head()->header.block_num; judged_ < head;)
      judge_.take(seen, **seen.block_by_num(++judged_));
    judge_.tick(seen);
    for (auto& [node, desk] : desks_)
      desk.tick();
    watch_stops();
    set_up();
    for (auto& each : clients_)
      tick(each);
    if (attack_is_on()) {
      attackers_->act();
      if (world_.now() >= next_lie_) {
        next_lie_ = world_.now() + world_.between(5 * millisecond, 60 * millisecond);
        liars_->act();
      }
      if (world_.now() >= next_mood_) {
        next_mood_ = world_.now() + world_.between(500 * millisecond, 2 * second);
        if (world_.chance(0.4))
          liars_->behave();
        else
          liars_->change_mood();
      }
    }
    if (options_.attack && world_.now() >= options_.length - expulsion_length) expel();
    for (const auto node : honest_)
      pool_bytes_max_ = std::max(pool_bytes_max_, chain(node).stats().pool_bytes);
  }

  /// The founders register, agree on a day's bytes for all, and their SLs register.
  void set_up() {
    if (setup_steps_ == 0 && world_.now() >= 500 * millisecond) {
      ++setup_steps_;
      organisation_limits limits;
      limits.chain_bytes_per_day = bytes_a_day;
      for (std::uint16_t id = 1; id <= organisation_count; ++id)
        for (const std::size_t node : {0, 1, 2})
          send_call(world_, node, key_from("node", node), organisation_registry_address(),
                    encode(set_limits_args{id, limits}));
      for (const auto& each : clients_)
        send_registration(each.key, each.sn, node_type::sl, each.organisation);
    }
  }

  /// Two of the three others are enough.
  void expel() {
    if (expelled_) return;
    expelled_ = true;
    for (const std::size_t node : {0, 1})
      send_call(world_, node, key_from("node", node), organisation_registry_address(),
                encode(remove_organisation_args{attacker}));
  }

  void tick(client& each) {
    if (!judge_.is_member(each.key.account())) return;
    auto& at = chain(each.sn);
    if (each.waiting) {
      const auto* txn = world_.book().find(*each.waiting);
      if (at.account_of(each.key.account())->nonce > txn->fields().nonce) {
        if (world_.now() >= setup_length) finality_.push_back(world_.now() - each.since);
        each.waiting.reset();
        each.since = world_.now() + world_.between(50 * millisecond, 300 * millisecond);
      } else if (at.find_pending(txn->hash()) == nullptr) {
        world_.node(each.sn).offer(*each.waiting); // the pool had no room
      }
    } else if (world_.now() >= each.since) {
      each.since = world_.now();
      each.waiting = send_call(world_, each.sn, each.key, each.key.account(), bytes(150, 5));
    }
  }

  void watch_stops() {
    std::uint64_t head = 0;
    for (const auto node : honest_)
      head = std::max(head, world_.node(node).head_num());
    const bool waits = std::any_of(clients_.begin(), clients_.end(),
                                   [](const auto& each) { return each.waiting.has_value(); });
    if (head > head_ || !waits) {
      head_ = head;
      moved_ = world_.now();
    }
    if (world_.now() >= setup_length) longest_stop_ = std::max(longest_stop_, world_.now() - moved_);
    const auto turns = std::max<sim_time>(1, static_cast<sim_time>(judge_.seats_max()));
    const auto longest = ((sim_time{1} << turns) - 1) * round_change + stop_allowance;
    if (world_.now() >= setup_length && world_.now() - moved_ > longest)
      world_.check().fail(fmt::format("a stop: no block since {} ms although transactions wait",
                                      (world_.now() - moved_) / millisecond));
  }

  void check_end() {
    if (options_.attack && !judge_.is_removed(attacker))
      world_.check().fail("the votes of two of the three others do not remove an organisation");
    for (const auto node : attacker_nodes_)
      if (options_.attack && consensus::is_validator(judge_.validators(), world_.node(node).account()))
        world_.check().fail("a removed organisation keeps a seat");
    for (const auto& each : clients_)
      if (!judge_.is_member(each.key.account())) world_.check().fail("an honest SL is no member");
  }

  siege_outcome finish() {
    siege_outcome out;
    std::sort(finality_.begin(), finality_.end());
    out.finality = finality_;
    out.longest_stop = longest_stop_;
    out.seats_max = judge_.seats_max();
    out.seats_lost = judge_.seats_lost();
    out.keys = attackers_ ? attackers_->keys() : 0;
    out.bytes = judge_.bytes_of(attacker);
    out.nodes = judge_.members_of(attacker);
    out.pool_bytes_max = pool_bytes_max_;
    out.course = world_.finish();
    return out;
  }

  siege_options options_;
  world world_;
  siege_judge judge_;
  std::vector<std::size_t> honest_;
  std::vector<std::size_t> attacker_nodes_;
  std::unique_ptr<adversary> liars_;
  std::optional<attackers> attackers_;
  std::map<std::size_t, member_desk> desks_;
  std::vector<client> clients_;
  std::vector<sim_time> finality_;
  std::uint64_t judged_ = 0;
  int setup_steps_ = 0;
  bool expelled_ = false;
  sim_time next_lie_ = 0;
  sim_time next_mood_ = 0;
  std::uint64_t head_ = 0;
  sim_time moved_ = 0;
  sim_time longest_stop_ = 0;
  std::size_t pool_bytes_max_ = 0;
};

} // namespace

sim_time siege_outcome::finality_p99() const {
  return finality.empty() ? 0 : finality[finality.size() * 99 / 100];
}

siege_outcome run_siege(const siege_options& options) {
  return siege(options).run();
}

siege_outcome compare_siege(const siege_options& options) {
  auto quiet_options = options;
  quiet_options.attack = false;
  quiet_options.planted = faulty_rule::none;
  const auto quiet = run_siege(quiet_options);
  if (!quiet.ok()) return quiet;
  auto out = run_siege(options);
  out.quiet_p99 = quiet.finality_p99();
  if (out.ok() && out.finality_p99() > 4 * out.quiet_p99)
    out.course.failure =
        fmt::format("finality: 99 of 100 transactions are final within {} ms, without an attack {} ms",
                    out.finality_p99() / millisecond, out.quiet_p99 / millisecond);
  return out;
}

} // namespace swarm::simulator
