#pragma once

#include "actors/sl/files/gate/events.hpp"
#include "base/clock.hpp"

#include <map>

namespace swarm::gate {

/// Who was refused, for log and status: bounded, and a line in the log now and then.
class refusals {
public:
  static constexpr std::size_t certificates_max = 64;
  static constexpr duration log_pause = std::chrono::seconds(60);
  /// A certificate that was refused so often is made to wait before the chain is asked again for it.
  static constexpr std::uint64_t patience = 8;
  static constexpr duration wait = std::chrono::milliseconds(250);

  struct record {
    std::string subject;
    std::string organisation;
    std::optional<address> account; ///< that it said last
    std::uint64_t count = 0;
    std::string why; ///< the last time
    time_point at;   ///< the last time
    time_point logged_at;
    std::uint64_t logged_count = 0;
  };

  /// The line to log; none when there was one a short while ago.
  std::optional<std::string> add(const asker& who, const std::string& why, time_point now);
  bool must_wait(const hash32& certificate, time_point now) const;
  const std::map<hash32, record>& by_certificate() const { return records_; }
  std::uint64_t count() const { return count_; }

private:
  std::map<hash32, record> records_;
  std::uint64_t count_ = 0;
};

/// "CN=SL-2 of CN=CA-2 (certificate 0x12..., account 0x34...)"
std::string text_of(const asker& who);

} // namespace swarm::gate
