#include "tools/swarm-inspect/main.hpp"

#include "actors/admin/admin.hpp"
#include "actors/metrics/server/metrics.hpp"
#include "actors/node/data_dir.hpp"
#include "actors/node/identity.hpp"
#include "actors/sl/sl.hpp"
#include "actors/sn/sn.hpp"
#include "actors/supervision/process.hpp"
#include "actors/swci/swci.hpp"
#include "actors/swop/swop.hpp"
#include "actors/ui/ui.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/log_file.hpp"
#include "config/parse.hpp"
#include "config/roles/role.hpp"
#include "tools/swarmd/doctor/doctor.hpp"
#include "tools/swarmd/health.hpp"
#include "tools/swarmd/terminal.hpp"
#include "tools/swarmd/verify_store.hpp"
#include "transport/io_runtime.hpp"
#include "transport/proxies.hpp"
#include "transport/tls/tls_identity.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace swarm;

/// A SWOP ends the programs of its task and says so on the chain.
constexpr auto swop_stop_limit = std::chrono::seconds(25);
/// An SL says on the chain that it leaves its training; those of one process do so one after the other.
constexpr auto more_for_each_sl = std::chrono::seconds(3);

int refuse(const std::string& text) {
  std::fprintf(stderr, "swarmd: %s\n", text.c_str());
  return 1;
}

result<> open_identity(const config::identity_options& files) {
  SWARM_CHECK(transport::tls_identity::load(actors::tls_files_of(files)));
  SWARM_CHECK(actors::load_members(files.members));
  return {};
}

/// Those who read metrics over the network see the certificate of the first role.
result<actors::child_spec> make_metrics(const config::process_config& config,
                                        const std::shared_ptr<transport::io_runtime>& io) {
  const config::role_options* first = nullptr;
  config::each_role(config, [&](const config::role_options& role) { first = first ? first : &role; });
  SWARM_TRY(auto identity, transport::tls_identity::load_watched(actors::tls_files_of(first->identity)));
  return actors::metrics_child({.place = *config.metrics,
                                .io = io.get(),
                                .identity = std::move(identity),
                                .version = std::string(config::version())});
}

/// One subtree per role of the profile. A single SL is /sl, several are /sl-<node name>.
result<actors::supervisor_spec> make_root(const config::process_config& config,
                                          const std::shared_ptr<transport::io_runtime>& io,
                                          const std::shared_ptr<terminal>& shown) {
  actors::supervisor_spec root{.name = "root", .how = {}, .intensity = {}, .children = {}};
  root.children.push_back(actors::admin_child({.socket = config.data_dir / "admin.sock", .io = io.get()}));
  if (config.metrics) {
    SWARM_TRY(auto child, make_metrics(config, io));
    root.children.push_back(std::move(child));
  }
  for (const auto& options : config.sn) {
    SWARM_TRY(auto child,
              actors::make_sn(options, config.sn.size() == 1 ? "sn" : "sn-" + options.node_name, io));
    root.children.push_back(std::move(child));
  }
  for (const auto& options : config.sl) {
    SWARM_TRY(auto child,
              actors::make_sl(options, config.sl.size() == 1 ? "sl" : "sl-" + options.node_name, io));
    root.children.push_back(std::move(child));
  }
  for (const auto& options : config.swop) {
    SWARM_TRY(auto child,
              actors::make_swop(options, config.swop.size() == 1 ? "swop" : "swop-" + options.node_name, io));
    root.children.push_back(std::move(child));
  }
  for (const auto& options : config.swci) {
    SWARM_TRY(auto child, actors::make_swci(options, "swci", io, shown));
    root.children.push_back(std::move(child));
  }
  for (const auto& options : config.ui) {
    SWARM_TRY(auto child, actors::make_ui(options, "ui", io));
    root.children.push_back(std::move(child));
  }
  return root;
}

std::filesystem::path log_file(const config::process_config& config) {
  return config.data_dir / "swci.log";
}

/// Log lines must not get between what an operator types. True: they go to a file, which the operator is
/// told.
bool keep_log_off_screen(terminal& shown, const config::process_config& config) {
  if (!shown.is_interactive() || ::isatty(STDERR_FILENO) != 1) return false;
  const auto file = log_file(config);
  if (!log::write_to(file.native())) return false;
  shown.show("swarmd: the log goes to " + file.native() + "\n");
  return true;
}

/// Who is dialled by which proxy.
result<> choose_ways(const config::process_config& config, transport::io_runtime& io) {
  SWARM_TRY(auto rules, transport::proxy_rules::make(config.proxy, config.no_proxy));
  if (const auto* by = rules.any())
    log::info("swarm", "other hosts are dialled by the proxy {}{}", by->shown(),
              config.no_proxy.empty() ? std::string() : ", but directly: " + config.no_proxy);
  transport::use_proxies(io, std::move(rules));
  return {};
}

int run(const config::process_config& config) {
  if (auto there = config::check_identities(config); !there) return refuse(there.error().message);
  // Programs of a SWOP run as another user; they come through, and see nothing.
  if (auto made = make_folders(config.data_dir, config.swop.empty() ? 0700 : 0711); !made)
    return refuse("data directory: " + made.error().message);
  if (auto private_enough = actors::check_data_dir(config.data_dir); !private_enough)
    return refuse(private_enough.error().message);
  const auto threads = std::max(2u, std::thread::hardware_concurrency());
  auto io = std::make_shared<transport::io_runtime>(threads);
  if (auto chosen = choose_ways(config, *io); !chosen) return refuse(chosen.error().message);
  const bool at_terminal = !config.swci.empty() && !config.swci.front().web;
  auto shown = !at_terminal ? nullptr : std::make_shared<terminal>(config.swci.front().data_dir);
  const bool keeps_off = shown && keep_log_off_screen(*shown, config);
  auto root = make_root(config, io, shown);
  if (!root) return refuse(root.error().message);
  actors::process_options options{.log_source = "swarm"};
  if (!config.swop.empty()) options.stop_limit = swop_stop_limit;
  options.stop_limit += more_for_each_sl * config.sl.size();
  if (shown) options.on_interrupt = [shown] { return shown->interrupt(); };
  const int code = actors::run_process(std::move(*root), std::move(options));
  if (shown) shown->close();
  if (keeps_off && code != 0)
    std::fprintf(stderr, "swarmd: exit code %d; the log is %s\n", code, log_file(config).c_str());
  return code;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "swarm-inspect")
    return inspect::program(argc, argv);
  if (argc > 1 && std::string_view(argv[1]) == "doctor")
    return doctor::run(std::vector<std::string>(argv + 2, argv + argc));
  auto parsed = config::parse(argc, argv, config::process_environment());
  if (!parsed) return refuse(parsed.error().message);
  log::set_level(parsed->config.log_level);
  log::set_format(parsed->config.log_format);
  for (const auto& note : parsed->notes)
    log::info("swarm", "{}", note);
  switch (parsed->action) {
  case config::action::show:
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  case config::action::check: {
    const auto checked = config::check(parsed->config, open_identity);
    if (!checked) return refuse(checked.error().message);
    std::fputs(checked->c_str(), stdout);
    return 0;
  }
  case config::action::health:
    return health(parsed->config.data_dir);
  case config::action::verify_store:
    return verify_store(parsed->config.sn.front().data_dir / "chain", parsed->repair);
  case config::action::run:
    return run(parsed->config);
  }
  return 1;
}
