#include "base/random.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/testing/members_world.hpp"
#include "contracts/testing/naive_nodes.hpp"

#include <doctest/doctest.h>

#include <set>

namespace registry_model_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint16_t organisations = 4;
constexpr std::uint16_t accounts = 9; ///< of which the first four founded organisations 1 to 4

address account_of(std::uint64_t number) {
  return test_account(static_cast<std::uint16_t>(number));
}

/// Which events these are.
std::string names_of(const std::vector<ledger::log_entry>& events) {
  std::string out;
  for (const auto& one : events)
    std::visit([&out]<class Event>(const Event&) { out += std::string(Event::event.name) + " "; },
               decode_node_event(one.topics, one.data).value());
  return out;
}

/// The contract and its twin, given the same calls.
class twin_world {
public:
  explicit twin_world(std::uint64_t seed)
      : random(seed), here(organisations),
        twin({account_of(1), account_of(2), account_of(3), account_of(4)}, account_of(1)) {
    for (organisation_id id = 1; id <= organisations; ++id) {
      twin.block_num = id;
      twin.time = here.world.block_time();
      const auto node = here.node(account_of(id));
      REQUIRE(twin.call(account_of(id), register_node_args{node.type,
                                                           id,
                                                           node.identity,
                                                           node.expiry,
                                                           node.sequence,
                                                           node.parent,
                                                           node.name,
                                                           node.endpoint,
                                                           {}}));
    }
    compare();
  }

  template <class Args>
  void call(const address& caller, const Args& args) {
    twin.block_num = here.world.block_num() + 1;
    twin.time = here.world.block_time();
    twin.events.clear();
    const auto before = twin;
    const auto done = here.world.send(caller, node_registry_address(), encode(args));
    INFO("revert: " << (done.ok ? "none" : revert_text(done.output)));
    INFO(Args::function.name);
    const bool accepted_by_twin = twin.call(caller, args);
    REQUIRE(done.ok == accepted_by_twin);
    if (!done.ok) {
      twin = before;
      return;
    }
    ++accepted;
    for (const auto& event : twin.events)
      ++seen[event.index()];
    const auto emitted = names_of(done.events);
    INFO("emitted: " << emitted);
    REQUIRE(done.events.size() == twin.events.size());
    for (std::size_t i = 0; i < done.events.size(); ++i)
      REQUIRE(decode_node_event(done.events[i].topics, done.events[i].data).value() == twin.events[i]);
    compare();
  }

  /// Organisation `id` is gone when most of the others have an SN that votes for it.
  void try_to_remove(organisation_id id) {
    for (std::uint16_t i = 1; i <= accounts; ++i)
      (void)here.world.send(account_of(i), organisation_registry_address(),
                            encode(remove_organisation_args{id}));
    const auto raw = here.world.view({}, organisation_registry_address(), encode(organisation_args{id}));
    if (decode_answer<organisation_args>(raw.output).value().id == 0) twin.organisations.erase(id);
    twin.time = here.world.block_time();
    compare();
  }

  void limit(const address& caller, std::uint64_t role, std::uint64_t most) {
    const auto before = accepted;
    call(caller, limit_seats_args{static_cast<seat_kind>(role), static_cast<std::uint32_t>(most)});
    if (accepted > before) limited.insert(here.node(caller).organisation);
  }

  address someone() { return account_of(1 + random.below(accounts)); }
  organisation_id some_organisation() {
    return static_cast<organisation_id>(1 + random.below(organisations));
  }

  seeded_random random;
  members_world here;
  naive_nodes twin;
  std::size_t accepted = 0;
  std::array<std::size_t, std::variant_size_v<node_event>> seen{}; ///< how many of each event
  std::set<organisation_id> limited;                               ///< whose seats are counted by role

private:
  void compare() {
    twin.time = here.world.block_time();
    for (std::uint16_t i = 1; i <= accounts; ++i) {
      CAPTURE(i);
      REQUIRE(here.node(account_of(i)) == twin.node(account_of(i)));
      REQUIRE(here.pending(account_of(i)) == twin.pending(account_of(i)));
    }
    for (organisation_id id = 1; id <= organisations; ++id) {
      CAPTURE(id);
      REQUIRE(here.standing(id) == twin.standing(id));
      if (limited.contains(id)) REQUIRE(here.ask(seat_leases_args{id}) == twin.leases(id));
    }
    REQUIRE(here.broken_invariant() == "");
  }
};

