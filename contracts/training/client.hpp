#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/training/commitment.hpp"
#include "contracts/training/interface.hpp"

/// A training contract for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with
/// the structs of interface.hpp, and short names for calls that are made in several places.
namespace swarm::contracts {

/// Losses and metrics are millionths on the chain. NaN becomes the smallest int64, and a value that is too
/// large becomes the nearest one that fits; `from_micro` turns the smallest int64 back into NaN.
std::int64_t to_micro(double value);
double from_micro(std::int64_t micro);

inline bytes encode_register_peer(const register_peer_args& args) {
  return encode(args);
}
inline bytes encode_leave_peer(const leave_peer_args& args) {
  return encode(args);
}
inline bytes encode_check_in(const check_in_args& args) {
  return encode(args);
}
inline bytes encode_vote_close(const vote_close_args& args) {
  return encode(args);
}
inline bytes encode_commit_merge(const commit_merge_args& args) {
  return encode(args);
}
inline bytes encode_suspect_leader(const suspect_leader_args& args) {
  return encode(args);
}
inline bytes encode_report_loss(const report_loss_args& args) {
  return encode(args);
}
inline bytes encode_report_refusal(const report_refusal_args& args) {
  return encode(args);
}
inline bytes encode_reset() {
  return encode(reset_args{});
}
inline bytes encode_head() {
  return encode(head_args{});
}
inline bytes encode_peers(std::uint64_t first, std::uint64_t count) {
  return encode(peers_args{first, count});
}
inline bytes encode_check_ins() {
  return encode(check_ins_args{});
}

inline result<head_view> decode_head(bytes_view output) {
  return decode_answer<head_args>(output);
}
inline result<std::vector<peer_view>> decode_peers(bytes_view output) {
  return decode_answer<peers_args>(output);
}
inline result<std::vector<check_in_view>> decode_check_ins(bytes_view output) {
  return decode_answer<check_ins_args>(output);
}
inline result<training_event> decode_training_event(const std::vector<hash32>& topics, bytes_view data) {
  return decode_event<training_interface>(topics, data);
}

} // namespace swarm::contracts
