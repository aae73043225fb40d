#pragma once

#include "ledger/consensus/qbft_machine.hpp"
#include "tests/simulator/application.hpp"
#include "tests/simulator/organisations/faulty_rules.hpp"

namespace swarm::simulator {

/// Deliberate mistakes in the simulator's own node, which stands where the product has its actors and its
/// store. Only tests set any.
struct planted_shell_bugs {
  bool forgets_votes = false;       ///< a new life says that this key has signed nothing yet
  bool writes_late_records = false; ///< also those of a height that the chain has passed
  bool tears_batches = false;       ///< a batch that was being written at a crash is there in part
  bool counts_seals = false;        ///< a fetched block's seals are counted, not their authors
  bool takes_few_seals = false;     ///< f + 1 seals make a fetched block final
  bool recalls_signatures = false;  ///< remembers who made a signature, not over what
  bool keeps_first_set = false;     ///< judges every fetched block by the first validators
  bool never_repeats = false;       ///< what was lost on the way is not said again
  bool never_asks_again = false;    ///< a neighbor that does not answer with blocks is waited for
  bool renames_prepared = false;    ///< proposes a prepared block again with itself as its maker
  bool stays_locked = false;        ///< whoever was prepared on a block votes for no other
  bool parks_everything = false;    ///< early messages are kept without bounds
  bool doubles_for_ever = false;    ///< each round takes twice as long, however many have gone by
  bool forgets_at_pivot = false;    ///< a snapshot leaves no record of consensus that counts
  bool keeps_set_over_gap = false;  ///< after a snapshot the validators are those of before it
  bool trusts_parent_seals = false; ///< takes what a proposal says that the parent's seals are
  bool takes_any_time = false;      ///< votes for a block whatever its date
  bool waits_for_claims = false;    ///< while somebody says that he is far ahead, no blocks are asked for
};

/// What a person may ask for.
struct simulation_options {
  std::uint64_t seed = 1;
  sim_time length = 60 * second;         ///< simulated
  bool real_chain = false;               ///< mempool, execution and store instead of the abstract application
  std::size_t trace_lines = 300;         ///< shown on failure
  std::optional<std::size_t> validators; ///< none: the seed decides
  std::uint64_t snapshot_gap = 0;        ///< of the real chain; 0: blocks one after the other
  bool only_forks = false; ///< go on after a broken lock or a false accusation, to see whether it forks
  consensus::planted_bugs planted; ///< only tests set any
  planted_shell_bugs planted_shell;
  faulty_rule planted_rule = faulty_rule::none;
};

/// What follows from the options and the seed: which nodes there are, and what may go wrong in this run.
struct simulation_plan {
  std::size_t validators = 4;         ///< in the first set: nodes 0 .. validators - 1
  std::size_t observers = 0;          ///< further nodes that may join
  std::vector<std::size_t> liars;     ///< run by the adversary
  std::vector<std::size_t> forgetful; ///< honest, but may be restored from an old copy
  bool changes_validators = false;
  bool idle_times = false; ///< work comes in bursts
  double loss_max = 0.2;
  double crash_max = 0.002;
  double partition = 0.5; ///< chance of one in each storm
  double deafness = 0.1;  ///< chance that a node hears nobody in a storm, though all hear it
  sim_time skew_max = 0;  ///< of wall clocks
  sim_time work_every = 50 * millisecond;
  std::vector<std::uint16_t> organisations; ///< by node, from 1 on; empty: a chain of no organisations
};
simulation_plan make_plan(const simulation_options& options);

struct simulation_outcome {
  std::string failure; ///< empty: every invariant held
  std::string trace;
  std::uint64_t blocks = 0;       ///< decided heights
  std::uint64_t later_rounds = 0; ///< decisions beyond round 0
  std::uint64_t messages = 0;     ///< delivered
  std::uint64_t crashes = 0;
  std::uint64_t restores = 0; ///< from an old copy
  std::uint64_t changes = 0;  ///< of the validator set
  std::uint64_t attacks = 0;
  std::uint64_t snapshots = 0; ///< taken
  std::uint64_t evidence = 0;
  std::uint64_t blamed = 0; ///< what neighbors were penalized for
  std::uint64_t events = 0;
  bool ok() const { return failure.empty(); }
};

/// One network from its first block to the end, or to the first broken invariant. The same options give the
/// same outcome, byte for byte.
simulation_outcome simulate(const simulation_options& options);

} // namespace swarm::simulator
