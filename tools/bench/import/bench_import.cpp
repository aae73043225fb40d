// How fast a late SN imports blocks that it was sent, without the network.
//
//   bench_import [--smoke | BLOCKS [RANGE]]
//
// Makes a chain of four validators in which four SLs train (one block of four check-ins, one of the merge,
// one of four losses, and so on), three seals each, then imports it into an empty chain, RANGE blocks at a
// time. The reference is what the signatures alone would allow if every core did nothing else. It is measured
// between the ranges, by the clock on the wall and on all cores, so that other work on the machine costs both
// alike. Executing is the work of one thread, and most of it; recovering signatures goes on beside it.
//
// A second chain has organisations, one for each validator, whose bytes are counted (contracts/organisations). What that
// costs is the processor time of the executing thread, against that for the same chain without the rule.

#include "base/hash.hpp"
#include "base/testing/temporary_folder.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "ledger/chain/chain.hpp"
#include "tools/bench/common/figure.hpp"
#include "tools/bench/common/signature_mill.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace swarm;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t validator_count = 4;
constexpr std::size_t peer_count = 4;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_import: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(result<T> from) {
  if (!from) die(from.error().message);
  return std::move(*from);
}

ledger::private_key key_of(std::string_view kind, std::size_t number) {
  return must(ledger::private_key::from_bytes(keccak256(fmt::format("{} {}", kind, number)).view()));
}

struct sealed_block {
  bytes block;
  bytes seals;
};

enum class kind : std::uint8_t { plain, organised, organised_without_rule };

ledger::chain_options options_for(std::filesystem::path dir, kind what = kind::plain) {
  ledger::chain_options out;
  out.dir = std::move(dir);
  out.genesis.emplace();
  for (std::size_t i = 0; i < validator_count; ++i)
    out.genesis->validators.push_back(key_of("validator", i).account());
  out.contracts = contracts::make_contracts();
  if (what == kind::plain) return out;
  for (const auto& validator : out.genesis->validators)
    out.genesis->founders.push_back({to_hex(validator.view()), {keccak256(validator.view())}, {validator}});
  if (what == kind::organised_without_rule) out.contracts.space = nullptr;
  return out;
}

/// The network whose blocks are imported.
class training_network {
public:
  explicit training_network(const std::filesystem::path& dir, kind what = kind::plain)
      : chain_(must(ledger::chain::open(options_for(dir, what)))) {
    for (std::size_t i = 0; i < validator_count; ++i)
      validators_.push_back(key_of("validator", i));
    for (std::size_t i = 0; i < peer_count; ++i)
      peers_.push_back(key_of("peer", i));
    if (what != kind::plain) {
      for (std::size_t i = 0; i < validator_count; ++i)
        call(validators_[i], registry_, registration(contracts::node_type::sn, i, validators_[i].account()));
      seal();
    }
    for (std::size_t i = 0; i < peer_count; ++i)
      call(i, registry_, registration(contracts::node_type::sl, i, peers_[i].account()));
    seal();
    if (what != kind::plain) vouch_for_peers();
    for (std::size_t i = 0; i < peer_count; ++i)
      call(i, training_,
           contracts::encode_register_peer({.min_peers = 2, .merge_method = "mean", .weightage = 1}));
    seal();
  }

