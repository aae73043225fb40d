#include "actors/swop/plan/pair_session.hpp"

#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

namespace {

constexpr std::size_t answer_bytes_max = 4 * 1024 * 1024;

/// The SL is this host's own, but what it says is read like anybody's: what does not fit is not known.
void take(const json::object& round, swop::event::session_seen& to) {
  const auto text = [&](std::string_view key) -> std::string_view {
    const auto* value = round.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
  };
  if (const auto account = fixed_from_hex<20>(text("account"))) to.sl = *account;
  const auto session = text("session");
  using enum swop::session_state;
  to.step = swop::task_step::waiting_for_session;
  if (session == "none") {
    to.state = none;
  } else if (session == "serving") {
    to.state = serving;
    to.step = swop::task_step::waiting_for_end;
  } else if (session == "opening" || session == "training" || session == "waiting") {
    to.state = open;
    if (session == "training") to.step = swop::task_step::training;
    if (session == "waiting") to.step = swop::task_step::waiting_for_peers;
  }
  const auto* training = round.if_contains("training");
  const auto* known = training != nullptr ? training->if_object() : nullptr;
  const auto* number = known != nullptr ? known->if_contains("round") : nullptr;
  if (number != nullptr && number->is_number()) {
    boost::system::error_code failure;
    to.number = number->to_number<std::uint64_t>(failure);
  }
}

} // namespace

swop::event::session_seen look_at_session(std::uint32_t index, const std::filesystem::path& admin_socket) {
  swop::event::session_seen out{.index = index};
  auto client = transport::unix_client::open(admin_socket, answer_bytes_max);
  if (!client) return out;
  client->set_timeout(std::chrono::seconds(1));
  const auto answer = client->request(R"({"id":1,"method":"round","params":{}})");
  if (!answer) return out;
  boost::system::error_code failure;
  const auto parsed = json::parse(*answer, failure);
  const auto* object = failure ? nullptr : parsed.if_object();
  const auto* found = object != nullptr ? object->if_contains("result") : nullptr;
  if (found != nullptr && found->is_object()) take(found->get_object(), out);
  return out;
}

} // namespace swarm::actors
