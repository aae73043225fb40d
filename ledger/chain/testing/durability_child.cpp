// A process for durability.test.cpp to be killed, locked out, or run out of disk.
#include "ledger/chain/testing/chain_fixture.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <string>

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// One more transaction and block; the number of the block.
result<std::uint64_t> write_one(chain& on) {
  auto key = test_key(9);
  SWARM_TRY(auto nonce, on.pending_nonce(key.account()));
  if (!on.has_executable()) {
    auto input = nonce % 2 == 0 ? input_of(op::store, word(nonce % 50), word(nonce + 1))
                                : input_of(op::emit, word(nonce % 7), word(nonce));
    SWARM_CHECK(on.submit(make_txn(key, nonce, input)));
  }
  SWARM_TRY(auto block, seal_block(on));
  return block->header.block_num;
}

/// Writes blocks for ever and reports each one that is on disk.
int write_blocks(chain& on) {
  for (;;) {
    auto block_num = write_one(on);
    if (!block_num) {
      say("error " + block_num.error().message);
      return 1;
    }
    say(std::to_string(*block_num));
  }
}

void limit_files(rlim_t size) {
  rlimit limit{size, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
}

/// Writes blocks until the disk takes no more, tries more in vain, then finds room again.
int fill_disk(chain& on) {
  std::signal(SIGXFSZ, SIG_IGN);
  limit_files(200 * 1024);
  result<std::uint64_t> block_num = 0;
  do
    block_num = write_one(on);
  while (block_num);
  say("failed " + block_num.error().message);
  auto before = on.head()->header.block_num;
  limit_files(1);
  for (int i = 0; i < 2; ++i)
    say(write_one(on) ? "wrote" : "failed again");
  auto readable = on.storage_of(test_address(), word(2), 3);
  say(on.head()->header.block_num == before && readable && *readable == word(3) ? "head stays"
                                                                                : "head moved");
  limit_files(RLIM_INFINITY);
  auto after = write_one(on);
  say(after && *after == before + 1 ? "recovered"
                                    : "lost: " + (after ? "another number" : after.error().message));
  return 0;
}

} // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  auto on = chain::open(test_options(arguments[2]));
  if (!on) {
    say("error " + on.error().message);
    return 1;
  }
  say("open");
  std::string mode = arguments[1];
  if (mode == "write") return write_blocks(**on);
  if (mode == "fill") return fill_disk(**on);
  std::getchar(); // "hold": until the other end closes
  return 0;
}
