// Who sits among the validators, by organisation.
#include "contracts/registry/seats.hpp"

#include "contracts/testing/members_world.hpp"

#include <doctest/doctest.h>

#include <map>

namespace seats_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

/// A world in which SN `number` of an organisation is a member and wants a seat.
void seat(members_world& in, const address& account) {
  for (;;) {
    const auto validators = in.ask(get_validators_args{});
    for (const auto& voter : validators) {
      const auto refusal = in.send(voter, propose_validator_vote_args{account, true});
      const auto members = in.ask(validator_members_args{});
      if (std::find(members.begin(), members.end(), account) != members.end()) return;
      REQUIRE(refusal == "");
    }
  }
}

void admit_sn(members_world& in, const address& account, organisation_id of, std::uint16_t identity,
              const std::vector<organisation_id>& by) {
  auto args = in.claim(of, node_type::sn);
  args.identity = hash32(u256(identity));
  REQUIRE(in.enter(account, args) == "");
  in.admit(account, by);
}

std::map<organisation_id, int> seats_by_organisation(const members_world& in) {
  std::map<organisation_id, int> out;
  for (const auto& each : in.ask(get_validators_args{}))
    ++out[in.node(each).organisation];
  return out;
}

} // namespace

TEST_CASE("twenty SNs of one organisation of four take no seat of another, whoever came first") {
  members_world w(4);
  for (std::uint16_t i = 0; i < 20; ++i) {
    admit_sn(w, test_account(100 + i), 1, 100 + i, {1, 2, 3});
    seat(w, test_account(100 + i));
  }
  for (organisation_id id = 2; id <= 4; ++id)
    seat(w, members_world::sn(id));
  CHECK(seats_by_organisation(w) == std::map<organisation_id, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}});
  CHECK(w.ask(validator_members_args{}).size() == 24);
  CHECK(w.ask(seat_powers_args{}).empty());
  for (organisation_id id = 2; id <= 4; ++id) {
    admit_sn(w, test_account(200 + id), id, 200 + id,
             {id, 1, static_cast<organisation_id>(id == 4 ? 3 : id + 1)});
    seat(w, test_account(200 + id));
  }
  CHECK(seats_by_organisation(w) == std::map<organisation_id, int>{{1, 2}, {2, 2}, {3, 2}, {4, 2}});
}

TEST_CASE("who can stop or fork the chain is told; a validator does not change its organisation") {
  members_world w(3);
  CHECK(w.ask(seat_powers_args{}) == std::vector<seat_power>{{1, 1, true, true}});
  admit_sn(w, test_account(100), 1, 100, {1, 2});
  for (const auto& each : {test_account(100), members_world::sn(2)})
    seat(w, each);
  CHECK(w.ask(seat_powers_args{}) == std::vector<seat_power>{{1, 2, true, true}});
  seat(w, members_world::sn(3));
  CHECK(w.ask(seat_powers_args{}).empty());
  auto other = w.claim(3, node_type::sn);
  other.identity = hash32(u256(2));
  CHECK(w.enter(members_world::sn(2), other)
        == to_hex(members_world::sn(2).view())
               + " is a validator of the organisation 2 and has to leave before it registers for 3");
}

TEST_CASE("an expired SN loses its seat by its organisation's word") {
  members_world w(3);
  auto args = w.claim(1, node_type::sn);
  args.identity = hash32(u256(100));
  args.expiry = w.world.block_time() + 60;
  REQUIRE(w.enter(test_account(100), args) == "");
  w.admit(test_account(100), {1, 2});
  seat(w, test_account(100));
  w.world.skip_seconds(61);
  REQUIRE(w.send(members_world::sn(2), settle_args{test_account(100)}) == "");
  CHECK(w.ask(validator_members_args{}).size() == 2);
  REQUIRE(w.send(members_world::sn(1), remove_node_args{test_account(100)}) == "");
  CHECK(w.ask(validator_members_args{}).size() == 1);
  CHECK(w.broken_invariant() == "");
}

} // namespace seats_test
