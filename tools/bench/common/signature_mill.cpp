#include "tools/bench/common/signature_mill.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace swarm::bench {

using clock_type = std::chrono::steady_clock;

signature_mill::signature_mill()
    : key_(ledger::private_key::make_random()), digest_(keccak256("digest")),
      signature_(key_.sign_recoverable(digest_)) {}

void signature_mill::run(std::chrono::milliseconds how_long) {
  std::atomic<std::uint64_t> recovered = 0;
  std::vector<std::thread> threads;
  const auto begun = clock_type::now();
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back([&, end = begun + how_long] {
      std::uint64_t count = 0;
      for (; clock_type::now() < end; ++count) {
        const auto account = ledger::recover(digest_, signature_);
        SWARM_ASSERT(account && *account == key_.account());
      }
      recovered += count;
    });
  for (auto& thread : threads)
    thread.join();
  recovered_ += recovered;
  seconds_ += std::chrono::duration<double>(clock_type::now() - begun).count();
}

} // namespace swarm::bench
