#include "transport/http/http_client.hpp"

#include "base/log.hpp"
#include "transport/http/detail/http_exchange.hpp"
#include "transport/tls/detail/live_chains.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>

namespace swarm::transport {

namespace {

constexpr std::size_t read_buffer_bytes = 64 * 1024;
constexpr std::size_t remembered_hosts_max = 1024;

/// A coroutine that owns one connection and carries out calls to its host one after another, on its strand.
struct worker : std::enable_shared_from_this<worker> {
  asio::any_io_executor strand;
  wake_up wake;
  kept_connection connection;
  std::shared_ptr<dialer> dialling;

  explicit worker(const asio::any_io_executor& on) : strand(on), wake(on) {}
  /// Breaks off the call under way.
  void break_off() {
    if (dialling) dialling->cancel();
    if (connection.stream) beast::get_lowest_layer(*connection.stream).close();
    wake.raise();
  }
  /// Takes a new connection, for as long as the server's certificate holds.
  void take(dialer::secured&& from, live_chains& live) {
    auto* ssl = from.stream->tls().native_handle();
    connection.stream = std::move(from.stream);
    connection.peer = std::move(from.peer);
    const auto* of = connection.stream.get();
    connection.alive = live.add(std::move(from.chain), presented_by::server, verified_by(ssl),
                                connection.peer, [weak = weak_from_this(), of](const error&) {
                                  const auto here = weak.lock();
                                  if (here)
                                    asio::post(here->strand, [here, of] { here->end_connection(of); });
                                });
  }
  void end_connection(const either_stream* which) {
    if (connection.stream.get() == which) break_off();
  }
  void drop_connection() { connection = kept_connection{}; }
};

struct outcome {
  result<http_response> answer;
  peer_info peer;
};

using call_ptr = std::shared_ptr<http_call::state>;
using worker_ptr = std::shared_ptr<worker>;

struct host_pool {
  std::deque<call_ptr> waiting;
  std::vector<worker_ptr> idle; ///< the most recently used last
  std::map<worker_ptr, call_ptr> busy;
  std::size_t workers = 0;
  session_ptr session;              ///< of the last connection, to resume
  const void* session_by = nullptr; ///< the TLS context that it was made with

  bool unused() const { return waiting.empty() && workers == 0; }
};

} // namespace

struct http_client::impl : std::enable_shared_from_this<http_client::impl> {
  using pool_key = std::pair<std::string, std::uint16_t>;

  io_runtime& io;
  std::shared_ptr<const tls_identity> identity;
  http_client_options options;
  mutable std::mutex mutex; ///< guards what follows
  std::condition_variable changed;
  std::map<pool_key, host_pool> pools;
  std::size_t workers = 0;
  std::size_t completions_posted = 0;
  bool stopping = false;
  http_client_totals totals;

  impl(io_runtime& runtime, std::shared_ptr<const tls_identity> own, http_client_options given)
      : io(runtime), identity(std::move(own)), options(given) {}

  void submit(const call_ptr& call);
  void cancel(const call_ptr& call);
  void stop();
  void complete_later(const call_ptr& call, error why);
  void break_off(const worker_ptr& which, const call_ptr& call);
  void begin_worker(host_pool& pool, const pool_key& key, const call_ptr& call);

