#include "tests/simulator/organisations/siege.hpp"
#include "tests/simulator/scenarios/scenario.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace swarm;
using namespace swarm::simulator;

namespace {

constexpr const char* usage =
    R"(usage: swarm-sim [--seed N] [--seeds K] [--hours H] [--chain [--snapshot-gap B]] [--validators N] [--quiet]
       swarm-sim --scenario NAME [--mistake] [--seed N] [--seeds K]
       swarm-sim --siege [--mistake NAME] [--seed N] [--seeds K] [--hours H] [--honest-sns N]
       swarm-sim --scenarios

Runs K simulated networks (default 1) from seed N on (default 1), each for H simulated hours (default 0.02), and
checks the invariants of consensus. --chain: with the real mempool, contracts and store; with --snapshot-gap
nodes that are behind by more than B blocks take snapshots. The first broken invariant
ends it with its seed, a readable trace and exit code 1.

--scenario plays one known failure as a script; --mistake plants the mistake that leads to it, to see it found.
--scenarios lists them.

--siege: one organisation of four lies with all that it can have; --mistake plants a mistake in one of the rules
on organisations, and --scenarios lists those, too.
)";

struct arguments {
  simulation_options options;
  std::uint64_t seeds = 1;
  bool quiet = false;
  const scenario* script = nullptr;
  bool mistake = false;
  bool siege = false;
  bool length_given = false;
  siege_options siege_wanted;
};

[[noreturn]] void wrong(const std::string& text) {
  std::fputs((text + "\n" + usage).c_str(), stderr);
  std::exit(2);
}

double number(const std::string& name, const char* text) {
  double out = 0;
  const std::string_view all(text == nullptr ? "" : text);
  const auto done = std::from_chars(all.data(), all.data() + all.size(), out);
  if (all.empty() || done.ptr != all.data() + all.size() || out < 0 || out > 1e15)
    wrong(name + ": '" + std::string(all) + "' is not a number");
  return out;
}

[[noreturn]] void list_scenarios() {
  for (const auto& one : scenarios()) {
    fmt::print("{}\n  known from: {}\n  checks: {}\n", one.name, one.source, one.checks);
    if (!one.mistake.empty()) fmt::print("  with --mistake: {}\n", one.mistake);
  }
  fmt::print("--siege --mistake NAME:");
  for (const auto& one : faulty_rules())
    fmt::print(" {}", one.name);
  fmt::print("\n");
  std::exit(0);
}

faulty_rule mistake_named(std::string_view name) {
  for (const auto& one : faulty_rules())
    if (one.name == name) return one.rule;
  wrong("--mistake: there is no '" + std::string(name) + "', see --scenarios");
}

arguments parse(char** argv) {
  arguments out;
  out.options.length = static_cast<sim_time>(0.02 * 3600 * second);
  while (*++argv != nullptr) {
    const std::string name = *argv;
    const auto value = [&] { return number(name, argv[1] == nullptr ? nullptr : *++argv); };
    if (name == "--seed")
      out.options.seed = static_cast<std::uint64_t>(value());
    else if (name == "--seeds")
      out.seeds = static_cast<std::uint64_t>(value());
    else if (name == "--hours")
      out.options.length = static_cast<sim_time>(value() * 3600 * second), out.length_given = true;
    else if (name == "--validators")
      out.options.validators = static_cast<std::size_t>(value());
    else if (name == "--chain")
      out.options.real_chain = true;
    else if (name == "--snapshot-gap")
      out.options.snapshot_gap = static_cast<std::uint64_t>(value());
    else if (name == "--quiet")
      out.quiet = true;
    else if (name == "--scenarios")
      list_scenarios();
    else if (name == "--scenario") {
      out.script = find_scenario(argv[1] == nullptr ? "" : *++argv);
      if (out.script == nullptr)
        wrong("--scenario: there is no '" + std::string(*argv) + "', see --scenarios");
    } else if (name == "--mistake") {
      out.mistake = true;
      if (argv[1] != nullptr && argv[1][0] != '-') out.siege_wanted.planted = mistake_named(*++argv);
    } else if (name == "--siege")
      out.siege = true;
    else if (name == "--honest-sns")
      out.siege_wanted.honest_sns = static_cast<std::size_t>(value());
    else
      wrong("unknown argument '" + name + "'");
  }
  if (out.options.snapshot_gap > 0 && !out.options.real_chain && out.script == nullptr)
    wrong("--snapshot-gap: only with --chain");
  if (out.options.validators == 0 || out.options.validators > 64) wrong("--validators: 1 to 64");
  return out;
}

