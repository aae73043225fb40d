#include "actors/swop/managers/process/program_folder.hpp"

#include "base/testing/disk_record.hpp"
#include "base/testing/power_cuts.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

using namespace swarm;
using namespace swarm::managers;
namespace fs = std::filesystem;
