#include "tests/simulator/scenarios/stage.hpp"

#include "base/assert.hpp"

namespace swarm::simulator {

using namespace consensus;

namespace {

constexpr sim_time gossip_every = 100 * millisecond;

simulation_options options_of(const scenario& which, std::uint64_t seed, bool with_mistake,
                              std::size_t trace_lines) {
  simulation_options out;
  out.seed = seed;
  out.trace_lines = trace_lines;
  out.snapshot_gap = which.snapshot_gap;
  out.real_chain = which.snapshot_gap > 0;
  if (!with_mistake) return out;
  out.only_forks = true; // the failure itself is wanted, not the first rule it breaks on the way
  if (which.plant != nullptr) which.plant(out);
  return out;
}

void gossip(world& in) {
  for (std::size_t i = 0; i < in.node_count(); ++i)
    in.node(i).gossip();
  in.after(gossip_every, [&in] { gossip(in); });
}

} // namespace

stage::stage(const scenario& which, std::uint64_t seed, bool with_mistake, std::size_t variant,
             std::size_t trace_lines)
    : mistaken_(with_mistake), variant_(variant), variant_count_(which.variants),
      world_(options_of(which, seed, with_mistake, trace_lines), which.plan),
      puppets_(which.plan.liars.begin(), which.plan.liars.end()) {
  world_.set_link_rule([this](auto from, auto to, const auto& what) { return passes(from, to, what); });
  for (std::size_t i = 0; i < world_.node_count(); ++i)
    if (!puppets_.contains(i)) node(i).start();
  gossip(world_);
}

// Course

void stage::run(sim_time span) {
  world_.run_until(world_.now() + span);
  if (world_.check().failed()) throw scene_over{};
}

void stage::until(const char* what, const std::function<bool()>& happened, sim_time limit) {
  const auto end = world_.now() + limit;
  while (!happened())
    if (!world_.run_one(end)) {
      world_.check().fail(fmt::format("the scene did not come about: {}", what));
      throw scene_over{};
    }
}

void stage::expect(bool holds, std::string_view what) {
  if (holds) return;
  world_.check().fail(fmt::format("expected: {}", what));
  throw scene_over{};
}

void stage::work(std::size_t which) {
  node(which).offer(next_work_++);
}

void stage::until_head(const std::vector<std::size_t>& nodes, std::uint64_t block_num) {
  until("a block", [&] {
    return std::all_of(nodes.begin(), nodes.end(), [&](auto i) { return node(i).head_num() >= block_num; });
  });
}

void stage::all_well(sim_time limit) {
  rule_ = nullptr;
  cut_.clear();
  world_.air() = world_.clear_sky();
  for (std::size_t i = 0; i < world_.node_count(); ++i) {
    if (puppets_.contains(i)) continue;
    node(i).hold_timers(false);
    node(i).hold_disk(false);
    if (!node(i).is_up()) node(i).start();
  }
  const auto end = world_.now() + limit;
  const auto well = [&](std::size_t i) {
    return puppets_.contains(i)
           || (node(i).head_num() == world_.highest_head() && node(i).app().pending(1).empty());
  };
  for (std::size_t i = 0; i < world_.node_count();) {
    if (well(i)) {
      ++i;
    } else if (world_.run_one(end)) {
      i = 0;
    } else {
      world_.check().fail(fmt::format("6 liveness: node {} is at block {}, {} piece(s) of work wait there", i,
                                      node(i).head_num(), node(i).app().pending(9).size()));
      throw scene_over{};
    }
  }
}

// Network

bool stage::passes(std::size_t from, std::size_t to, const packet& what) {
  if (what.what == packet::kind::ask && puppets_.contains(to)) questions_[{from, to}] = what.block_num;
  if (puppets_.contains(from)) return true;
  std::optional<message_head> head;
  if (what.what == packet::kind::consensus) {
    head = *read_head(*what.raw);
    said_.emplace(place{from, head->code, head->block_num, head->round_num}, what.raw);
  }
  if (cut_.contains(from) || cut_.contains(to)) return false;
  return !head || !rule_ || rule_({from, to, *head});
}

void stage::partition(const std::set<std::size_t>& one_side) {
  for (std::size_t i = 0; i < world_.node_count(); ++i)
    world_.air().side[i] = one_side.contains(i) ? 1 : 0;
}

// What was said

const bytes& stage::find_said(std::size_t author, message_code code, std::uint64_t round_num,
                              std::uint64_t block_num) const {
  const auto found = said_.find({author, code, block_num, round_num});
  SWARM_ASSERT(found != said_.end());
  return *found->second;
}

bool stage::said(std::size_t author, message_code code, std::uint64_t round_num,
                 std::uint64_t block_num) const {
  return said_.contains({author, code, block_num, round_num});
}

std::optional<proposal_message> stage::proposal(std::uint64_t round_num, std::uint64_t block_num) const {
  for (std::size_t author = 0; author < world_.plan().validators + world_.plan().observers; ++author)
    if (said(author, message_code::proposal, round_num, block_num))
      return *decode_proposal(find_said(author, message_code::proposal, round_num, block_num));
  return std::nullopt;
}

signed_prepare stage::prepare_of(std::size_t author, std::uint64_t round_num, std::uint64_t block_num) const {
  return *decode_prepare(find_said(author, message_code::prepare, round_num, block_num));
}

commit_message stage::commit_of(std::size_t author, std::uint64_t round_num, std::uint64_t block_num) const {
  return *decode_commit(find_said(author, message_code::commit, round_num, block_num));
}

round_change_message stage::round_change_of(std::size_t author, std::uint64_t round_num,
                                            std::uint64_t block_num) const {
  return *decode_round_change(find_said(author, message_code::round_change, round_num, block_num));
}

std::optional<std::uint64_t> stage::take_question(std::size_t which, std::size_t puppet) {
  const auto found = questions_.find({which, puppet});
  if (found == questions_.end()) return std::nullopt;
  const auto out = found->second;
  questions_.erase(found);
  return out;
}

// Puppets

void stage::vote(std::size_t puppet, const std::vector<std::size_t>& to, std::uint64_t round_num,
                 const proposed_block& block) {
  say(puppet, to, pen(puppet).prepare(block.block_num, round_num, block.hash));
  say(puppet, to, pen(puppet).commit(block.block_num, round_num, block.hash));
}

proposed_block stage::own_block(std::size_t puppet, std::uint64_t round_num) {
  node(puppet).app().add_work(1'000'000 + next_work_++);
  return *node(puppet).app().build(world_.now(), round_num);
}

void stage::send_head(std::size_t puppet, std::size_t to, std::uint64_t block_num) {
  world_.transmit(puppet, to, {.what = packet::kind::head, .block_num = block_num});
}

void stage::send_blocks(std::size_t puppet, std::size_t to, std::uint64_t first,
                        std::vector<sealed_ptr> blocks) {
  world_.transmit(puppet, to,
                  {.what = packet::kind::blocks, .block_num = first, .blocks = std::move(blocks)});
}

} // namespace swarm::simulator
