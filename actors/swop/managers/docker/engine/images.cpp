#include "actors/swop/managers/docker/engine/detail/caller.hpp"

namespace swarm::engine {

using namespace detail;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t line_bytes_max = 1000;

std::string image_target(const std::string& name, std::string_view what = {}, const query& parameters = {}) {
  // The slashes of a name stay as they are.
  std::string path;
  for (std::string_view rest = name;;) {
    const auto end = rest.find('/');
    path += encoded(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    path += '/';
    rest.remove_prefix(end + 1);
  }
  return target_of(fmt::format("/images/{}{}", path, what), parameters);
}

image_facts image_of(const json::object& from, const label_map& labels) {
  image_facts out{text_at(from, "Id"), {}, labels};
  for (const auto& each : array_at(from, "RepoTags"))
    if (each.is_string()) out.names.emplace_back(each.get_string());
  return out;
}

/// The stream of a build or a pull: objects with "stream", "status" or "error", a line each. An error ends it.
class progress {
public:
  explicit progress(const on_line& tell) : tell_(tell) {}

  result<bool> operator()(std::string_view line) {
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) return true; // a line of an engine's own, such as an empty one
    const auto& from = value.get_object();
    if (auto why = text_at(from, "error"); !why.empty()) {
      say(why);
      return fail(engine_errc::failed, "the container engine says: {}", last_);
    }
    say(text_at(from, "stream"));
    // Of a layer that is fetched each moment is told: its beginning and its end are enough.
    if (auto status = text_at(from, "status"); !status.empty() && object_at(from, "progressDetail").empty()) {
      const auto id = text_at(from, "id");
      say(id.empty() ? status : id + ": " + status);
    }
    return true;
  }

private:
  void say(std::string text) {
    // Docker makes red of what a step wrote to its standard error.
    for (std::size_t at = 0; (at = text.find("\033[", at)) != std::string::npos;) {
      const auto end = text.find_first_not_of("0123456789;", at + 2);
      text.erase(at, end == std::string::npos ? end : end + 1 - at);
    }
    for (auto& c : text)
      if (static_cast<unsigned char>(c) < ' ' && c != '\n') c = ' ';
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const auto line = rest.substr(0, std::min(end, line_bytes_max));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.find_first_not_of(' ') == std::string_view::npos) continue;
      last_ = line;
      if (tell_) tell_(line);
    }
  }

  const on_line& tell_;
  std::string last_ = "no reason";
};

} // namespace

result<image_facts> client::image(const std::string& name) {
  SWARM_TRY(const auto value, impl_->ask(image_target(name, "/json")));
  if (!value.is_object())
    return fail(engine_errc::bad_answer, "{}: the container engine says nothing of it", name);
  const auto& from = value.get_object();
  return image_of(from, labels_at(object_at(from, "Config"), "Labels"));
}

result<std::vector<image_facts>> client::images(const label_map& with) {
  SWARM_TRY(const auto value, impl_->ask(target_of("/images/json", {{"filters", label_filter(with)}})));
  std::vector<image_facts> out;
  if (value.is_array())
    for (const auto& each : value.get_array())
      if (each.is_object())
        out.push_back(image_of(each.get_object(), labels_at(each.get_object(), "Labels")));
  return out;
}

result<> client::impl::follow(request what, const std::stop_token& stop, const on_line& tell) {
  progress told(tell);
  line_cutter cut([&](std::string_view line) { return told(line); });
  SWARM_CHECK(done(send(std::move(what), endless, stop, [&](std::string_view piece) { return cut(piece); })));
  SWARM_CHECK(cut.finish());
  return {};
}

result<> client::build(const build_wanted& what, const body_source& context, const std::stop_token& stop,
                       const on_line& tell) {
  query parameters{{"t", what.name},
                   {"dockerfile", what.dockerfile},
                   {"rm", "1"},
                   {"forcerm", "1"},
                   {"labels", json::serialize(object_of(what.labels))},
                   {"buildargs", json::serialize(object_of(what.arguments))}};
  if (!what.network.empty()) parameters.emplace_back("networkmode", what.network);
  return impl_->follow({.verb = "POST",
                        .target = target_of("/build", parameters),
                        .content_type = "application/x-tar",
                        .more_body = context},
                       stop, tell);
}

result<> client::import_image(const std::string& name, const label_map& labels, std::string archive) {
  query parameters{{"fromSrc", "-"}, {"repo", name}};
  for (const auto& [key, value] : labels)
    parameters.emplace_back("changes", fmt::format("LABEL {}={}", key, value));
  return impl_->follow({.verb = "POST",
                        .target = target_of("/images/create", parameters),
                        .content_type = "application/x-tar",
                        .body = std::move(archive)},
                       {}, {});
}

result<> client::pull(const std::string& name, const std::string& credentials, const std::stop_token& stop,
                      const on_line& tell) {
  request what{.verb = "POST", .target = target_of("/images/create", {{"fromImage", name}})};
  if (!credentials.empty()) what.headers["X-Registry-Auth"] = credentials;
  return impl_->follow(std::move(what), stop, tell);
}

result<> client::tag(const std::string& name, const std::string& other) {
  const auto colon = other.rfind(':');
  const bool has_tag = colon != std::string::npos && other.find('/', colon) == std::string::npos;
  const query parameters{{"repo", has_tag ? other.substr(0, colon) : other},
                         {"tag", has_tag ? other.substr(colon + 1) : "latest"}};
  return done(impl_->send("POST", image_target(name, "/tag", parameters)));
}

result<> client::remove_image(const std::string& name) {
  return done(impl_->send("DELETE", image_target(name)));
}

} // namespace swarm::engine
