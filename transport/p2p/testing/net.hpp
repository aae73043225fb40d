#pragma once

#include "ledger/formats/keys.hpp"
#include "transport/p2p/p2p_node.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

/// P2P nodes of one process that know each other's addresses.
namespace swarm::p2p::test {

using namespace swarm::transport;
using namespace swarm::transport::test;
using namespace std::chrono_literals;

/// A port that is free now.
inline std::uint16_t free_port() {
  return raw_listener([](int) {}).port();
}

/// An SN's P2P node that records its callbacks.
struct sn {
  ledger::private_key key = ledger::private_key::make_random();
  std::shared_ptr<const tls_identity> identity;
  p2p_options options;
  head_facts head;
  std::map<std::uint64_t, sealed_block> chain; ///< that it answers from

  std::mutex mutex;
  std::map<neighbor_id, neighbor_facts> neighbors;
  std::vector<std::string> gone;
  std::vector<std::pair<neighbor_id, bytes>> consensus;
  std::vector<bytes> txns;
  std::vector<head_facts> heads;
  std::vector<std::pair<std::uint64_t, std::vector<sealed_block>>> blocks;
  std::vector<credit> credits;
  bool keep_credits = false;
  std::function<std::string(const peer_info&)> unwanted;
  int out_of_order =
      0; ///< something about a neighbor before on_neighbor or after on_neighbor_gone, or two of an account
  std::unique_ptr<p2p_node> node;

  ~sn() { node.reset(); }

  void start(io_runtime& io) {
    auto started = p2p_node::start(
        io, identity, key.account(), [this](const hash32& digest) { return key.sign_recoverable(digest); },
        options, head, callbacks());
    if (!started) throw std::runtime_error(started.error().message);
    node = std::move(*started);
  }
  void note(neighbor_id neighbor) { out_of_order += neighbors.contains(neighbor) ? 0 : 1; }

  p2p_callbacks callbacks() {
    p2p_callbacks out;
    if (unwanted) out.unwanted = [this](const peer_info& remote, bool) { return unwanted(remote); };
    out.on_neighbor = [this](neighbor_id id, const neighbor_facts& facts) {
      std::lock_guard lock(mutex);
      for (const auto& [other, known] : neighbors)
        out_of_order += known.account == facts.account ? 1 : 0;
      neighbors.emplace(id, facts);
    };
    out.on_neighbor_gone = [this](neighbor_id id, const std::string& reason) {
      std::lock_guard lock(mutex);
      note(id);
      neighbors.erase(id);
      gone.push_back(reason);
    };
    out.on_consensus = [this](neighbor_id id, bytes message, credit held) {
      std::lock_guard lock(mutex);
      note(id);
      consensus.emplace_back(id, std::move(message));
      if (keep_credits) credits.push_back(std::move(held));
    };
    out.on_txns = [this](neighbor_id id, std::vector<bytes> raw, const credit&) {
      {
        std::lock_guard lock(mutex);
        note(id);
        txns.insert(txns.end(), raw.begin(), raw.end());
      }
      for (auto& each : raw)
        node->gossip_txn(std::move(each));
    };
    out.on_head = [this](neighbor_id id, const head_facts& now) {
      std::lock_guard lock(mutex);
      note(id);
      heads.push_back(now);
    };
    out.on_blocks_wanted = [this](neighbor_id id, std::uint64_t request, std::uint64_t first,
                                  std::uint64_t count, std::size_t) {
      std::vector<sealed_block> answer;
      for (auto num = first; num < first + count && chain.contains(num); ++num)
        answer.push_back(chain.at(num));
      node->answer_blocks(id, request, std::move(answer));
    };
    out.on_blocks = [this](neighbor_id id, std::uint64_t first, std::vector<sealed_block> got,
                           const credit&) {
      std::lock_guard lock(mutex);
      note(id);
      blocks.emplace_back(first, std::move(got));
    };
    return out;
  }

  template <class Ask>
  auto locked(const Ask& ask) {
    std::lock_guard lock(mutex);
    return ask();
  }
  std::size_t neighbor_count() {
    return locked([&] { return neighbors.size(); });
  }
  neighbor_id id_of(const sn& other) {
    return locked([&] {
      for (const auto& [id, facts] : neighbors)
        if (facts.account == other.key.account()) return id;
      return neighbor_id{0};
    });
  }
  bool has_txn(const bytes& raw) {
    return locked([&] { return std::find(txns.begin(), txns.end(), raw) != txns.end(); });
  }
};

struct net {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  io_runtime io{2};
  std::vector<std::unique_ptr<sn>> nodes;

  sn& add(bool reachable = true) {
    auto fresh = std::make_unique<sn>();
    fresh->identity = identity_of(ca.issue("sn-" + std::to_string(nodes.size())));
    fresh->options.bind_address = "127.0.0.1";
    fresh->options.port = reachable ? free_port() : 0;
    if (reachable) fresh->options.endpoint = "127.0.0.1:" + std::to_string(fresh->options.port);
    fresh->options.chain_id = 7;
    fresh->options.dial_first = 20ms;
    fresh->options.dial_longest = 200ms;
    fresh->options.tick = 10ms;
    fresh->options.session.ask_neighbors_interval = 200ms;
    fresh->options.session.limits[static_cast<std::size_t>(frame_kind::get_neighbors)] = {1000, 1000};
    nodes.push_back(std::move(fresh));
    return *nodes.back();
  }
  ~net() {
    for (auto& each : nodes)
      each->node.reset();
  }
  bool meshed() {
    return eventually([&] {
      return std::all_of(nodes.begin(), nodes.end(),
                         [&](const auto& each) { return each->neighbor_count() == nodes.size() - 1; });
    });
  }
  void in_order() {
    for (auto& each : nodes)
      CHECK(each->locked([&] { return each->out_of_order; }) == 0);
  }
};

} // namespace swarm::p2p::test
