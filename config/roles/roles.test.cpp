#include "config/roles/role.hpp"
#include "config/roles/shared.hpp"

#include <doctest/doctest.h>

#include <set>

namespace roles_test {

using namespace swarm;
using namespace swarm::config;

TEST_CASE("every default in the help is the default of the options") {
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys) {
      if (spec.fallback.empty()) continue;
      CAPTURE(spec.key);
      process_config process;
      sn_options sn;
      sl_options sl;
      for (const auto& [key, into] : process_settings())
        if (key == spec.key) CHECK(into(process, spec.fallback));
      if (const auto into = find_setter(sn_role, spec.key); into && spec.key != "data-dir") {
        CHECK(into(sn, spec.fallback));
        const sn_options fresh;
        CHECK(sn.sn_api_port == fresh.sn_api_port);
        CHECK(sn.sn_p2p_port == fresh.sn_p2p_port);
        CHECK(sn.sentinel_api_port == fresh.sentinel_api_port);
        CHECK(sn.sentinel == fresh.sentinel);
        CHECK(sn.bind_address == fresh.bind_address);
        CHECK(sn.identity.verify_host == fresh.identity.verify_host);
      }
      if (const auto into = find_setter(sl_role, spec.key); into && spec.key != "data-dir") {
        CHECK(into(sl, spec.fallback));
        const sl_options fresh;
        CHECK(sl.sn_api_port == fresh.sn_api_port);
        CHECK(sl.sl_fs_port == fresh.sl_fs_port);
        CHECK(sl.request_channel == fresh.request_channel);
        CHECK(sl.response_channel == fresh.response_channel);
        CHECK(sl.channel_open == fresh.channel_open);
        CHECK(sl.shared_memory == fresh.shared_memory);
        CHECK(sl.make_me_admin == fresh.make_me_admin);
        CHECK(sl.leader_failure_base_timeout == fresh.leader_failure_base_timeout);
        CHECK(sl.wait_for_full_quorum == fresh.wait_for_full_quorum);
        CHECK(sl.ram_intensive == fresh.ram_intensive);
      }
      swop_options swop;
      if (const auto into = find_setter(swop_role, spec.key); into && spec.key != "data-dir") {
        CHECK(into(swop, spec.fallback));
        CHECK(swop.sn_api_port == swop_options{}.sn_api_port);
        CHECK(swop.keep_containers == swop_options{}.keep_containers);
        CHECK(swop.lines_port == swop_options{}.lines_port);
      }
      swci_options swci;
      if (const auto into = find_setter(swci_role, spec.key); into && spec.key != "data-dir") {
        CHECK(into(swci, spec.fallback));
        const swci_options fresh;
        CHECK(swci.init_script == fresh.init_script);
        CHECK(swci.web == fresh.web);
        CHECK(swci.web_port == fresh.web_port);
        CHECK(swci.web_plain == fresh.web_plain);
        CHECK(swci.task_max_wait_time == fresh.task_max_wait_time);
        CHECK(swci.json == fresh.json);
      }
      ui_options ui;
      if (const auto into = find_setter(ui_role, spec.key); into && spec.key != "data-dir") {
        CHECK(into(ui, spec.fallback));
        const ui_options fresh;
        CHECK(ui.sn_api_port == fresh.sn_api_port);
        CHECK(ui.address == fresh.address);
        CHECK(ui.port == fresh.port);
        CHECK(ui.plain == fresh.plain);
      }
      CHECK(process.log_level == process_config{}.log_level);
      CHECK(process.log_format == process_config{}.log_format);
      CHECK(process.metrics == process_config{}.metrics);
    }
}

TEST_CASE("every setting is somebody's, once, and known by its name") {
  std::set<std::string_view> seen;
  for (const auto& group : key_groups()) {
    CHECK(!group.keys.empty());
    for (const auto& spec : group.keys) {
      CAPTURE(spec.key);
      CHECK(seen.insert(spec.key).second);
      CHECK(find_key(spec.key) == &spec);
      bool used = spec.key == "log-level" || spec.key == "log-format" || spec.key == "metrics"
                  || spec.key == "proxy" || spec.key == "no-proxy";
      for (const auto* role : roles())
        used = used || find_setter(*role, spec.key);
      CHECK(used);
    }
  }
  for (const auto* role : roles())
    for (const auto& setting : role->shared)
      CHECK_MESSAGE(seen.contains(setting.spec.key), setting.spec.key);
  for (const auto& [key, into] : process_settings())
    CHECK(seen.contains(key));
  CHECK(find_key("no-such-key") == nullptr);
}

TEST_CASE("a role is found by its name, and has the settings of its tables and those of every role") {
  CHECK(find_role("sn") == &sn_role);
  CHECK(find_role("sl") == &sl_role);
  CHECK(find_role("SN") == nullptr);
  CHECK(find_role("") == nullptr);
  CHECK(role_names("and") == "sn, sl, swop, swci and ui");
  CHECK(role_names("or", "'") == "'sn', 'sl', 'swop', 'swci' or 'ui'");
  const auto has = [](const role_spec& role, std::string_view key) {
    return find_setter(role, key) != nullptr;
  };
  CHECK(has(sn_role, "sentinel"));
  CHECK_FALSE(has(sl_role, "sentinel"));
  CHECK_FALSE(has(sn_role, "sl-fs-port"));
  CHECK(has(sl_role, "host-ip"));
  CHECK_FALSE(has(sn_role, "log-level"));
  CHECK((find_setter(sn_role, "sn-api-port") != find_setter(sl_role, "sn-api-port")));
}

TEST_CASE("roles are added to a process one after the other, and say what they must not share") {
  process_config process;
  auto& sn = sn_role.add(process);
  sn.node_name = "a";
  REQUIRE(process.sn.size() == 1);
  CHECK(process.sn.front().node_name == "a");
  sl_role.add(process);
  sl_role.add(process);
  CHECK(sl_role.all(process).size() == 2);
  std::size_t visited = 0;
  each_role(process, [&](const role_options&) { ++visited; });
  CHECK(visited == 3);
  CHECK(sn_role.claims(sn).size() == 2);
  CHECK(sl_role.claims(process.sl.front()).size() == 3);
}

} // namespace roles_test
