#pragma once

#include "base/bytes.hpp"

#include <span>
#include <string_view>

namespace swarm::ui {

/// A file of the page, as it was built into this program (embed.cmake).
struct page_file {
  std::string_view path; ///< "/" is the page itself
  std::string_view content_type;
  bytes_view gzipped;
  bool is_for_ever = false; ///< its name has a digest of what is in it
};

/// Without a built page there is one file, which says so.
std::span<const page_file> page_files();

/// Null: there is no such file.
const page_file* find_page_file(std::string_view path);

} // namespace swarm::ui
