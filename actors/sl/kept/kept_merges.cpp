#include "actors/sl/kept/kept_merges.hpp"

#include "base/file.hpp"
#include "contracts/training/interface.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace swarm::actors {

bool kept_merges::note(kept_merge merge, const is_stored& stored) {
  if (merge.digest.is_zero() || std::ranges::find(merges_, merge) != merges_.end()) return false;
  merges_.push_back(std::move(merge));
  tidy(stored);
  return true;
}

bool kept_merges::is_newest(std::size_t index) const {
  return std::none_of(merges_.begin() + static_cast<std::ptrdiff_t>(index) + 1, merges_.end(),
                      [&](const auto& later) { return later.training == merges_[index].training; });
}

/// Leaves `count_` merges of each of the newest trainings, and beside them the newest one, whose model may still come.
void kept_merges::tidy(const is_stored& stored) {
  std::map<std::string, std::size_t> of_training;
  std::vector<kept_merge> left; // the newest first
  for (auto i = merges_.size(); i-- > 0;) {
    const auto& each = merges_[i];
    const bool is_here = stored(each.digest);
    if (!is_here && !is_newest(i)) continue;
    const auto known = of_training.find(each.training);
    if (known == of_training.end() && of_training.size() >= trainings_max) continue;
    auto& count = of_training[each.training];
    if (is_here && count >= count_) continue;
    if (is_here) ++count;
    left.push_back(each);
  }
  std::ranges::reverse(left);
  merges_ = std::move(left);
}

std::set<hash32> kept_merges::digests() const {
  std::set<hash32> out;
  for (const auto& each : merges_)
    out.insert(each.digest);
  return out;
}

std::vector<hash32> kept_merges::spare(const std::string& followed, const std::set<hash32>& needed) const {
  std::set<hash32> kept_back = needed;
  for (std::size_t i = 0; i < merges_.size(); ++i)
    if (merges_[i].training == followed && is_newest(i)) kept_back.insert(merges_[i].digest);
  std::vector<hash32> out;
  for (const auto& each : merges_)
    if (!kept_back.contains(each.digest)) out.push_back(each.digest);
  return out;
}

const kept_merge* kept_merges::find(const hash32& digest) const {
  const auto found = std::ranges::find(merges_, digest, &kept_merge::digest);
  return found == merges_.end() ? nullptr : &*found;
}

std::string text_of(const std::vector<kept_merge>& merges) {
  std::string out;
  for (const auto& each : merges)
    out += fmt::format("{} {} {} {} {}\n", each.training, each.generation, each.round_num,
                       to_hex(each.digest.view()), each.size);
  return out;
}

std::vector<kept_merge> parse_kept_merges(const std::string& text) {
  std::vector<kept_merge> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    kept_merge merge;
    std::string digest, more;
    words >> merge.training >> merge.generation >> merge.round_num >> digest >> merge.size;
    if (!words || words >> more) continue;
    const auto known = fixed_from_hex<32>(digest);
    if (!known || known->is_zero() || !contracts::is_training_name(merge.training)) continue;
    merge.digest = *known;
    out.push_back(std::move(merge));
  }
  return out;
}

std::vector<kept_merge> read_kept_merges(const std::filesystem::path& data_dir) {
  const auto text = read_file(data_dir / kept_merges_name, kept_merges::file_bytes_max);
  return text ? parse_kept_merges(*text) : std::vector<kept_merge>{};
}

} // namespace swarm::actors
