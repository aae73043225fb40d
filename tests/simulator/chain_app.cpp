#include "actors/sn/membership/pool_rule.hpp"
#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/testing/temporary_folder.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/chain.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/formats/header_rules.hpp"
#include "tests/simulator/network.hpp"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

/// The shipped ledger under the simulated network: real keys, transactions, mempool, contracts, tries, store.
namespace swarm::simulator {

using namespace consensus;

ledger::private_key key_from(std::string_view kind, std::uint64_t number) {
  const auto seed = keccak256(fmt::format("{} {}", kind, number));
  return *ledger::private_key::from_bytes(seed.view());
}

bytes proof_of(std::uint16_t organisation, const hash32& statement) {
  return to_bytes(keccak256(fmt::format("CA {} {}", organisation, to_hex(statement.view()))).view());
}

namespace {

constexpr std::size_t block_txns_max = 50;
/// Of a chain of organisations: so small that floods reach them.
constexpr ledger::pool_limits small_pool{
    .txns_max = 1024, .bytes_max = 4 * 1024 * 1024, .sender_txns_max = 256, .nonce_gap_max = 255};

// Work is a number from which a transaction follows. Ordinary work registers an SL of its own.
constexpr std::uint64_t change_bit = std::uint64_t{1} << 63;       ///< of the membership
constexpr std::uint64_t registration_bit = std::uint64_t{1} << 62; ///< an SN that registers, with `node`
constexpr std::uint64_t rules_bit = std::uint64_t{1} << 61;        ///< a vote on the next rules

/// A validator's vote on whether `node` is to be one.
struct vote_work {
  std::uint64_t nonce = 0;
  std::size_t voter = 0;
  std::size_t node = 0;
  bool join = false;

  std::uint64_t id() const { return change_bit | nonce << 20 | voter << 11 | node << 1 | (join ? 1u : 0u); }
  static vote_work of(std::uint64_t id) {
    return {(id & ~change_bit) >> 20, static_cast<std::size_t>(id >> 11 & 0x1ff),
            static_cast<std::size_t>(id >> 1 & 0x3ff), (id & 1) != 0};
  }
};

bytes registration(contracts::node_type type, const std::string& name) {
  return contracts::encode_register_node(
      {.type = type, .identity = keccak256(name), .name = name, .endpoint = "10.0.0.1:30305"});
}

bytes txn_of(std::uint64_t id, std::uint64_t chain_id) {
  ledger::txn_fields fields;
  fields.gas_limit = 1'000'000;
  fields.to = contracts::node_registry_address();
  if ((id & change_bit) == 0) {
    fields.data = registration(contracts::node_type::sl, fmt::format("sl-{}", id));
    return ledger::make_signed(std::move(fields), key_from("client", id), chain_id)->raw();
  }
  if ((id & registration_bit) != 0) {
    const auto node = id & 0x3ff;
    fields.data = registration(contracts::node_type::sn, fmt::format("sn-{}", node));
    return ledger::make_signed(std::move(fields), key_from("node", node), chain_id)->raw();
  }
  if ((id & rules_bit) != 0) {
    fields.nonce = id >> 40 & 0xffff;
    fields.data = contracts::encode_vote_rules(2, id & 0xffffff);
    return ledger::make_signed(std::move(fields), key_from("node", id >> 24 & 0xffff), chain_id)->raw();
  }
  const auto vote = vote_work::of(id);
  fields.nonce = vote.nonce;
  fields.data = contracts::encode_propose_validator_vote(key_from("node", vote.node).account(), vote.join);
  return ledger::make_signed(std::move(fields), key_from("node", vote.voter), chain_id)->raw();
}

std::vector<ledger::consensus_record> stored(const application::records& entries) {
  std::vector<ledger::consensus_record> out;
  for (const auto& entry : entries)
    out.push_back({entry.key, entry.value});
  return out;
}

application::records records_in(const ledger::chain& from) {
  application::records out;
  for (const auto key : record_keys) {
    const auto found = from.record_of(key);
    SWARM_ASSERT(found.has_value());
    if (*found) out.push_back({key, **found});
  }
  return out;
}

/// Founded by the organisations of the plan, if there are any.
ledger::genesis_params genesis_of(const simulation_plan& plan, const std::vector<address>& accounts) {
  ledger::genesis_params out;
  for (std::size_t node = 0; node < plan.validators; ++node)
    out.validators.push_back(accounts[node]);
  std::sort(out.validators.begin(), out.validators.end());
  for (std::size_t node = 0; node < plan.organisations.size(); ++node) {
    const auto id = plan.organisations[node];
    while (out.founders.size() < id) {
      const auto next = out.founders.size() + 1;
      out.founders.push_back({fmt::format("org{:02}", next), {hash32(u256(next))}, {}});
    }
    if (node < plan.validators) out.founders[id - 1u].validators.push_back(accounts[node]);
  }
  return out;
}

/// Whether an honest SN believes a registration.
result<> check_registration(const contracts::register_node_args& args, const address& sender) {
  const auto statement = contracts::statement_hash(contracts::statement_of(sender, args));
  if (args.proof == proof_of(args.organisation, statement)) return {};
  return fail(errc::denied, "not proved");
}

/// What all nodes of a network share.
struct chain_plan {
  std::vector<address> accounts;
  std::size_t validators = 0;
  ledger::genesis_params genesis;
  ledger::native_contract_set contracts;
  std::shared_ptr<work_book> book;
};

class chain_app final : public application {
public:
  /// An honest node lets only those into its pool who may be there.
  chain_app(std::filesystem::path dir, const chain_plan& plan, const address& account, bool honest)
      : account_(account), accounts_(plan.accounts), first_validators_(plan.validators), book_(plan.book) {
    options_.dir = std::move(dir);
    options_.genesis = plan.genesis;
    options_.contracts = plan.contracts;
    if (honest && !plan.genesis.founders.empty()) {
      options_.limits.pool = small_pool;
      options_.admits = [this](const auto& txn, const auto& sender) {
        return pool_rule_.judge(*chain_, txn, sender);
      };
    }
    options_.space_reserve_bytes = 0;
    options_.first_records = [account](const hash32& genesis) {
      return stored(initial_records(account, genesis));
    };
    options_.pivot_records = [account](const ledger::chain& before, std::uint64_t pivot_num) {
      return stored(records_with_pivot(records_in(before), account, before.genesis_hash(),
                                       before.head()->header.block_num, pivot_num));
    };
    open();
  }

