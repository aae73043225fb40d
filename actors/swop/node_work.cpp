#include "actors/swop/node_work.hpp"

#include "actors/swop/lines/last_lines.hpp"
#include "actors/swop/plan/failures.hpp"
#include "base/log.hpp"

namespace swarm::actors {

namespace {

using swop::task_failure;
using swop::task_step;
using namespace std::chrono_literals;

constexpr auto look_interval = 250ms;
constexpr auto sn_end_grace = 30s;    ///< between SIGTERM and SIGKILL: it closes its store
constexpr auto sn_end_patience = 60s; ///< with a manager that does not end it

std::string names_of(const std::vector<tasks::sn_definition>& sns) {
  if (sns.empty()) return "none: snnodes of the profile would name them";
  std::string out;
  for (const auto& each : sns)
    out += (out.empty() ? "" : ", ") + each.name;
  return out;
}

} // namespace

result<> node_work::operator()(const tasks::run_node& body) const {
  if (context.engine || context.is_cluster)
    return fail(task_failure::node_not_offered,
                "a RUN_NODE needs a SWOP with mgrtype PROCESS, which starts an SN on its own host: start {} "
                "by run-sn",
                body.node);
  const auto* what = context.profile.sn_of(body.node);
  const auto program = find_sn_program(*context.manager, body.node);
  // One that the profile offers no more can be stopped all the same.
  if (what == nullptr && (!program || body.state == tasks::node_state::running))
    return fail(task_failure::node_not_offered, "the profile offers no SN '{}'; it offers {}", body.node,
                names_of(context.profile.sns));
  if (body.state == tasks::node_state::running) return start(*what);
  if (program) return end(*program);
  log::info(context.log_source, "the SN {} does not run", body.node);
  return {};
}

result<> node_work::start(const tasks::sn_definition& what) const {
  auto there = find_sn_program(*context.manager, what.name);
  if (there && there->runs()) {
    log::info(context.log_source, "the SN {} runs already", what.name);
    const bool is_own = there->name.part == part; // begun by a former life of this SWOP
    auto done = wait_until_member(what, there->program.name);
    if (!done && is_own) std::ignore = context.manager->stop(there->program.name, sn_end_grace);
    return done;
  }
  SWARM_CHECK(context.manager->check());
  SWARM_TRY(const auto spec, plan_sn(context, what, part));
  for (const auto& each : sn_programs(*context.manager))
    if (each.name.node == what.name) SWARM_CHECK(context.manager->remove(each.program.name));
  tell({task_step::starting_sn, 0});
  SWARM_CHECK(context.manager->start(spec));
  log::info(context.log_source, "the SN {} is started; its data and its log are in {}", what.name,
            folders_of_sn(context, what.name).data.parent_path().native());
  auto done = wait_until_member(what, spec.name);
  if (!done) std::ignore = context.manager->stop(spec.name, sn_end_grace);
  return done;
}

result<> node_work::wait_until_member(const tasks::sn_definition& what, const std::string& program) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(what.patience_seconds);
  const auto admin = folders_of_sn(context, what.name).admin_socket();
  for (;;) {
    SWARM_TRY(const auto now, context.manager->look(program));
    if (now.how) {
      const auto why = failure_of(*now.how, swop::program_kind::sn);
      const auto code = why.code == task_failure::none ? task_failure::program_exited : why.code;
      number = why.number;
      return fail(code, "the SN {} has ended before it was a member: {}", what.name,
                  swop::ended_text({code, why.number}));
    }
    const auto seen = look_at_sn(admin);
    if (seen.is_member) {
      log::info(context.log_source, "the SN {} is a member, at block {}", what.name, seen.block_num);
      return {};
    }
    tell({task_step::waiting_for_sn, seen.block_num});
    if (stop.stop_requested())
      return fail(task_failure::swop_stopped, "the SN {} was no member yet when its task was ended",
                  what.name);
    if (std::chrono::steady_clock::now() >= until) {
      number = what.patience_seconds;
      return fail(task_failure::time_limit, "the SN {} is no member after {} s (snpatience): {}", what.name,
                  what.patience_seconds, seen.state.empty() ? "it says nothing" : seen.state);
    }
    std::this_thread::sleep_for(look_interval);
  }
}

result<> node_work::end(const sn_program& what) const {
  const auto& name = what.program.name;
  tell({task_step::stopping, 0});
  SWARM_CHECK(context.manager->stop(name, sn_end_grace));
  const auto until = std::chrono::steady_clock::now() + sn_end_patience;
  for (;;) {
    SWARM_TRY(const auto now, context.manager->look(name));
    if (now.how) break;
    if (stop.stop_requested())
      return fail(task_failure::swop_stopped, "the SN {} is being stopped", what.name.node);
    if (std::chrono::steady_clock::now() >= until) {
      number = static_cast<std::uint64_t>(sn_end_patience.count());
      return fail(task_failure::time_limit, "the SN {} does not end", what.name.node);
    }
    std::this_thread::sleep_for(look_interval);
  }
  SWARM_CHECK(context.manager->remove(name));
  log::info(context.log_source, "the SN {} is stopped; its data directory stays: {}", what.name.node,
            folders_of_sn(context, what.name.node).data.native());
  return {};
}

void node_watch::look(const swop_context& context) {
  if (context.engine || context.is_cluster) return;
  const bool first = !std::exchange(begun_, true);
  if (!first && context.profile.sns.empty()) return;
  for (const auto& each : sn_programs(*context.manager)) {
    const auto& how = each.program.how;
    if (!how || told_.contains(each.program.name)) continue;
    const auto* offered = context.profile.sn_of(each.name.node);
    if (first && how->cause == managers::ending_cause::lost && offered != nullptr) {
      auto again = plan_sn(context, *offered, each.name.part);
      result<> started = again ? context.manager->remove(each.program.name) : tl::unexpected(again.error());
      if (started) started = context.manager->start(*again);
      if (started) {
        log::warning(context.log_source, "the SN {} went down with its host, and is started again",
                     each.name.node);
        continue;
      }
      log::error(context.log_source, "the SN {} cannot be started again: {}", each.name.node,
                 started.error().message);
    }
    told_.insert(each.program.name);
    log::write(how->cause == managers::ending_cause::told ? log::level::info : log::level::error,
               context.log_source,
               fmt::format("the SN {} has ended: {}", each.name.node,
                           ended_with_lines(*context.manager, each.program, swop::program_kind::sn)));
  }
}

} // namespace swarm::actors
