#include "tests/simulator/organisations/member_desk.hpp"

#include "actors/sn/membership/machine/votes.hpp"
#include "contracts/organisations/client.hpp"
#include "tests/simulator/network.hpp"

#include <algorithm>

namespace swarm::simulator {

using namespace contracts;

namespace {

const auto registry = node_registry_address();

bytes call_for(const vouching::vouching_action& what) {
  if (const auto* one = std::get_if<vouching::action::vouch>(&what))
    return encode_vouch(one->account, one->statement);
  if (const auto* one = std::get_if<vouching::action::accuse>(&what))
    return encode(accuse_args{one->organisation});
  if (const auto* one = std::get_if<vouching::action::settle>(&what))
    return encode(settle_args{one->account});
  if (const auto* one = std::get_if<vouching::action::remove>(&what)) return encode_remove_node(one->account);
  if (std::holds_alternative<vouching::action::answer>(what)) return encode(answer_args{});
  return {};
}

} // namespace

std::uint64_t send_call(world& in, std::size_t node, const ledger::private_key& key, const address& to,
                        bytes input) {
  auto& chain = *in.node(node).app().chain();
  ledger::txn_fields fields;
  fields.nonce = chain.pending_nonce(key.account()).value();
  fields.gas_limit = call_gas;
  fields.to = to;
  fields.data = std::move(input);
  const auto id = in.book().add(ledger::make_signed(std::move(fields), key, chain.chain_id()).value());
  in.node(node).offer(id);
  return id;
}

member_desk::member_desk(world& in, std::size_t node)
    : world_(in), node_(node), key_(key_from("node", node)), machine_(key_.account()) {}

const ledger::chain& member_desk::chain() const {
  return *world_.node(node_).app().chain();
}

time_point member_desk::now() const {
  return time_point(std::chrono::microseconds(world_.now()));
}

template <class Event>
void member_desk::step(const Event& event) {
  machine_.step(event, now());
  for (const auto& action : machine_.take_actions())
    if (auto input = call_for(action); !input.empty())
      call(std::move(input), !std::holds_alternative<vouching::action::settle>(action));
}

/// `try_first`: only if it would succeed at the head, as /sn/chain has it.
void member_desk::call(bytes input, bool try_first) {
  if (try_first) {
    const auto tried = chain().call({.from = key_.account(), .to = registry, .input = input});
    if (!tried || tried->status != ledger::call_status::ok) return;
  }
  send_call(world_, node_, key_, registry, std::move(input));
}

void member_desk::tick() {
  for (const auto head = chain().head()->header.block_num; seen_ < head;)
    take(**chain().block_by_num(++seen_));
  if (world_.now() >= stepped_ + machine_every) {
    stepped_ = world_.now();
    step(vouching::event::tick{});
  }
  if (world_.now() < voted_ + votes_every) return;
  voted_ = world_.now();
  look_at_council();
  const bool pending = *chain().pending_nonce(key_.account()) != chain().account_of(key_.account())->nonce;
  report_liars(pending);
  vote(pending);
}

void member_desk::take(const ledger::executed_block& block) {
  for (const auto& outcome : block.outcomes)
    for (const auto& log : outcome.consensus.logs)
      if (log.emitter == registry)
        if (const auto event = decode_node_event(log.topics, log.data)) take(*event);
}

void member_desk::take(const node_event& event) {
  if (const auto* what = std::get_if<node_registered>(&event)) {
    const auto waits = ask(chain(), registry, pending_of_args{what->account});
    const node_statement claimed{what->account,  what->organisation, what->type,
                                 what->identity, what->expiry,       what->sequence};
    if (waits.hash != statement_hash(claimed)) return;
    const bool proved = what->proof == proof_of(what->organisation, waits.hash);
    step(vouching::event::applied{what->account, waits.hash, what->organisation, what->parent, "a node",
                                  proved ? "" : "not proved"});
  } else if (const auto* vouch = std::get_if<node_vouched>(&event)) {
    step(vouching::event::vouched{vouch->account, vouch->statement, vouch->organisation});
  } else if (const auto* admitted = std::get_if<node_admitted>(&event)) {
    step(vouching::event::closed{admitted->account});
    const auto node = ask(chain(), registry, node_args{admitted->account});
    const auto known = [&](const auto& sn) { return sn.account == node.account; };
    if (node.type == node_type::sn && std::none_of(council_.begin(), council_.end(), known)) {
      council_.push_back({node.account, node.organisation, true});
      look_at_council();
    }
  } else if (const auto* left = std::get_if<node_left>(&event)) {
    step(vouching::event::closed{left->account});
  } else if (const auto* removed = std::get_if<node_removed>(&event)) {
    step(vouching::event::closed{removed->account});
  } else if (const auto* accused = std::get_if<organisation_accused>(&event)) {
    step(vouching::event::accused{accused->organisation});
  } else if (const auto* answered = std::get_if<accusation_answered>(&event)) {
    step(vouching::event::answered{answered->organisation});
  }
}

void member_desk::look_at_council() {
  std::map<organisation_id, bool> live;
  std::erase_if(council_,
                [&](const auto& sn) { return !ask(chain(), registry, node_args{sn.account}).active; });
  for (auto& sn : council_) {
    const auto [at, is_new] = live.try_emplace(sn.organisation, false);
    if (is_new) at->second = ask(chain(), registry, standing_args{sn.organisation}).live;
    sn.live = at->second;
  }
  step(vouching::event::council{council_});
}

/// All SNs are here: the attackers' keep their connections, whatever they do beside that.
void member_desk::vote(bool pending) {
  membership::network_view view;
  view.self = key_.account();
  view.validators = ask(chain(), registry, get_validators_args{});
  view.members = ask(chain(), registry, validator_members_args{});
  for (const auto& sn : council_) {
    view.nodes.push_back(ask(chain(), registry, node_args{sn.account}));
    if (sn.account != view.self) view.connected.push_back({sn.account, view.nodes.back().identity, true});
    const auto voters = ask(chain(), registry, voters_on_args{sn.account});
    if (std::find(voters.begin(), voters.end(), view.self) != voters.end()) view.voted_on.insert(sn.account);
    if (ask(chain(), registry, double_vote_of_args{sn.account}) != u256(0)) view.barred.insert(sn.account);
  }
  for (const auto& member : view.members) {
    const auto organisation = ask(chain(), registry, node_args{member}).organisation;
    const auto known = ask(chain(), organisation_registry_address(), organisation_args{organisation});
    if (organisation != 0 && known.id == 0) view.homeless.insert(member);
  }
  const auto next = membership::next_vote(view);
  const auto head = chain().head()->header.block_num;
  if (!next || (pending && next == last_vote_ && head < voted_at_ + 8)) return;
  last_vote_ = next;
  voted_at_ = head;
  call(next->discard ? encode_discard_validator_vote(next->account)
                     : encode_propose_validator_vote(next->account, next->add),
       true);
}

void member_desk::on_evidence(const consensus::evidence& found) {
  proofs_.try_emplace(found.author, ledger::encode_double_vote(found.proof));
}

/// A report does not wait for other transactions of this node, and is sent once while any waits.
void member_desk::report_liars(bool pending) {
  if (!pending || chain().head()->header.block_num >= sent_at_ + 8) reported_.clear();
  const auto members = ask(chain(), registry, validator_members_args{});
  for (const auto& [who, proof] : proofs_) {
    if (std::find(members.begin(), members.end(), who) == members.end()) continue;
    if (!reported_.insert(who).second) continue;
    sent_at_ = chain().head()->header.block_num;
    return call(encode_report_double_vote(proof), true);
  }
}

} // namespace swarm::simulator
