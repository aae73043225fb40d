#include "contracts/training/state.hpp"

#include "contracts/registry/node_records.hpp"

#include <doctest/doctest.h>

namespace training_state_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

template <class T>
std::string packed(const T& value) {
  return to_hex(pack(value).view(), false);
}
address filled(std::uint8_t byte) {
  address out;
  out.fill(byte);
  return out;
}

} // namespace

// The state of every chain holds these words: moving a member of one of these structs changes the chain.
TEST_CASE("slots are packed as every chain has them") {
  CHECK(packed(round_slot{1, 2, 3, round_phase::merging, method_slot::geomedian, 0x0405})
        == "0000000000000001000000000000000200000003010304050000000000000000");
  CHECK(packed(round_slot{1, 1, 0, round_phase::collecting, method_slot::described, 2})
        == "0000000000000001000000000000000100000000000400020000000000000000");
  CHECK(packed(round_slot{1, 2, 3, round_phase::merging, method_slot::geomedian, 0x0405, 6})
        == "0000000000000001000000000000000200000003010304050000000000000006");
  CHECK(packed(counts_slot{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
        == "000100020003000400050006000700080009000a000b000c0000000000000000");
  CHECK(packed(counts_slot{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 14, 15, 16})
        == "000000000000000000000000000000000000000000000000000d000e000f0010");
  CHECK(packed(peer_slot{filled(0xaa), 1, peer_state::finished, 0x8102, 3, 4})
        == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000010381020304000000");
  CHECK(packed(peer_slot{filled(0xaa), 1, peer_state::finished, 0x8102, 3, 4, 0x0506})
        == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000010381020304050600");
  CHECK(packed(standing_slot{1, 2, 3, 4, 5, 6})
        == "0000000000000001000200000000000000030000000000000004050000000600");
  CHECK(packed(checking_slot{1, 2, 3, 4, 5, 6, challenge_kind::unserved, 7, 8, 9, 10})
        == "000000000000000100000002000300040005000602070008000000090000000a");
  CHECK(packed(owner_slot{1, true, verify_mode::off})
        == "0001010100000000000000000000000000000000000000000000000000000000");
  CHECK(packed(reveals_slot{1, 2}) == "0000000000000001000000020000000000000000000000000000000000000000");
  CHECK(packed(first_reveal{1, 2, 3}) == "0000000000000001000000020003000000000000000000000000000000000000");
  CHECK(packed(check_in_slot{1, 2, 3, leave_reason::node_stopped})
        == "0000000000000001000000000000000200000000000000030300000000000000");
  CHECK(packed(check_in_slot{1, 2, 3, leave_reason::node_stopped, 0x0405, true})
        == "0000000000000001000000000000000200000000000000030304050100000000");
  CHECK(packed(check_in_slot{1, 2, 3, leave_reason::node_stopped, 0x0405, true, 0x0607})
        == "0000000000000001000000000000000200000000000000030304050106070000");
  CHECK(packed(progress_slot{-1, 2, 3, 4, 5})
        == "ffffffffffffffff000000000000000200000003000000040000000000000005");
  CHECK(packed(merge_slot{1, 2, 3, 4, 5, 6, 7, 8})
        == "0000000000000001000000000000000200000003000400050006000700080000");
  CHECK(packed(shards_slot{1, 2, 3, 4, 5, 6, 7})
        == "0000000000000001000000000000000200030004000000050000000600000007");
  CHECK(packed(node_slot{node_type::swop, true, 1, 2, 3, 4, 5})
        == "0301000100000000000000020000000000000003000000000000000400000005");
}

TEST_CASE("a set of peers has a bit for each, the first one the highest") {
  peer_set some;
  for (const std::uint16_t index : {0, 9, 255, 256, 1023})
    some.set(index, true);
  some.set(9, false);
  CHECK(some.indexes() == std::vector<std::uint16_t>{0, 255, 256, 1023});
  CHECK(some.words[0][0] == 0x80);
  CHECK(some.words[0][31] == 0x01);
  CHECK(some.words[3][31] == 0x01);
  CHECK((some.has(256) && !some.has(9)));
}

} // namespace training_state_test
