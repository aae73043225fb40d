#include "actors/sl/rounds/testing/simulation_parts.hpp"
#include "base/hash_tree.hpp"
#include "base/sum_tree.hpp"
#include "contracts/training/measures.hpp"
#include "contracts/training/sharding.hpp"

#include <algorithm>
#include <cmath>

// Files that nodes have and give to each other, merges, parts of merges, and checks of them.
namespace swarm::rounds::testing {

using namespace std::chrono_literals;

void simulation::fetch(node& n, const hash32& digest, const std::vector<holder>& holders, std::size_t next,
                       const std::function<void(result<hash32>)>& done) {
  if (n.store.contains(digest)) return in_life(n, 1ms, [=, this] { done(models_.at(digest).layout); });
  if (next == holders.size())
    return in_life(n, 1ms, [done] { done(fail(errc::unavailable, "no holder has it")); });
  in_life(n, message_delay() + between(1, 400), [=, this, &n] {
    auto* from = find(holders[next].peer);
    const bool has = from != nullptr && from->is_up() && from->store.contains(digest);
    if (!has || fault(scenario_.failed_fetch)) return fetch(n, digest, holders, next + 1, done);
    n.put(digest);
    done(models_.at(digest).layout);
  });
}

/// Most organisations are honest: liars are of the last node's.
bool simulation::is_to_lie(const node& n) {
  const auto organisations = std::max(scenario_.organisations, 1u);
  const bool is_of_liars = n.number % organisations == (scenario_.nodes - 1) % organisations;
  return n.number >= scenario_.reliable && is_of_liars && fault(scenario_.lies);
}

void simulation::start_merge(node& n, const action::start_merge& asked) {
  const auto shared = std::make_shared<const action::start_merge>(asked);
  const auto& task = *shared;
  note(&n,
       fmt::format("merges {} models for round {}, term {}", task.inputs.size(), task.round_num, task.term));
  if (n.job) broken("a merge is started while another is under way");
  n.job = {task.round_num, task.term, ++n.jobs, 0, fault(scenario_.stuck_merge)};
  const auto here = std::make_shared<std::set<hash32>>();
  const auto answered = std::make_shared<std::size_t>(0);
  for (const auto& input : task.inputs)
    fetch(n, input.digest, {{input.peer, input.endpoint}}, 0,
          [this, &n, here, answered, shared, digest = input.digest,
           serial = n.jobs](const result<hash32>& got) {
            if (!n.job || n.job->serial != serial) return;
            ++n.job->progress;
            if (got) here->insert(digest);
            if (++*answered < shared->inputs.size()) return;
            const auto stuck = scenario_.stuck_ends ? between(30000, 90000) : duration(24h);
            in_life(n, n.job->stuck ? stuck : between(1, 2000), [this, &n, here, shared, serial] {
              if (n.job && n.job->serial == serial) finish_merge(n, *shared, *here);
            });
          });
}

void simulation::finish_merge(node& n, const action::start_merge& task, const std::set<hash32>& here) {
  n.job.reset();
  merge_outcome outcome;
  outcome.excluded = task.refused;
  std::vector<weighted_model> from;
  for (const auto& input : task.inputs) {
    const auto& brought = models_.at(input.digest);
    const bool usable = here.contains(input.digest) && n.store.contains(input.digest) && brought.finite;
    if (usable) {
      from.push_back({input.peer, input.weight, &brought});
      outcome.contributors.push_back(input.peer);
    } else {
      outcome.excluded.push_back({input.peer,
                                  brought.finite ? contracts::exclusion_reason::not_available
                                                 : contracts::exclusion_reason::not_finite,
                                  "unusable"});
    }
  }
  if (from.empty()) {
    note(&n, "has nothing to merge");
  } else {
    auto merged = mean_of(from);
    // Of a merge of its own model alone there is nobody to check it, and it may bring what it likes.
    if (task.leads && from.size() > 1 && is_to_lie(n)) {
      note(&n, "lies");
      merged.value = 2 * merged.value + 1;
      ++lies_;
    }
    outcome.digest = merged.digest();
    outcome.size = scenario_.model_size;
    models_[outcome.digest] = merged;
    n.put(outcome.digest);
  }
  n.machine->step(event::merge_done{task.round_num, task.term, std::move(outcome)}, now_);
  drain(n);
}

/// A checker fetches what it needs from who brought it or from the leader, and makes the merge again.
void simulation::start_check(node& n, const check_task& asked) {
  const auto shared = std::make_shared<const check_task>(asked);
  const auto& task = *shared;
  note(&n, task.makes ? fmt::format("{} {} chunks of round {}, term {}", task.measures ? "measures" : "makes",
                                    task.chunks.size(), task.round_num, task.term)
                      : fmt::format("checks the merge of round {}, term {}, attempt {}", task.round_num,
                                    task.term, task.attempt));
  const auto serial = ++n.checks;
  const auto here = std::make_shared<std::set<hash32>>();
  const auto answered = std::make_shared<std::size_t>(0);
  auto all = task.inputs;
  all.insert(all.end(), task.defective.begin(), task.defective.end());
  for (const auto& input : all) {
    std::vector<holder> holders{{input.peer, input.endpoint}};
    if (!task.makes && task.shards.empty()) holders.push_back(task.leader);
    fetch(n, input.digest, holders, 0,
          [this, &n, here, answered, shared, serial, count = all.size(),
           digest = input.digest](const result<hash32>& got) {
            if (n.checks != serial) return;
            if (got) here->insert(digest);
            if (++*answered < count) return;
            in_life(n, between(1, 2000), [this, &n, here, shared, serial] {
              if (n.checks != serial) return;
              if (shared->measures) return finish_measures(n, *shared, *here);
              shared->makes ? finish_shard(n, *shared, *here) : finish_check(n, *shared, *here);
            });
          });
  }
}

/// Why chunks of these models cannot be made, if so; `from` gets the models.
check_outcome simulation::look_at(const check_task& task, const std::set<hash32>& here,
                                  std::vector<weighted_model>& from) const {
  check_outcome out;
  const auto number = task.chunks.empty() ? 0 : task.chunks.front();
  for (const auto& input : task.inputs) {
    const auto& brought = models_.at(input.digest);
    if (!here.contains(input.digest))
      out = {check_outcome::unserved, number, {}, "nobody gives a model"};
    else if (!brought.finite)
      out = {check_outcome::wrong_chunk, number, {}, "a model is not finite"};
    from.push_back({input.peer, input.weight, &brought});
  }
  return out;
}

namespace {

/// What a unit of models is measured to here, where models have no bytes.
std::vector<double> sums_of(const check_task& task, std::uint64_t unit) {
  std::vector<double> out;
  for (std::uint32_t i = 0; i < task.measured.sums; ++i)
    out.push_back(1.5 + static_cast<double>(unit) + i);
  return out;
}

/// By which weights other totals than the right ones would merge them, in one number.
model merge_of(const check_task& task, std::vector<weighted_model> from) {
  auto out = mean_of(std::move(from));
  if (task.measured.sums == 0) return out;
  std::vector<double> all;
  for (std::uint64_t first = 0; first < chunks_per_model; first += task.measured.unit_chunks)
    for (const auto sum : sums_of(task, first / task.measured.unit_chunks))
      all.push_back(sum);
  const auto right = contracts::pack_sums(sums_above(std::move(all), task.measured.sums, 64));
  if (task.measured.totals != right) out.value += 1000;
  return out;
}

} // namespace

/// A node measures its part of the models.
void simulation::finish_measures(node& n, const check_task& task, const std::set<hash32>& here) {
  std::vector<weighted_model> from;
  auto out = look_at(task, here, from);
  if (out.verdict == check_outcome::right) {
    const bool lies = is_to_lie(n);
    if (lies) note(&n, "lies of what it measures");
    lies_ += lies ? 1 : 0;
    ++measured_;
    for (const auto chunk : task.chunks) {
      if (chunk % task.measured.unit_chunks != 0) continue;
      auto own = sums_of(task, chunk / task.measured.unit_chunks);
      if (lies && chunk == task.chunks.front()) own.back() = random_.below(2) == 0 ? 0 : HUGE_VAL;
      for (const auto& word : contracts::pack_sums(own))
        out.sums.push_back(word);
    }
  } else {
    note(&n, "cannot: " + out.text);
  }
  n.machine->step(event::check_done{task.id, std::move(out)}, now_);
  drain(n);
}

/// Of `task`, whose sums on chain are not those of its models.
std::optional<std::uint64_t> simulation::wrong_unit(const check_task& task) const {
  if (task.measured.sums == 0 || has(mistake::measures_unseen)) return std::nullopt;
  for (const auto chunk : task.chunks) {
    const auto unit = chunk / task.measured.unit_chunks;
    const auto own = contracts::pack_sums(sums_of(task, unit));
    if (contracts::digest_of_sums(own) != task.measured.units.at(unit)) return unit;
  }
  return std::nullopt;
}

/// A node makes its part of a merge, or says why it cannot.
void simulation::finish_shard(node& n, const check_task& task, const std::set<hash32>& here) {
  std::vector<weighted_model> from;
  auto out = look_at(task, here, from);
  if (out.verdict == check_outcome::right) {
    auto merged = merge_of(task, from);
    models_[merged.digest()] = merged;
    if (is_to_lie(n)) {
      note(&n, "lies");
      merged.value = 2 * merged.value + 1;
      ++lies_;
    } else {
      n.shards.insert(merged.digest());
    }
    const auto all = merged.chunk_hashes();
    for (const auto chunk : task.chunks)
      out.made.push_back(all[chunk]);
  } else {
    note(&n, "cannot: " + out.text);
  }
  n.machine->step(event::check_done{task.id, std::move(out)}, now_);
  drain(n);
}

/// Of `task`, that is not what its maker has committed.
std::optional<std::uint64_t> simulation::wrong_chunk(const check_task& task, const model& right) const {
  const auto plan = contracts::plan_of(task.size, static_cast<std::uint32_t>(shards_.size()));
  const auto roots = tree_above(right.chunk_hashes(), plan.unit_level());
  for (const auto chunk : task.chunks) {
    const auto place = plan.place_of_chunk(chunk);
    const auto unit = chunk / plan.unit_chunks();
    const auto found = shards_.find(place);
    if (found == shards_.end() || found->second.roots.empty()) continue;
    if (found->second.roots[unit - plan.units_of(place).first] != roots[unit]) return chunk;
  }
  return std::nullopt;
}

/// A merge that was made in parts is there once all who have made them give theirs.
void simulation::fetch_sharded(node& n, const action::fetch& what,
                               const std::function<void(result<hash32>)>& done) {
  in_life(n, message_delay() + between(1, 400), [=, this, &n] {
    const bool is_there = std::ranges::all_of(what.shards, [&](const shard_run& run) {
      const auto* maker = find(run.maker.peer);
      return maker != nullptr && maker->is_up() && maker->shards.contains(what.digest);
    });
    if (!is_there || fault(scenario_.failed_fetch)) return fetch(n, what.digest, what.holders, 0, done);
    n.put(what.digest);
    done(models_.at(what.digest).layout);
  });
}

void simulation::finish_check(node& n, const check_task& task, const std::set<hash32>& here) {
  check_outcome out;
  std::vector<weighted_model> from;
  if (has(mistake::attests_unseen)) {
    n.machine->step(event::check_done{task.id, std::move(out)}, now_);
    return drain(n);
  }
  out = look_at(task, here, from);
  for (const auto& input : task.defective)
    if (here.contains(input.digest) && models_.at(input.digest).finite)
      out = {check_outcome::wrong_exclusion, 0, input.peer, "nothing is wrong with it"};
  for (const auto& input : task.unheard) {
    const auto* peer = find(input.peer);
    const bool serves = peer != nullptr && peer->is_up() && peer->store.contains(input.digest);
    if (serves && !fault(scenario_.failed_fetch))
      out = {check_outcome::wrong_exclusion, 0, input.peer, "it gives its model"};
  }
  if (const auto unit = wrong_unit(task); out.verdict == check_outcome::right && unit)
    out = {check_outcome::wrong_chunk,
           chunks_per_model + *unit,
           {},
           "the models are measured to something else"};
  if (out.verdict == check_outcome::right && merge_of(task, from).digest() != task.digest) {
    const auto wrong =
        task.shards.empty() ? std::optional<std::uint64_t>(0) : wrong_chunk(task, merge_of(task, from));
    if (wrong) out = {check_outcome::wrong_chunk, *wrong, {}, "the same models give something else"};
  }
  if (out.verdict != check_outcome::right) note(&n, "finds: " + out.text);
  n.machine->step(event::check_done{task.id, std::move(out)}, now_);
  drain(n);
}

void simulation::probe_leader(node& n, const action::probe_leader& ask) {
  in_life(n, message_delay() + message_delay(), [this, &n, ask] {
    const auto* leader = find(ask.leader);
    if (leader != nullptr && !leader->is_up()) {
      n.machine->step(event::leader_unheard{ask.round_num, ask.term}, now_);
      return drain(n);
    }
    if (leader == nullptr || !leader->job) return;
    if (leader->job->round_num != ask.round_num || leader->job->term != ask.term) return;
    n.machine->step(event::leader_progress{ask.round_num, ask.term, leader->job->progress}, now_);
    drain(n);
  });
}

} // namespace swarm::rounds::testing
