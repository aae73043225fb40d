#include "actors/sl/checker/check_window.hpp"

#include "contracts/training/dealing.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace swarm::actors {

static_assert(merge::chunk_size == contracts::model_chunk_bytes
              && merge::model_size_max == contracts::model_bytes_max);

check_window::check_window(const merge::remerge& again, std::vector<std::uint64_t>& todo,
                           std::size_t remote_inputs, std::uint64_t bytes_max) {
  const auto fits =
      std::max<std::uint64_t>(1, bytes_max / merge::chunk_size / std::max<std::size_t>(1, remote_inputs));
  std::size_t taken = 0;
  for (; taken < todo.size(); ++taken) {
    auto needed = needed_;
    for (const auto chunk : again.needs(todo[taken]))
      needed.insert(chunk);
    if (taken > 0 && needed.size() > fits) break;
    needed_ = std::move(needed);
  }
  chunks_.assign(todo.begin(), todo.begin() + static_cast<std::ptrdiff_t>(taken));
  todo.erase(todo.begin(), todo.begin() + static_cast<std::ptrdiff_t>(taken));
}

std::vector<check_window::run> check_window::missing_of(std::size_t input) const {
  std::vector<run> out;
  for (const auto chunk : needed_) {
    if (!bytes_of(input, chunk).empty()) continue;
    if (!out.empty() && out.back().first + out.back().count == chunk)
      ++out.back().count;
    else
      out.push_back({input, chunk, 1});
  }
  return out;
}

void check_window::take(const run& which, bytes data) {
  here_[{which.input, which.first}] = std::move(data);
}

bytes_view check_window::bytes_of(std::size_t input, std::uint64_t chunk) const {
  const auto after = here_.upper_bound({input, chunk});
  if (after == here_.begin()) return {};
  const auto& [place, data] = *std::prev(after);
  const auto at = (chunk - place.second) * merge::chunk_size;
  if (place.first != input || at >= data.size()) return {};
  return bytes_view(data).subspan(at, std::min<std::uint64_t>(merge::chunk_size, data.size() - at));
}

} // namespace swarm::actors
