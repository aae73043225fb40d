#include "contracts/organisations/contract.hpp"

#include "contracts/organisations/chain_space.hpp"
#include "contracts/organisations/members.hpp"
#include "contracts/organisations/rules.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

template <class T>
bool holds(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// Whose votes count on a motion, and how many it needs.
struct electorate {
  std::map<organisation_id, std::uint32_t> members; ///< of the organisations that are counted
  std::size_t needed = 0;

  std::size_t votes(const std::vector<organisation_id>& voters) const {
    return static_cast<std::size_t>(
        std::count_if(voters.begin(), voters.end(), [this](auto id) { return members.contains(id); }));
  }
};

class organisation_registry_call {
public:
  organisation_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(slots(host, context.self)),
        motions_(slots(host, context.self)), members_(host) {}

  result<> on(const admit_organisation_args& args) {
    return vote(motion{.kind = motion_kind::admit, .name = args.name, .anchors = args.anchors});
  }
  result<> on(const remove_organisation_args& args) {
    return vote(motion{.kind = motion_kind::remove, .organisation = args.organisation});
  }
  result<> on(const set_anchors_args& args) {
    return vote(
        motion{.kind = motion_kind::set_anchors, .organisation = args.organisation, .anchors = args.anchors});
  }
  result<> on(const set_limits_args& args) {
    return vote(
        motion{.kind = motion_kind::set_limits, .organisation = args.organisation, .limits = args.limits});
  }

  result<> on(const take_back_vote_args& args) {
    SWARM_TRY(const auto voter, voting_organisation());
    auto votes = open_votes(voter);
    if (std::erase(votes, args.motion) == 0)
      return refuse("the organisation {} has no open vote on {}", voter, to_hex(args.motion.view()));
    store_votes(voter, votes);
    take_back(voter, args.motion);
    return {};
  }

  result<organisation_view> on(const organisation_args& args) const {
    return view_of(args.id, members_.counts());
  }
  result<u256> on(const organisation_count_args&) const { return u256(records_.ids().size()); }
  result<std::vector<organisation_view>> on(const organisations_args& args) const {
    const auto ids = records_.ids().load();
    const auto part = page_of(args.first, args.count, ids.size(), organisations_page_max);
    const auto counts = members_.counts();
    std::vector<organisation_view> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(view_of(ids[i], counts));
    return out;
  }
  result<std::vector<chain_use_view>> on(const chain_uses_args& args) const {
    const auto ids = records_.ids().load();
    const auto part = page_of(args.first, args.count, ids.size(), organisations_page_max);
    const chain_days days(host_);
    std::vector<chain_use_view> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(use_of(days, records_, ids[i]));
    return out;
  }
  result<organisation_id> on(const organisation_named_args& args) const { return records_.named(args.name); }
  result<organisation_id> on(const anchor_owner_args& args) const { return records_.owner_of(args.anchor); }
  result<organisation_id> on(const organisation_of_args& args) const {
    return members_.organisation_of(args.account);
  }
  result<u256> on(const motion_count_args&) const { return u256(motions_.count()); }
  result<std::vector<motion_view>> on(const motions_args& args) const {
    const auto part = page_of(args.first, args.count, motions_.count(), organisations_page_max);
    const auto counts = members_.counts();
    std::vector<motion_view> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(view_of(motions_.key_at(i), counts));
    return out;
  }

private:
  /// The organisation that the caller votes for.
  result<organisation_id> voting_organisation() const {
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn, node_type::swci}));
    const auto id = members_.organisation_of(context_.caller);
    if (id != 0) return id;
    return refuse("{} belongs to no organisation and has no vote: an operator of an organisation's SN votes "
                  "there, with swarm-inspect vote",
                  to_hex(context_.caller.view()));
  }

  result<> vote(motion what) {
    SWARM_TRY(const auto voter, voting_organisation());
    std::sort(what.anchors.begin(), what.anchors.end());
    SWARM_CHECK(check_possible(records_, what));
    if (what.kind == motion_kind::remove && what.organisation == voter)
      return refuse("the organisation {} has no vote on its own removal", voter);
    what.key = key_of(what);
    auto votes = open_votes(voter);
    move_vote(voter, what, votes);
    if (const auto old = motions_.of(what.key).head(); old.kind != motion_kind{} && !is_open(old))
      motions_.remove(what.key); // the votes of its other voters end with it
    const bool repeated = holds(votes, what.key);
    if (!repeated) SWARM_CHECK(add_vote(voter, what, votes));
    const auto who = electorate_on(what.kind, what.organisation, members_.counts());
    const auto count = who.votes(motions_.of(what.key).voters().load());
    if (count >= who.needed) return pass(what);
    if (repeated)
      return refuse("the organisation {} votes so already: {} of {} votes are there", voter, count,
                    who.needed);
    return {};
  }

  result<> add_vote(organisation_id voter, const motion& what, std::vector<hash32>& votes) {
    if (votes.size() >= organisation_votes_max)
      return refuse("the organisation {} has {} open votes, the most it can have: take one back first", voter,
                    votes.size());
    const auto record = motions_.of(what.key);
    if (record.head().kind == motion_kind{}) {
      const auto expires = context_.block_num + motion_blocks;
      motions_.add(what, expires);
      emit(motion_begun{what.key, what.kind, what.organisation, what.name, what.anchors, what.limits,
                        expires});
    }
    auto voters = record.voters().load();
    voters.push_back(voter);
    record.voters().store(voters);
    votes.push_back(what.key);
    store_votes(voter, votes);
    emit(organisation_voted{what.key, voter, context_.caller});
    return {};
  }

  /// A vote on the same subject gives way to that on `what`.
  void move_vote(organisation_id voter, const motion& what, std::vector<hash32>& votes) {
    const auto given_way = std::find_if(votes.begin(), votes.end(), [&](const hash32& key) {
      return key != what.key && is_same_subject(motions_.read(key), what);
    });
    if (given_way == votes.end()) return;
    const auto key = *given_way;
    votes.erase(given_way);
    store_votes(voter, votes);
    take_back(voter, key);
  }

  void take_back(organisation_id voter, const hash32& key) {
    drop_voter(voter, key);
    emit(vote_taken_back{key, voter, context_.caller});
  }

  void drop_voter(organisation_id voter, const hash32& key) {
    const auto list = motions_.of(key).voters();
    auto voters = list.load();
    std::erase(voters, voter);
    if (voters.empty())
      motions_.remove(key);
    else
      list.store(voters);
  }

  result<> pass(const motion& what) {
    motions_.remove(what.key);
    if (what.kind == motion_kind::remove) {
      for (const auto& key : open_votes(what.organisation))
        drop_voter(what.organisation, key);
      store_votes(what.organisation, {});
    }
    std::visit([this](const auto& event) { emit(event); }, carry_out(records_, what, context_.block_num));
    return {};
  }

  /// The motions on which an organisation has an open vote. What is over loses its vote.
  std::vector<hash32> open_votes(organisation_id voter) {
    std::vector<hash32> out;
    for (std::size_t i = 0; i < organisation_votes_max; ++i) {
      const auto key = records_.of(voter).vote(i);
      if (key.is_zero()) break;
      if (!holds(motions_.of(key).voters().load(), voter)) continue;
      if (is_open(motions_.of(key).head()))
        out.push_back(key);
      else
        drop_voter(voter, key);
    }
    store_votes(voter, out);
    return out;
  }
  void store_votes(organisation_id voter, const std::vector<hash32>& votes) const {
    const auto record = records_.of(voter);
    for (std::size_t i = 0; i < organisation_votes_max; ++i) {
      const auto key = i < votes.size() ? votes[i] : hash32{};
      if (record.vote(i) != key) record.set_vote(i, key);
    }
  }

  bool is_open(const motion_slot& head) const {
    if (head.kind == motion_kind{} || context_.block_num > head.expires_block) return false;
    return head.kind == motion_kind::admit || records_.exists(head.organisation);
  }

  electorate electorate_on(motion_kind kind, organisation_id target,
                           std::map<organisation_id, std::uint32_t> counts) const {
    if (kind == motion_kind::remove) counts.erase(target);
    const auto needed = counts.size() / 2 + 1;
    return {std::move(counts), kind == motion_kind::remove ? std::max<std::size_t>(needed, 2) : needed};
  }

  hash32 key_of(const motion& what) const {
    const slots own(host_, context_.self);
    switch (what.kind) {
    case motion_kind::admit:
      return own.hash(abi::encode_call(admit_organisation_args{what.name, what.anchors}));
    case motion_kind::set_anchors:
      return own.hash(abi::encode_call(set_anchors_args{what.organisation, what.anchors}));
    case motion_kind::set_limits:
      return own.hash(abi::encode_call(set_limits_args{what.organisation, what.limits}));
    default:
      return own.hash(abi::encode_call(remove_organisation_args{what.organisation}));
    }
  }

  organisation_view view_of(organisation_id id,
                            const std::map<organisation_id, std::uint32_t>& counts) const {
    if (!records_.exists(id)) return {};
    const auto record = records_.of(id);
    const auto members = counts.find(id);
    return {id,
            record.name(),
            record.head().since_block,
            record.anchors(),
            record.limits(),
            members == counts.end() ? 0 : members->second};
  }

  motion_view view_of(const hash32& key, const std::map<organisation_id, std::uint32_t>& counts) const {
    const auto what = motions_.read(key);
    const auto record = motions_.of(key);
    const auto head = record.head();
    const auto who = electorate_on(what.kind, what.organisation, counts);
    return {key,
            what.kind,
            is_open(head),
            what.organisation,
            what.name,
            what.anchors,
            what.limits,
            head.expires_block,
            record.voters().load(),
            static_cast<std::uint16_t>(who.needed)};
  }

  template <class Event>
  void emit(const Event& event) {
    host_.emit(abi::encode_event(context_.self, event));
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  organisation_records records_;
  motion_records motions_;
  organisation_members members_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_organisation_registry() {
  return std::make_shared<typed_contract<organisation_registry_call, organisation_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>>
organisation_registry_genesis(const std::vector<ledger::founder>& founders) {
  return record_stores([&founders](const slots& in) {
    const organisation_records records(in);
    for (const auto& founder : founders)
      records.add(founder.name, founder.anchors, 0);
  });
}

} // namespace swarm::contracts
