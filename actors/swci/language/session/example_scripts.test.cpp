#include "actors/swci/language/parser.hpp"
#include "actors/swci/language/session/script.hpp"
#include "actors/swci/language/words.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace example_scripts_test {

/// Init scripts in the order of commands that users of the original product know, one for each of its
/// examples.
using namespace swarm;
using namespace swarm::swci;
using namespace swarm::swci::commands;

namespace {

const std::string runner = "defaulttaskbb.taskdb.sml.hpe";
const std::string contract = "defaultbb.cqdb.sml.hpe";

struct run_task {
  std::string name;
  std::uint32_t peers = 0;
};

/// What differs from example to example.
struct example {
  std::string script;
  sn_address sn;
  std::string context;
  std::string build;
  std::uint32_t build_peers = 0;
  std::vector<run_task> runs;
  unsigned seconds = 15;
  bool resets_after_build = false;
  unsigned looks = 0;             ///< at losses while the task runs
  bool creates_unguarded = false; ///< tasks are made with EXIT ON FAILURE OFF
  bool resets_contract_first = false;
};

class expected_commands {
public:
  explicit expected_commands(const example& from) : from_(from) {
    guarded([&] {
      add(wait_for_sn{from.sn});
      add(create_context{from.context, from.sn});
      add(switch_context{from.context});
    });
    add(change_folder{"/platform/swarm/usr"});
    make_task(from.build);
    guarded([&] {
      assign(from.build, from.build_peers);
      add(wait_for_taskrunner{runner});
      if (from.resets_after_build) add(reset_taskrunner{runner});
    });
    for (const auto& run : from.runs)
      if (from.creates_unguarded) make_task(run.name);
    for (const auto& run : from.runs) {
      if (!from.creates_unguarded) make_task(run.name);
      train(run);
    }
    guarded([&] {
      add(list_contracts{});
      if (!from.resets_contract_first) add(reset_contract{contract});
    });
    add(exit_session{});
  }
  std::vector<command> all;

private:
  void add(command what) { all.push_back(std::move(what)); }
  void guarded(const auto& commands) {
    add(exit_on_failure{true});
    commands();
    add(exit_on_failure{false});
  }
  void make_task(const std::string& name) {
    const auto block = [&] {
      add(create_task_from{"taskdefs/" + name + ".yaml"});
      add(finalize_task{name});
      add(get_task_info{name});
      add(get_task_body{name});
      add(list_tasks{});
    };
    if (from_.creates_unguarded) return block();
    guarded(block);
  }
  void assign(const std::string& task, std::uint32_t peers) {
    add(reset_taskrunner{runner});
    add(assign_task{task, runner, with_peers{peers}});
  }
  void train(const run_task& run) {
    guarded([&] {
      if (from_.resets_contract_first) add(reset_contract{contract});
      assign(run.name, run.peers);
      for (unsigned i = 0; i < from_.looks; ++i) {
        add(sleep_for{std::chrono::seconds(30)});
        add(perfdata{contract});
      }
      add(wait_for_taskrunner{runner});
      add(sleep_for{std::chrono::seconds(from_.seconds)});
      add(reset_taskrunner{runner});
    });
  }

  const example& from_;
};

std::vector<example> examples() {
  const sn_address sn1{"sn1", 30304, false};
  const sn_address host1{"172.1.1.1", 30304, false};
  const sn_address proxy{"api.sn-1.swarm", 443, true};
  const std::string tf = "user_env_tf_build_task";
  return {{.script = "mnist",
           .sn = sn1,
           .context = "test-mnist",
           .build = tf,
           .build_peers = 2,
           .runs = {{"swarm_mnist_task", 2}},
           .resets_after_build = true},
          {.script = "mnist-pyt",
           .sn = sn1,
           .context = "test-mnist",
           .build = "build_pyt_user_image",
           .build_peers = 1,
           .runs = {{"run_mnist_pyt", 4}}},
          {.script = "fraud-detection",
           .sn = sn1,
           .context = "test-fd",
           .build = tf,
           .build_peers = 1,
           .runs = {{"swarm_fd_task", 4}},
           .looks = 5},
          {.script = "nih",
           .sn = sn1,
           .context = "test-fd",
           .build = tf,
           .build_peers = 1,
           .runs = {{"swarm_nih_task", 3}, {"swarm_ind_task", 3}},
           .creates_unguarded = true,
           .resets_contract_first = true},
          {.script = "proxy-mnist",
           .sn = proxy,
           .context = "example",
           .build = tf,
           .build_peers = 1,
           .runs = {{"swarm_mnist_task", 2}}},
          {.script = "proxy-cifar10",
           .sn = proxy,
           .context = "example",
           .build = tf,
           .build_peers = 2,
           .runs = {{"swarm_cifar10_task", 4}},
           .seconds = 60},
          {.script = "spire-cifar10",
           .sn = host1,
           .context = "example",
           .build = tf,
           .build_peers = 2,
           .runs = {{"spire_cifar10_task", 4}},
           .seconds = 60}};
}

std::string read(const std::string& script) {
  std::ifstream in(SWARM_SOURCE_DIR "/actors/swci/language/testdata/scripts/" + script + ".swci");
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST_CASE("the scripts of the original's examples are understood") {
  for (const auto& each : examples()) {
    CAPTURE(each.script);
    const auto lines = split_script(read(each.script));
    REQUIRE(lines);
    std::vector<command> found;
    for (const auto& line : *lines) {
      if (is_remark(line.text)) continue;
      CAPTURE(line.text);
      auto what = parse(line.text);
      REQUIRE(what);
      found.push_back(std::move(*what));
    }
    const expected_commands wanted(each);
    REQUIRE(found.size() == wanted.all.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK(found[i] == wanted.all[i]);
    }
  }
}

} // namespace example_scripts_test
