#pragma once

#include "base/back_off.hpp"

namespace swarm::transport {

using swarm::back_off;

} // namespace swarm::transport
