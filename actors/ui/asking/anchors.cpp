#include "actors/ui/asking/anchors.hpp"

#include "transport/tls/trust_anchors.hpp"

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::size_t anchors_max = 256;

} // namespace

result<json::value> anchors_json(const transport::tls_files& files) {
  SWARM_TRY(const auto all, transport::read_trust_anchors(files));
  if (all.size() > anchors_max)
    return fail(errc::limit, "this node trusts {} authorities, more than {}: take its --capath as it is",
                all.size(), anchors_max);
  SWARM_TRY(const auto own, transport::own_anchor(files));
  json::array anchors;
  for (const auto& each : all)
    anchors.push_back(json::object{{"subject", each.subject},
                                   {"fingerprint", to_hex(each.fingerprint.view())},
                                   {"expires_ms", each.not_after * 1000},
                                   {"own", each.fingerprint == own},
                                   {"pem", each.pem}});
  return json::object{{"anchors", std::move(anchors)}};
}

} // namespace swarm::ui
