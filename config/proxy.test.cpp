#include "config/parse.hpp"
#include "config/testing/command_lines.hpp"

#include <doctest/doctest.h>

namespace config_proxy_test {

using namespace swarm;
using namespace swarm::config;
using namespace swarm::config::testing;
using swarm::testing::says;

namespace {

/// What the process was told, as --check shows it.
std::string shown(const process_config& config, std::string_view key) {
  for (const auto& s : config.settings)
    if (s.node_name.empty() && s.key == key) return s.value + " from " + s.origin;
  return "";
}

} // namespace

TEST_CASE("where a proxy comes from, and that its login is never shown") {
  const auto proxy_of = [](const words& more, const environment& env) {
    const auto out = parse(sn_with(words{"--sentinel"} + more), env);
    REQUIRE(out);
    return out->config.proxy;
  };
  // Lower case first, https before all; http_proxy is for other addresses, and what is empty is not set.
  const environment all{{"https_proxy", "http://a:1"},
                        {"HTTPS_PROXY", "http://b:1"},
                        {"all_proxy", "http://c:1"},
                        {"ALL_PROXY", "http://d:1"},
                        {"http_proxy", "http://e:1"}};
  auto env = all;
  CHECK(proxy_of({}, env) == "http://a:1");
  env["https_proxy"] = "";
  CHECK(proxy_of({}, env) == "http://b:1");
  env.erase("HTTPS_PROXY");
  CHECK(proxy_of({}, env) == "http://c:1");
  env["all_proxy"] = "";
  CHECK(proxy_of({}, env) == "http://d:1");
  env["ALL_PROXY"] = "";
  CHECK(proxy_of({}, env).empty());
  CHECK(proxy_of({"--proxy", "http://f:1"}, all) == "http://f:1");

  auto out = parse(sn_with({"--sentinel"}), {{"http_proxy", "http://e:1"}});
  REQUIRE(out);
  REQUIRE(out->notes.size() == 1);
  CHECK(out->notes[0].starts_with("http_proxy is set and not used"));

  out = parse(sn_with({"--sentinel"}),
              {{"https_proxy", "http://me:hush@proxy:3128"}, {"NO_PROXY", "10.0.0.0/8,.h1"}});
  REQUIRE(out);
  CHECK(out->config.proxy == "http://me:hush@proxy:3128");
  CHECK(out->config.no_proxy == "10.0.0.0/8,.h1");
  CHECK(out->notes.empty());
  CHECK(shown(out->config, "proxy") == "http://proxy:3128 from environment https_proxy");
  CHECK(shown(out->config, "no-proxy") == "10.0.0.0/8,.h1 from environment NO_PROXY");
  CHECK(describe(out->config).find("hush") == std::string::npos);

  const auto wrong = parse(sn_with({"--sentinel"}), {{"ALL_PROXY", "socks5://me:hush@proxy:1080"}});
  REQUIRE(!wrong);
  CHECK(says(wrong.error(),
             "environment ALL_PROXY: proxy: the proxy's address is one of TLS (https) or SOCKS"));
  CHECK(wrong.error().message.find("hush") == std::string::npos);
}

} // namespace config_proxy_test
