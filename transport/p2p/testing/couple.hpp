#pragma once

#include "base/hash.hpp"
#include "base/random.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/p2p/neighbor_session.hpp"

#include <doctest/doctest.h>

/// What the tests of neighbor_session share.
namespace swarm::p2p::testing {

using namespace std::chrono_literals;

inline hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}

template <class Action>
inline std::vector<Action> only(const std::vector<session_action>& from) {
  std::vector<Action> out;
  for (const auto& each : from)
    if (const auto* fits = std::get_if<Action>(&each)) out.push_back(*fits);
  return out;
}

/// The two sessions of one connection; frames travel only when the test says so.
struct couple {
  struct side {
    ledger::private_key key = ledger::private_key::make_random();
    hash32 certificate;
    hello own;
    std::optional<neighbor_session> session;
    std::vector<session_action> seen;
  };
  time_point now{};
  session_options options;
  side a, b;

  couple() {
    a.certificate = hash_of(1);
    b.certificate = hash_of(2);
    for (auto* each : {&a, &b}) {
      each->own.chain_id = 7;
      each->own.account = each->key.account();
    }
  }
  void sign(side& who) {
    const auto& neighbor = &who == &a ? b : a;
    who.own.proof = who.key.sign_recoverable(hello_digest(who.own, who.certificate, neighbor.certificate));
  }
  void begin() {
    for (auto* each : {&a, &b}) {
      if (each->own.proof.is_zero()) sign(*each);
      const auto& neighbor = each == &a ? b : a;
      each->session.emplace(options, each->own, each->certificate, neighbor.certificate, now);
    }
  }
  void collect(side& who) {
    for (auto& each : who.session->take_actions()) {
      if (std::holds_alternative<action::greeted>(each)) who.session->admit(0, now);
      who.seen.push_back(std::move(each));
    }
  }
  /// Feeds a frame to one side as if the other had sent it.
  void feed(side& to, const frame& what) {
    const auto raw = encode(what);
    to.session->on_frame(decode(raw), raw.size(), now);
    collect(to);
  }
  /// Delivers everything that waits, both ways.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto* from : {&a, &b}) {
        collect(*from);
        auto& to = from == &a ? b : a;
        while (const auto raw = from->session->next_to_send(0)) {
          moved = true;
          to.session->on_frame(decode(*raw), raw->size(), now);
          collect(to);
        }
      }
    }
  }
  void pass(duration time) {
    now += time;
    a.session->tick(now, true);
    b.session->tick(now, true);
    run();
  }
  void open() {
    begin();
    run();
    REQUIRE(a.session->open());
    REQUIRE(b.session->open());
    run();
    a.seen.clear();
    b.seen.clear();
  }
  std::string end_of(const side& who) {
    const auto ends = only<action::close>(who.seen);
    return ends.size() == 1 ? ends[0].reason : std::to_string(ends.size()) + " ends";
  }
  bool refused(const side& who) {
    const auto ends = only<action::close>(who.seen);
    return ends.size() == 1 && ends[0].refuse;
  }
};

inline shared_bytes shared(std::size_t size, std::uint8_t fill) {
  return std::make_shared<const bytes>(size, fill);
}

} // namespace swarm::p2p::testing
