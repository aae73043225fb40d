#include "base/log.hpp"
#include "transport/p2p/p2p_node_impl.hpp"

namespace swarm::p2p {

void p2p_node::impl::perform(const link_ptr& from, std::vector<session_action> actions, const credit& held) {
  for (auto& each : actions)
    std::visit([&](auto&& what) { on(from, std::forward<decltype(what)>(what), held); }, std::move(each));
}

void p2p_node::impl::on(const link_ptr& from, const action::greeted& what, const credit&) {
  const auto remote = from->remote();
  neighbor_facts facts{.account = what.from.account,
                       .cert_fingerprint = remote.cert_fingerprint,
                       .certificate = remote.certificate,
                       .anchor = remote.anchor,
                       .endpoint = what.from.endpoint,
                       .remote = host_port(remote.address, remote.port),
                       .program = what.from.program,
                       .validates = what.from.validates,
                       .dialled = from->order.has_value(),
                       .version = what.from.version,
                       .rules_known = what.from.rules_known,
                       .head = what.from.head};
  from->set_facts(facts);
  const auto taken = take_in(from, what.from);
  if (taken.why_not) {
    if (taken.over_share) note_over_share(from, *taken.why_not);
    if (taken.old) with(taken.old, [&](neighbor_session& session) { session.probe(time_now()); });
    return with(from, [&](neighbor_session& session) { session.close(*taken.why_not); });
  }
  if (taken.old) {
    drop(taken.old, "another connection takes its place", false);
    tell_gone(taken.old, "another connection takes its place");
  }
  if (taken.displaced) {
    note_over_share(taken.displaced, "its place is for another SN now");
    drop(taken.displaced, "its place is for another SN now", false);
  }
  double points = 0;
  {
    std::lock_guard lock(mutex);
    points = book.points(facts.account, time_now());
  }
  with(from, [&](neighbor_session& session) { session.admit(points, time_now()); });
  log::info(options.log_source, "neighbor {} is connected, {}{}; its head is block {}; {}, P2P version {}",
            facts.name(), facts.dialled ? "dialled" : "accepted", facts.validates ? "" : ", an observer",
            facts.head.block_num, facts.program, facts.version);
  tell_neighbor(from, facts);
}

p2p_node::impl::entrance p2p_node::impl::take_in(const link_ptr& fresh, const hello& from) {
  const auto now = time_now();
  std::lock_guard lock(mutex);
  const auto refused = [](std::string why, link_ptr old = nullptr) {
    return entrance{.why_not = std::move(why), .old = std::move(old), .displaced = nullptr};
  };
  if (stopping || fresh->dropped) return refused("the node stops");
  if (fresh->order) book.answered(fresh->order->endpoint, from.account);
  if (from.account == account) {
    fresh->quiet = true;
    if (fresh->order) book.is_own(fresh->order->endpoint);
    return refused("this is the node itself");
  }
  if (const auto* refusal = book.refused(from.account, now))
    return refused("refused for a while: " + refusal->reason);
  if (fresh->order && fresh->order->expected && *fresh->order->expected != from.account)
    return refused("another account than the one that was told of");
  fresh->connection = {fresh->order.has_value(), from.instance,
                       fresh->order ? fresh->number : from.connection};
  entrance out;
  const auto found = neighbors.find(from.account);
  if (found != neighbors.end()) {
    out.old = found->second;
    if (!fresh_one_stays(account, from.account, out.old->connection, fresh->connection)) {
      fresh->quiet = true;
      return refused("another connection to this account stays", out.old);
    }
    found->second = fresh;
  } else {
    const auto place = place_for(fresh);
    out.over_share = place.over_share;
    if (!place.why_not.empty()) {
      fresh->quiet = place.over_share; // the log says it by organisation
      out.why_not = place.why_not;
      return out;
    }
    if (place.displaced) out.displaced = links.at(*place.displaced);
    neighbors.emplace(from.account, fresh);
  }
  fresh->admitted = true;
  newcomers.leave(fresh->id);
  if (!from.endpoint.empty())
    book.learn(from.account, from.endpoint, fresh->facts()->anchor->fingerprint, now);
  return out;
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_consensus what, const credit& held) {
  from->say([&] {
    if (callbacks.on_consensus) callbacks.on_consensus(from->id, std::move(what.message), held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_head what, const credit&) {
  from->say([&] {
    if (callbacks.on_head) callbacks.on_head(from->id, what.now);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_signs what, const credit& held) {
  from->say([&] {
    if (callbacks.on_signs) callbacks.on_signs(from->id, std::move(what.raw), held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_txns what, const credit& held) {
  const auto now = time_now();
  std::vector<bytes> fresh;
  {
    std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < what.raw.size(); ++i)
      if (relay.arrived(what.hashes[i], now)) fresh.push_back(std::move(what.raw[i]));
  }
  if (fresh.empty()) return;
  from->say([&] {
    if (callbacks.on_txns) callbacks.on_txns(from->id, std::move(fresh), held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::txns_heard what, const credit&) {
  txn_relay::questions questions;
  {
    std::lock_guard lock(mutex);
    if (from->dropped) return;
    auto unknown = relay.announced(from->id, what.hashes);
    if (!unknown.empty()) questions.emplace(from->id, std::move(unknown));
  }
  ask(std::move(questions));
}

/// A neighbor that cannot be asked counts as not having them, so the list of those who could give them
/// gets shorter.
void p2p_node::impl::ask(txn_relay::questions questions) {
  while (!questions.empty()) {
    auto [neighbor, hashes] = std::move(*questions.begin());
    questions.erase(questions.begin());
    auto left = hashes;
    if (const auto to = find(neighbor))
      with(to, [&](neighbor_session& session) { left = session.ask_txns(hashes, time_now()); });
    if (left.empty()) continue;
    std::lock_guard lock(mutex);
    for (auto& [other, more] : relay.missed(neighbor, left)) {
      auto& all = questions[other];
      all.insert(all.end(), more.begin(), more.end());
    }
  }
}

void p2p_node::impl::on(const link_ptr& from, action::txns_wanted what, const credit&) {
  std::vector<shared_bytes> found;
  {
    std::lock_guard lock(mutex);
    for (const auto& hash : what.hashes)
      if (auto raw = relay.find(hash)) found.push_back(std::move(raw));
  }
  std::vector<bytes> raw;
  for (const auto& each : found)
    raw.push_back(*each);
  with(from, [&](neighbor_session& session) { session.answer_txns(what.id, std::move(raw)); });
}

void p2p_node::impl::on(const link_ptr& from, action::txns_missed what, const credit&) {
  txn_relay::questions questions;
  {
    std::lock_guard lock(mutex);
    questions = relay.missed(from->id, what.hashes);
  }
  ask(std::move(questions));
}

void p2p_node::impl::on(const link_ptr& from, action::blocks_wanted what, const credit&) {
  from->say([&] {
    if (callbacks.on_blocks_wanted)
      callbacks.on_blocks_wanted(from->id, what.id, what.first, what.count, what.bytes_max);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_blocks what, const credit& held) {
  from->say([&] {
    if (callbacks.on_blocks) callbacks.on_blocks(from->id, what.first, std::move(what.blocks), held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::part_wanted what, const credit& held) {
  from->say([&] {
    if (callbacks.on_part_wanted)
      callbacks.on_part_wanted(from->id, what.id, std::move(what.question), what.bytes_max, held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::deliver_part what, const credit& held) {
  from->say([&] {
    if (callbacks.on_part) callbacks.on_part(from->id, what.tag, std::move(what.answer), held);
  });
}

void p2p_node::impl::on(const link_ptr& from, action::neighbors_wanted, const credit&) {
  std::vector<peer_entry> known;
  for (const auto& each : neighbor_links()) {
    const auto facts = each->facts();
    if (each != from && !facts->endpoint.empty() && known.size() < neighbors_max)
      known.push_back({facts->account, facts->endpoint});
  }
  with(from, [&](neighbor_session& session) { session.answer_neighbors(std::move(known)); });
}

void p2p_node::impl::on(const link_ptr& from, const action::neighbors_heard& what, const credit&) {
  const auto now = time_now();
  std::lock_guard lock(mutex);
  const auto facts = from->facts();
  for (const auto& each : what.neighbors)
    book.learn(each.account, each.endpoint, facts->anchor->fingerprint, now);
}

void p2p_node::impl::on(const link_ptr& from, action::offence what, const credit&) {
  warn_limited(from->name(),
               fmt::format("neighbor {}: {} (+{:.0f}, {:.0f} of {:.0f} points)", from->name(), what.reason,
                           what.points, what.sum, options.session.offence_points_max));
}

void p2p_node::impl::on(const link_ptr& from, const action::close& what, const credit&) {
  drop(from, what.reason, what.refuse);
}

void p2p_node::impl::tell_neighbor(const link_ptr& which, const neighbor_facts& facts) {
  const auto gone = [&](const link_ptr& old) {
    old->say_last([&] {
      if (callbacks.on_neighbor_gone)
        callbacks.on_neighbor_gone(old->id, "another connection takes its place");
    });
  };
  std::lock_guard lock(telling);
  if (which->is_gone()) return; // replaced already
  // Another thread may still be about to report the end of the connection before.
  if (const auto before = told.find(facts.account); before != told.end()) {
    gone(before->second);
    told.erase(before);
  }
  const bool heard = which->say(
      [&] {
        if (callbacks.on_neighbor) callbacks.on_neighbor(which->id, facts);
      },
      true);
  if (heard) told.emplace(facts.account, which);
}

void p2p_node::impl::tell_gone(const link_ptr& which, const std::string& reason) {
  std::lock_guard lock(telling);
  which->say_last([&] {
    if (callbacks.on_neighbor_gone) callbacks.on_neighbor_gone(which->id, reason);
  });
  std::erase_if(told, [&](const auto& each) { return each.second == which; });
}

void p2p_node::impl::warn_limited(const std::string& key, std::string text) {
  const auto left_out = limiter.admit(key, time_now());
  if (!left_out) return;
  if (*left_out > 0) text += fmt::format(" (and {} more such lines left out)", *left_out);
  log::warning(options.log_source, "{}", text);
}

} // namespace swarm::p2p
