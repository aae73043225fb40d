#include "contracts/testing/story.hpp"
#include "contracts/testing/taskrunner_probe.hpp"

#include <doctest/doctest.h>

namespace taskrunner_scenario_test {

using namespace swarm;
using namespace swarm::contracts;

// Golden stories of taskrunners are in taskrunner/scenarios/*.txt (testing/story.hpp). Invariants are checked after each
// command. Commands, with options in any order; codes are numbers, as the interface lists them:
//   nodes TYPE NAME...                   registers nodes; NAME offline: leaves the NodeRegistry
//   NAME create TASK [type=1] [prereq=ROOTTASK]    creates a task
//   NAME append TASK FIRST WORD...       writes lines of a word each
//   NAME finalize TASK | NAME remove TASK | NAME ready TASK [type=1]    the last creates and finalizes
//   NAME listen SLOTS | NAME unlisten [OTHER]
//   NAME assign TASK PEERS [all] | NAME target TASK SWOP | NAME reset
//   NAME enrol [run=] | NAME report STATUS [step=0] [failure=0] [number=0] [run=]
//   NAME pair INDEX STATUS [sl=NAME] [step=0] [failure=0] [number=0] [run=]
//   head | times | swops | listeners | pairs SWOP | task TASK | body TASK | tasks

namespace {

class taskrunner_story final : public story {
public:
  taskrunner_story() : where_(default_taskrunner()), probe_(world_, where_) {}

private:
  void act(const story_command& cmd) override {
    const auto& verb = cmd.word(0);
    if (verb == "head") return show_head();
    if (verb == "times") return show_times();
    if (verb == "swops") return show(probe_.swops());
    if (verb == "listeners") return show(probe_.listeners());
    if (verb == "pairs") return show_pairs(account(cmd.word(1)));
    if (verb == "task") return show_task(cmd.word(1));
    if (verb == "body") return show_body(cmd.word(1));
    if (verb == "tasks") return show_tasks();
    const auto caller = account(cmd.word(0));
    if (send_task_call(cmd, caller)) return;
    for (const auto& event : send(caller, where_, input_of(cmd)))
      std::visit([this](const auto& one) { tell(one); },
                 decode_taskrunner_event(event.topics, event.data).value());
  }

  void check() override {
    const auto broken = probe_.broken_invariant();
    if (!broken.empty()) say("BROKEN INVARIANT: {}", broken);
  }

  /// False when the command is not about a task.
  bool send_task_call(const story_command& cmd, const address& caller) {
    const auto task = cmd.word(2);
    const auto call = [&](const bytes& input) {
      for (const auto& event : send(caller, task_registry_address(), input))
        std::visit([this](const auto& one) { tell(one); },
                   decode_task_event(event.topics, event.data).value());
      return true;
    };
    const auto create = [&] {
      return call(encode(create_task_args{static_cast<task_type>(cmd.number("type", 1)), task, "author",
                                          cmd.text("prereq", "ROOTTASK"), "outcome"}));
    };
    const auto verb = cmd.word(1);
    if (verb == "create") return create();
    if (verb == "ready") return create() && call(encode(finalize_task_args{task}));
    if (verb == "finalize") return call(encode(finalize_task_args{task}));
    if (verb == "remove") return call(encode(remove_task_args{task}));
    if (verb != "append") return false;
    const std::vector<std::string> lines(cmd.words.begin() + 4, cmd.words.end());
    return call(encode(append_task_body_args{task, static_cast<std::uint32_t>(cmd.number(3)), lines}));
  }

  bytes input_of(const story_command& cmd) {
    const auto verb = cmd.word(1);
    const auto number = [&cmd](std::size_t i) { return static_cast<std::uint32_t>(cmd.number(i)); };
    const auto run = cmd.number("run", probe_.head().run);
    if (verb == "listen") return encode(listen_args{number(2)});
    if (verb == "unlisten") return encode(unlisten_args{account(cmd.word(cmd.words.size() > 2 ? 2 : 0))});
    if (verb == "assign") return encode(assign_args{cmd.word(2), number(3), cmd.has("all")});
    if (verb == "target") return encode(assign_to_args{cmd.word(2), account(cmd.word(3))});
    if (verb == "enrol") return encode(enrol_args{run});
    if (verb == "reset") return encode(reset_taskrunner_args{});
    const auto step = static_cast<task_step>(cmd.number("step", 0));
    const auto failure = static_cast<task_failure>(cmd.number("failure", 0));
    if (verb == "report")
      return encode(report_args{run, status_of(cmd.word(2)), step, failure, cmd.number("number", 0)});
    REQUIRE(verb == "pair");
    const auto sl = cmd.text("sl", "");
    return encode(report_pair_args{run, number(2), sl.empty() ? address{} : account(sl),
                                   status_of(cmd.word(3)), step, failure, cmd.number("number", 0)});
  }

