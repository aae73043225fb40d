#include "actors/sn/rpc/answers.hpp"

#include "base/log.hpp"

namespace swarm::rpc {

namespace json = boost::json;

namespace {

json::value envelope(json::value id, method_result from) {
  json::object out{{"jsonrpc", "2.0"}, {"id", std::move(id)}};
  if (from) {
    out["result"] = std::move(*from);
    return out;
  }
  if (is_internal(from.error()))
    log::error("swarm.rpc", "a request is not answered: {}", from.error().message);
  out["error"] = error_json(from.error());
  return out;
}

/// The responses in the order of the requests, without those of notifications.
std::string batch_text(const std::vector<std::string>& responses) {
  std::string out;
  for (const auto& one : responses) {
    if (one.empty()) continue;
    out += out.empty() ? '[' : ',';
    out += one;
  }
  if (!out.empty()) out += ']';
  return out;
}

} // namespace

std::string response_text(const json::value& id, method_result from) {
  return json::serialize(envelope(id, std::move(from)));
}

result<> admit(rate_limiter& limiter, const hash32& client, time_point now) {
  const auto wait = limiter.wait_of(client, now);
  if (wait == duration::zero()) return {};
  return fail(rpc_errc::rate_limited,
              "rate limit exceeded: this client asks for more work than {} units a second; wait {} ms",
              limiter.units_per_second(),
              std::chrono::duration_cast<std::chrono::milliseconds>(wait).count() + 1);
}

result<> text_answers::admitted(time_point now) {
  SWARM_CHECK(admit(*limits_.rate, from_.client, now));
  const std::lock_guard lock(mutex_);
  if (bytes_left_ == 0) return too_large();
  return {};
}

tl::unexpected<error> text_answers::too_large() const {
  return fail(rpc_errc::answer_too_large, "response too large: over {} bytes; ask for less at a time",
              limits_.bytes_max);
}

std::string text_answers::fit(const json::value& id, method_result from) {
  const bool refused = !from;
  auto text = response_text(id, std::move(from));
  const std::lock_guard lock(mutex_);
  if (text.size() <= bytes_left_ || refused) {
    bytes_left_ -= std::min(bytes_left_, text.size());
    return text;
  }
  bytes_left_ = 0;
  return response_text(id, too_large());
}

void text_answers::put(std::size_t place, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    texts_[place] = std::move(text);
    if (--missing_ > 0) return;
  }
  // All answers are there, so nobody else puts one any more.
  from_.send(batch_ ? batch_text(texts_) : std::move(texts_.front()));
}

void reply::operator()(method_result from_method, time_point now) const {
  if (told) told(from_method.has_value());
  if (!from_method) from_method.error().without_reason = is_call;
  auto text = notification ? std::string{} : answers->fit(id, std::move(from_method));
  answers->charge(text.size() / cost::answer_bytes_per_unit, now);
  answers->put(place, std::move(text));
}

} // namespace swarm::rpc
