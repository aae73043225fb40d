#include "contracts/registry/seat_limits.hpp"

#include "contracts/runtime/typed_contract.hpp"

#include <algorithm>

namespace swarm::contracts {

namespace {

constexpr hash32 limits_slot = u256(19);
constexpr hash32 votes_slot = u256(20);

/// One slot; 0: no limit.
struct limits_slot_value {
  std::uint32_t sns = 0;
  std::uint32_t sls = 0;
  std::uint32_t swops = 0;
  std::uint32_t swcis = 0;
  std::uint32_t trainings = 0;

  std::uint32_t& of(seat_kind kind) {
    switch (kind) {
    case seat_kind::sn:
      return sns;
    case seat_kind::sl:
      return sls;
    case seat_kind::swop:
      return swops;
    case seat_kind::swci:
      return swcis;
    case seat_kind::training:
      break;
    }
    return trainings;
  }
};

struct seat_vote_slot {
  std::uint64_t block_num = 0; ///< 0: there is none
  std::uint32_t most = 0;
};

constexpr seat_kind kind_of(node_type role) {
  return static_cast<seat_kind>(role);
}
static_assert(kind_of(node_type::swci) == seat_kind::swci);

result<> check_kind(seat_kind kind) {
  if (kind != seat_kind{}) return {};
  return refuse("a kind of seats is 1 (SN), 2 (SL), 3 (SWOP), 4 (SWCI) or 5 (trainings)");
}

} // namespace

std::string_view to_string(seat_kind kind) {
  return kind == seat_kind::training ? "trainings under way" : to_string(static_cast<node_type>(kind));
}

hash32 seat_records::place(organisation_id organisation) const {
  return slots_.mapped(u256(organisation), limits_slot);
}

hash32 seat_records::vote_place(organisation_id organisation, seat_kind kind, organisation_id voter) const {
  hash32 key;
  put_be64(key.data() + 8, organisation);
  put_be64(key.data() + 16, static_cast<std::uint64_t>(kind));
  put_be64(key.data() + 24, voter);
  return slots_.mapped(key, votes_slot);
}

seat_limit_view seat_records::of(organisation_id organisation, seat_kind kind) const {
  const auto at = place(organisation);
  auto network = slots_.get<limits_slot_value>(at);
  auto own = slots_.get<limits_slot_value>(slot_after(at, 1));
  return {kind, network.of(kind), own.of(kind)};
}

std::string who_limits(const seat_limit_view& limit) {
  if (limit.by_network != 0 && limit.most() == limit.by_network)
    return fmt::format(
        "the network limits it to {}, and more than half of the organisations can vote for another number "
        "(LIMIT SEATS ... OF)",
        limit.by_network);
  return fmt::format("it limits itself to {}, and its SNs and SWCIs can change that (LIMIT SEATS)",
                     limit.by_itself);
}

std::string no_seat_left(std::string_view organisation, node_type role, std::uint32_t taken,
                         const seat_limit_view& limit) {
  return fmt::format(
      "the organisation '{}' has {} seats of {} nodes taken: {}; or one of them leaves, or gives no "
      "sign of life for a while",
      organisation, taken, to_string(role), who_limits(limit));
}

template <class Event>
void seat_limits::emit(const Event& event) const {
  host_.emit(abi::encode_event(context_.self, event));
}

result<organisation_id> seat_limits::organisation_of_caller() const {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
  const auto id = node_records(host_).of(context_.caller).status().organisation;
  if (id != 0) return id;
  return refuse("this chain was begun without organisations: nobody limits seats on it");
}

/// Of each organisation nodes, SNs and voters are counted from genesis on; what is missing to tell the roles apart is how
/// many SWOPs there are. They are counted from the first limit on, so that nothing else ever walks the list of nodes.
void seat_limits::begin_counting(organisation_id organisation) const {
  auto tally = tallies_.of(organisation);
  if (tally.swops_plus_one != 0) return;
  const node_records records(host_);
  std::uint32_t swops = 0;
  for (std::uint64_t i = 0, all = records.list().size(); i < all; ++i) {
    const auto status = records.of(records.list().at(i)).status();
    if (status.organisation == organisation && status.type == node_type::swop) ++swops;
  }
  tally.swops_plus_one = swops + 1;
  tallies_.set(organisation, tally);
}

std::uint32_t seat_limits::taken(organisation_id organisation, node_type role) const {
  const auto tally = tallies_.of(organisation);
  if (role == node_type::sn) return tally.sns;
  if (role == node_type::swci) return tally.voters - tally.sns;
  const auto swops = tally.swops_plus_one - std::min(tally.swops_plus_one, 1u);
  return role == node_type::swop ? swops : tally.nodes - tally.voters - swops;
}

void seat_limits::set(organisation_id organisation, seat_kind kind, std::uint32_t most,
                      bool by_network) const {
  const auto at = by_network ? place(organisation) : slot_after(place(organisation), 1);
  auto limits = slots_.get<limits_slot_value>(at);
  limits.of(kind) = most;
  slots_.put(at, limits);
  begin_counting(organisation);
  emit(seats_limited{organisation, kind, most, context_.caller, by_network});
}

result<> seat_limits::limit(const limit_seats_args& args) const {
  SWARM_TRY(const auto own, organisation_of_caller());
  SWARM_CHECK(check_kind(args.kind));
  if (of(own, args.kind).by_itself == args.most)
    return refuse("the organisation {} has this limit already", own);
  set(own, args.kind, args.most, false);
  return {};
}

result<> seat_limits::vote(const vote_seats_args& args) const {
  SWARM_TRY(const auto voter, organisation_of_caller());
  SWARM_CHECK(check_kind(args.kind));
  if (!tallies_.organisations().exists(args.organisation))
    return refuse("there is no organisation {}", args.organisation);
  if (of(args.organisation, args.kind).by_network == args.most)
    return refuse("the organisation {} has this limit already", args.organisation);
  const auto own = vote_place(args.organisation, args.kind, voter);
  slots_.put(own, seat_vote_slot{context_.block_num, args.most});
  emit(seats_voted{args.organisation, args.kind, voter, args.most});
  SWARM_TRY(const auto all, votes({args.organisation, args.kind}));
  const auto agreeing =
      std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.most == args.most; });
  if (2 * static_cast<std::size_t>(agreeing) <= tallies_.voting().size()) return {};
  for (const auto& one : all)
    slots_.store(vote_place(args.organisation, args.kind, one.voter), {});
  set(args.organisation, args.kind, args.most, true);
  return {};
}