  ledger::chain* chain() override { return chain_.get(); }
  chain_head head() const override {
    const auto& block = *chain_->head();
    return {block.header.block_num, block.hash, block.header.coinbase, *chain_->resting_validators()};
  }
  std::vector<address> validators() const override {
    return *chain_->validators_after(chain_->head()->header.block_num);
  }
  bool add_work(std::uint64_t id) override {
    if (!seen_.insert(id).second) return false;
    const auto* made = book_->find(id);
    const auto hash =
        made != nullptr ? chain_->submit(*made) : chain_->submit(txn_of(id, chain_->chain_id()));
    if (hash) pending_.emplace(id, *hash);
    if (!hash && made != nullptr) seen_.erase(id); // there may be room for it later
    return hash.has_value();
  }
  bool has_work() const override { return chain_->has_executable(); }
  std::vector<std::uint64_t> pending(std::size_t count_max) const override {
    std::vector<std::uint64_t> out;
    for (const auto& [id, hash] : pending_)
      if (out.size() < count_max && chain_->find_pending(hash) != nullptr) out.push_back(id);
    return out;
  }
  bool is_done(std::uint64_t id) const override {
    const auto* made = book_->find(id);
    const auto hash = made != nullptr ? made->hash() : keccak256(txn_of(id, chain_->chain_id()));
    return chain_->find_txn(hash)->has_value();
  }
  /// Only nodes that were no validators at first come and go, so that there are never too many liars.
  std::vector<std::uint64_t> change_works(std::uint64_t, std::size_t node, bool join) override {
    if (node < first_validators_) return {};
    std::vector<std::uint64_t> out{change_bit | registration_bit | node};
    const auto set = validators();
    for (std::size_t voter = 0; voter < accounts_.size(); ++voter)
      if (is_validator(set, accounts_[voter]))
        out.push_back(vote_work{*chain_->pending_nonce(accounts_[voter]), voter, node, join}.id());
    return out;
  }
  void know_rules(std::uint64_t version) override {
    options_.rules_known = version;
    chain_.reset();
    open();
  }
  bool knows_rules() const override { return chain_->check_rules().has_value(); }
  std::vector<std::uint64_t> rules_works(std::size_t node, std::uint64_t from_block) override {
    return {change_bit | rules_bit | *chain_->pending_nonce(accounts_[node]) << 40
            | static_cast<std::uint64_t>(node) << 24 | from_block};
  }
  std::optional<proposed_block> build(sim_time now, std::uint64_t round_num) override {
    const auto timestamp = static_cast<std::uint64_t>(std::max<sim_time>(0, now) / second);
    const auto made = chain_->build_block(timestamp, account_, block_txns_max, round_num);
    if (!made && made.error().is(ledger::chain_errc::unknown_rules)) return std::nullopt;
    SWARM_ASSERT(made.has_value());
    const auto& block = *(*made)->block;
    if (block.txns.empty()) return std::nullopt;
    auto raw = std::make_shared<const bytes>(ledger::encode_block(block.content()));
    return own_block(block.header, block.hash, std::move(raw));
  }
  bool validate(const proposed_block& block) override { return candidate_of(block).has_value(); }
  bool is_early(const proposed_block& block, sim_time now) const override {
    const auto decoded = ledger::decode_block(*block.raw, chain_->chain_id());
    const auto clock = static_cast<std::uint64_t>(std::max<sim_time>(0, now) / second);
    return decoded && ledger::is_early(decoded->header, chain_->head()->header, clock);
  }
  void commit(const proposed_block& block, const ledger::seal_record& seals,
              const records& entries) override {
    const auto candidate = candidate_of(block);
    SWARM_ASSERT(candidate.has_value());
    SWARM_ASSERT(chain_->commit(*candidate, seals, stored(entries)).has_value());
    std::erase_if(pending_, [&](const auto& one) { return chain_->find_pending(one.second) == nullptr; });
  }
  void write_records(const records& entries) override {
    SWARM_ASSERT(chain_->write_records(stored(entries)).has_value());
  }
  records read_records() const override { return records_in(*chain_); }
  void crash() override {
    chain_.reset();
    seen_.clear();
    pending_.clear();
    if (std::exchange(copy_wanted_, false)) keep_copy();
    open();
  }
  void remember() override { copy_wanted_ = true; }
  bool restore_old(std::uint64_t) override {
    if (!std::filesystem::exists(copy("older"))) return false;
    chain_.reset();
    std::filesystem::remove_all(options_.dir);
    std::filesystem::copy(copy("older"), options_.dir, std::filesystem::copy_options::recursive);
    open();
    return true;
  }
  /// Damages each record, which counts as lost.
  void forget_records() override {
    records damaged;
    for (const auto key : record_keys)
      damaged.push_back({key, {}});
    write_records(damaged);
  }

private:
  std::filesystem::path copy(const char* which) const { return options_.dir.string() + "." + which; }
  void keep_copy() {
    std::filesystem::remove_all(copy("older"));
    if (std::filesystem::exists(copy("newer"))) std::filesystem::rename(copy("newer"), copy("older"));
    std::filesystem::copy(options_.dir, copy("newer"), std::filesystem::copy_options::recursive);
  }
  void open() {
    auto opened = ledger::chain::open(options_);
    SWARM_ASSERT(opened.has_value());
    chain_ = std::move(*opened);
  }
  result<ledger::candidate_ptr> candidate_of(const proposed_block& block) {
    SWARM_TRY(const auto decoded, ledger::decode_block(*block.raw, chain_->chain_id()));
    if (decoded.txns.empty()) return fail(errc::invalid, "empty");
    return chain_->validate_block(decoded);
  }

