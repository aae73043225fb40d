#include "actors/swop/managers/docker/engine/detail/caller.hpp"
#include "actors/swop/managers/docker/engine/detail/container_json.hpp"
#include "actors/swop/managers/docker/engine/frames.hpp"
#include "base/clock.hpp"

namespace swarm::engine {

using namespace detail;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t log_bytes_max = 1024 * 1024;
/// What starts a container may have to mount and to pull up a network on a busy disk.
constexpr patience slow{.head = milliseconds(120'000), .silence = milliseconds(30'000)};

std::string container_target(const std::string& id, std::string_view what = {},
                             const query& parameters = {}) {
  return target_of(fmt::format("/containers/{}{}", encoded(id), what), parameters);
}

} // namespace

result<std::string> client::create(const std::string& name, const container_wanted& what) {
  SWARM_TRY(const auto said, impl_->send({.verb = "POST",
                                          .target = target_of("/containers/create", {{"name", name}}),
                                          .body = json::serialize(container_json(what))},
                                         slow));
  boost::system::error_code failure;
  const auto value = json::parse(said.body, failure);
  auto id = !failure && value.is_object() ? text_at(value.get_object(), "Id") : std::string();
  if (id.empty())
    return fail(engine_errc::bad_answer, "{}: made, but the container engine gives no identifier", name);
  return id;
}

result<> client::start(const std::string& id) {
  auto said = done(impl_->send("POST", container_target(id, "/start"), slow));
  if (said || said.error().is(engine_errc::absent)) return said;
  // Docker says why by the exit codes of a shell.
  const auto facts = inspect(id);
  if (facts && facts->started_ms == 0 && (facts->exit_code == 126 || facts->exit_code == 127))
    return tl::unexpected(make_error(engine_errc::no_such_command, std::move(said.error().message)));
  return said;
}

result<container_facts> client::inspect(const std::string& id) {
  SWARM_TRY(const auto value, impl_->ask(container_target(id, "/json")));
  if (!value.is_object())
    return fail(engine_errc::bad_answer, "{}: the container engine says nothing of it", id);
  return facts_of(value.get_object());
}

result<std::vector<container_entry>> client::containers(const label_map& with) {
  SWARM_TRY(const auto value,
            impl_->ask(target_of("/containers/json", {{"all", "1"}, {"filters", label_filter(with)}})));
  std::vector<container_entry> out;
  if (!value.is_array()) return fail(engine_errc::bad_answer, "the container engine lists no containers");
  for (const auto& each : value.get_array())
    if (each.is_object())
      out.push_back({text_at(each.get_object(), "Id"), text_at(each.get_object(), "State"),
                     labels_at(each.get_object(), "Labels")});
  return out;
}

result<std::string> client::logs(const std::string& id, std::size_t lines) {
  frame_cutter cut(log_bytes_max);
  const auto sink = [&](std::string_view piece) -> result<bool> {
    SWARM_CHECK(cut.take(piece));
    return true;
  };
  SWARM_CHECK(done(
      impl_->send({.target = container_target(
                       id, "/logs", {{"stdout", "1"}, {"stderr", "1"}, {"tail", std::to_string(lines)}})},
                  {}, {}, sink)));
  return cut.text();
}

result<> client::stop(const std::string& id, std::chrono::seconds grace) {
  const patience most{.head = grace + std::chrono::seconds(30), .silence = milliseconds(30'000)};
  return done(
      impl_->send("POST", container_target(id, "/stop", {{"t", std::to_string(grace.count())}}), most));
}

result<> client::kill(const std::string& id, const std::string& signal) {
  return done(impl_->send("POST", container_target(id, "/kill", {{"signal", signal}})));
}

result<> client::remove(const std::string& id, bool force) {
  return done(
      impl_->send("DELETE", container_target(id, "", {{"v", "1"}, {"force", force ? "1" : "0"}}), slow));
}

result<int> client::wait(const std::string& id, const std::stop_token& stop) {
  SWARM_TRY(const auto said,
            impl_->send({.verb = "POST", .target = container_target(id, "/wait")}, endless, stop));
  boost::system::error_code failure;
  const auto value = json::parse(said.body, failure);
  if (failure || !value.is_object())
    return fail(engine_errc::bad_answer, "{}: the container engine does not say how it ended", id);
  return static_cast<int>(number_at(value.get_object(), "StatusCode"));
}

result<> client::read_folder(const std::string& id, const std::string& path, const body_sink& sink,
                             const std::stop_token& stop) {
  return done(impl_->send({.target = container_target(id, "/archive", {{"path", path}})}, slow, stop, sink));
}

result<> client::write_folder(const std::string& id, const std::string& path, const body_source& archive,
                              const std::stop_token& stop) {
  return done(impl_->send({.verb = "PUT",
                           .target = container_target(id, "/archive", {{"path", path}}),
                           .content_type = "application/x-tar",
                           .more_body = archive},
                          slow, stop));
}

result<> client::events(const label_map& with, const std::stop_token& stop,
                        const std::function<void(const container_event&)>& told) {
  SWARM_CHECK(impl_->negotiate());
  // Podman sends nothing before the first event, not even a head: what happens until it listens is asked for.
  const auto since = std::to_string(unix_seconds() - 1);
  json::array labels;
  for (const auto& [name, value] : with)
    labels.emplace_back(fmt::format("{}={}", name, value));
  const auto filters =
      json::serialize(json::object{{"type", json::array{"container"}}, {"label", std::move(labels)}});
  line_cutter cut([&](std::string_view line) -> result<bool> {
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) return fail(engine_errc::bad_answer, "an event cannot be read");
    const auto& actor = object_at(value.get_object(), "Actor");
    told({text_at(value.get_object(), "Action"), text_at(actor, "ID"), labels_at(actor, "Attributes")});
    return true;
  });
  const auto sink = [&](std::string_view piece) { return cut(piece); };
  told({});
  return done(impl_->send({.target = target_of("/events", {{"since", since}, {"filters", filters}})}, endless,
                          stop, sink));
}

} // namespace swarm::engine
