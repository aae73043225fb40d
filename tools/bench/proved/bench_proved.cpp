// What a proved view costs, beside the same one by a plain eth_call.
//
//   bench_proved [--smoke]
//
// A question goes through an SN's JSON-RPC reader as text, its answer through what a node's session makes of
// it. Plain and proved readings take turns, and the chain grows before each, so that no header is known already: by
// a block with one node's registration, or by half a round, in which all peers check in or a merge is committed.

#include "actors/sn/rpc/reader.hpp"
#include "actors/sn/rpc/service.hpp"
#include "actors/sn_client/session/chain_trust.hpp"
#include "base/hash.hpp"
#include "base/testing/temporary_folder.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "ledger/chain/chain.hpp"
#include "tools/bench/common/figure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace {

using namespace swarm;
namespace json = boost::json;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t validator_count = 4;
constexpr double more_ms_max = 1;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_proved: %s\n", why.c_str());
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

/// A chain with a training in which all peers have checked in.
class trained_chain {
public:
  trained_chain(const std::filesystem::path& dir, std::size_t peers) : peers_(peers) {
    ledger::chain_options options;
    options.dir = dir;
    options.genesis.emplace();
    for (std::size_t i = 0; i < validator_count; ++i)
      options.genesis->validators.push_back(key_of("validator", i).account());
    options.contracts = contracts::make_contracts();
    chain = must(ledger::chain::open(std::move(options)));
    const auto training = contracts::training_address(contracts::default_training_name);
    for (std::size_t i = 0; i < peers; ++i)
      send(i, contracts::node_registry_address(),
           contracts::encode_register_node({.type = contracts::node_type::sl,
                                            .identity = keccak256(fmt::format("{}", i)),
                                            .name = fmt::format("hospital-{}", i),
                                            .endpoint = fmt::format("sl-{}.example:30305", i)}));
    seal();
    for (std::size_t i = 0; i < peers; ++i)
      send(i, training, contracts::encode_register_peer({2, "mean", 5, {}, 10, true}));
    seal();
    for (std::size_t i = 0; i + 1 < peers; ++i)
      check_in(i, 1);
    seal();
  }

  void grow() {
    send(0, contracts::node_registry_address(),
         contracts::encode_register_node({.type = contracts::node_type::sl,
                                          .identity = keccak256(fmt::format("{}", grown_++)),
                                          .name = "hospital-0",
                                          .endpoint = "sl-0.example:30305"}));
    seal();
  }

  /// All peers check in, all reveal their models, the leader commits their merge, or the others check that.
  void go_on() {
    const auto training = contracts::training_address(contracts::default_training_name);
    const auto shown = must(chain->window()->view()->call(
        {.from = {}, .to = training, .input = contracts::encode_head(), .value = {}, .gas_limit = {}}));
    const auto head = must(contracts::decode_head(shown.output));
    if (head.phase == contracts::round_phase::collecting) {
      for (std::size_t i = head.round_num == 1 ? peers_ - 1 : 0; i < peers_; ++i)
        check_in(i, head.round_num);
      return seal();
    }
    if (head.phase == contracts::round_phase::revealing) {
      for (std::size_t i = 0; i < peers_; ++i) {
        const auto what = opening_of(i, head.round_num);
        send(i, training,
             contracts::encode(
                 contracts::reveal_args{1, head.round_num, what.digest, what.salt, what.seed_hash}));
      }
      return seal();
    }
    if (head.phase == contracts::round_phase::verifying) return check(head);
    contracts::commit_merge_args merge{.generation = 1,
                                       .round_num = head.round_num,
                                       .term = head.term,
                                       .digest = u256(1),
                                       .size = 1'000'000};
    std::size_t leader = 0;
    for (std::size_t i = 0; i < peers_; ++i) {
      merge.contributors.push_back(key_of("sl", i).account());
      if (merge.contributors.back() == head.leader) leader = i;
    }
    send(leader, training, contracts::encode_commit_merge(merge));
    seal();
  }

  std::unique_ptr<ledger::chain> chain;

private:
  /// Those who are awaited reveal their seeds, or attest what the leader proposes.
  void check(const contracts::head_view& head) {
    const auto training = contracts::training_address(contracts::default_training_name);
    const auto shown =
        must(chain->window()->view()->call({.from = {},
                                            .to = training,
                                            .input = contracts::encode(contracts::checks_args{}),
                                            .value = {},
                                            .gas_limit = {}}));
    const auto checks = must(contracts::decode_answer<contracts::checks_args>(shown.output));
    for (std::size_t i = 0; i < peers_; ++i) {
      const auto own = key_of("sl", i).account();
      if (std::find(checks.awaited.begin(), checks.awaited.end(), own) == checks.awaited.end()) continue;
      send(i, training,
           checks.attempt == 0
               ? contracts::encode(contracts::reveal_seed_args{1, head.round_num, head.term, hash32(u256(3))})
               : contracts::encode(contracts::attest_args{1, head.round_num, head.term, checks.attempt}));
    }
    seal();
  }
  static contracts::opening opening_of(std::size_t peer, std::uint64_t round_num) {
    return {keccak256(fmt::format("model {} {}", peer, round_num)), hash32(u256(2)),
            contracts::seed_link(hash32(u256(3)), 1)};
  }
  void check_in(std::size_t peer, std::uint64_t round_num) {
    const auto commitment =
        contracts::commitment_of(key_of("sl", peer).account(), 1, round_num, opening_of(peer, round_num));
    send(peer, contracts::training_address(contracts::default_training_name),
         contracts::encode_check_in(
             {1, round_num, commitment, 1'000'000, hash32(u256(1)), 5, round_num - 1, false}));
  }
  void send(std::size_t key, const address& to, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces_[key]++;
    fields.gas_limit = contracts::call_gas;
    fields.to = to;
    fields.data = std::move(input);
    must(chain->submit(ledger::make_signed(fields, key_of("sl", key), chain->chain_id())->raw()));
  }
  void seal() {
    for (;;) {
      const auto made = must(chain->build_block(++time_, chain->genesis().validators.front(), 1000));
      const auto digest = ledger::seal_digest(chain->chain_id(), chain->genesis_hash(), made->block->hash, 0);
      ledger::seal_record seals;
      for (std::size_t i = 0; i < ledger::seal_quorum(validator_count); ++i)
        seals.seals.push_back({key_of("validator", i).sign_recoverable(digest)});
      for (const auto& outcome : made->block->outcomes)
        if (!outcome.consensus.ok) die(contracts::revert_text(outcome.revert_output));
      must(chain->commit(made, seals));
      if (chain->stats().pool_txns == 0) return;
    }
  }

