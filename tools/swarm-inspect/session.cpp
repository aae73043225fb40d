#include "tools/swarm-inspect/session.hpp"

#include <sys/stat.h>

namespace swarm::inspect {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds answer_max{30};

tl::unexpected<error> failure_of(const json::object& answered) {
  std::string message = "swarmd answered with an error that says nothing";
  if (const auto* text = answered.if_contains("message"); text && text->is_string())
    message = std::string(text->as_string());
  if (const auto* similar = answered.if_contains("similar"); similar && similar->is_array()) {
    std::string names;
    for (const auto& name : similar->as_array())
      if (name.is_string()) names += (names.empty() ? "" : ", ") + std::string(name.as_string());
    message += "; similar: " + names;
  }
  return fail(errc::invalid, "{}", message);
}

} // namespace

result<session> session::open(const std::filesystem::path& socket) {
  struct stat found = {};
  if (::stat(socket.c_str(), &found) != 0)
    return fail(errc::not_found,
                "no swarmd answers at {}: there is no such file. It is not running, or its data directory is "
                "another one: give --data-dir or --socket",
                socket.string());
  if (!S_ISSOCK(found.st_mode))
    return fail(errc::invalid, "{} is not a socket: give the admin.sock of a data directory",
                socket.string());
  auto client = transport::unix_client::open(socket);
  if (!client)
    return fail(errc::unavailable,
                "no swarmd answers at {}: it is not running, or it belongs to somebody else ({})",
                socket.string(), client.error().message);
  client->set_timeout(answer_max);
  return session(std::move(*client));
}

result<json::object> session::exchange(std::string_view method, json::object params) {
  json::object request{{"id", next_id_++}, {"method", method}, {"params", std::move(params)}};
  SWARM_TRY(const auto line, client_.request(json::serialize(request)));
  boost::system::error_code failed;
  auto answer = json::parse(line, failed);
  if (failed || !answer.is_object())
    return fail(errc::corrupt, "swarmd answered with something that is not JSON");
  return std::move(answer.as_object());
}

result<json::value> session::call(std::string_view method, json::object params) {
  SWARM_TRY(auto answer, exchange(method, std::move(params)));
  if (const auto* error = answer.if_contains("error"); error && error->is_object())
    return failure_of(error->as_object());
  return std::move(answer["result"]);
}

result<> session::follow(std::string_view method, json::object params,
                         const std::function<bool(const json::object& line)>& on_event) {
  SWARM_CHECK(call(method, std::move(params)));
  client_.set_timeout(std::chrono::milliseconds(0));
  return client_.read_lines([&](std::string_view line) {
    boost::system::error_code failed;
    const auto value = json::parse(json::string_view(line.data(), line.size()), failed);
    return failed || !value.is_object() || on_event(value.as_object());
  });
}

} // namespace swarm::inspect
