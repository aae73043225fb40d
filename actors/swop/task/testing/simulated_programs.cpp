#include "actors/swop/task/testing/simulation_parts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <fmt/format.h>

// What runs on a host, whoever has started it: pairs that train, crash, hang, or get lost.
namespace swarm::swop::testing {

simulation::program* simulation::find(host& n, const program_key& key) {
  const auto at = n.programs.find(key);
  return at == n.programs.end() ? nullptr : &at->second;
}

/// A manager's hint that something is different.
void simulation::changed(host& n) {
  if (!n.task || fault(scenario_.deaf_manager)) return;
  in_task(n, between(1, 50), [this, &n] { list(n); });
}

void simulation::start_program(host& n, const program_key& key) {
  for (const auto& [other, each] : n.programs)
    if (each.runs && other.part != key.part) broken("programs of two parts run at the same time");
  if (n.programs.contains(key)) broken("a program is started twice");
  auto& one = n.programs[key];
  one.serial = ++n.serials;
  if (key.kind == program_kind::sl) {
    one.account = contracts::test_account(next_sl_);
    one.lies = fault(scenario_.unknown_sl);
    next_sl_ = next_sl_ == 19'000 ? 10'000 : next_sl_ + 1;
    if (!one.lies) contracts::register_node(world_, one.account, contracts::node_type::sl, "sl");
    if (!one.lies) twin_.nodes[one.account] = contracts::node_type::sl;
    return;
  }
  train(n, key, 1 + random_.below(8));
}

void simulation::end(host& n, const program_key& key, failure why) {
  auto* one = find(n, key);
  if (one == nullptr || !one->runs) return;
  one->runs = false;
  one->outcome = why;
  one->ended_ms = now_ms();
  note(&n,
       fmt::format("{} {} of run {} ends{}: {} ({})", key.kind == program_kind::sl ? "SL" : "ML", key.index,
                   key.part.run, one->told ? " as told" : "", contracts::to_string(why.code), why.number));
  changed(n);
}

void simulation::tell_end(host& n, const program_key& key) {
  auto* one = find(n, key);
  if (one == nullptr || !one->runs || one->told || fault(scenario_.deaf_manager)) return;
  one->told = true;
  after(between(1, 4900), [this, &n, key, serial = one->serial] {
    const auto* now = find(n, key);
    if (now == nullptr || now->serial != serial) return;
    end(n, key, key.kind == program_kind::sl ? failure{} : failure{task_failure::swop_stopped, 0});
  });
}

/// True: something has gone wrong with the pair.
bool simulation::misbehave(host& n, const program_key& key) {
  if (!fault(scenario_.bad_program)) return false;
  const program_key sl{key.part, key.index, program_kind::sl};
  switch (random_.below(8)) {
  case 0:
    end(n, key, {task_failure::program_exited, 1 + random_.below(200)});
    break;
  case 1:
    end(n, sl, {task_failure::sl_exited, 9});
    return false; // ML will notice
  case 2:
  case 5:
  case 6:
    note(&n, "a pair hangs");
    find(n, key)->hangs = true;
    break;
  case 3:
    end(n, key, {task_failure::processes_lost, 0});
    break;
  case 4: // somebody has deleted what was known of it
    note(&n, "an ML vanishes");
    n.programs.erase(key);
    changed(n);
    break;
  default:
    end(n, key, {}); // well, in the middle
  }
  return true;
}

/// An ML from one step to the next, `left` rounds before its end.
void simulation::train(host& n, const program_key& key, std::uint64_t left) {
  after(between(200, 3000), [this, &n, key, left, serial = find(n, key)->serial] {
    auto* ml = find(n, key);
    if (ml == nullptr || ml->serial != serial || !ml->runs || ml->told || ml->hangs) return;
    auto* sl = find(n, {key.part, key.index, program_kind::sl});
    if (misbehave(n, key)) {
      const auto* still = find(n, key); // it may have vanished
      const bool hangs = still != nullptr && still->hangs;
      if (sl != nullptr && !hangs && sl->session == session_state::open) sl->session = session_state::none;
      return;
    }
    const bool served = sl != nullptr && sl->runs;
    if (!served && (left > 0 || sl == nullptr || sl->outcome != failure{}))
      return end(n, key, {task_failure::program_exited, 1});
    if (left > 0) {
      sl->session = session_state::open;
      ++sl->round;
      return train(n, key, left - 1);
    }
    if (!served) return end(n, key, {});
    // The SL goes on as long as others need it: it ends by itself, or says that it may be ended.
    sl->session = session_state::serving;
    const auto stays = between(0, 6000);
    after(stays, [this, &n, key, serial = sl->serial, itself = chance(500)] {
      const program_key name{key.part, key.index, program_kind::sl};
      auto* one = find(n, name);
      if (one == nullptr || one->serial != serial || !one->runs || one->told) return;
      one->session = session_state::none;
      if (itself) end(n, name, {});
    });
    if (chance(300)) return train(n, key, 0); // ML takes its time
    end(n, key, {});
  });
}

} // namespace swarm::swop::testing
