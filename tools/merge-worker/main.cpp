#include "merge/custom/swarm_merge.h"
#include "merge/custom/worker_protocol.hpp"
#include "merge/model/dtype.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

// Runs a merge library for one merge: loads it, then answers part by part. Started by
// merge/custom/library.cpp only.

namespace {

using namespace swarm::merge;

bool tell(worker::outcome what, std::int32_t code = 0) {
  const worker::answer answer{what, code};
  return ::send(worker::socket_fd, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer);
}

/// A library that runs wild is to hurt this process only.
void limit_resources() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto limit = [](auto what, rlim_t most) {
    const rlimit value{most, most};
    ::setrlimit(what, &value);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
}

/// Parts until the other end closes.
int serve(decltype(&swarm_merge_combine) combine, std::uint8_t* memory, std::uint32_t models) {
  std::vector<const void*> inputs;
  for (std::uint32_t k = 0; k < models; ++k)
    inputs.push_back(memory + worker::input_at(models, k));
  worker::request part;
  while (::recv(worker::socket_fd, &part, sizeof(part), 0) == sizeof(part)) {
    const std::string type(name_of(static_cast<dtype>(part.dtype)));
    const swarm_merge_part call{type.c_str(),  part.count,
                                models,        reinterpret_cast<const double*>(memory),
                                inputs.data(), memory + worker::input_at(models, models)};
    const auto code = combine(&call);
    if (!tell(code == 0 ? worker::outcome::done : worker::outcome::refused, code)) break;
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto models = argc == 2 ? static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)) : 0;
  if (models == 0) return 2;
  limit_resources();
  void* memory =
      ::mmap(nullptr, worker::memory_bytes(models), PROT_READ | PROT_WRITE, MAP_SHARED, worker::memory_fd, 0);
  if (memory == MAP_FAILED) return 2;
  void* library =
      ::dlopen(("/proc/self/fd/" + std::to_string(worker::library_fd)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return tell(worker::outcome::no_library), 1;
  const auto abi = reinterpret_cast<decltype(&swarm_merge_abi)>(::dlsym(library, "swarm_merge_abi"));
  const auto combine =
      reinterpret_cast<decltype(&swarm_merge_combine)>(::dlsym(library, "swarm_merge_combine"));
  if (abi == nullptr || combine == nullptr) return tell(worker::outcome::no_function), 1;
  if (const auto version = abi(); version != SWARM_MERGE_ABI)
    return tell(worker::outcome::other_abi, static_cast<std::int32_t>(version)), 1;
  if (!tell(worker::outcome::done)) return 1;
  return serve(combine, static_cast<std::uint8_t*>(memory), models);
}
