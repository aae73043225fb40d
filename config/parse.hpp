#pragma once

#include "config/options.hpp"
#include "config/sources/environment.hpp"

#include <functional>
#include <span>

namespace swarm::config {

enum class action {
  run,          ///< start `config`
  check,        ///< call `check`, print its text, end with 0 or 1
  health,       ///< ask the swarmd that runs with this data_dir whether it is well; only that is needed
  verify_store, ///< check the chain of the SN, and repair it if `repair`; only its data_dir is needed
  show,         ///< print `text` on standard output and end with 0 (--help, --version)
};

struct parse_outcome {
  config::action action = action::run;
  bool repair = false;
  std::string text;
  process_config config;          ///< empty with action::show
  std::vector<std::string> notes; ///< one line each, for the log: accepted but not needed, and the like
};

/// Reads flags (`args` without the program's name), the profile they name, and `env`. Flags win over the
/// profile, the profile over the environment, the environment over defaults.
///
/// Errors are config_errc. The message has one line for each mistake found: what, where (flag,
/// file:line:column or variable), what to do. Besides the profile no file is opened, and nothing is created;
/// `check_identities` looks whether the files of an identity exist.
result<parse_outcome> parse(std::span<const std::string> args, const environment& env);
result<parse_outcome> parse(int argc, const char* const* argv, const environment& env);

/// Every setting in force with its origin, as text for a person.
std::string describe(const process_config& config);

/// Checks that every role has a key, a certificate and a CA file or folder that can be read. Fails with
/// config_errc::identity and says what is missing and how to make it.
result<> check_identities(const process_config& config);

/// Opens one role's identity and checks it in depth: whether key and certificate belong together, are valid
/// now, and so on.
using identity_check = std::function<result<>(const identity_options&)>;

/// What `--check` does: `check_identities`, then `open_identity` for every role. The text lists every setting
/// in force with its origin.
result<std::string> check(const process_config& config, const identity_check& open_identity);

/// The version, such as "0.1.0".
std::string_view version();

} // namespace swarm::config
