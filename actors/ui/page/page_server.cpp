#include "actors/ui/page/page_server.hpp"

#include "actors/ui/page/model_files.hpp"
#include "actors/ui/page/page_files.hpp"
#include "actors/ui/page/responses.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <cstdio>
#include <mutex>

namespace swarm::ui {

using transport::http_request;
using transport::http_response;

namespace {

constexpr std::size_t header_bytes_max = 16 * 1024;
constexpr std::size_t body_bytes_max = 1024; ///< there is nothing to say in a body
constexpr std::uint16_t no_session_code = 4401;
constexpr std::string_view feed_path = "/feed";

hash32 random_number() {
  hash32 out;
  fill_random({out.data(), 32});
  return out;
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

/// A text that counts as unread until it is sent.
struct counted_text {
  counted_text(shared_text from, std::shared_ptr<std::atomic<std::size_t>> to)
      : text(std::move(from)), sum(std::move(to)) {
    *sum += text->size();
  }
  counted_text(const counted_text&) = delete;
  counted_text& operator=(const counted_text&) = delete;
  ~counted_text() { *sum -= text->size(); }

  shared_text text;
  std::shared_ptr<std::atomic<std::size_t>> sum;
};

} // namespace

struct page_server::shared : std::enable_shared_from_this<page_server::shared> {
  struct connection {
    std::shared_ptr<transport::ws_session> socket;
    hash32 cookie_hash; ///< zero: it came with a certificate
  };
  struct visitor {
    browser_session in;
    hash32 cookie_hash;
  };

  shared(page_options from, std::shared_ptr<const transport::tls_identity> self)
      : options(std::move(from)), identity(std::move(self)),
        gate(options.address, options.port, options.hosts), sessions(random_number),
        cookie_name(fmt::format("swarmd_ui_{}", options.port)) {}

  const page_options options;
  const std::shared_ptr<const transport::tls_identity> identity;
  const request_gate gate;
  const std::shared_ptr<std::atomic<std::size_t>> unread = std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> refused{0};

  std::mutex mutex; ///< guards what follows
  session_book sessions;
  const std::string cookie_name;
  listener tell;
  std::map<browser_id, connection> connections;
  browser_id last_browser = 0;