  std::vector<sealed_block> make(std::size_t count) {
    while (made_.size() < count) {
      const auto head = ask();
      if (head.phase == contracts::round_phase::merging) {
        for (std::size_t i = 0; i < peer_count; ++i)
          if (peers_[i].account() == head.leader) merge(i, head);
      } else if (head.phase == contracts::round_phase::verifying) {
        check(head);
      } else if (head.phase == contracts::round_phase::revealing) {
        for (std::size_t i = 0; i < peer_count; ++i) {
          const auto what = opening_of(i, head);
          call(i, training_,
               contracts::encode(contracts::reveal_args{head.generation, head.round_num, what.digest,
                                                        what.salt, what.seed_hash}));
        }
        seal();
      } else {
        for (std::size_t i = 0; i < peer_count; ++i)
          call(i, training_,
               contracts::encode_check_in(
                   {.generation = head.generation,
                    .round_num = head.round_num,
                    .commitment = contracts::commitment_of(peers_[i].account(), head.generation,
                                                           head.round_num, opening_of(i, head)),
                    .size = 1'000'000,
                    .layout_digest = keccak256("layout"),
                    .weightage = 1,
                    .base_round = head.merged_round}));
        seal();
      }
    }
    made_.resize(count);
    return std::move(made_);
  }

private:
  static contracts::opening opening_of(std::size_t i, const contracts::head_view& head) {
    return {keccak256(fmt::format("{} {}", i, head.round_num)), keccak256("salt"),
            contracts::seed_link(keccak256("seed"), 1)};
  }
  /// Those who are awaited reveal their seeds, or attest what the leader proposes.
  void check(const contracts::head_view& head) {
    const ledger::call_request request{
        .from = {}, .to = training_, .input = contracts::encode(contracts::checks_args{})};
    const auto checks =
        must(contracts::decode_answer<contracts::checks_args>(must(chain_->call(request)).output));
    for (std::size_t i = 0; i < peer_count; ++i)
      if (std::find(checks.awaited.begin(), checks.awaited.end(), peers_[i].account())
          != checks.awaited.end())
        call(i, training_,
             checks.attempt == 0 ? contracts::encode(
                 contracts::reveal_seed_args{head.generation, head.round_num, head.term, keccak256("seed")})
                                 : contracts::encode(contracts::attest_args{head.generation, head.round_num,
                                                                            head.term, checks.attempt}));
    seal();
    if (ask().merged_round == head.round_num) report_losses(head);
  }
  void report_losses(const contracts::head_view& head) {
    for (std::size_t i = 0; i < peer_count; ++i)
      call(i, training_,
           contracts::encode_report_loss(
               {head.generation, head.round_num, static_cast<std::int64_t>(head.round_num), 1, 1, 10}));
    seal();
  }
  /// With number `i` of its kind, for the organisation of validator `i` if there are any.
  bytes registration(contracts::node_type type, std::size_t i, const address& account) {
    return contracts::encode_register_node({.type = type,
                                            .organisation = organisation_of(i),
                                            .identity = keccak256(account.view()),
                                            .sequence = 1,
                                            .name = fmt::format("node-{}", i),
                                            .endpoint = "10.0.0.1:30305"});
  }
  contracts::organisation_id organisation_of(std::size_t validator) {
    if (chain_->genesis().founders.empty()) return 0;
    const auto name = to_hex(key_of("validator", validator).account().view());
    const auto input = contracts::encode(contracts::organisation_named_args{name});
    const auto answer =
        must(chain_->call({.from = {}, .to = contracts::organisation_registry_address(), .input = input}));
    return must(contracts::decode_answer<contracts::organisation_named_args>(answer.output));
  }
  void vouch_for_peers() {
    for (std::size_t i = 0; i < peer_count; ++i) {
      const auto account = peers_[i].account();
      const auto statement = contracts::statement_hash(
          {account, organisation_of(i), contracts::node_type::sl, keccak256(account.view()), 0, 1});
      for (std::size_t voucher = 0; voucher < 3; ++voucher) // more than half of four, the own one among them
        call(validators_[(i + voucher) % validator_count], registry_,
             contracts::encode_vouch(account, statement));
    }
    seal();
  }
  contracts::head_view ask() {
    const ledger::call_request request{.from = {}, .to = training_, .input = contracts::encode_head()};
    return must(contracts::decode_head(must(chain_->call(request)).output));
  }
  void merge(std::size_t leader, const contracts::head_view& head) {
    contracts::commit_merge_args args{head.generation, head.round_num, head.term, keccak256("merged"),
                                      1'000'000};
    for (const auto& peer : peers_)
      args.contributors.push_back(peer.account());
    call(leader, training_, contracts::encode_commit_merge(args));
    seal();
  }
  void call(std::size_t peer, const address& to, bytes input) { call(peers_[peer], to, std::move(input)); }
  void call(const ledger::private_key& from, const address& to, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = must(chain_->pending_nonce(from.account()));
    fields.gas_limit = contracts::call_gas;
    fields.to = to;
    fields.data = std::move(input);
    must(chain_->submit(must(ledger::make_signed(std::move(fields), from, chain_->chain_id()))));
  }
  void seal() {
    const auto made = must(chain_->build_block(1'700'000'000 + made_.size(), validators_[0].account(), 1000));
    const auto& block = *made->block;
    for (const auto& outcome : block.outcomes)
      if (!outcome.consensus.ok) die("a transaction failed: " + to_hex(outcome.revert_output));
    ledger::seal_record seals;
    const auto digest = ledger::seal_digest(chain_->chain_id(), chain_->genesis_hash(), block.hash, 0);
    for (std::size_t i = 0; i < ledger::seal_quorum(validator_count); ++i)
      seals.seals.push_back({validators_[i].sign_recoverable(digest)});
    must(chain_->commit(made, seals));
    made_.push_back({ledger::encode_block(block.content()), ledger::encode_seals(seals)});
  }

  std::unique_ptr<ledger::chain> chain_;
  std::vector<ledger::private_key> validators_;
  std::vector<ledger::private_key> peers_;
  address registry_ = contracts::node_registry_address();
  address training_ = contracts::training_address(contracts::default_training_name);
  std::vector<sealed_block> made_;
};

double seconds_since(clock_type::time_point begun) {
  return std::chrono::duration<double>(clock_type::now() - begun).count();
}

struct import_outcome {
  double seconds = 0;
  std::size_t txns = 0;
};

/// Lets the mill run between the ranges, about a quarter of the time.
import_outcome import(ledger::chain& on, const std::vector<sealed_block>& made, std::size_t range,
                      bench::signature_mill& mill) {
  import_outcome out;
  double milled_at = 0;
  for (std::size_t at = 0; at < made.size();) {
    std::vector<ledger::sealed_block_view> view;
    for (; at < made.size() && view.size() < range; ++at)
      view.push_back({made[at].block, made[at].seals, {}});
    const auto started = clock_type::now();
    const auto done = on.import_range(at - view.size() + 1, view);
    out.seconds += seconds_since(started);
    if (done.refused) die(done.refused->message);
    for (const auto& block : done.blocks)
      out.txns += block->txns.size();
    if (out.seconds - milled_at < 0.3 && at < made.size()) continue;
    milled_at = out.seconds;
    mill.run(std::chrono::milliseconds(100));
  }
  return out;
}

/// Gives up three quarters of the states, as an SN does between blocks, one part every `interval`.
void measure_pruning(ledger::chain& on) {
  constexpr double interval = 200;
  double all = 0, longest = 0;
  std::size_t parts = 0;
  for (int idle = 0; idle < 2;) {
    const auto started = clock_type::now();
    idle = must(on.prune()) ? 0 : idle + 1;
    const auto took = 1000 * seconds_since(started);
    all += took;
    longest = std::max(longest, took);
    ++parts;
  }
  const auto mean = all / static_cast<double>(parts);
  const auto reference =
      fmt::format("the time between two parts; {} parts, the longest {:.1f} ms", parts, longest);
  bench::tell({.name = "prune_part",
               .value = mean,
               .unit = "ms",
               .reference = reference,
               .reference_value = interval,
               .ratio = interval / mean,
               .ratio_least = {}});
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Microseconds of the executing thread for a block: of chains of each kind, whose ranges are imported in turn.
std::vector<double> import_in_turn(const std::vector<kind>& kinds, std::size_t blocks, std::size_t range) {
  struct one {
    std::vector<sealed_block> made;
    swarm::testing::temporary_folder to{swarm::testing::memory_folder()};
    std::unique_ptr<ledger::chain> on;
  };
  std::vector<std::unique_ptr<one>> all;
  for (const auto what : kinds) {
    auto& next = *all.emplace_back(std::make_unique<one>());
    const swarm::testing::temporary_folder source(swarm::testing::memory_folder());
    next.made = training_network(source.path(), what).make(blocks);
    next.on = must(ledger::chain::open(options_for(next.to.path(), what)));
  }
  std::vector<double> out(kinds.size());
  for (std::size_t at = 0; at < blocks; at += range)
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::vector<ledger::sealed_block_view> view;
      for (std::size_t j = at; j < std::min(at + range, blocks); ++j)
        view.push_back({all[i]->made[j].block, all[i]->made[j].seals, {}});
      const auto before = thread_seconds();
      const auto done = all[i]->on->import_range(at + 1, view);
      out[i] += (thread_seconds() - before) / static_cast<double>(blocks) * 1e6;
      if (done.refused) die(done.refused->message);
    }
  return out;
}

} // namespace

int main(int count, char** arguments) {
  const bool smoke = count > 1 && std::string_view(arguments[1]) == "--smoke";
  const auto blocks = smoke ? 200 : count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 20'000;
  const auto range = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 256;
  if (blocks == 0 || range == 0) die("usage: bench_import [--smoke | BLOCKS [RANGE]]");
  constexpr double target = 0.18; // of what the signatures allow
  std::vector<sealed_block> made;
  {
    const swarm::testing::temporary_folder source(swarm::testing::memory_folder());
    made = training_network(source.path()).make(blocks);
  }
  const swarm::testing::temporary_folder to;
  auto options = options_for(to.path());
  options.limits.keep_states = std::max<std::size_t>(1, blocks / 4);
  const auto on = must(ledger::chain::open(options));
  bench::signature_mill mill;
  const auto done = import(*on, made, range, mill);
  const auto rate = static_cast<double>(made.size()) / done.seconds;
  const auto signatures = static_cast<double>(done.txns) / static_cast<double>(made.size())
                          + static_cast<double>(ledger::seal_quorum(validator_count));
  const auto allowed = mill.per_second() / signatures;
  const auto reference = fmt::format("recovering the {:.1f} signatures of a block alone", signatures);
  bench::tell({.name = "import_blocks",
               .value = rate,
               .unit = "blocks/s",
               .reference = reference,
               .reference_value = allowed,
               .ratio = rate / allowed,
               .ratio_least = target});
  measure_pruning(*on);
  const auto took = import_in_turn({kind::organised_without_rule, kind::organised},
                                   std::min<std::size_t>(blocks, 4'000), range);
  bench::tell({.name = "import_counted",
               .value = took[1],
               .unit = "us per block",
               .reference = "without counting organisations' bytes",
               .reference_value = took[0],
               .ratio = took[0] / took[1]});
}
