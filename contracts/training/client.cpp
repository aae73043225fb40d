#include "contracts/training/client.hpp"

#include "contracts/abi/error.hpp"
#include "contracts/training/interface.hpp"

#include <cmath>
#include <limits>

namespace swarm::contracts {

address training_address(std::string_view name) {
  constexpr std::string_view domain = "swarmd/training/";
  const auto hash = keccak256(fmt::format("{}{}", domain, name));
  address out;
  std::copy(hash.begin() + 12, hash.end(), out.begin());
  return out;
}

std::string_view to_string(round_phase phase) {
  static constexpr std::array<std::string_view, 3> names{"collecting", "merging", "complete"};
  return names.at(static_cast<std::size_t>(phase));
}
std::string_view to_string(peer_state state) {
  static constexpr std::array<std::string_view, 5> names{"none", "active", "absent", "finished", "left"};
  return names.at(static_cast<std::size_t>(state));
}
std::string_view to_string(on_train_end mode) {
  static constexpr std::array<std::string_view, 3> names{"inactive", "snapshot", "active"};
  return names.at(static_cast<std::size_t>(mode));
}

namespace {
constexpr double micro_per_unit = 1e6;
constexpr auto not_a_number = std::numeric_limits<std::int64_t>::min();
} // namespace

std::int64_t to_micro(double value) {
  if (std::isnan(value)) return not_a_number;
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  constexpr double limit = 9223372036854775807.0; // 2^63 as a double
  const double scaled = value * micro_per_unit;
  if (scaled >= limit) return largest;
  if (scaled <= -limit) return -largest;
  return std::llround(scaled);
}
double from_micro(std::int64_t micro) {
  if (micro == not_a_number) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(micro) / micro_per_unit;
}

bytes encode_register_peer(const register_peer_args& args) {
  return abi::encode_call(args);
}
bytes encode_leave_peer(const leave_peer_args& args) {
  return abi::encode_call(args);
}
bytes encode_check_in(const check_in_args& args) {
  return abi::encode_call(args);
}
bytes encode_vote_close(const vote_close_args& args) {
  return abi::encode_call(args);
}
bytes encode_commit_merge(const commit_merge_args& args) {
  return abi::encode_call(args);
}
bytes encode_suspect_leader(const suspect_leader_args& args) {
  return abi::encode_call(args);
}
bytes encode_report_loss(const report_loss_args& args) {
  return abi::encode_call(args);
}
bytes encode_reset() {
  return abi::encode_call(reset_args{});
}
bytes encode_training_name() {
  return abi::encode_call(training_name_args{});
}
bytes encode_head() {
  return abi::encode_call(head_args{});
}
bytes encode_peers(std::uint64_t first, std::uint64_t count) {
  return abi::encode_call(peers_args{first, count});
}
bytes encode_peer_count() {
  return abi::encode_call(peer_count_args{});
}
bytes encode_check_ins() {
  return abi::encode_call(check_ins_args{});
}
bytes encode_merge_of(std::uint64_t round_num) {
  return abi::encode_call(merge_of_args{round_num});
}

result<std::string> decode_training_name(bytes_view output) {
  return abi::decode_answer<std::string>(output);
}
result<head_view> decode_head(bytes_view output) {
  return abi::decode_answer<head_view>(output);
}
result<std::vector<peer_view>> decode_peers(bytes_view output) {
  return abi::decode_answer<std::vector<peer_view>>(output);
}
result<std::uint64_t> decode_peer_count(bytes_view output) {
  return abi::decode_count(output);
}
result<std::vector<check_in_view>> decode_check_ins(bytes_view output) {
  return abi::decode_answer<std::vector<check_in_view>>(output);
}
result<merge_view> decode_merge_of(bytes_view output) {
  return abi::decode_answer<merge_view>(output);
}

result<training_event> decode_training_event(const std::vector<hash32>& topics, bytes_view data) {
  return abi::decode_any_event<training_event>(topics, data);
}

template <class Event>
hash32 event_topic() {
  return abi::topic_of<Event>();
}
template hash32 event_topic<peer_registered>();
template hash32 event_topic<peer_left>();
template hash32 event_topic<peer_absent>();
template hash32 event_topic<checked_in>();
template hash32 event_topic<round_closed>();
template hash32 event_topic<round_reopened>();
template hash32 event_topic<leader_suspected>();
template hash32 event_topic<leader_changed>();
template hash32 event_topic<merge_committed>();
template hash32 event_topic<loss_reported>();
template hash32 event_topic<training_complete>();
template hash32 event_topic<training_reset>();

std::string revert_text(bytes_view output) {
  return abi::describe_error(output);
}

} // namespace swarm::contracts