  std::optional<refused_request> look(const http_request& request, bool is_upgrade);
  std::optional<visitor> visitor_of(const http_request& request);
  http_response answer(const http_request& request);
  http_response log_in(const http_request& request);
  http_response log_out(const http_request& request);
  std::variant<http_response, transport::ws_taker> upgrade(const http_request& request);
  void accept(const std::shared_ptr<transport::ws_session>& socket, const std::optional<visitor>& who);
  void say(browser_news news);
  void end(browser_id who);
  std::string link();
  result<> keep_link();
};

std::optional<refused_request> page_server::shared::look(const http_request& request, bool is_upgrade) {
  auto no = gate.look({request.method, request.target, request.headers, request.peer.has_tls, is_upgrade});
  if (!no) return no;
  ++refused;
  log::debug(options.log_source, "a request from {} is refused: {}",
             host_port(request.peer.address, request.peer.port), no->why);
  return no;
}

/// Who asks, by cookie or by certificate; none: nobody who may look.
std::optional<page_server::shared::visitor> page_server::shared::visitor_of(const http_request& request) {
  const auto now = unix_milliseconds();
  {
    const std::lock_guard lock(mutex);
    for (const auto cookie : cookies_of(request.headers, cookie_name))
      if (auto found = sessions.find(cookie, now))
        return visitor{std::move(*found), sha256(as_bytes(cookie))};
  }
  const auto& peer = request.peer;
  if (!peer.has_proof()) return std::nullopt;
  const auto may = rights_of({*peer.certificate, *peer.anchor}, identity->shares_anchor(*peer.anchor),
                             *options.members, options.access);
  if (!may) return std::nullopt;
  return visitor{{peer.cert_subject, *may, now + session_book::life_ms}, {}};
}

http_response page_server::shared::answer(const http_request& request) {
  if (const auto no = look(request, false)) return refusal_response(*no);
  const bool is_post = request.method == "POST";
  if (!is_post && request.method != "GET" && request.method != "HEAD")
    return text_answer(405, "only GET, HEAD and POST");
  const auto path = path_of(request.target);
  if (path == "/login" && request.method == "GET") return log_in(request);
  if (!visitor_of(request)) {
    ++refused;
    return text_answer(401, how_to_log_in);
  }
  if (is_post) return path == "/logout" ? log_out(request) : text_answer(405, "only GET and HEAD");
  if (const auto digest = model_of_path(path)) return model_response(request, options.models, *digest);
  const auto* file = find_page_file(path);
  if (file == nullptr) return text_answer(404, "there is nothing of that name");
  return file_response(*file);
}

http_response page_server::shared::log_in(const http_request& request) {
  const auto token = token_of(request.target);
  std::unique_lock lock(mutex);
  const auto cookie = sessions.exchange(token, unix_milliseconds());
  lock.unlock();
  const auto from = host_port(request.peer.address, request.peer.port);
  if (!cookie) {
    ++refused;
    log::warning(options.log_source, "{} brings a link that is not, or no longer, the one to log in with",
                 from);
    return text_answer(403, used_link);
  }
  log::info(options.log_source, "{} is logged in by the link", from);
  if (const auto kept = keep_link(); !kept)
    log::error(options.log_source, "the next link cannot be kept: {}", kept.error().message);
  return login_response(cookie_name, *cookie, session_book::life_ms / 1000);
}

http_response page_server::shared::log_out(const http_request& request) {
  std::vector<std::shared_ptr<transport::ws_session>> ended;
  {
    const std::lock_guard lock(mutex);
    for (const auto cookie : cookies_of(request.headers, cookie_name)) {
      sessions.end(cookie);
      for (const auto& [id, each] : connections)
        if (each.cookie_hash == sha256(as_bytes(cookie))) ended.push_back(each.socket);
    }
  }
  for (const auto& each : ended)
    each->close(static_cast<transport::ws_close_code>(no_session_code), "logged out");
  return logout_response(cookie_name);
}

std::variant<http_response, transport::ws_taker> page_server::shared::upgrade(const http_request& request) {
  if (const auto no = look(request, true)) return refusal_response(*no);
  if (path_of(request.target) != feed_path) return text_answer(404, "the WebSocket is at /feed");
  return [self = shared_from_this(), who = visitor_of(request)](
             const std::shared_ptr<transport::ws_session>& socket) { self->accept(socket, who); };
}

void page_server::shared::accept(const std::shared_ptr<transport::ws_session>& socket,
                                 const std::optional<visitor>& who) {
  const auto send_away = [&](std::uint16_t code, std::string why) {
    ++refused;
    socket->start({});
    socket->close(static_cast<transport::ws_close_code>(code), std::move(why));
  };
  if (!who) return send_away(no_session_code, "log in first");
  browser_id id = 0;
  {
    const std::lock_guard lock(mutex);
    if (tell && connections.size() < options.browsers_max) {
      id = ++last_browser;
      connections.emplace(id, connection{socket, who->cookie_hash});
    }
  }
  if (id == 0)
    return send_away(static_cast<std::uint16_t>(transport::ws_close_code::try_later),
                     "too many pages are open, or the server is starting");
  say(browser::came{id, who->in});
  transport::ws_callbacks callbacks;
  callbacks.on_message = [self = shared_from_this(), id, socket](transport::ws_message message) {
    if (!message.text) return socket->close(transport::ws_close_code::policy, "only texts");
    self->say(browser::said{id, std::string(message.as_text()), std::move(message.credit)});
  };
  callbacks.on_close = [self = shared_from_this(), id](const error&) { self->end(id); };
  socket->start(std::move(callbacks));
}

void page_server::shared::say(browser_news news) {
  std::unique_lock lock(mutex);
  const auto to = tell;
  lock.unlock();
  if (to) to(std::move(news));
}

void page_server::shared::end(browser_id who) {
  {
    const std::lock_guard lock(mutex);
    connections.erase(who);
  }
  say(browser::gone{who});
}

/// The link of the next one who logs in.
std::string page_server::shared::link() {
  const bool is_any = options.address == "0.0.0.0" || options.address == "::";
  const std::lock_guard lock(mutex);
  return fmt::format("https://{}/login?token={}",
                     host_port(is_any ? "127.0.0.1" : options.address, options.port), sessions.token());
}

result<> page_server::shared::keep_link() {
  if (options.link_file.empty()) return {};
  return replace_file(options.link_file, as_bytes(link() + "\n"), 0600);
}

result<std::shared_ptr<page_server>>
page_server::start(transport::io_runtime& io, std::shared_ptr<const transport::tls_identity> identity,
                   page_options options) {
  if (!options.members) options.members = std::make_shared<const members::member_rules>();
  auto made =
      std::shared_ptr<page_server>(new page_server(std::make_shared<shared>(std::move(options), identity)));
  const auto& inner = made->shared_;
  transport::http_server_options http;
  http.address = inner->options.address;
  http.port = inner->options.port;
  http.name = "page";
  http.log_source = inner->options.log_source;
  http.plain = inner->options.plain ? transport::plain_http::this_host : transport::plain_http::nobody;
  http.certificates_optional = true;
  http.header_bytes_max = header_bytes_max;
  http.body_bytes_max = body_bytes_max;
  http.connections_max = 2 * inner->options.browsers_max;
  http.ws.message_bytes_max = message_bytes_max;
  http.ws.send_queue_messages_max = 4096;
  http.ws.send_queue_bytes_max = inner->options.browser_unread_bytes_max;
  http.ws.unhandled_messages_max = 8;
  http.ws.unhandled_bytes_max = 2 * message_bytes_max;
  http.on_upgrade = [self = inner](const http_request& request) { return self->upgrade(request); };
  SWARM_CHECK(inner->keep_link());
  SWARM_TRY(made->server_, transport::http_server::start(io, std::move(identity), std::move(http),
                                                         [self = inner](const http_request& request,
                                                                        const transport::http_reply& reply) {
                                                           reply(self->answer(request));
                                                         }));
  // Not for the log, which others may read.
  std::printf("swarmd: the page, to be opened once: %s\n", inner->link().c_str());
  if (!inner->options.link_file.empty())
    std::printf("swarmd: the link after that: %s\n", inner->options.link_file.c_str());
  std::fflush(stdout);
  return made;
}

void page_server::listen(listener who) {
  std::map<browser_id, shared::connection> former;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->tell = std::move(who);
    former.swap(shared_->connections);
  }
  for (const auto& [id, each] : former)
    each.socket->close(transport::ws_close_code::try_later, "the feed begins anew");
}

void page_server::send(browser_id to, const shared_text& text) {
  std::shared_ptr<transport::ws_session> socket;
  {
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->connections.find(to);
    if (found == shared_->connections.end()) return;
    socket = found->second.socket;
  }
  const bool has_room = *shared_->unread + text->size() <= shared_->options.unread_bytes_max;
  const auto owner = std::make_shared<const counted_text>(text, shared_->unread);
  if (has_room) {
    const auto sent = socket->send({owner, as_bytes(*text)}, true);
    if (sent || !sent.error().is(transport::net_errc::limit)) return;
  }
  ++shared_->dropped;
  log::warning(shared_->options.log_source, "a browser reads too slowly, {} bytes wait for it: it is dropped",
               socket->status().queued_bytes);
  socket->drop("it reads too slowly");
}

void page_server::close(browser_id which, std::uint16_t code, const std::string& why) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->connections.find(which);
  if (found != shared_->connections.end())
    found->second.socket->close(static_cast<transport::ws_close_code>(code), why);
}

std::size_t page_server::unread_bytes() const {
  return *shared_->unread;
}
std::uint64_t page_server::dropped() const {
  return shared_->dropped;
}
std::uint64_t page_server::refused() const {
  return shared_->refused;
}

} // namespace swarm::ui
