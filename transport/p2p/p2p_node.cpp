#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "transport/p2p/p2p_node_impl.hpp"

#include <algorithm>

namespace swarm::p2p {

using transport::ws_close_code;

namespace {

constexpr std::string_view path = "/p2p";

std::uint64_t random_number() {
  std::uint8_t raw[8];
  fill_random(raw);
  return get_be64(raw);
}

} // namespace

std::string neighbor_facts::name() const {
  return fmt::format("{} (certificate {}, {})", to_hex(account.view()),
                     to_hex(cert_fingerprint.view().first(8), false), endpoint.empty() ? remote : endpoint);
}

p2p_node::impl::impl(transport::io_runtime& on, std::shared_ptr<const transport::tls_identity> who,
                     address own, signer signs, p2p_options given, head_facts at, p2p_callbacks tell)
    : io(on), identity(std::move(who)), account(own), sign(std::move(signs)), options(std::move(given)),
      callbacks(std::move(tell)), instance(random_number()), own_head(at),
      book(options, own, options.seed ? options.seed : random_number()),
      newcomers(std::max<std::size_t>(options.newcomers_max, 1)),
      relay(options.cached_txns_bytes, options.session.known_txns_max * 4, options.session.known_txns_for) {}

result<> p2p_node::impl::listen() {
  transport::http_server_options wanted;
  wanted.address = options.bind_address;
  wanted.port = options.port;
  wanted.name = "P2P";
  wanted.log_source = options.log_source;
  // Beside neighbors and newcomers there are those that were refused and still have to hear it.
  wanted.connections_max = 4 * (options.neighbors_max + options.newcomers_max);
  wanted.organisation_of = callbacks.organisation_of;
  wanted.body_bytes_max = 1024;
  wanted.ws = socket_options();
  wanted.on_upgrade = [weak = weak_from_this()](const transport::http_request& request)
      -> std::variant<transport::http_response, transport::ws_taker> {
    return [weak, target = request.target, remote = request.peer,
            offered = std::string(transport::find_header(request.headers, versions_header))](
               const std::shared_ptr<transport::ws_session>& socket) {
      if (const auto alive = weak.lock()) alive->accept(socket, target, remote, offered);
    };
  };
  SWARM_TRY(server, transport::http_server::start(
                        io, identity, std::move(wanted),
                        [](const transport::http_request&, const transport::http_reply& reply) {
                          reply(transport::text_response(404, "this port is for other sentinels only\n"));
                        }));
  return {};
}

transport::ws_options p2p_node::impl::socket_options() const {
  transport::ws_options out;
  out.message_bytes_max = frame_bytes_max;
  // The session's own queue bounds what waits: the socket takes whatever it hands out.
  out.send_queue_bytes_max = frame_bytes_max + options.session.consensus_window_bytes;
  out.send_queue_messages_max = out.send_queue_bytes_max;
  return out;
}

transport::ws_callbacks p2p_node::impl::socket_callbacks(const link_ptr& of) {
  transport::ws_callbacks out;
  const std::weak_ptr<impl> weak = weak_from_this();
  out.on_open = [weak, of](const transport::peer_info& remote) {
    if (const auto alive = weak.lock()) alive->opened(of, remote);
  };
  out.on_message = [weak, of](transport::ws_message message) {
    if (const auto alive = weak.lock()) alive->on_message(of, std::move(message));
  };
  out.on_close = [weak, of](const error& why) {
    if (const auto alive = weak.lock()) alive->on_closed(of, why);
  };
  return out;
}

void p2p_node::impl::tick() {
  const auto now = time_now();
  std::vector<link_ptr> all;
  {
    std::lock_guard lock(mutex);
    if (stopping) return;
    for (const auto& [id, each] : links)
      all.push_back(each);
  }
  for (const auto& each : all) {
    const bool listening = each->listening();
    with(each, [&](neighbor_session& session) { session.tick(now, listening); });
  }
  dial_due(now);
  std::lock_guard lock(mutex);
  if (stopping) return;
  timer = io.after(options.tick, [weak = weak_from_this()] {
    if (const auto alive = weak.lock()) alive->tick();
  });
}

void p2p_node::impl::dial_due(time_point now) {
  std::vector<neighbor_book::dial_order> orders;
  {
    std::lock_guard lock(mutex);
    if (stopping) return;
    std::set<address> connected;
    for (const auto& [who, each] : neighbors)
      connected.insert(who);
    const auto dialled = std::count_if(links.begin(), links.end(), [](const auto& each) {
      return each.second->order && !each.second->admitted && !each.second->dropped;
    });
    orders = book.due(connected, neighbors.size() + static_cast<std::size_t>(dialled), now);
  }
  for (const auto& order : orders)
    dial(order);
}

void p2p_node::impl::dial(const neighbor_book::dial_order& order) {
  link_ptr fresh;
  {
    std::lock_guard lock(mutex);
    if (stopping) return;
    fresh = std::make_shared<link>(io, ++last_id, order, ++dials);
    links.emplace(fresh->id, fresh);
  }
  auto to = endpoint::parse(order.endpoint).value(); // the book holds only checked endpoints
  auto how = socket_options();
  if (options.versions != versions_unsaid)
    how.headers.emplace_back(versions_header, text_of(options.versions));
  fresh->attach(transport::ws_connect(io, identity, std::move(to.host), to.port, std::string(path),
                                      std::move(how), socket_callbacks(fresh)));
}

void p2p_node::impl::accept(const std::shared_ptr<transport::ws_session>& socket, const std::string& target,
                            const transport::peer_info& remote, std::string_view offered) {
  std::string why_not = target == path ? refusal_of(remote, false) : "there is nothing but /p2p";
  const auto theirs = offered.empty() ? result<version_range>(versions_unsaid) : read_versions(offered);
  const auto agreed = theirs ? newest_common(options.versions, *theirs) : std::nullopt;
  if (why_not.empty() && !agreed)
    why_not = theirs ? fmt::format("versions {} of the P2P protocol; {} speaks {}: upgrade the older swarmd",
                                   text_of(*theirs), options.program, text_of(options.versions))
                     : theirs.error().message;
  link_ptr fresh, goes;
  {
    std::lock_guard lock(mutex);
    if (stopping) return socket->close(ws_close_code::going_away, "the node stops");
    if (why_not.empty()) why_not = why_not_accepted(remote);
    if (why_not.empty()) {
      fresh = std::make_shared<link>(io, ++last_id, std::nullopt, 0);
      links.emplace(fresh->id, fresh);
      if (const auto displaced = newcomers.enter(fresh->id, remote.anchor->fingerprint))
        if (const auto found = links.find(*displaced); found != links.end()) goes = found->second;
    }
  }
  if (goes) {
    note_over_share(goes, "it said no hello before others wanted its place");
    drop(goes, "no hello before others wanted its place", false);
  }
  if (!fresh) {
    warn_limited(remote.address, fmt::format("a connection from {} is refused: {}",
                                             host_port(remote.address, remote.port), why_not));
    return socket->close(ws_close_code::policy, why_not);
  }
  fresh->attach(socket);
  greet(fresh, remote, {*agreed, *agreed});
  socket->start(socket_callbacks(fresh));
}

std::string p2p_node::impl::refusal_of(const transport::peer_info& remote, bool dialled) {
  auto why = callbacks.unwanted ? callbacks.unwanted(remote, dialled) : std::string();
  if (why.empty()) return why;
  std::lock_guard lock(mutex);
  ++unwanted;
  last_unwanted = fmt::format("{}: {}", host_port(remote.address, remote.port), why);
  return why;
}

/// A connection that this node dialled is open.
void p2p_node::impl::opened(const link_ptr& which, const transport::peer_info& remote) {
  if (const auto why = refusal_of(remote, true); !why.empty()) return drop(which, why, false);
  greet(which, remote, options.versions);
}

/// The connection is open. Who was dialled says its hello in the one version that is left; who dialled has one ready in
/// each and waits.
void p2p_node::impl::greet(const link_ptr& to, const transport::peer_info& remote,
                           const version_range& versions) {
  hello own;
  {
    std::lock_guard lock(mutex);
    own.head = own_head;
  }
  own.chain_id = options.chain_id;
  own.genesis = options.genesis;
  own.account = account;
  own.endpoint = options.endpoint;
  own.program = options.program;
  own.validates = options.validates;
  own.instance = instance;
  own.connection = to->number;
  own.rules_known = options.rules_known;
  std::vector<hello> all;
  for (own.version = versions.first; own.version <= versions.last; ++own.version) {
    own.proof = sign(hello_digest(own, remote.own_fingerprint, remote.cert_fingerprint));
    all.push_back(own);
  }
  const auto &mine = remote.own_fingerprint, &theirs = remote.cert_fingerprint;
  to->begin(remote, to->order ? neighbor_session(options.session, std::move(all), mine, theirs, time_now())
                              : neighbor_session(options.session, all.back(), mine, theirs, time_now()));
}

void p2p_node::impl::on_message(const link_ptr& from, transport::ws_message message) {
  result<frame> decoded = fail(frame_errc::malformed, "a text message");
  if (!message.text) decoded = decode(message.data);
  auto actions = from->with([&](neighbor_session& session) {
    session.on_frame(std::move(decoded), message.data.size(), time_now());
  });
  perform(from, std::move(actions), message.credit);
}

void p2p_node::impl::on_closed(const link_ptr& which, const error& why) {
  drop(which, why.message, false);
  const auto now = time_now();
  bool news = true, admitted = false, quiet = false;
  std::string reason;
  {
    std::lock_guard lock(mutex);
    if (stopping) return;
    links.erase(which->id);
    admitted = which->admitted;
    quiet = which->quiet;
    reason = which->end_reason;
    const auto lasted = admitted ? now - which->created : duration{0};
    if (which->order) news = book.dial_ended(which->order->endpoint, lasted, reason, now);
  }
  tell_gone(which, reason);
  if (admitted || quiet) return;
  if (which->order) {
    if (news)
      log::warning(options.log_source, "cannot connect to the SN at {}: {}", which->order->endpoint, reason);
  } else {
    warn_limited(which->remote().address,
                 fmt::format("{} connected but is not accepted: {}", which->name(), reason));
  }
}

void p2p_node::impl::drop(const link_ptr& which, const std::string& reason, bool refuse, ws_close_code code) {
  const auto now = time_now();
  const auto facts = which->facts();
  const double points = facts ? which->status(now).offence_points : 0;
  txn_relay::questions questions;
  bool was_neighbor = false;
  {
    std::lock_guard lock(mutex);
    if (std::exchange(which->dropped, true)) return;
    which->end_reason = reason;
    newcomers.leave(which->id);
    was_neighbor = which->admitted;
    if (const auto found = facts ? neighbors.find(facts->account) : neighbors.end();
        found != neighbors.end() && found->second == which) {
      neighbors.erase(found);
      book.neighbor_gone(facts->account, now);
    }
    if (facts && refuse) book.refuse(facts->account, facts->cert_fingerprint, reason, now);
    if (facts) book.keep_points(facts->account, refuse ? 0 : points, now);
    questions = relay.neighbor_gone(which->id);
  }
  which->with([&](neighbor_session& session) { session.close(reason); });
  which->hang_up(code, reason);
  io.post([weak = weak_from_this(), which, reason] {
    if (const auto alive = weak.lock()) alive->tell_gone(which, reason);
  });
  ask(std::move(questions));
  if (!was_neighbor) return;
  if (refuse)
    log::warning(options.log_source, "neighbor {} is disconnected and refused for {} s: {}", which->name(),
                 std::chrono::duration_cast<std::chrono::seconds>(options.refuse_for).count(), reason);
  else
    log::info(options.log_source, "neighbor {} is gone: {}", which->name(), reason);
}

void p2p_node::impl::stop() {
  std::vector<link_ptr> all;
  {
    std::lock_guard lock(mutex);
    if (std::exchange(stopping, true)) return;
    for (const auto& [id, each] : links)
      all.push_back(each);
    timer.cancel();
  }
  for (const auto& each : all) {
    each->say_last([] {});
    each->hang_up(ws_close_code::going_away, "the node stops");
  }
  if (server) server->stop();
}

std::vector<link_ptr> p2p_node::impl::neighbor_links() const {
  std::lock_guard lock(mutex);
  std::vector<link_ptr> out;
  out.reserve(neighbors.size());
  for (const auto& [who, each] : neighbors)
    out.push_back(each);
  return out;
}

link_ptr p2p_node::impl::find(neighbor_id neighbor) const {
  std::lock_guard lock(mutex);
  const auto found = links.find(neighbor);
  return found != links.end() && found->second->admitted && !found->second->dropped ? found->second : nullptr;
}

p2p_status p2p_node::impl::status() const {
  const auto now = time_now();
  p2p_status out;
  out.port = server->port();
  for (const auto& each : neighbor_links())
    out.neighbors.push_back(each->status(now));
  std::lock_guard lock(mutex);
  for (const auto& [endpoint, each] : book.targets())
    out.targets.push_back(
        {endpoint, each.configured, each.account, each.waits.attempts(), each.last_failure});
  for (const auto& [who, each] : book.refusals())
    if (each.until > now) out.refused.push_back({who, each.reason, each.until - now});
  out.unwanted = unwanted;
  out.last_unwanted = last_unwanted;
  out.over_share = over_share;
  out.last_over_share = last_over_share;
  for (const auto& [id, each] : links)
    out.newcomers += each->admitted ? 0 : 1;
  return out;
}

// The interface

result<std::unique_ptr<p2p_node>> p2p_node::start(transport::io_runtime& io,
                                                  std::shared_ptr<const transport::tls_identity> identity,
                                                  address account, signer sign, p2p_options options,
                                                  head_facts head, p2p_callbacks callbacks) {
  if (!options.endpoint.empty()) SWARM_CHECK(check_endpoint(options.endpoint));
  for (const auto& each : options.dial)
    SWARM_CHECK(check_endpoint(each));
  auto made = std::make_shared<impl>(io, std::move(identity), account, std::move(sign), std::move(options),
                                     head, std::move(callbacks));
  for (const auto& each : made->options.dial)
    made->book.configure(each, time_now());
  SWARM_CHECK(made->listen());
  made->tick();
  return std::unique_ptr<p2p_node>(new p2p_node(std::move(made)));
}

p2p_node::~p2p_node() {
  stop();
}

std::uint16_t p2p_node::port() const {
  return impl_->server->port();
}

void p2p_node::stop() {
  impl_->stop();
}

void p2p_node::broadcast_consensus(bytes message, const std::function<bool(const neighbor_facts&)>& to) {
  const auto encoded = std::make_shared<const bytes>(encode_consensus(message));
  for (const auto& each : impl_->neighbor_links()) {
    const auto facts = each->facts();
    if (to && !to(*facts)) continue;
    impl_->with(each, [&](neighbor_session& session) { session.send_consensus(encoded); });
  }
}

bool p2p_node::send_consensus(neighbor_id neighbor, bytes message) {
  const auto to = impl_->find(neighbor);
  if (!to) return false;
  const auto encoded = std::make_shared<const bytes>(encode_consensus(message));
  impl_->with(to, [&](neighbor_session& session) { session.send_consensus(encoded); });
  return true;
}

void p2p_node::gossip_txn(bytes raw) {
  const auto now = time_now();
  const auto hash = keccak256(raw);
  const auto held = std::make_shared<const bytes>(std::move(raw));
  bool starts_here = false;
  {
    std::lock_guard lock(impl_->mutex);
    starts_here = impl_->relay.accepted(hash, held, now);
  }
  for (const auto& each : impl_->neighbor_links())
    impl_->with(each, [&](neighbor_session& session) { session.gossip(hash, held, starts_here, now); });
}

void p2p_node::announce_head(const head_facts& head, std::optional<neighbor_id> neighbor) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->own_head = head;
  }
  const auto send = [&](neighbor_session& session) { session.send_head(head); };
  if (!neighbor) {
    for (const auto& each : impl_->neighbor_links())
      impl_->with(each, send);
  } else if (const auto to = impl_->find(*neighbor)) {
    impl_->with(to, send);
  }
}

