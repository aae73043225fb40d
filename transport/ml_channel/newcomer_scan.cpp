#include "transport/ml_channel/newcomer_scan.hpp"

#include <algorithm>
#include <functional>

namespace swarm::ml {

namespace {

constexpr std::size_t fixed_size = header_size - 4; ///< the size comes last

std::size_t position_of_opening(bytes_view in) {
  static const auto pattern = encode_header({msg_type::open_session_request, 1});
  static const std::boyer_moore_horspool_searcher searcher(pattern.begin(), pattern.begin() + fixed_size);
  return static_cast<std::size_t>(std::search(in.begin(), in.end(), searcher) - in.begin());
}

} // namespace

std::optional<newcomer_scan::find> newcomer_scan::feed(bytes_view piece) {
  const auto before = tail_.size();
  tail_.insert(tail_.end(), piece.begin(), piece.end());
  const bytes_view all(tail_);
  std::size_t at = position_of_opening(all);
  for (; at + header_size <= all.size(); at += 1 + position_of_opening(all.subspan(at + 1))) {
    const auto head = decode_header(all.subspan(at, header_size));
    if (!head) continue;
    const auto used = at + header_size - before; // the tail alone cannot hold a whole header
    tail_.clear();
    return find{*head, piece.subspan(used)};
  }
  tail_.erase(tail_.begin(),
              tail_.end() - static_cast<std::ptrdiff_t>(std::min(tail_.size(), header_size - 1)));
  return std::nullopt;
}

} // namespace swarm::ml
