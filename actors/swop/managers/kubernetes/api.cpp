#include "actors/swop/managers/kubernetes/api.hpp"

#include "actors/swop/managers/docker/engine/detail/caller.hpp"
#include "actors/swop/managers/docker/engine/detail/conversation.hpp"
#include "base/endpoint.hpp"
#include "base/file.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <algorithm>
#include <cstdlib>

namespace swarm::kubernetes {

namespace fs = std::filesystem;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using engine::engine_errc;
using engine::detail::encoded;
using std::chrono::milliseconds;

namespace {

using tls_conversation = engine::detail::conversation<ssl::stream<tcp::socket>>;

constexpr milliseconds connect_most{10'000}, write_most{30'000};
constexpr engine::patience patience_of_call{.head = milliseconds(20'000), .silence = milliseconds(20'000)};
/// A server ends a watch itself after the time that it was asked for; the rest is a bound for one that does not.
constexpr std::chrono::seconds watch_time{240};
constexpr engine::patience patience_of_watch{.head = milliseconds(20'000),
                                             .silence = watch_time + milliseconds(30'000)};
constexpr std::uint64_t token_bytes_max = 64 * 1024, ca_bytes_max = 1024 * 1024;

std::string target_of(const api_place& where, kind of, std::string_view name, const query& parameters) {
  constexpr std::array<std::string_view, 3> paths{"/apis/batch/v1", "/api/v1", "/api/v1"};
  constexpr std::array<std::string_view, 3> words{"jobs", "pods", "secrets"};
  const auto which = static_cast<std::size_t>(of);
  auto path = fmt::format("{}/namespaces/{}/{}", paths.at(which), encoded(where.name_space), words.at(which));
  if (!name.empty()) path += fmt::format("/{}", name);
  return engine::detail::target_of(path, parameters);
}

result<std::string> token_of(const api_place& where) {
  auto text = read_file(where.token_file, token_bytes_max);
  if (!text) return fail(api_errc::nowhere, "the token of the cluster's account: {}", text.error().message);
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ' || text->back() == '\r'))
    text->pop_back();
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (text->empty() || !std::ranges::all_of(*text, is_plain))
    return fail(api_errc::nowhere, "{}: is no token of a cluster's account", where.token_file.native());
  return std::move(*text);
}

result<> trust(ssl::context& context, const api_place& where) {
  SWARM_TRY(const auto pem, read_file(where.ca_file, ca_bytes_max));
  boost::system::error_code failure;
  context.add_certificate_authority(boost::asio::buffer(pem), failure);
  if (failure)
    return fail(api_errc::nowhere, "{}: holds no certificate in PEM: {}", where.ca_file.native(),
                failure.message());
  context.set_verify_mode(ssl::verify_peer);
  return {};
}

result<> open(tls_conversation& with, const api_place& where) {
  tcp::resolver resolver(with.io());
  tcp::resolver::results_type found;
  SWARM_TRY(const auto resolved, with.await(connect_most, [&](auto done) {
    resolver.async_resolve(where.host, std::to_string(where.port),
                           [done, &found](boost::system::error_code failure, auto results) mutable {
                             found = std::move(results);
                             done(failure);
                           });
  }));
  if (resolved)
    return fail(engine_errc::absent, "{}: its name is not known: {}", with.where(), resolved.message());
  SWARM_TRY(const auto connected, with.await(connect_most, [&](auto done) {
    boost::asio::async_connect(with.stream().next_layer(), found, done);
  }));
  if (connected)
    return fail(engine_errc::absent, "{}: nobody answers there: {}", with.where(), connected.message());
  with.stream().set_verify_callback(ssl::host_name_verification(where.host));
  boost::system::error_code no_address;
  boost::asio::ip::make_address(where.host, no_address);
  if (no_address) SSL_set_tlsext_host_name(with.stream().native_handle(), where.host.c_str());
  SWARM_TRY(const auto shaken, with.await(connect_most, [&](auto done) {
    with.stream().async_handshake(ssl::stream_base::client, done);
  }));
  if (shaken)
    return fail(engine_errc::absent, "{}: TLS: {}{}", with.where(), shaken.message(),
                shaken.category() == boost::asio::error::get_ssl_category()
                    ? fmt::format("; is {} the CA of this cluster?", where.ca_file.native())
                    : std::string());
  return {};
}

/// What the server says of an error, in its own words.
error error_of(const engine::answer& from, const api_place& where, const std::string& server) {
  boost::system::error_code failure;
  const auto value = json::parse(from.body, failure);
  const auto said = !failure && value.is_object() ? value.get_object() : json::object();
  auto words = engine::detail::one_line(text_at(said, "message"));
  if (words.empty()) words = fmt::format("status {}", from.status);
  const auto tell = [&](api_errc code, std::string_view more = {}) {
    return make_error(code, fmt::format("the API server {} says: {}{}", server, words, more));
  };
  switch (from.status) {
  case 401:
    return tell(api_errc::denied, fmt::format("; is the token in {} of this cluster, and still valid?",
                                              where.token_file.native()));
  case 403:
    return tell(api_errc::denied,
                fmt::format("; a Role and a RoleBinding in the namespace {} have to allow it "
                            "(deploy/kubernetes/swop)",
                            where.name_space));
  case 404:
    return tell(api_errc::not_found);
  case 409:
    return tell(api_errc::conflict);
  case 410:
    return tell(api_errc::expired);
  default:
    return tell(from.status == 429 || from.status >= 500 ? api_errc::away : api_errc::refused);
  }
}

error api_error(const error& from) {
  const auto code = from.is(engine_errc::stopped) ? api_errc::stopped
                    : from.is(engine_errc::bad_answer) || from.is(engine_errc::too_large)
                        ? api_errc::bad_answer
                        : api_errc::away;
  return make_error(code, from.message);
}

result<engine::answer> send(const api& of, engine::request what,
                            const engine::patience& how_long = patience_of_call,
                            const std::stop_token& stop = {}, const engine::body_sink& sink = {}) {
  const auto& where = of.place();
  SWARM_TRY(const auto token, token_of(where));
  ssl::context context(ssl::context::tls_client);
  if (auto trusted = trust(context, where); !trusted)
    return tl::unexpected(make_error(api_errc::nowhere, trusted.error().message));
  what.headers["Host"] = host_port(where.host, where.port);
  what.headers["Authorization"] = "Bearer " + token;
  what.headers["Accept"] = "application/json, */*";
  tls_conversation with(of.server(), "the API server", stop, context);
  auto said = open(with, where).and_then([&] {
    return engine::detail::converse(with, what, how_long, write_most, sink);
  });
  if (!said)
    return tl::unexpected(said.error().category == error_category(api_errc{}) ? said.error()
                                                                              : api_error(said.error()));
  if (said->status >= 300) return tl::unexpected(error_of(*said, where, of.server()));
  return std::move(*said);
}

result<json::object> object_of(const result<engine::answer>& said, const std::string& server) {
  if (!said) return tl::unexpected(said.error());
  boost::system::error_code failure;
  auto value = json::parse(said->body, failure);
  if (failure || !value.is_object())
    return fail(api_errc::bad_answer, "the API server {} answers what is no object", server);
  return std::move(value.get_object());
}

} // namespace

std::string text_at(const json::object& in, std::string_view key) {
  return engine::detail::text_at(in, key);
}

result<api_place> find_api(const api_wanted& wanted, const fs::path& account) {
  api_place out;
  const auto* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const auto* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (!wanted.server.empty()) {
    constexpr std::string_view scheme = "https://";
    auto rest = std::string_view(wanted.server);
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
    while (rest.ends_with('/'))
      rest.remove_suffix(1);
    auto at = endpoint::parse(rest);
    if (!at) at = endpoint::parse(fmt::format("{}:443", rest));
    if (!at || wanted.server.starts_with("http://"))
      return fail(api_errc::nowhere, "'{}' is no https://HOST:PORT of an API server", wanted.server);
    out.host = at->host;
    out.port = at->port;
  } else if (host != nullptr && *host != '\0') {
    const auto at = endpoint::parse(host_port(host, 443));
    const auto number = port == nullptr ? 443 : std::atoi(port);
    if (!at || number < 1 || number > 65535)
      return fail(api_errc::nowhere, "KUBERNETES_SERVICE_HOST and _PORT name no host and port");
    out.host = host;
    out.port = static_cast<std::uint16_t>(number);
  } else {
    return fail(api_errc::nowhere,
                "mgrtype KUBERNETES: which cluster? This process is in no pod of one; give server, "
                "tokenfile, cafile and namespace under cluster in the profile's resourcemgr");
  }
  out.token_file = wanted.token_file.empty() ? account / "token" : wanted.token_file;
  out.ca_file = wanted.ca_file.empty() ? account / "ca.crt" : wanted.ca_file;
  out.name_space = wanted.name_space;
  if (out.name_space.empty()) {
    auto text = read_file(account / "namespace", 1024);
    if (!text)
      return fail(api_errc::nowhere,
                  "which namespace? Give it under cluster in the profile's resourcemgr ({})",
                  text.error().message);
    while (!text->empty() && text->back() <= ' ')
      text->pop_back();
    out.name_space = std::move(*text);
  }
  return out;
}

std::string api::server() const {
  return fmt::format("https://{}", host_port(where_.host, where_.port));
}

result<json::object> api::get(kind of, std::string_view name, const query& parameters) const {
  return object_of(send(*this, {.target = target_of(where_, of, name, parameters)}), server());
}

result<json::object> api::create(kind of, const json::object& what) const {
  return object_of(
      send(*this, {.verb = "POST", .target = target_of(where_, of, {}, {}), .body = json::serialize(what)}),
      server());
}

result<> api::remove(kind of, std::string_view name, std::chrono::seconds grace) const {
  json::object options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (grace.count() >= 0) options["gracePeriodSeconds"] = grace.count();
  return engine::detail::done(
      send(*this,
           {.verb = "DELETE", .target = target_of(where_, of, name, {}), .body = json::serialize(options)}));
}

result<bool> api::may(std::string_view verb, std::string_view group, std::string_view resource) const {
  const auto end = std::min(resource.find('/'), resource.size());
  json::object about{{"namespace", where_.name_space}, {"verb", json::string_view(verb.data(), verb.size())}};
  about["group"] = std::string(group);
  about["resource"] = std::string(resource.substr(0, end));
  if (end < resource.size()) about["subresource"] = std::string(resource.substr(end + 1));
  const json::object review{{"apiVersion", "authorization.k8s.io/v1"},
                            {"kind", "SelfSubjectAccessReview"},
                            {"spec", json::object{{"resourceAttributes", std::move(about)}}}};
  SWARM_TRY(const auto said,
            object_of(send(*this, {.verb = "POST",
                                   .target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                   .body = json::serialize(review)}),
                      server()));
  const auto* status = said.if_contains("status");
  const auto* allowed =
      status != nullptr && status->is_object() ? status->get_object().if_contains("allowed") : nullptr;
  if (allowed == nullptr || !allowed->is_bool())
    return fail(api_errc::bad_answer, "the API server {} does not say what this account may do", server());
  return allowed->get_bool();
}

result<> api::watch(kind of, std::string_view labels, std::string_view version, const std::stop_token& stop,
                    const std::function<void(watch_event)>& told) const {
  const auto target = target_of(where_, of, {},
                                {{"watch", "true"},
                                 {"labelSelector", std::string(labels)},
                                 {"resourceVersion", std::string(version)},
                                 {"allowWatchBookmarks", "true"},
                                 {"timeoutSeconds", std::to_string(watch_time.count())}});
  engine::detail::line_cutter cut([&](std::string_view line) -> result<bool> {
    boost::system::error_code failure;
    auto value = json::parse(line, failure);
    if (failure || !value.is_object())
      return fail(api_errc::bad_answer, "{}: an event cannot be read", server());
    watch_event out{.type = text_at(value.get_object(), "type"),
                    .what = engine::detail::object_at(value.get_object(), "object")};
    if (out.type == "ERROR") {
      engine::answer said{.status = static_cast<unsigned>(engine::detail::number_at(out.what, "code")),
                          .headers = {},
                          .body = json::serialize(out.what)};
      return tl::unexpected(error_of(said, where_, server()));
    }
    told(std::move(out));
    return true;
  });
  return engine::detail::done(send(*this, {.target = target}, patience_of_watch, stop,
                                   [&](std::string_view piece) { return cut(piece); }));
}

result<> api::log(std::string_view pod, std::string_view container, std::size_t lines, bool follow,
                  const std::stop_token& stop, const std::function<void()>& begun,
                  const std::function<void(std::string_view)>& take) const {
  query parameters{{"container", std::string(container)}, {"tailLines", std::to_string(lines)}};
  if (follow) parameters.emplace_back("follow", "true");
  const auto target = target_of(where_, kind::pods, fmt::format("{}/log", pod), parameters);
  bool is_first = true;
  return engine::detail::done(send(*this, {.target = target},
                                   follow ? engine::detail::endless : patience_of_call, stop,
                                   [&](std::string_view piece) -> result<bool> {
                                     if (std::exchange(is_first, false) && begun) begun();
                                     take(piece);
                                     return true;
                                   }));
}

} // namespace swarm::kubernetes