void p2p_node::announce_head_to(const head_facts& head,
                                const std::function<bool(const neighbor_facts&)>& to) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->own_head = head;
  }
  for (const auto& each : impl_->neighbor_links())
    if (const auto facts = each->facts(); facts && to(*facts))
      impl_->with(each, [&](neighbor_session& session) { session.send_head(head); });
}

void p2p_node::send_signs(std::vector<bytes> raw) {
  if (raw.empty()) return;
  const auto encoded = std::make_shared<const bytes>(encode(signs{std::move(raw)}));
  for (const auto& each : impl_->neighbor_links())
    impl_->with(each, [&](neighbor_session& session) { session.send_signs(encoded); });
}

bool p2p_node::ask_blocks(neighbor_id neighbor, std::uint64_t first, std::uint64_t count) {
  const auto to = impl_->find(neighbor);
  bool asked = false;
  if (to)
    impl_->with(to, [&](neighbor_session& session) { asked = session.ask_blocks(first, count, time_now()); });
  return asked;
}

void p2p_node::answer_blocks(neighbor_id neighbor, std::uint64_t request_id,
                             std::vector<sealed_block> blocks) {
  if (const auto to = impl_->find(neighbor))
    impl_->with(to, [&](neighbor_session& session) { session.answer_blocks(request_id, std::move(blocks)); });
}

