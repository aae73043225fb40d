// What an SN sends to its clients: each line is one message or, after "!", another event.
#include "actors/sn_client/session/session_machine.hpp"
#include "base/assert.hpp"

#include <map>

using namespace swarm;
using namespace swarm::session;

namespace {

session_options options(bool proving) {
  static const auto key =
      std::make_shared<const ledger::private_key>(std::move(*ledger::private_key::from_bytes(bytes(32, 1))));
  session_options out{
      "own:1",
      {"other:2"},
      key,
      contracts::register_node_args{.type = contracts::node_type::sl, .name = "sl", .endpoint = "here:1"}};
  if (proving) out.trust = trust_options{};
  return out;
}

struct session_run {
  explicit session_run(bool proving) : machine(options(proving)) {}

  session_machine machine;
  time_point now{};
  std::uint64_t serial = 0;
  std::uint64_t calls = 0;
  std::uint64_t questions = 0;
  std::map<std::uint64_t, unsigned> done, answered;

  template <class Event>
  void step(const Event& event) {
    machine.step(event, now);
    for (const auto& each : machine.take_actions()) {
      if (const auto* dial = std::get_if<action::connect>(&each)) serial = dial->serial;
      if (const auto* reply = std::get_if<action::answered>(&each)) SWARM_ASSERT(++answered[reply->id] == 1);
      if (const auto* call = std::get_if<action::call_done>(&each)) SWARM_ASSERT(++done[call->id] == 1);
    }
  }
  void line(std::string_view text) {
    if (text == "!up") return step(event::link_up{serial});
    if (text == "!down") return step(event::link_down{serial, "gone"});
    if (text == "!submit") return step(event::submit{++calls, {}, {1}, "call"});
    if (text == "!ask") return step(event::ask{++questions, {eth_call({}, {}), eth_call({}, {})}});
    if (text == "!follow") return step(event::follow{"c", {}, {hash32{}}, {eth_call({}, {})}});
    if (text == "!follow2") return step(event::follow{"d", {}, {}, {}});
    if (text == "!old") return step(event::received{serial - 1, text});
    if (text == "!wait") {
      now = std::max(now, machine.wake_at());
      return step(event::tick{static_cast<std::uint64_t>(now.time_since_epoch().count() / 1'000'000)});
    }
    step(event::received{serial, text});
  }
};

} // namespace

namespace {

void talk(session_run& run, std::string_view rest) {
  run.step(event::tick{1});
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    run.line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    SWARM_ASSERT(run.machine.calls_open() <= session_machine::waiting_max + session_machine::txns_max);
    SWARM_ASSERT(run.machine.sns_known() <= 1 + sn_choice::others_max);
  }
  SWARM_ASSERT(run.done.size() + run.machine.calls_open() + 1 >= run.calls);
}

} // namespace

/// A node that believes its SN, and one that wants proofs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const bool proving : {false, true}) {
    session_run run(proving);
    talk(run, as_text({data, size}));
  }
  return 0;
}
