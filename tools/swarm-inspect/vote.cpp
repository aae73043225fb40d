#include "tools/swarm-inspect/vote.hpp"

#include "transport/tls/trust_anchors.hpp"

#include <fmt/format.h>

#include <thread>

namespace swarm::inspect {

namespace json = boost::json;

namespace {

result<json::object> params_of(const vote_request& request) {
  json::object out{{"motion", request.motion}};
  if (request.motion == "take back") {
    out["key"] = request.key;
    return out;
  }
  out["name"] = request.organisation;
  if (request.motion == "set limits") {
    json::object limits;
    for (const auto& [name, value] : request.limits)
      limits[name] = value;
    out["limits"] = std::move(limits);
  }
  if (!request.file.empty()) {
    SWARM_TRY(const auto anchors, transport::anchors_named(request.file, "the organisation's CA"));
    json::array list;
    for (const auto& one : anchors)
      list.push_back(json::string(to_hex(one.view())));
    out["anchors"] = std::move(list);
  }
  return out;
}

} // namespace

result<json::object> cast_vote(session& to, const vote_request& request) {
  SWARM_TRY(auto params, params_of(request));
  SWARM_TRY(const auto sent, to.call("vote", std::move(params)));
  for (;;) {
    SWARM_TRY(const auto answer, to.call("vote", {{"txn", sent.at("txn")}}));
    if (answer.at("final") == true) return answer.as_object();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string vote_view(const vote_request& request, const json::object& outcome) {
  if (request.motion == "take back") return "the vote is taken back\n";
  const auto what = fmt::format("{} '{}'", request.motion, request.organisation);
  if (outcome.at("outcome") == "done")
    return fmt::format("{}: done, enough organisations voted for it\n", what);
  return fmt::format(
      "{}: {} of {} votes are there, as motion {}; the operators of other organisations vote for it "
      "with the same command at their SNs\n",
      what, json::serialize(outcome.at("votes")), json::serialize(outcome.at("needed")),
      std::string(outcome.at("key").as_string()));
}

} // namespace swarm::inspect
