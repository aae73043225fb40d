#include "actors/sl/checker/check_window.hpp"

#include "contracts/training/dealing.hpp"

#include <algorithm>

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
    if (here_.contains({input, chunk})) continue;
    if (!out.empty() && out.back().first + out.back().count == chunk)
      ++out.back().count;
    else
      out.push_back({input, chunk, 1});
  }
  return out;
}

void check_window::take(const run& which, bytes_view data) {
  for (std::uint64_t i = 0; i < which.count; ++i) {
    const auto length = std::min<std::uint64_t>(merge::chunk_size, data.size());
    here_[{which.input, which.first + i}].assign(data.begin(),
                                                 data.begin() + static_cast<std::ptrdiff_t>(length));
    data = data.subspan(length);
  }
}

bytes_view check_window::bytes_of(std::size_t input, std::uint64_t chunk) const {
  const auto found = here_.find({input, chunk});
  return found == here_.end() ? bytes_view{} : bytes_view(found->second);
}

} // namespace swarm::actors