  address account_;
  std::vector<address> accounts_;
  std::size_t first_validators_;
  std::shared_ptr<const work_book> book_;
  membership::pool_rule pool_rule_{check_registration};
  bool copy_wanted_ = false;
  ledger::chain_options options_;
  std::unique_ptr<ledger::chain> chain_;
  std::set<std::uint64_t> seen_;
  std::map<std::uint64_t, hash32> pending_;
};

class chain_network final : public network {
public:
  chain_network(const simulation_options& options, const simulation_plan& plan) : liars_(plan.liars) {
    for (std::size_t i = 0; i < plan.validators + plan.observers; ++i)
      keys_.push_back(key_from("node", i));
    plan_.accounts = accounts();
    plan_.validators = plan.validators;
    plan_.genesis = genesis_of(plan, plan_.accounts);
    plan_.contracts = with_mistake(contracts::make_contracts(), options.planted_rule);
    plan_.book = std::make_shared<work_book>();
    chain_app any(dir_.path() / "genesis", plan_, keys_[0].account(), true);
    domain_ = {any.chain()->chain_id(), any.chain()->genesis_hash()};
  }

  signing_domain domain() const override { return domain_; }

  std::vector<address> accounts() const override {
    std::vector<address> out;
    for (const auto& key : keys_)
      out.push_back(key.account());
    return out;
  }
  signature_scheme scheme(std::size_t node) const override { return make_signature_scheme(keys_[node]); }
  std::unique_ptr<application> make_app(std::size_t node) override {
    const bool honest = std::find(liars_.begin(), liars_.end(), node) == liars_.end();
    return std::make_unique<chain_app>(dir_.path() / std::to_string(node), plan_, keys_[node].account(),
                                       honest);
  }
  work_book* book() override { return plan_.book.get(); }

private:
  /// Outlives the applications: the world destroys its nodes first.
  swarm::testing::temporary_folder dir_{swarm::testing::memory_folder()};
  std::vector<ledger::private_key> keys_;
  std::vector<std::size_t> liars_;
  chain_plan plan_;
  signing_domain domain_;
};

} // namespace

std::unique_ptr<network> make_chain_network(const simulation_options& options, const simulation_plan& plan) {
  return std::make_unique<chain_network>(options, plan);
}

} // namespace swarm::simulator
