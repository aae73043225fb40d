#pragma once

#include "base/random.hpp"
#include "ledger/sync/sync_machine.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>

/// What the tests of sync_machine share.
namespace swarm::sync::testing {

using namespace std::chrono_literals;

inline sealed_block block_of(std::uint64_t block_num, bool good = true) {
  bytes raw(9);
  put_be64(raw.data(), block_num);
  raw[8] = good ? 1 : 0;
  return {raw, bytes(1)};
}

inline std::vector<sealed_block> blocks_of(std::uint64_t first, std::uint64_t count, bool good = true) {
  std::vector<sealed_block> out;
  for (std::uint64_t i = 0; i < count; ++i)
    out.push_back(block_of(first + i, good));
  return out;
}

template <class T>
inline std::vector<T> of_kind(const std::vector<sync_action>& actions) {
  std::vector<T> out;
  for (const auto& one : actions)
    if (const auto* found = std::get_if<T>(&one)) out.push_back(*found);
  return out;
}

enum class conduct { honest, dead, liar, boaster, short_ranges, drip };

/// A node that catches up with a chain of `length` blocks from good and bad neighbors, under a seeded clock.
struct network {
  seeded_random random;
  std::uint64_t length;
  std::vector<conduct> neighbors;
  sync_machine node;
  time_point now{};
  std::uint64_t head = 0;
  std::set<neighbor_id> penalized;
  std::size_t bytes_max = 0;
  struct answer {
    time_point at;
    neighbor_id neighbor;
    std::uint64_t first;
    std::vector<sealed_block> blocks;
  };
  std::vector<answer> answers;
  std::deque<action::import_blocks> imports;

  network(std::uint64_t seed, std::uint64_t blocks, std::vector<conduct> who)
      : random(seed), length(blocks), neighbors(std::move(who)), node({.window_bytes = 4096}, 0) {
    for (neighbor_id id = 0; id < neighbors.size(); ++id)
      node.on_claim(id, claim_of(id), now);
  }

  std::uint64_t claim_of(neighbor_id id) const {
    return neighbors[id] == conduct::boaster ? length + 1'000'000 : length;
  }

  void ask(const action::ask_range& what) {
    REQUIRE(what.first > 0);
    REQUIRE(what.count > 0);
    REQUIRE(what.first + what.count - 1 <= claim_of(what.neighbor));
    const auto kind = neighbors[what.neighbor];
    if (kind == conduct::dead || penalized.contains(what.neighbor)) return;
    auto count = what.first > length ? 0 : std::min(what.count, length - what.first + 1);
    if (kind == conduct::short_ranges) count = std::min<std::uint64_t>(count, 3);
    if (kind == conduct::drip) count = std::min<std::uint64_t>(count, 1);
    const auto wait = kind == conduct::drip ? 2400ms : std::chrono::milliseconds(1 + random.below(500));
    answers.push_back(
        {now + wait, what.neighbor, what.first, blocks_of(what.first, count, kind != conduct::liar)});
  }

  void take() {
    bytes_max = std::max(bytes_max, node.waiting_bytes());
    for (auto& one : node.take_actions()) {
      if (auto* what = std::get_if<action::ask_range>(&one)) ask(*what);
      if (auto* what = std::get_if<action::import_blocks>(&one)) imports.push_back(std::move(*what));
      if (auto* what = std::get_if<action::penalize>(&one)) {
        penalized.insert(what->neighbor);
        node.on_neighbor_gone(what->neighbor, now);
      }
    }
  }

  void import_one() {
    auto todo = std::move(imports.front());
    imports.pop_front();
    REQUIRE(todo.first == head + 1);
    for (const auto& one : todo.blocks) {
      REQUIRE(get_be64(one->block.data()) == head + 1);
      if (one->block[8] == 0)
        return node.on_import_failed(head + 1, true, fail(errc::invalid, "seals").value(), now);
      ++head;
    }
    node.on_head(head, true, now);
  }

  /// Whether the node gets to the end before `steps` are over.
  bool run(int steps) {
    take();
    for (int i = 0; i < steps && head < length; ++i) {
      now += 50ms;
      for (std::size_t k = 0; k < answers.size();) {
        if (answers[k].at > now) {
          ++k;
          continue;
        }
        auto due = std::move(answers[k]);
        answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(k));
        node.on_blocks(due.neighbor, due.first, std::move(due.blocks), now);
        take();
      }
      node.tick(now);
      take();
      while (!imports.empty()) {
        import_one();
        take();
      }
    }
    return head == length;
  }
};

} // namespace swarm::sync::testing