  static part_status status_of(const std::string& word) {
    const std::map<std::string, part_status> words{{"none", part_status::none},
                                                   {"invited", part_status::invited},
                                                   {"active", part_status::active},
                                                   {"complete", part_status::complete},
                                                   {"failed", part_status::failed}};
    return words.at(word);
  }

  template <class View>
  static std::string described(const View& one) {
    if (one.failure != task_failure::none)
      return fmt::format("{}, {}, {} {}", to_string(one.status), to_string(one.failure), one.number,
                         number_word(one.failure, one.number));
    return fmt::format("{}, {}, {} {}", to_string(one.status), to_string(one.step), one.number,
                       number_word(one.step));
  }

  void tell(const task_created& e) { say("task {} created: {}", e.name, to_string(e.type)); }
  void tell(const task_body_written& e) { say("task {} has {} lines from {}", e.name, e.count, e.first); }
  void tell(const task_finalized& e) { say("task {} finalized by {}", e.name, name(e.by)); }
  void tell(const task_removed& e) { say("task {} removed by {}", e.name, name(e.by)); }
  void tell(const swop_listens& e) { say("{} listens with {} slots", name(e.swop), e.slots); }
  void tell(const swop_left& e) { say("{} listens no longer, by {}", name(e.swop), name(e.by)); }
  void tell(const task_assigned& e) {
    say("run {}: {} {} assigned by {}, quorum {}", e.run, e.task, to_string(e.mode), name(e.by), e.quorum);
  }
  void tell(const swop_invited& e) {
    say("{} is invited to run {} by {}, attempt {}", name(e.swop), e.run, name(e.by), e.attempt);
  }
  void tell(const swop_enrolled& e) { say("{} enrolled in run {}: {} peers", name(e.swop), e.run, e.peers); }
  void tell(const swop_reported& e) { say("{} in run {}: {}", name(e.swop), e.run, described(e)); }
  void tell(const pair_reported& e) {
    say("{} pair {} in run {}: {}", name(e.swop), e.index, e.run, described(e));
  }
  void tell(const taskrunner_state_changed& e) { say("run {} is {}", e.run, to_string(e.state)); }
  void tell(const taskrunner_reset_noted& e) { say("{} resets run {}: {}", name(e.by), e.run, e.note); }
  void tell(const taskrunner_reset& e) { say("run {} reset by {}", e.run, name(e.by)); }

  void show_head() {
    const auto h = probe_.head();
    say("run {} {} {} {} {} by {}: quorum {}, {} SWOPs with {} slots listen, {} take part", h.run,
        to_string(h.state), h.task.empty() ? "Empty" : h.task, to_string(h.type), to_string(h.mode),
        h.assigned_by.is_zero() ? "nobody" : name(h.assigned_by), h.quorum, h.listening, h.slots, h.swops);
    say("peers: {} invited, {} enrolled: {} active, {} complete, {} failed", h.invited, h.enrolled, h.active,
        h.complete, h.failed);
  }
  void show_times() {
    const auto t = probe_.head().times;
    say("created {} assigned {} enrolled {} started {} ended {} reset {}", t.created, t.assigned, t.enrolled,
        t.started, t.ended, t.last_reset);
  }
  void show(const std::vector<swop_view>& swops) {
    for (const auto& one : swops)
      say("{} {} slots{}: {} since {}, attempt {}, {} pairs: {} active, {} complete, {} failed", one.name,
          one.slots, one.listening ? "" : " (gone)", described(one), one.since_block, one.attempt, one.pairs,
          one.active, one.complete, one.failed);
  }
  void show_pairs(const address& swop) {
    for (const auto& one : probe_.pairs(swop))
      say("{}: {} since {}", one.name.empty() ? "?" : one.name, described(one), one.since_block);
  }
  void show_task(const std::string& task) {
    const auto t = probe_.task(task);
    say("{} {} by {}, needs {}, makes {}: {} lines, {} bytes, {}", t.name, to_string(t.type), t.author,
        t.prereq, t.outcome, t.lines, t.body_bytes, t.finalized ? "finalized" : "open");
  }
  void show_body(const std::string& task) {
    for (const auto& line : probe_.body(task))
      say("{}", line);
  }
  void show_tasks() {
    for (const auto& task : probe_.task_names())
      say("{}", task);
  }

  address where_;
  taskrunner_probe probe_;
};

} // namespace

TEST_CASE("the golden stories of taskrunners happen as written") {
  check_stories(
      "contracts/taskrunner/scenarios", [] { return std::make_unique<taskrunner_story>(); }, 9);
}

} // namespace taskrunner_scenario_test
