#pragma once

#include "actors/sn/rpc/caller.hpp"
#include "actors/sn/rpc/params.hpp"
#include "actors/sn/rpc/rate_limit.hpp"

#include <memory>
#include <mutex>

namespace swarm::rpc {

/// The response to a request, as text.
std::string response_text(const boost::json::value& id, method_result from);

/// An error while the client has used up its rate.
result<> admit(rate_limiter& limiter, const hash32& client, time_point now);

/// The answers to one text, which is a request or a batch of them: collected by their places and sent once all are
/// there. Any thread may put some. What they cost is charged to their client, and their size has a limit.
class text_answers {
public:
  struct limits {
    std::size_t bytes_max = 0;
    std::shared_ptr<rate_limiter> rate;
  };
  /// `count` answers; of a batch they are sent as an array.
  text_answers(caller from, std::size_t count, bool batch, limits bounds)
      : from_(std::move(from)), limits_(std::move(bounds)), batch_(batch), texts_(count), missing_(count),
        bytes_left_(limits_.bytes_max) {}

  const caller& from() const { return from_; }
  /// Why the next request is refused: the client is over its rate, or these answers have grown too large.
  result<> admitted(time_point now);
  void charge(std::uint64_t units, time_point now) { limits_.rate->charge(from_.client, units, now); }
  /// `text` is empty for a notification, which has no answer.
  void put(std::size_t place, std::string text);
  /// As text, or an error in its place when the answers grow too large with it.
  std::string fit(const boost::json::value& id, method_result from);

private:
  tl::unexpected<error> too_large() const;

  const caller from_;
  const limits limits_;
  const bool batch_;
  std::mutex mutex_; ///< of what follows
  std::vector<std::string> texts_;
  std::size_t missing_;
  std::size_t bytes_left_;
};

/// Where the answer to one request goes. To be called once, on any thread.
struct reply {
  std::shared_ptr<text_answers> answers;
  std::size_t place = 0;
  boost::json::value id;
  bool notification = false;
  bool is_call = false; ///< of a contract, see failure::without_reason

  const caller& from() const { return answers->from(); }
  void operator()(method_result from_method, time_point now) const;
};

} // namespace swarm::rpc