  std::size_t peers_;
  std::map<std::size_t, std::uint64_t> nonces_;
  std::uint64_t time_ = 1'700'000'000;
  std::uint64_t grown_ = 1'000'000;
};

/// An SN's JSON-RPC, without sockets.
class rpc_server {
public:
  explicit rpc_server(ledger::chain& chain) : chain_(chain), front_(chain.window(), now(), {}, address{}) {
    from_.client[0] = 1;
    from_.send = [this](std::string text) { answer_ = std::move(text); };
  }
  json::array ask(const std::vector<session::rpc_call>& calls) {
    front_.step(rpc::event::text{session::encode_batch(calls, 1), from_}, now());
    for (auto& each : front_.take_actions())
      if (auto* read = std::get_if<rpc::action::read>(&each))
        reader_.step(std::move(read->part), chain_.window(), now());
    while (front_.busy() || reader_.busy()) {
      reader_.go_on(now());
      front_.go_on(now());
    }
    bytes_ = answer_.size();
    return json::parse(answer_).as_array();
  }
  std::size_t answer_bytes() const { return bytes_; }

private:
  static time_point now() { return clock_type::now(); }
  ledger::chain& chain_;
  rpc::service front_;
  rpc::reader reader_;
  rpc::caller from_;
  std::string answer_;
  std::size_t bytes_ = 0;
};

template <class Reading>
auto timed(std::vector<double>& into, const Reading& reading) {
  const auto begun = clock_type::now();
  auto out = reading();
  into.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - begun).count());
  return out;
}

class measurement {
public:
  measurement(trained_chain& on, std::vector<session::rpc_call> calls)
      : on_(on), server_(*on.chain), calls_(std::move(calls)), trust_(on.chain->genesis_hash()) {
    for (bool more = true; more;) {
      const auto answer = server_.ask({trust_.question()});
      more = must(trust_.take(on.chain->chain_id(), answer.at(0)));
    }
  }

  void run(std::string_view name, int times, void (trained_chain::*grow)() = &trained_chain::grow) {
    std::vector<double> plain, proved;
    for (int i = 0; i < times + 2; ++i) {
      (on_.*grow)();
      const auto by_call = timed(plain, [&] { return outputs(server_.ask(calls_)); });
      plain_bytes_ = server_.answer_bytes();
      const auto by_proof = timed(proved, [&] {
        const auto request = trust_.to_prove(calls_);
        auto answer = server_.ask(request.sent);
        return outputs(must(trust_.check(calls_, {answer.begin(), answer.end()}, request.has)));
      });
      if (by_call != by_proof) die("a proved view says something else");
    }
    const auto own = median(proved) / double(calls_.size()),
               reference = median(plain) / double(calls_.size());
    std::fprintf(stderr, "%s: %zu bytes, plain %zu\n", std::string(name).c_str(), server_.answer_bytes(),
                 plain_bytes_);
    bench::tell({name, own, "ms", "the same view by eth_call", reference, reference / own,
                 reference / (reference + more_ms_max)});
  }

private:
  template <class List>
  static std::vector<bytes> outputs(const List& from) {
    std::vector<bytes> out;
    for (const auto& each : from)
      out.push_back(must(session::output_of(each)));
    return out;
  }
  static double median(std::vector<double> of) {
    of.erase(of.begin(), of.begin() + 2); // caches fill
    std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
    return of[of.size() / 2];
  }

  trained_chain& on_;
  rpc_server server_;
  std::vector<session::rpc_call> calls_;
  session::chain_trust trust_;
  std::size_t plain_bytes_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  const bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  const testing::temporary_folder dir(testing::memory_folder());
  trained_chain chain(dir / "chain", smoke ? 8 : 256);
  const auto training = contracts::training_address(contracts::default_training_name);
  const auto head = session::eth_call(training, contracts::encode_head());
  measurement(chain, {head}).run("proved_head", smoke ? 2 : 100);
  measurement all(chain,
                  {head, session::eth_call(training, contracts::encode_check_ins()),
                   session::eth_call(training, contracts::encode_peers(0, contracts::page_entries_max))});
  all.run("proved_view", smoke ? 2 : 100);
  all.run("proved_view_round", smoke ? 2 : 40, &trained_chain::go_on);
}
