#pragma once

#include "ledger/consensus/events.hpp"
#include "tests/simulator/trace.hpp"

#include <functional>

namespace swarm::ledger {
class chain;
}

namespace swarm::simulator {

/// What one node does with blocks: execution, pool and the durable chain. `commit` is durable at once; the
/// fake disk decides when to call it.
class application {
public:
  virtual ~application() = default;
  /// The real chain, if there is one; it lives until the next crash.
  virtual ledger::chain* chain() { return nullptr; }
  virtual consensus::chain_head head() const = 0;
  virtual std::vector<address> validators() const = 0; ///< after the head, sorted
  /// Takes a piece of work from a client or another node. Returns false when it is known or done already.
  virtual bool add_work(std::uint64_t id) = 0;
  virtual bool has_work() const = 0;
  /// Work that is not done yet, to be sent to others.
  virtual std::vector<std::uint64_t> pending(std::size_t count_max) const = 0;
  virtual bool is_done(std::uint64_t id) const = 0;
  /// The work that makes `node` join or leave the validators, to be offered like any other. It may be several
  /// pieces, or none when it is not possible.
  virtual std::vector<std::uint64_t> change_works(std::uint64_t serial, std::size_t node, bool join) = 0;
  /// The newest version of the chain's rules that the program knows, from now on.
  virtual void know_rules(std::uint64_t) {}
  /// Whether the program knows the rules of the next block; if not, the process ends.
  virtual bool knows_rules() const { return true; }
  /// The vote of `node` that the next version of the rules begins with block `from_block`.
  virtual std::vector<std::uint64_t> rules_works(std::size_t, std::uint64_t) { return {}; }
  /// Makes a block in this round; `now` is the node's wall clock.
  virtual std::optional<consensus::proposed_block> build(sim_time now, std::uint64_t round_num) = 0;
  virtual bool validate(const consensus::proposed_block& block) = 0;
  /// Whether a valid block is dated too far ahead of the wall clock `now`.
  virtual bool is_early(const consensus::proposed_block& block, sim_time now) const = 0;
  using records = std::vector<consensus::record_entry>;
  /// Writes the block and the records of consensus at once.
  virtual void commit(const consensus::proposed_block& block, const ledger::seal_record& seals,
                      const records& entries) = 0;
  virtual void write_records(const records& entries) = 0;
  virtual records read_records() const = 0;
  /// The process dies, and what is not durable is gone.
  virtual void crash() = 0;
  /// Remembers the durable state, at the next crash at the latest. `restore_old` goes back to a remembered
  /// one while the process is down; false when there is none.
  virtual void remember() = 0;
  virtual bool restore_old(std::uint64_t which) = 0;
  /// Loses the records of consensus.
  virtual void forget_records() = 0;
};

using application_factory =
    std::function<std::unique_ptr<application>(std::size_t node, const address& account)>;

} // namespace swarm::simulator