  task<> run_worker(worker_ptr self, pool_key key, call_ptr call);
  /// What a worker does after a call: it takes the next one, waits in the idle list, or ends.
  struct after_call {
    call_ptr next;
    bool waits = false;
  };
  after_call release(const worker_ptr& self, const pool_key& key);
  task<call_ptr> wait_for_call(worker_ptr self, const pool_key& key);
  task<outcome> try_to_carry_out(worker_ptr self, const pool_key& key, call_ptr call);
  task<outcome> carry_out(worker& self, const pool_key& key, http_call::state& call);
  task<result<>> ensure_connection(worker& self, const pool_key& key, http_call::state& call);
  void complete(http_call::state& call, outcome how);
  void keep_session(const pool_key& key, kept_connection& connection);
  void forget_unused();
};

void http_client::impl::submit(const call_ptr& call) {
  pool_key key{call->host, call->port};
  std::lock_guard lock(mutex);
  ++totals.requests;
  if (stopping)
    return complete_later(call, make_error(net_errc::cancelled, "{}: the client was stopped", call->who()));
  auto& pool = pools[key];
  if (!pool.idle.empty()) {
    auto chosen = std::move(pool.idle.back());
    pool.idle.pop_back();
    pool.busy[chosen] = call;
    asio::post(chosen->strand, [chosen] { chosen->wake.raise(); });
  } else if (pool.workers < options.connections_per_host_max) {
    begin_worker(pool, key, call);
  } else if (pool.waiting.size() < options.waiting_per_host_max) {
    pool.waiting.push_back(call);
  } else {
    complete_later(call, make_error(net_errc::limit, "{}: {} requests wait for this host already",
                                    call->who(), pool.waiting.size()));
  }
}

void http_client::impl::begin_worker(host_pool& pool, const pool_key& key, const call_ptr& call) {
  auto made = std::make_shared<worker>(asio::make_strand(io.internals().context));
  ++pool.workers;
  ++workers;
  pool.busy[made] = call;
  spawn(made->strand, "https client",
        [keep = shared_from_this(), made, key, call]() { return keep->run_worker(made, key, call); });
}

/// Completes a call on another thread, since completions never run inside the caller's own call.
void http_client::impl::complete_later(const call_ptr& call, error why) {
  ++completions_posted;
  io.post([self = shared_from_this(), call, why = std::move(why)] {
    self->complete(*call, outcome{tl::unexpected(why), {}});
    std::lock_guard lock(self->mutex);
    --self->completions_posted;
    self->changed.notify_all();
  });
}

void http_client::impl::complete(http_call::state& call, outcome how) {
  {
    std::lock_guard lock(mutex);
    if (!how.answer) ++totals.failures;
    totals.bytes_received += call.body_received;
  }
  try {
    call.finish(std::move(how.answer), &how.peer);
  } catch (const std::exception& e) {
    log::error("swarm.net", "{}: the receiver of an answer failed: {}", call.who(), e.what());
  }
}

task<> http_client::impl::run_worker(worker_ptr self, pool_key key, call_ptr call) {
  auto keep = shared_from_this();
  while (call) {
    auto how = co_await try_to_carry_out(self, key, call);
    // The connection is released before the completion runs, so that a request made in there finds it.
    auto then = release(self, key);
    complete(*call, std::move(how));
    call = std::move(then.next);
    if (then.waits) call = co_await wait_for_call(self, key);
  }
  if (self->connection.stream) co_await close_tls(self->connection.stream->tls());
  self->drop_connection();
  std::lock_guard lock(mutex);
  --workers;
  changed.notify_all();
}

http_client::impl::after_call http_client::impl::release(const worker_ptr& self, const pool_key& key) {
  std::lock_guard lock(mutex);
  auto& pool = pools[key];
  pool.busy.erase(self);
  after_call then;
  if (!pool.waiting.empty()) {
    then.next = std::move(pool.waiting.front());
    pool.waiting.pop_front();
    pool.busy[self] = then.next;
  } else if (stopping || !self->connection.stream) {
    --pool.workers;
    forget_unused();
  } else {
    pool.idle.push_back(self);
    then.waits = true;
  }
  return then;
}

/// The call that an idle worker was given, or null when it should end. It is woken through the strand, so
/// never before it waits here.
task<call_ptr> http_client::impl::wait_for_call(worker_ptr self, const pool_key& key) {
  co_await self->wake.wait_until(std::chrono::steady_clock::now() + options.idle_timeout);
  std::lock_guard lock(mutex);
  auto& pool = pools[key];
  if (auto given = pool.busy.find(self); given != pool.busy.end()) co_return given->second;
  std::erase(pool.idle, self);
  --pool.workers;
  forget_unused();
  co_return nullptr;
}

task<outcome> http_client::impl::try_to_carry_out(worker_ptr self, const pool_key& key, call_ptr call) {
  std::string failure;
  try {
    co_return co_await carry_out(*self, key, *call);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  self->drop_connection();
  co_return outcome{fail(net_errc::response, "{}: the request failed inside: {}", call->who(), failure), {}};
}

/// Hosts without a connection keep only a TLS session; when there are very many hosts, not even that.
void http_client::impl::forget_unused() {
  if (pools.size() > remembered_hosts_max)
    std::erase_if(pools, [](const auto& entry) { return entry.second.unused(); });
}

task<outcome> http_client::impl::carry_out(worker& self, const pool_key& key, http_call::state& call) {
  for (bool first_try = true;; first_try = false) {
    auto connected = co_await ensure_connection(self, key, call);
    if (!connected) co_return outcome{tl::unexpected(std::move(connected).error()), {}};
    bool kept = self.connection.exchanges > 0;
    http_exchange exchange(call, self.connection, *identity, options);
    auto how = co_await exchange.run();
    auto peer = self.connection.peer;
    if (exchange.reusable()) keep_session(key, self.connection);
    // The other side may close a kept connection just when it is used again.
    bool may_repeat =
        call.request.repeatable || call.request.method == "GET" || call.request.method == "HEAD";
    bool died_idle = !how && kept && !call.answered && !call.cancelled
                     && (how.error().is(net_errc::request) || how.error().is(net_errc::response));
    if (!exchange.reusable()) self.drop_connection();
    if (died_idle && may_repeat && first_try) continue;
    co_return outcome{std::move(how), std::move(peer)};
  }
}

task<result<>> http_client::impl::ensure_connection(worker& self, const pool_key& key,
                                                    http_call::state& call) {
  auto& connection = self.connection;
  if (connection.stream && connection.is_stale()) self.drop_connection();
  if (connection.stream) co_return result<>{};
  session_ptr resume;
  {
    std::lock_guard lock(mutex);
    auto& pool = pools[key];
    // One that was made with another certificate of this node would present that one again.
    if (pool.session_by != identity->internals()->client.native_handle()) pool.session.reset();
    if (pool.session && SSL_SESSION_up_ref(pool.session.get())) resume.reset(pool.session.get());
  }
  self.dialling = std::make_shared<dialer>(
      self.strand, identity, call.host, call.port,
      dial_options{options.connect_timeout, options.handshake_timeout, &io.internals().proxies}, &call.phase);
  if (call.cancelled) self.dialling->cancel();
  auto secured = co_await self.dialling->dial(resume.get());
  self.dialling.reset();
  if (!secured) co_return tl::unexpected(std::move(secured).error());
  self.take(std::move(*secured), identity->live());
  connection.buffer.reserve(read_buffer_bytes);
  std::lock_guard lock(mutex);
  ++totals.connections;
  if (SSL_session_reused(connection.stream->tls().native_handle())) ++totals.sessions_resumed;
  co_return result<>{};
}

/// The ticket of TLS 1.3 comes after the handshake, so the session is taken after an answer was read. It is
/// copied, because OpenSSL invalidates the session of a connection that ends without a close from both sides.
void http_client::impl::keep_session(const pool_key& key, kept_connection& connection) {
  auto* present = SSL_get_session(connection.stream->tls().native_handle());
  if (std::exchange(connection.session_seen, present) == present) return;
  if (!present || !SSL_SESSION_is_resumable(present)) return;
  session_ptr session(SSL_SESSION_dup(present));
  if (!session) return;
  std::lock_guard lock(mutex);
  auto& pool = pools[key];
  pool.session.swap(session);
  pool.session_by = SSL_get_SSL_CTX(connection.stream->tls().native_handle());
}

/// Ends the call that a worker carries out, unless it is done by then.
void http_client::impl::break_off(const worker_ptr& which, const call_ptr& call) {
  asio::post(which->strand, [self = shared_from_this(), which, call] {
    bool current = false;
    {
      std::lock_guard lock(self->mutex);
      auto& busy = self->pools[{call->host, call->port}].busy;
      auto found = busy.find(which);
      current = found != busy.end() && found->second == call;
    }
    if (current) which->break_off();
  });
}

void http_client::impl::cancel(const call_ptr& call) {
  call->cancelled = true;
  std::lock_guard lock(mutex);
  auto known = pools.find({call->host, call->port});
  if (known == pools.end()) return;
  auto& pool = known->second;
  if (std::erase(pool.waiting, call) > 0)
    return complete_later(call, make_error(net_errc::cancelled, "{}: wait: cancelled", call->who()));
  for (const auto& [which, current] : pool.busy)
    if (current == call) break_off(which, call);
}

void http_client::impl::stop() {
  std::unique_lock lock(mutex);
  stopping = true;
  for (auto& [key, pool] : pools) {
    for (auto& call : pool.waiting)
      complete_later(call, make_error(net_errc::cancelled, "{}: the client was stopped", call->who()));
    pool.waiting.clear();
    for (auto& [which, call] : pool.busy) {
      call->cancelled = true;
      break_off(which, call);
    }
    for (auto& which : pool.idle)
      asio::post(which->strand, [which] { which->wake.raise(); });
  }
  if (io.on_io_thread()) return;
  auto all_done = [&] { return (workers == 0 && completions_posted == 0) || io.stopped(); };
  // The wait looks now and then whether the runtime was stopped, as that ends calls without a notice.
  while (!changed.wait_for(lock, std::chrono::milliseconds{50}, all_done)) {
  }
}

void http_call::cancel() {
  if (!state_) return;
  if (auto client = state_->client.lock()) client->cancel(state_);
}

http_client::http_client(io_runtime& io, std::shared_ptr<const tls_identity> identity,
                         http_client_options options)
    : impl_(std::make_shared<impl>(io, std::move(identity), options)) {}

http_client::~http_client() {
  stop();
}

http_call http_client::request(std::string host, std::uint16_t port, http_request request, completion done) {
  auto call = std::make_shared<http_call::state>();
  call->client = impl_;
  call->host = std::move(host);
  call->port = port;
  call->request = std::move(request);
  call->done = std::move(done);
  impl_->submit(call);
  return http_call(call);
}

http_call http_client::fetch(std::string host, std::uint16_t port, std::string target,
                             std::optional<byte_range> range, on_chunk chunk, fetch_completion done,
                             http_headers headers) {
  auto call = std::make_shared<http_call::state>();
  call->client = impl_;
  call->host = std::move(host);
  call->port = port;
  call->request.target = std::move(target);
  call->request.headers = std::move(headers);
  call->range = range;
  call->chunk = std::move(chunk);
  call->fetched = std::move(done);
  if (range) {
    auto last = range->length > 0 ? std::to_string(range->offset + range->length - 1) : std::string();
    call->request.headers.emplace_back("Range", fmt::format("bytes={}-{}", range->offset, last));
  }
  impl_->submit(call);
  return http_call(call);
}

std::vector<http_call_status> http_client::calls() const {
  std::lock_guard lock(impl_->mutex);
  std::vector<http_call_status> out;
  auto add = [&](const call_ptr& call, const char* phase) {
    http_call_status one{call->host,           call->port, call->request.method,
                         call->request.target, phase,      call->started};
    if (call->answered) one.last_byte = time_point(duration(call->last_byte.load()));
    one.bytes_received = call->body_received;
    out.push_back(std::move(one));
  };
  for (const auto& [key, pool] : impl_->pools) {
    for (const auto& [which, call] : pool.busy)
      add(call, call->phase);
    for (const auto& call : pool.waiting)
      add(call, "wait");
  }
  return out;
}

http_client_totals http_client::totals() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->totals;
}

void http_client::stop() {
  impl_->stop();
}

} // namespace swarm::transport
