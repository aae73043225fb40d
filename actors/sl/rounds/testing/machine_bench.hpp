#pragma once

#include "actors/sl/rounds/opening.hpp"
#include "actors/sl/rounds/peer_machine.hpp"
#include "contracts/abi/function.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace swarm::rounds::testing {

/// One machine, a clock, and a view of the contract that the test writes by hand. Peer 1 is
/// the machine's own.
class machine_bench {
public:
  explicit machine_bench(machine_options options = {}) : machine(with_self(std::move(options))) {
    view.block_num = 10;
    view.head.generation = 1;
    view.head.round_num = 1;
    view.head.min_peers = 1;
    view.head.merge_method = "mean";
  }

  /// Of all models, as they have one layout: too large for all of it to be checked by more than two.
  static constexpr std::uint64_t model_size = 20 << 20;

  static address account(std::uint8_t number) {
    address out;
    out[19] = number;
    return out;
  }
  static hash32 digest(std::uint8_t number) {
    hash32 out;
    out[31] = number;
    return out;
  }
  static model_ref model(std::uint8_t number, std::uint8_t layout = 77) {
    return {digest(number), model_size, digest(layout)};
  }

  // What the contract says
  contracts::peer_view& peer(std::uint8_t number) {
    for (auto& one : view.peers)
      if (one.account == account(number)) return one;
    view.peers.push_back({.account = account(number),
                          .state = contracts::peer_state::active,
                          .train_end = contracts::on_train_end::snapshot,
                          .name = fmt::format("sl-{}", number),
                          .endpoint = fmt::format("host-{}:30305", number)});
    return view.peers.back();
  }
  /// Its model is revealed, whatever the phase is; see `hide`.
  contracts::check_in_view& in(std::uint8_t number, std::uint32_t weightage = 1) {
    peer(number).last_round = view.head.round_num;
    view.check_ins.push_back({.peer = account(number),
                              .digest = digest(number),
                              .size = model_size,
                              .weightage = weightage,
                              .base_round = view.head.round_num - 1,
                              .endpoint = fmt::format("host-{}:30305", number)});
    view.head.checked_in = static_cast<std::uint32_t>(view.check_ins.size());
    return view.check_ins.back();
  }
  /// The round is closed to others, and nobody has revealed anything yet.
  void open_reveals() {
    view.head.phase = contracts::round_phase::revealing;
    for (auto& one : view.check_ins)
      hide(one);
  }
  void hide(contracts::check_in_view& one) const {
    const auto& head = view.head;
    one.commitment = commitment_to(one.peer, head.generation, head.round_num, one.digest);
    one.digest = {};
  }
  static hash32 commitment_to(const address& peer, std::uint64_t generation, std::uint64_t round_num,
                              const hash32& digest) {
    return contracts::commitment_of(peer, generation, round_num,
                                    opening_of(secret(), "ours", generation, round_num, digest));
  }
  /// The machine's check-in; `args` has the model's digest in the commitment's place.
  static bytes encode_check_in(contracts::check_in_args args) {
    if (args.weightage > 0)
      args.commitment = commitment_to(account(1), args.generation, args.round_num, args.commitment);
    return contracts::encode_check_in(args);
  }
  static hash32 secret() { return digest(99); }
  void close(std::uint8_t leader, std::uint32_t term = 0) {
    view.head.phase = contracts::round_phase::merging;
    view.head.leader = account(leader);
    view.head.term = term;
  }
  /// Merges the current round; the next one begins, or the training is complete.
  void merge(std::uint8_t merged, std::uint8_t by, bool complete = false) {
    view.head.merged_round = view.head.round_num++;
    view.head.merged_digest = digest(merged);
    view.head.merged_size = model_size;
    view.head.merged_by = account(by);
    view.head.layout_digest = digest(77);
    view.head.leader = {};
    view.head.term = 0;
    view.head.phase = complete ? contracts::round_phase::complete : contracts::round_phase::collecting;
    view.check_ins.clear();
    view.head.checked_in = 0;
  }

  // Events
  void look() {
    ++view.block_num;
    step(event::view_read{view});
  }
  /// Lets time pass in `times` ticks of `pause`.
  void pass(duration pause, int times = 1) {
    for (int i = 0; i < times; ++i) {
      now += pause;
      step(event::tick{});
    }
  }
  /// Puts the newest call into a block; the machine then sees the present view.
  void done(bool ok = true, std::string text = {}) {
    step(event::call_done{last<action::call>().id, ok, ++view.block_num, std::move(text)});
    look();
  }
  template <class Event>
  void step(const Event& what) {
    machine.step(what, now);
    for (auto batch = machine.take_actions(); !batch.empty(); batch = machine.take_actions())
      for (auto& one : batch) {
        if (const auto* write = std::get_if<action::make_durable>(&one); write != nullptr && disk_answers)
          machine.step(event::model_durable{write->digest, {}}, now);
        actions.push_back(std::move(one));
      }
  }
  void sync(std::uint8_t number, std::uint32_t weightage = 1) {
    step(event::program_synced{model(number), weightage});
  }
  void close_program(std::uint8_t number, std::uint32_t weightage = 1) {
    step(event::program_closing{model(number), weightage});
  }
  void loss(double value = 0.5) { step(event::program_loss{{value, 0.75, 1, 4}}); }
  void fetched(std::uint8_t number) { step(event::model_fetched{digest(number), digest(77)}); }
  void durable(std::uint8_t number) { step(event::model_durable{digest(number), {}}); }
  void write_fails(std::uint8_t number) {
    step(event::model_durable{digest(number), fail(errc::unavailable, "no space left")});
  }
  void fetch_fails(std::uint8_t number) {
    step(event::model_fetched{digest(number), fail(errc::unavailable, "not there")});
  }
  void gone(bool orderly) { step(event::program_gone{"a reason", orderly}); }

  /// Opens a session and registers.
  void open(session_params params = {}) {
    step(event::program_opened{std::move(params), "ours"});
    look();
    peer(1);
    done();
  }
  /// Opens, syncs model 1 and checks in with it.
  void join(session_params params = {}) {
    open(std::move(params));
    sync(1);
    look();
    in(1);
    done();
    clear();
  }

  // Actions
  template <class Action>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        actions.begin(), actions.end(), [](const auto& one) { return std::holds_alternative<Action>(one); }));
  }
  template <class Action>
  const Action& last() const {
    const auto found = std::find_if(actions.rbegin(), actions.rend(),
                                    [](const auto& one) { return std::holds_alternative<Action>(one); });
    if (found == actions.rend()) throw std::logic_error("the machine has not asked for that");
    return std::get<Action>(*found);
  }
  /// What the calls since `clear` were for.
  std::vector<std::string> calls() const {
    std::vector<std::string> out;
    for (const auto& one : actions)
      if (const auto* call = std::get_if<action::call>(&one)) out.push_back(call->what);
    return out;
  }
  void clear() { actions.clear(); }

  time_point now{};
  bool disk_answers = true; ///< at once, and well
  contract_view view;
  peer_machine machine;
  std::vector<machine_action> actions; ///< since `clear`

private:
  static machine_options with_self(machine_options options) {
    options.self = account(1);
    options.secret = secret();
    return options;
  }
};

/// Whether it says so of what it waits for.
inline bool says(const machine_bench& t, std::string_view text) {
  return t.machine.waiting_for(t.now).find(text) != std::string::npos;
}

/// What the last call hands to the contract.
template <class Args>
Args last_call(const machine_bench& t) {
  return contracts::abi::decode_members<Args>(bytes_view(t.last<action::call>().input).subspan(4)).value();
}

} // namespace swarm::rounds::testing
