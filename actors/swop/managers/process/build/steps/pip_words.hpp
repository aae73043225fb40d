#pragma once

#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "base/result.hpp"

#include <string_view>

namespace swarm::build {

/// What `pip install` may be told here.
enum class pip_option_kind { flag, value, path, dropped_flag, dropped_value, unknown };
pip_option_kind pip_option(std::string_view name);

/// True when a word that is no option names a file or folder, and not a requirement or an address.
bool names_file(std::string_view word);

/// The words behind `pip install`, with files found in `folder`. An error names the word that is not supported.
result<std::vector<pip_word>> read_pip_words(const std::vector<std::string>& words, std::string_view folder);

} // namespace swarm::build