result<std::vector<seat_limit_view>> seat_limits::view(organisation_id organisation) const {
  std::vector<seat_limit_view> out;
  if (!tallies_.organisations().exists(organisation)) return out;
  for (std::size_t i = 1; i <= seat_kinds; ++i)
    out.push_back(of(organisation, static_cast<seat_kind>(i)));
  return out;
}

/// A vote ends with the organisation's last node that can vote, and when it is as old as any other motion may be.
result<std::vector<seat_vote_view>> seat_limits::votes(const seat_votes_args& args) const {
  std::vector<seat_vote_view> out;
  for (const auto voter : tallies_.voting()) {
    const auto cast = slots_.get<seat_vote_slot>(vote_place(args.organisation, args.kind, voter));
    if (cast.block_num == 0 || context_.block_num > cast.block_num + motion_blocks) continue;
    out.push_back({voter, cast.most});
  }
  return out;
}

bool seat_limits::is_full(organisation_id organisation, node_type role) const {
  if (!context_.has_rules(3)) return false;
  const auto limit = of(organisation, kind_of(role));
  return limit.most() != 0 && taken(organisation, role) >= limit.most();
}

result<> seat_limits::check_room(organisation_id organisation, node_type role, std::uint32_t given_up) const {
  if (!context_.has_rules(3)) return {};
  const auto limit = of(organisation, kind_of(role));
  if (limit.most() == 0) return {};
  const auto has = taken(organisation, role);
  if (has < limit.most() + given_up) return {};
  return refuse("{}", no_seat_left(tallies_.organisations().of(organisation).name(), role, has, limit));
}

} // namespace swarm::contracts
