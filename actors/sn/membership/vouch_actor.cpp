#include "actors/sn/membership/vouch_actor.hpp"

#include "actors/sn/membership/vouch_desk.hpp"
#include "actors/sn/messages.hpp"
#include "actors/supervision/paths.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto upkeep_interval = 250ms;

struct vouching_state {
  explicit vouching_state(std::shared_ptr<const sn_context> from)
      : context(std::move(from)), desk(context->key->account(), context->identity, context->members) {}

  std::string status() const {
    const auto& machine = desk.machine();
    return fmt::format("{} nodes wait for vouches, {} vouches given, {} registrations not believed",
                       machine.applicants(), machine.vouches(), machine.refusals());
  }
  std::string detail_json() const {
    const auto& machine = desk.machine();
    return json::serialize(json::object{{"waiting", machine.applicants()},
                                        {"vouches", machine.vouches()},
                                        {"refused", machine.refusals()},
                                        {"last_refused", machine.last_refusal()}});
  }

  std::shared_ptr<const sn_context> context;
  membership::vouch_desk desk;
  std::shared_ptr<const ledger::chain_window> chain;
};

using self_pointer = role_actor<vouching_state>*;

/// Does `what` with the desk, and then what the desk wants.
template <class Work>
void work(self_pointer self, const Work& what) {
  auto& s = self->state();
  if (!s.chain || s.chain->view()->genesis().founders.empty()) return; // nobody vouches on such a chain
  const result<> done = what(s.desk, s.chain->view(), std::chrono::steady_clock::now());
  if (!done) self->note_error(done.error().message);
  for (const auto& line : s.desk.take_lines()) {
    if (line.warning) log::warning(s.context->log_source, "{}", line.text);
    if (!line.warning) log::info(s.context->log_source, "{}", line.text);
  }
  for (auto& call : s.desk.take_calls())
    self->tell(sibling(*self, "chain"), submit_vouching{std::move(call.input), call.try_first});
}

caf::behavior vouching_behavior(self_pointer self) {
  self->tell(sibling(*self, "chain"), window_wanted{});
  self->delayed_send(self, upkeep_interval, tick{});
  return {
      [=](const chain_shown& what) {
        auto& s = self->state();
        if (std::exchange(s.chain, what.chain) == what.chain) return; // it was told twice
        work(self, [](auto& desk, const auto& view, time_point now) { return desk.look_through(view, now); });
      },
      [=](const blocks_final& what) {
        work(self, [&](auto& desk, const auto& view, time_point now) -> result<> {
          for (const auto& block : what.blocks)
            SWARM_CHECK(desk.take_block(view, *block, now));
          return {};
        });
      },
      [=](tick) {
        work(self, [](auto& desk, const auto& view, time_point now) {
          return desk.tick(view, now, unix_seconds());
        });
        self->delayed_send(self, upkeep_interval, tick{});
      },
  };
}

} // namespace

start_function vouch_actor(std::shared_ptr<const sn_context> context) {
  return role<vouching_state>(vouching_behavior, std::move(context));
}

} // namespace swarm::actors
