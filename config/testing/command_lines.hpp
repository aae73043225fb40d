#pragma once

#include "base/testing/wording.hpp"
#include "config/parse.hpp"

#include <unistd.h>

#include <fstream>

/// Command lines and profiles for the tests of config, and their results.
namespace swarm::config::testing {

using words = std::vector<std::string>;

inline const words identity{"--key", "k", "--cert", "c", "--cacert", "a"};

inline words operator+(words a, const words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A correct command line of an SN and of an SL, to be varied.
inline words sn_with(const words& more = {}) {
  return words{"--role", "sn", "--host-ip", "10.0.0.1"} + identity + more;
}
inline words sl_with(const words& more = {}) {
  return words{"--role", "sl", "--host-ip", "10.0.0.1", "--sn-ip", "10.0.0.2"} + identity + more;
}

inline swarm::testing::wording message(const words& args, const environment& env = {}) {
  const auto out = parse(args, env);
  return out ? "accepted" : out.error().message;
}

inline config_errc code(const words& args, const environment& env = {}) {
  const auto out = parse(args, env);
  return out ? config_errc{} : static_cast<config_errc>(out.error().code);
}

/// A folder that is removed after the test, and a profile in it.
struct scratch {
  scratch() { std::filesystem::create_directories(folder); }
  ~scratch() { std::filesystem::remove_all(folder); }
  std::string profile(std::string_view text) const {
    std::ofstream(folder / "host.yaml") << text;
    return (folder / "host.yaml").native();
  }
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("swarm-config-{}", ::getpid());
};

} // namespace swarm::config::testing
