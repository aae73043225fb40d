#include "actors/ui/page/page_files.hpp"

#include <algorithm>

namespace swarm::ui {

const page_file* find_page_file(std::string_view path) {
  if (path == "/index.html") path = "/";
  const auto all = page_files();
  const auto found = std::ranges::find(all, path, &page_file::path);
  return found == all.end() ? nullptr : &*found;
}

} // namespace swarm::ui
