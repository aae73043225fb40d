#pragma once

// Precompiled for every target that includes role_actor.hpp; parsing CAF once takes several seconds.

#include <caf/all.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
