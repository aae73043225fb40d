#pragma once

#include "ledger/consensus/events.hpp"

namespace swarm::simulator {

/// A number that stands for a sequence of actions to the last byte (FNV-1a).
class fingerprint {
public:
  explicit fingerprint(std::uint64_t from = 0) : value_(from) {}
  void add(const std::vector<consensus::action>& actions) {
    for (const auto& item : actions) {
      put(item.index());
      std::visit([this](const auto& one) { add(one); }, item);
    }
  }
  std::uint64_t value() const { return value_; }

private:
  void put(std::uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8)
      value_ = (value_ ^ (number & 0xff)) * 0x100000001b3;
  }
  void put(bytes_view raw) {
    put(raw.size());
    for (const auto byte : raw)
      value_ = (value_ ^ byte) * 0x100000001b3;
  }
  void put(const std::vector<consensus::record_entry>& entries) {
    for (const auto& entry : entries) {
      put(as_bytes(entry.key));
      put(entry.value);
    }
  }
  void add(const consensus::persist& a) { put(a.token), put(a.block_num), put(a.entries); }
  void add(const consensus::broadcast& a) { put(*a.raw); }
  void add(const consensus::send_to& a) { put(a.neighbor), put(*a.raw); }
  void add(const consensus::set_timer& a) {
    put(static_cast<std::uint64_t>(a.timer.kind)), put(a.timer.block_num), put(a.timer.round_num);
    put(static_cast<std::uint64_t>(a.after.count()));
  }
  void add(const consensus::cancel_timer& a) { put(static_cast<std::uint64_t>(a.kind)); }
  void add(const consensus::build_block& a) { put(a.block_num), put(a.round_num); }
  void add(const consensus::validate_block& a) { put(a.block.hash.view()); }
  void add(const consensus::commit_block& a) {
    put(a.block.hash.view()), put(ledger::encode_seals(a.seals)), put(a.entries);
  }
  void add(const consensus::request_sync& a) { put(a.block_num), put(a.neighbor); }
  void add(const consensus::send_decided& a) { put(a.block_num), put(a.neighbor); }
  void add(const consensus::evidence& a) { put(a.author.view()), put(ledger::encode_double_vote(a.proof)); }
  void add(const consensus::penalize& a) { put(a.neighbor), put(as_bytes(a.why.message)); }
  void add(const consensus::reentry_seen& a) { put(a.author.view()), put(a.block_num); }
  void add(const consensus::report& a) { put(as_bytes(a.text)); }

  std::uint64_t value_;
};

} // namespace swarm::simulator