std::string describe(const simulation_options& options) {
  const auto plan = make_plan(options);
  return fmt::format("{} validators, {} observers, {} liars, {} forgetful{}", plan.validators, plan.observers,
                     plan.liars.size(), plan.forgetful.size(),
                     plan.changes_validators ? ", changing set" : "");
}

} // namespace

int play_script(const arguments& wanted) {
  const auto& script = *wanted.script;
  if (wanted.mistake && script.mistake.empty()) wrong(std::string(script.name) + " has no mistake to plant");
  for (std::uint64_t i = 0; i < wanted.seeds; ++i) {
    const auto seed = wanted.options.seed + i;
    const auto out = play(script, seed, wanted.mistake);
    if (!out.ok()) {
      fmt::print("{}\n{}, seed {}: {}\n", out.trace, script.name, seed, out.failure);
      return 1;
    }
    fmt::print("{}, seed {}: {} blocks, {} messages, {} events: {}\n", script.name, seed, out.blocks,
               out.messages, out.events, script.checks);
  }
  return 0;
}

int play_siege(arguments wanted) {
  auto& options = wanted.siege_wanted;
  if (wanted.length_given) options.length = wanted.options.length;
  for (options.seed = wanted.options.seed; options.seed < wanted.options.seed + wanted.seeds;
       ++options.seed) {
    const auto out = compare_siege(options);
    fmt::print("siege, seed {}: {} blocks, 99 of 100 transactions final within {} ms ({} ms without an "
               "attack), longest "
               "stop {} ms; "
               "the attackers "
               "had {} seats at most, lost {}, registered {} keys of which {} are members, put {} bytes on "
               "the chain\n",
               options.seed, out.course.blocks, out.finality_p99() / millisecond, out.quiet_p99 / millisecond,
               out.longest_stop / millisecond, out.seats_max, out.seats_lost, out.keys, out.nodes, out.bytes);
    std::fflush(stdout);
    if (out.ok()) continue;
    fmt::print("{}\nseed {}: {}\n", out.course.trace, options.seed, out.course.failure);
    return 1;
  }
  return 0;
}

int main(int, char** argv) {
  auto wanted = parse(argv);
  if (wanted.siege) return play_siege(std::move(wanted));
  if (wanted.script != nullptr) return play_script(wanted);
  const auto first = wanted.options.seed;
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t blocks = 0;
  std::uint64_t later_rounds = 0;
  for (auto seed = first; seed < first + wanted.seeds; ++seed) {
    wanted.options.seed = seed;
    const auto out = simulate(wanted.options);
    if (!out.ok()) {
      fmt::print("{}\nseed {} ({}): {}\nrun it again: ./run sim --seed {} --hours {}{}\n", out.trace, seed,
                 describe(wanted.options), out.failure, seed,
                 static_cast<double>(wanted.options.length) / (3600.0 * second),
                 (wanted.options.real_chain ? " --chain" : "")
                     + (wanted.options.snapshot_gap > 0
                            ? fmt::format(" --snapshot-gap {}", wanted.options.snapshot_gap)
                            : std::string()));
      return 1;
    }
    blocks += out.blocks;
    later_rounds += out.later_rounds;
    if (!wanted.quiet)
      fmt::print("seed {}: {}: {} blocks, {} decisions in later rounds, {} other sets, {} messages, {} "
                 "crashes, {} old disks, "
                 "{} snapshots, {} attacks, {} proofs of lying\n",
                 seed, describe(wanted.options), out.blocks, out.later_rounds, out.changes, out.messages,
                 out.crashes, out.restores, out.snapshots, out.attacks, out.evidence);
    std::fflush(stdout);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print("{} seeds, {} blocks, {} decisions in later rounds, every invariant held; {:.1f} s\n",
             wanted.seeds, blocks, later_rounds, took.count());
  return 0;
}
