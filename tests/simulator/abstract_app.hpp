#pragma once

#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/application.hpp"

#include <set>

namespace swarm::simulator {

/// Work that changes the set of validators: the node joins or leaves when the block is executed, if the set
/// afterwards is lawful.
std::uint64_t change_work(std::uint64_t serial, std::size_t node, bool join);

/// The seals of its parent that an encoded block has, of the abstract chain or of the real one.
result<ledger::seal_record> parent_seals_of(bytes_view block);

/// What all nodes of an abstract chain agree on beforehand.
struct abstract_rules {
  std::vector<address> accounts;  ///< of all nodes, by index
  std::vector<address> first_set; ///< sorted
  std::function<bool(std::span<const address>)> is_lawful_set;
  consensus::signing_domain domain;
  ledger::author_recovery recover;
  std::size_t (*quorum)(std::size_t validators) = consensus::quorum_of;
  bool trusts_parent_seals = false; ///< a planted mistake, see planted_shell_bugs
};

/// A chain whose transactions are numbers, each to be done once. Its state is which of them are done and who
/// validates. Blocks have real headers with a state root, so forged content is noticed; time does not go back
/// from block to block.
class abstract_app final : public application {
public:
  abstract_app(std::shared_ptr<const abstract_rules> rules, const address& account, records first_records);

  consensus::chain_head head() const override { return durable_.head; }
  std::vector<address> validators() const override { return durable_.state->validators; }
  bool add_work(std::uint64_t id) override;
  bool has_work() const override { return !pool_.empty(); }
  std::vector<std::uint64_t> pending(std::size_t count_max) const override;
  bool is_done(std::uint64_t id) const override { return durable_.state->is_done(id); }
  std::vector<std::uint64_t> change_works(std::uint64_t serial, std::size_t node, bool join) override {
    return {change_work(serial, node, join)};
  }
  std::optional<consensus::proposed_block> build(sim_time now, std::uint64_t round_num) override;
  bool validate(const consensus::proposed_block& block) override;
  bool is_early(const consensus::proposed_block& block, sim_time now) const override;
  void commit(const consensus::proposed_block& block, const ledger::seal_record& seals,
              const records& entries) override;
  void write_records(const records& entries) override;
  records read_records() const override { return durable_.entries; }
  void crash() override { pool_.clear(); }
  void remember() override;
  bool restore_old(std::uint64_t which) override;
  void forget_records() override { durable_.entries.clear(); }

private:
  /// The state is small and copied for each block. Work far behind the newest that was done has expired.
  struct chain_state {
    std::vector<address> validators;
    std::uint64_t timestamp = 0;
    std::uint64_t newest = 0;
    std::vector<std::uint64_t> done;    ///< sorted, from `newest - window` on
    std::vector<std::uint64_t> changes; ///< of validators, done, sorted
    bool is_done(std::uint64_t id) const;
    void add(std::uint64_t id);
    hash32 root() const;
  };
  struct durable {
    consensus::chain_head head;
    std::shared_ptr<const chain_state> state;
    records entries;
    ledger::seal_record seals;    ///< of the head
    std::vector<address> sealers; ///< the validators before the head
  };
  bool knows_seals(const ledger::seal_record& parent_seals) const;
  result<std::shared_ptr<const chain_state>> execute(std::span<const std::uint64_t> ids,
                                                     std::uint64_t timestamp) const;

  std::shared_ptr<const abstract_rules> rules_;
  address account_;
  durable durable_;
  std::vector<durable> remembered_;
  std::set<std::uint64_t> pool_;
};

} // namespace swarm::simulator
