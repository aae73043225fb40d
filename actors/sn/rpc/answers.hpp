#pragma once

#include "actors/sn/rpc/caller.hpp"
#include "actors/sn/rpc/params.hpp"
#include "actors/sn/rpc/rate_limit.hpp"

#include <memory>
#include <mutex>

namespace swarm::rpc {

/// The response to a request, as text.
std::string response_text(const boost::json::value& id, method_result from);

/// Fails while the client has used up its rate.
result<> admit(rate_limiter& limiter, const hash32& client, time_point now);

/// Collects the answers to one text, which is a request or a batch of them, and sends them once all are
/// there. Any thread may put answers. Their cost is charged to the client, and their size is limited.
class text_answers {
public:
  struct limits {
    std::size_t bytes_max = 0;
    std::shared_ptr<rate_limiter> rate;
  };
  /// For `count` answers; those of a batch are sent as an array.
  text_answers(caller from, std::size_t count, bool batch, limits bounds)
      : from_(std::move(from)), limits_(std::move(bounds)), batch_(batch), texts_(count), missing_(count),
        bytes_left_(limits_.bytes_max) {}

  const caller& from() const { return from_; }
  /// Fails when the next request must be refused: the client is over its rate, or these answers have
  /// grown too large.
  result<> admitted(time_point now);
  void charge(std::uint64_t units, time_point now) { limits_.rate->charge(from_.client, units, now); }
  /// `text` is empty for a notification, which has no answer.
  void put(std::size_t place, std::string text);
  /// The answer as text, or an error in its place when it would make the answers too large.
  std::string fit(const boost::json::value& id, method_result from);

private:
  tl::unexpected<error> too_large() const;

  const caller from_;
  const limits limits_;
  const bool batch_;
  std::mutex mutex_; ///< guards what follows
  std::vector<std::string> texts_;
  std::size_t missing_;
  std::size_t bytes_left_;
};

/// Where the answer to one request goes. It must be called once, on any thread.
struct reply {
  std::shared_ptr<text_answers> answers;
  std::size_t place = 0;
  boost::json::value id;
  bool notification = false;
  bool is_call = false;                ///< the request calls a contract, see failure::without_reason
  std::function<void(bool ok)> told{}; ///< see responder::watch_with; may be empty

  const caller& from() const { return answers->from(); }
  void operator()(method_result from_method, time_point now) const;
};

} // namespace swarm::rpc
