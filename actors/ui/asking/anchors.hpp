#pragma once

#include "base/result.hpp"
#include "transport/tls/tls_identity.hpp"

#include <boost/json.hpp>

namespace swarm::ui {

/// `Anchors` of feed.ts: the authorities that this node trusts, which a new host has to trust as well.
result<boost::json::value> anchors_json(const transport::tls_files& files);

} // namespace swarm::ui