register_node_args random_claim(twin_world& both, const address& account) {
  auto& random = both.random;
  const auto known = both.here.node(account);
  const auto waits = both.here.pending(account);
  register_node_args out;
  const auto number = account[19];
  out.type = number <= organisations ? node_type::sn : static_cast<node_type>(1 + number % 4);
  if (random.below(20) == 0) out.type = node_type::swop;
  out.organisation = random.below(4) == 0 ? static_cast<organisation_id>(random.below(6))
                                          : static_cast<organisation_id>(1 + (number - 1) % organisations);
  out.identity = hash32(u256(random.below(50)));
  out.sequence = std::max(known.sequence, waits.statement.sequence) + random.below(4);
  if (random.below(3) == 0) out.expiry = both.here.world.block_time() + random.below(200) - 5;
  if (random.below(4) == 0 && known.account == account) { // the same statement, elsewhere
    out = {known.type, known.organisation, known.identity, known.expiry, known.sequence, {}, "", "", {}};
    if (const auto& what = waits.statement; what.account == account && random.below(2) == 0)
      out = {what.role, what.organisation, what.identity, what.expiry, what.sequence, {}, "", "", {}};
  }
  out.endpoint = random.below(2) == 0 ? "here:1" : "there:1";
  return out;
}

/// One SL of organisation 1 has its only seat and may be silent, the other one wants it.
void contend_for_seat(twin_world& both) {
  const std::uint64_t holder = both.random.below(2) == 0 ? 5 : 9;
  const auto wants = account_of(14 - holder);
  both.limit(account_of(1), 2, 1);
  both.call(account_of(1), accuse_node_args{account_of(holder), {}});
  if (both.random.below(3) != 0) both.here.world.skip_seconds(11);
  if (both.random.below(5) == 0) both.call(account_of(holder), random_claim(both, account_of(holder)));
  both.call(wants, random_claim(both, wants));
  for (std::uint64_t by = 1; by <= organisations; ++by)
    both.call(account_of(by), vouch_args{wants, both.here.pending(wants).hash});
}

void random_call(twin_world& both) {
  auto& random = both.random;
  const auto caller = both.someone();
  const auto dice = random.below(100);
  if (random.below(8) == 0) both.here.world.skip_seconds(random.below(90));
  if (random.below(300) == 0) both.here.world.skip_seconds(pending_seconds);
  if (dice < 30)
    both.call(caller, random_claim(both, caller));
  else if (dice < 70) {
    const auto account = both.someone();
    auto hash = both.here.pending(account).hash;
    if (random.below(20) == 0) hash[0] ^= 1;
    both.call(caller, vouch_args{account, hash});
  } else if (dice < 74)
    both.call(caller, leave_node_args{});
  else if (dice < 80)
    both.call(caller, remove_node_args{both.someone()});
  else if (dice < 85)
    both.call(caller, accuse_args{both.some_organisation()});
  else if (dice < 90)
    both.call(caller, answer_args{});
  else if (dice < 92)
    both.limit(caller, 1 + random.below(4), random.below(2));
  else if (dice < 95)
    contend_for_seat(both);
  else if (dice < 97)
    for (std::uint16_t i = 1; i <= accounts; ++i)
      both.call(account_of(1 + random.below(organisations)), accuse_node_args{account_of(i), {}});
  else
    both.call(caller, settle_args{both.someone()});
  if (random.below(400) == 0) both.try_to_remove(both.some_organisation());
}

} // namespace

TEST_CASE("memberships and their naive twin agree on long random call sequences") {
  std::size_t accepted = 0;
  std::array<std::size_t, std::variant_size_v<node_event>> seen{};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    twin_world both(seed);
    for (int step = 0; step < 300; ++step) {
      CAPTURE(step);
      random_call(both);
    }
    accepted += both.accepted;
    for (std::size_t kind = 0; kind < seen.size(); ++kind)
      seen[kind] += both.seen[kind];
  }
  CHECK(accepted > 1000);
  for (std::size_t kind = 0; kind < 9; ++kind) {
    CAPTURE(kind);
    CHECK(seen[kind] >= 40);
  }
  for (std::size_t kind = 13; kind < 17; ++kind) { // of limits and leases of seats
    CAPTURE(kind);
    CHECK(seen[kind] >= 5);
  }
  MESSAGE(seen[14] << " accused, " << seen[15] << " answered, " << seen[16] << " seats taken");
  MESSAGE(accepted << " calls accepted");
}

} // namespace registry_model_test
