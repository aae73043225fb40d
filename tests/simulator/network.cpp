#include "tests/simulator/network.hpp"

#include "base/random.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/testing/fake_scheme.hpp"
#include "tests/simulator/abstract_app.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

class abstract_network final : public network {
public:
  abstract_network(const simulation_options& options, const simulation_plan& plan) {
    auto rules = std::make_shared<abstract_rules>();
    for (std::size_t i = 0; i < plan.validators + plan.observers; ++i)
      rules->accounts.push_back(consensus::testing::fake_account(i));
    rules->first_set.assign(rules->accounts.begin(),
                            rules->accounts.begin() + static_cast<std::ptrdiff_t>(plan.validators));
    std::vector<address> faulty;
    for (const auto* some : {&plan.liars, &plan.forgetful})
      for (const auto node : *some)
        faulty.push_back(rules->accounts[node]);
    rules->is_lawful_set = [faulty](std::span<const address> set) {
      const auto bad = std::count_if(faulty.begin(), faulty.end(),
                                     [&](const auto& who) { return is_validator(set, who); });
      return static_cast<std::size_t>(bad) <= faults_tolerated(set.size());
    };
    rules->domain = domain();
    rules->recover = consensus::testing::fake_recover;
    if (options.planted.quorum_two_f_plus_one)
      rules->quorum = [](std::size_t validators) { return 2 * faults_tolerated(validators) + 1; };
    rules->trusts_parent_seals = options.planted_shell.trusts_parent_seals;
    rules_ = std::move(rules);
  }

  signing_domain domain() const override {
    signing_domain out;
    out.chain_id = ledger::chain_id_max / 3;
    out.genesis_hash.fill(0x11);
    return out;
  }
  std::vector<address> accounts() const override { return rules_->accounts; }
  signature_scheme scheme(std::size_t node) const override {
    return consensus::testing::fake_scheme(rules_->accounts[node]);
  }
  std::unique_ptr<application> make_app(std::size_t node) override {
    return std::make_unique<abstract_app>(rules_, rules_->accounts[node],
                                          initial_records(rules_->accounts[node], domain().genesis_hash));
  }

private:
  std::shared_ptr<const abstract_rules> rules_;
};

} // namespace

std::unique_ptr<network> make_network(const simulation_options& options, const simulation_plan& plan) {
  if (options.real_chain) return make_chain_network(options, plan);
  return std::make_unique<abstract_network>(options, plan);
}

simulation_plan make_plan(const simulation_options& options) {
  seeded_random random(options.seed);
  const auto one_of = [&](auto... values) {
    const std::array all{values...};
    return all[random.below(all.size())];
  };
  simulation_plan out;
  out.validators = options.validators.value_or(one_of(1, 2, 3, 4, 4, 4, 4, 5, 6, 7));
  out.observers = random.below(3);
  std::vector<std::size_t> nodes(out.validators);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i] = i;
    std::swap(nodes[i], nodes[random.below(i + 1)]);
  }
  const auto faulty = faults_tolerated(out.validators);
  for (std::size_t i = 0; i < faulty; ++i)
    (random.below(10) < 7 ? out.liars : out.forgetful).push_back(nodes[i]);
  out.changes_validators = out.observers > 0 && random.below(10) < 5;
  out.idle_times = random.below(10) < 3;
  out.loss_max = one_of(0.0, 0.1, 0.2, 0.4);
  out.crash_max = one_of(0.0, 0.001, 0.005, 0.02);
  out.partition = one_of(0.0, 0.3, 0.7);
  out.deafness = one_of(0.0, 0.1, 0.3);
  out.skew_max = random.below(10) < 4 ? one_of(100 * millisecond, 2 * second) : 0;
  out.work_every = one_of(20, 50, 100, 400) * millisecond;
  return out;
}

} // namespace swarm::simulator
