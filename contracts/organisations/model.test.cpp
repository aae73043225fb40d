#include "base/random.hpp"
#include "contracts/abi/function.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/naive_organisations.hpp"
#include "contracts/testing/organisations_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace organisations_model_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

/// Four founders of which the last has no member; the first has two.
std::vector<ledger::founder> founders() {
  std::vector<ledger::founder> out;
  for (std::uint8_t i = 0; i < 4; ++i)
    out.push_back({fmt::format("org{}", i), {test_anchor(i)}, {}});
  for (std::uint16_t i = 0; i < 4; ++i)
    out[i % 3].validators.push_back(test_account(i));
  return out;
}

/// A log that shows where it differs from another.
std::string in_words(const ledger::log_entry& log) {
  std::string out;
  for (const auto& topic : log.topics)
    out += to_hex(topic.view()) + " ";
  return out + to_hex(log.data);
}

/// The contract and its twin, given the same calls by an account that may be of no organisation.
class twin_world {
public:
  explicit twin_world(std::uint64_t seed)
      : random(seed), world(make_contracts(), {}, founders()), twin(founders()) {
    for (std::uint16_t i = 0; i < 5; ++i)
      REQUIRE(register_node(world, test_account(i), node_type::sn).ok);
  }

  template <class Args>
  void call(const Args& args) {
    if (random.below(60) == 0) world.skip_blocks(motion_blocks - random.below(3));
    const auto caller = test_account(static_cast<std::uint16_t>(random.below(5)));
    twin.block_num = world.block_num() + 1;
    twin.events.clear();
    auto before = twin;
    const auto done = world.send(caller, organisation_registry_address(), encode(args));
    INFO("revert: " << (done.ok ? "none" : revert_text(done.output)));
    const bool accepted_by_twin = twin.call(caller, args);
    REQUIRE(done.ok == accepted_by_twin);
    if (!done.ok) {
      before.events.clear();
      twin = std::move(before);
      return;
    }
    REQUIRE(done.events.size() == twin.events.size());
    for (std::size_t i = 0; i < done.events.size(); ++i) {
      CAPTURE(i);
      const auto expected = std::visit(
          [](const auto& event) { return abi::encode_event(organisation_registry_address(), event); },
          twin.events[i]);
      REQUIRE(in_words(done.events[i]) == in_words(expected));
      REQUIRE(decode_organisation_event(done.events[i].topics, done.events[i].data).value()
              == twin.events[i]);
    }
    ++accepted;
    compare();
  }

  seeded_random random;
  memory_world world;
  naive_organisations twin;
  std::size_t accepted = 0;

private:
  void compare() {
    ++twin.block_num; // a view is of the block that comes next
    const organisations_probe probe(world);
    REQUIRE(probe.broken_invariant() == "");
    REQUIRE(probe.organisations() == twin.organisations());
    auto here = probe.motions(), there = twin.motions();
    const auto by_key = [](const motion_view& a, const motion_view& b) { return a.key < b.key; };
    std::sort(here.begin(), here.end(), by_key);
    std::sort(there.begin(), there.end(), by_key);
    REQUIRE(here == there);
  }
};

std::vector<hash32> random_anchors(seeded_random& random) {
  std::vector<hash32> out(random.below(20) == 0 ? 17 : 1 + random.below(3));
  for (auto& one : out)
    one = test_anchor(static_cast<std::uint8_t>(random.below(9)));
  if (random.below(40) == 0) out.clear();
  if (random.below(40) == 0) out[0] = hash32{};
  return out;
}

/// A vote for a motion that is there.
void support(twin_world& both, const motion_view& what) {
  switch (what.kind) {
  case motion_kind::admit:
    return both.call(admit_organisation_args{what.name, what.anchors});
  case motion_kind::remove:
    return both.call(remove_organisation_args{what.organisation});
  case motion_kind::set_anchors:
    return both.call(set_anchors_args{what.organisation, what.anchors});
  default:
    return both.call(set_limits_args{what.organisation, what.limits});
  }
}

void random_call(twin_world& both) {
  auto& random = both.random;
  const auto some_id = [&random] { return static_cast<organisation_id>(random.below(9)); };
  if (const auto motions = both.twin.motions(); !motions.empty() && random.below(2) == 0)
    return support(both, motions[random.below(motions.size())]);
  const auto dice = random.below(20);
  if (dice < 7) {
    static constexpr std::array<std::string_view, 8> names{"org1", "New", "new", "other",
                                                           "ü",    "",    " x",  "a\nb"};
    std::string name(names[random.below(names.size())]);
    if (random.below(40) == 0) name = std::string(65, 'n');
    both.call(admit_organisation_args{name, random_anchors(random)});
  } else if (dice < 9) {
    both.call(remove_organisation_args{some_id()});
  } else if (dice < 14) {
    both.call(set_anchors_args{some_id(), random_anchors(random)});
  } else if (dice < 17) {
    organisation_limits limits;
    limits.nodes = static_cast<std::uint32_t>(random.below(4)) * 128;
    if (random.below(10) == 0) limits.model_bytes = 0;
    both.call(set_limits_args{some_id(), limits});
  } else {
    const auto motions = both.twin.motions();
    take_back_vote_args args;
    if (!motions.empty()) args.motion = motions[random.below(motions.size())].key;
    both.call(args);
  }
}

} // namespace

TEST_CASE("organisations and their naive twin agree on long random call sequences") {
  std::size_t accepted = 0;
  std::array<std::size_t, std::variant_size_v<organisation_event>> seen{};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    twin_world both(seed);
    for (int step = 0; step < 200; ++step) {
      CAPTURE(step);
      random_call(both);
      for (const auto& event : both.twin.events)
        ++seen[event.index()];
    }
    accepted += both.accepted;
  }
  CHECK(accepted > 1000);
  for (std::size_t kind = 0; kind < seen.size(); ++kind) {
    CAPTURE(kind);
    CHECK(seen[kind] >= 40);
  }
  MESSAGE(accepted << " calls accepted");
}

} // namespace organisations_model_test
