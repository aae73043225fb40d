#include "actors/swop/content/extract/entry_rules.hpp"

#include "actors/swop/content/relative_path.hpp"

namespace swarm::content {

result<> extract_budget::add_entry() {
  if (++entries_ <= limits_.entries_max) return {};
  return fail(content_errc::archive_bomb, "has more than the {} entries that are allowed",
              limits_.entries_max);
}

result<> extract_budget::add_bytes(std::uint64_t count, std::uint64_t read) {
  if (count > limits_.bytes_max - bytes_)
    return fail(content_errc::archive_bomb, "unpacks to more than the {} bytes that are allowed",
                limits_.bytes_max);
  bytes_ += count;
  if (bytes_ <= limits_.unsuspicious_bytes) return {};
  if ((bytes_ - limits_.unsuspicious_bytes) / limits_.ratio_max > read)
    return fail(content_errc::archive_bomb, "unpacks to more than {} times its size; it looks like a bomb",
                limits_.ratio_max);
  return {};
}

bool link_stays_inside(const std::vector<std::string>& folder, std::string_view target) {
  if (target.empty() || target.starts_with('/')) return false;
  auto above = folder.size();
  for (;;) {
    while (target.starts_with("./"))
      target.remove_prefix(2);
    if (target != ".." && !target.starts_with("../")) break;
    if (above == 0) return false;
    --above;
    target.remove_prefix(std::min<std::size_t>(target.size(), 3));
    while (target.starts_with('/'))
      target.remove_prefix(1);
  }
  return split_path(target).fault == path_fault::none;
}

} // namespace swarm::content
