#pragma once

#include "actors/swop/content/download/exchange.hpp"

namespace swarm::content {

/// Reads the file of a file: address, if it lies in `allowed` once symbolic links are followed. What is checked is
/// the open file, so that no link can be changed in between.
result<> read_local_file(const url& from, const std::vector<std::filesystem::path>& allowed,
                         const std::stop_token& stop,
                         const std::function<result<>(const answer_head&)>& on_head,
                         const std::function<result<>(bytes_view)>& on_body);

} // namespace swarm::content
