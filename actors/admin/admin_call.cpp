#include "actors/admin/admin_state.hpp"

#include <utility>

namespace swarm::actors::detail {

namespace json = boost::json;

namespace {

std::string_view code_word(const swarm::error& e) {
  static constexpr std::array<std::pair<errc, std::string_view>, 8> words{{{errc::invalid, "invalid"},
                                                                           {errc::not_found, "not_found"},
                                                                           {errc::conflict, "conflict"},
                                                                           {errc::unavailable, "unavailable"},
                                                                           {errc::denied, "denied"},
                                                                           {errc::limit, "limit"},
                                                                           {errc::timeout, "timeout"},
                                                                           {errc::cancelled, "cancelled"}}};
  for (const auto& [code, word] : words)
    if (e.is(code)) return word;
  return "internal";
}

} // namespace

void admin_call::succeed(json::value result) {
  json::object body;
  body["result"] = std::move(result);
  answer(std::move(body));
}

void admin_call::fail(std::string_view code, const std::string& message,
                      const std::vector<std::string>& similar) {
  json::object error;
  error["code"] = code;
  error["message"] = message;
  if (!similar.empty()) error["similar"] = json::array(similar.begin(), similar.end());
  json::object body;
  body["error"] = std::move(error);
  answer(std::move(body));
}

void admin_call::fail(const swarm::error& why) {
  fail(code_word(why), why.message);
}

/// A client that is gone or does not read misses its answer; that concerns nobody else.
void admin_call::answer(json::object body) {
  if (answered_.exchange(true)) return;
  json::object line;
  line["id"] = id_;
  for (auto& [key, value] : body)
    line[key] = std::move(value);
  (void)writer_->write(json::serialize(line));
}

bool admin_call::stream(std::string_view key, json::value value) {
  const std::lock_guard lock(order_);
  json::object line;
  line["id"] = id_;
  line[key] = std::move(value);
  const auto lost = lost_.exchange(0);
  if (lost > 0) line["lost"] = lost;
  const auto written = writer_->write(json::serialize(line));
  if (written) return true;
  lost_ += lost + 1;
  return written.error().is(transport::net_errc::limit);
}

} // namespace swarm::actors::detail