bool p2p_node::ask_part(neighbor_id neighbor, std::uint64_t tag, bytes question) {
  const auto to = impl_->find(neighbor);
  bool asked = false;
  if (to)
    impl_->with(to, [&](neighbor_session& session) {
      asked = session.ask_part(tag, std::move(question), time_now());
    });
  return asked;
}

void p2p_node::answer_part(neighbor_id neighbor, std::uint64_t request_id, bytes answer) {
  if (const auto to = impl_->find(neighbor))
    impl_->with(to, [&](neighbor_session& session) { session.answer_part(request_id, std::move(answer)); });
}

void p2p_node::penalize(neighbor_id neighbor, std::string_view reason, double points) {
  if (const auto to = impl_->find(neighbor))
    impl_->with(to, [&](neighbor_session& session) { session.penalize(reason, points, time_now()); });
}

void p2p_node::disconnect(neighbor_id neighbor, const std::string& reason) {
  if (const auto which = impl_->find(neighbor)) impl_->drop(which, reason, false, ws_close_code::going_away);
}

result<> p2p_node::dial(const std::string& endpoint) {
  SWARM_CHECK(check_endpoint(endpoint));
  {
    std::lock_guard lock(impl_->mutex);
    impl_->book.configure(endpoint, time_now());
  }
  impl_->dial_due(time_now());
  return {};
}

p2p_status p2p_node::status() const {
  return impl_->status();
}

std::optional<neighbor_status> p2p_node::status(neighbor_id neighbor) const {
  const auto which = impl_->find(neighbor);
  if (!which) return std::nullopt;
  return which->status(time_now());
}

} // namespace swarm::p2p
