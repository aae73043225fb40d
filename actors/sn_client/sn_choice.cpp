#include "actors/sn_client/sn_choice.hpp"

#include "base/endpoint.hpp"
#include "base/file.hpp"

#include <algorithm>

namespace swarm::actors {

namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::vector<std::string> out;
  const auto text = read_file(path, file_bytes_max).value_or("");
  for (std::size_t from = 0, end; (end = text.find('\n', from)) != std::string::npos; from = end + 1)
    out.push_back(text.substr(from, end - from));
  return out;
}

} // namespace

sn_choice::sn_choice(std::string configured, std::filesystem::path kept_in, std::uint64_t seed)
    : all_{std::move(configured)}, kept_in_(std::move(kept_in)), seed_(seed) {
  if (!kept_in_.empty()) set_others(read_lines(kept_in_));
}

void sn_choice::set_others(std::vector<std::string> endpoints) {
  std::erase_if(endpoints, [&](const auto& each) { return each == all_.front() || !endpoint::parse(each); });
  std::sort(endpoints.begin(), endpoints.end());
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
  if (endpoints.size() > 1)
    std::rotate(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(seed_ % endpoints.size()),
                endpoints.end());
  if (endpoints.size() > others_max) endpoints.resize(others_max);
  all_.resize(1);
  all_.insert(all_.end(), endpoints.begin(), endpoints.end());
}

result<> sn_choice::learn(std::vector<std::string> endpoints) {
  const auto before = all_;
  const auto now = current();
  // The one in use stays in the list, whatever the network says of it.
  if (!is_configured()) endpoints.push_back(now);
  set_others(std::move(endpoints));
  const auto found = std::find(all_.begin(), all_.end(), now);
  at_ = found == all_.end() ? 0 : static_cast<std::size_t>(found - all_.begin());
  if (kept_in_.empty() || all_ == before) return {};
  std::string text;
  for (std::size_t i = 1; i < all_.size(); ++i)
    text += all_[i] + '\n';
  return replace_file(kept_in_, as_bytes(text));
}

bool sn_choice::failed() {
  return ++failures_ >= attempts_each && move_on();
}

bool sn_choice::move_on() {
  failures_ = 0;
  if (all_.size() == 1) return false;
  at_ = (at_ + 1) % all_.size();
  return true;
}

} // namespace swarm::actors
