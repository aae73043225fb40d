#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace swarm::engine {

namespace detail {

namespace {
constexpr std::size_t line_bytes_max = 1024 * 1024;
constexpr std::size_t told_bytes_max = 1000;
} // namespace

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
                       || c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string target_of(std::string_view path, const query& parameters) {
  std::string out(path);
  char mark = '?';
  for (const auto& [name, value] : parameters) {
    out += fmt::format("{}{}={}", mark, name, encoded(value));
    mark = '&';
  }
  return out;
}

std::string label_filter(const label_map& with) {
  json::array labels;
  for (const auto& [name, value] : with)
    labels.emplace_back(fmt::format("{}={}", name, value));
  return json::serialize(json::object{{"label", std::move(labels)}});
}

json::object object_of(const std::map<std::string, std::string>& from) {
  json::object out;
  for (const auto& [name, value] : from)
    out.emplace(name, value);
  return out;
}

std::string text_at(const json::object& in, std::string_view key) {
  const auto* found = in.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_at(const json::object& in, std::string_view key) {
  const auto* found = in.if_contains(key);
  if (found == nullptr || !found->is_number()) return 0;
  boost::system::error_code failure;
  const auto out = found->to_number<std::int64_t>(failure);
  return failure ? 0 : out;
}

bool flag_at(const json::object& in, std::string_view key) {
  const auto* found = in.if_contains(key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const json::object& object_at(const json::object& in, std::string_view key) {
  static const json::object none;
  const auto* found = in.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : none;
}

const json::array& array_at(const json::object& in, std::string_view key) {
  static const json::array none;
  const auto* found = in.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string one_line(std::string text) {
  text.resize(std::min(text.size(), told_bytes_max));
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  while (text.ends_with(' '))
    text.pop_back();
  return text;
}

label_map labels_at(const json::object& in, std::string_view key) {
  label_map out;
  for (const auto& [name, value] : object_at(in, key))
    if (value.is_string()) out.emplace(name, value.get_string());
  return out;
}

std::uint64_t time_of(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t count) {
    int out = -1;
    const auto* const first = text.data() + at;
    if (at + count <= text.size()) std::from_chars(first, first + count, out);
    return out;
  };
  const std::array parts{number(0, 4),  number(5, 2),  number(8, 2),
                         number(11, 2), number(14, 2), number(17, 2)};
  if (std::ranges::any_of(parts, [](int part) { return part < 0; }) || parts[0] < 1970) return 0;
  using namespace std::chrono;
  const year_month_day date{year(parts[0]), month(static_cast<unsigned>(parts[1])),
                            day(static_cast<unsigned>(parts[2]))};
  if (!date.ok()) return 0;
  auto at = duration_cast<milliseconds>(sys_days(date).time_since_epoch());
  at += hours(parts[3]) + minutes(parts[4]) + seconds(parts[5]);
  auto end = std::min<std::size_t>(19, text.size());
  if (end < text.size() && text[end] == '.') {
    int thousandths = 0;
    int weight = 100;
    for (++end; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) {
      thousandths += (text[end] - '0') * weight;
      weight /= 10;
    }
    at += milliseconds(thousandths);
  }
  // "+02:00": the engine's own zone.
  if (end < text.size() && (text[end] == '+' || text[end] == '-')) {
    const auto zone = hours(std::max(0, number(end + 1, 2))) + minutes(std::max(0, number(end + 4, 2)));
    at += text[end] == '+' ? -zone : zone;
  }
  return at.count() > 0 ? static_cast<std::uint64_t>(at.count()) : 0;
}

result<bool> line_cutter::operator()(std::string_view piece) {
  for (;;) {
    const auto end = piece.find('\n');
    if (rest_.size() + std::min(end, piece.size()) > line_bytes_max)
      return fail(engine_errc::too_large, "the container engine says more than {} bytes in a line",
                  line_bytes_max);
    rest_ += piece.substr(0, end);
    if (end == std::string_view::npos) return true;
    piece.remove_prefix(end + 1);
    const auto line = std::exchange(rest_, {});
    SWARM_TRY(const bool more, take_(line));
    if (!more) return false;
  }
}

result<bool> line_cutter::finish() {
  if (rest_.empty()) return true;
  return take_(std::exchange(rest_, {}));
}

} // namespace detail

namespace {

// 1.25 is the first that has mounts; the last one is what we know to go on saying the same.
struct api_version {
  int major = 0, minor = 0;
  auto operator<=>(const api_version&) const = default;
};
constexpr api_version first_known{1, 25}, last_known{1, 51};

std::optional<api_version> read_version(std::string_view text) {
  api_version out;
  const auto* const first = text.data();
  const auto* const last = first + text.size();
  const auto whole = std::from_chars(first, last, out.major);
  if (whole.ec != std::errc{} || whole.ptr == last || *whole.ptr != '.') return std::nullopt;
  if (std::from_chars(whole.ptr + 1, last, out.minor).ec != std::errc{}) return std::nullopt;
  return out;
}

/// What an engine says of an error, in one line.
std::string told_by(const json::object& said, const answer& from) {
  auto out = detail::text_at(said, "message");
  out = detail::one_line(out.empty() ? from.body : std::move(out));
  return out.empty() ? fmt::format("status {}", from.status) : out;
}

/// Podman has one status for all that fails; what failed is in its `cause`, which is one of a few constants.
engine_errc code_of(const json::object& said, unsigned status) {
  const auto cause = detail::text_at(said, "cause");
  if (cause == "that name is already in use" || cause == "container is running") return engine_errc::conflict;
  if (cause == "network not found" || cause == "no such volume") return engine_errc::not_found;
  if (cause == "OCI runtime attempted to invoke a command that was not found"
      || cause == "OCI permission denied")
    return engine_errc::no_such_command;
  switch (status) {
  case 404:
    return engine_errc::not_found;
  case 409:
    return engine_errc::conflict;
  default:
    return status < 500 ? engine_errc::refused : engine_errc::failed;
  }
}

/// An answer that is an error.
error error_of(const answer& from) {
  boost::system::error_code failure;
  const auto value = json::parse(from.body, failure);
  const auto said = !failure && value.is_object() ? value.get_object() : json::object();
  return make_error(code_of(said, from.status),
                    fmt::format("the container engine says: {}", told_by(said, from)));
}

} // namespace

result<version_facts> client::impl::negotiate() {
  const std::lock_guard lock(mutex);
  if (known) return *known;
  SWARM_TRY(const auto said, exchange(socket, {.target = "/version"}, {}));
  boost::system::error_code failure;
  const auto value = json::parse(said.body, failure);
  if (said.status != 200 || failure || !value.is_object())
    return fail(engine_errc::bad_answer, "{}: what answers on this socket is no container engine",
                socket.native());
  const auto& facts = value.get_object();
  const auto theirs = read_version(detail::text_at(facts, "ApiVersion"));
  if (!theirs)
    return fail(engine_errc::bad_answer, "{}: what answers on this socket names no version of its interface",
                socket.native());
  if (*theirs < first_known)
    return fail(
        engine_errc::too_old,
        "{}: this container engine speaks version {}.{} of its interface, {}.{} is the oldest that is "
        "known: install Docker 1.13 or Podman 4.3, or newer",
        socket.native(), theirs->major, theirs->minor, first_known.major, first_known.minor);
  const auto spoken = std::min(*theirs, last_known);
  if (const auto least = read_version(detail::text_at(facts, "MinAPIVersion")); least && *least > spoken)
    return fail(engine_errc::too_old,
                "{}: this container engine speaks no version of its interface before {}.{}, and {}.{} is the "
                "newest that is known: install a newer swarmd",
                socket.native(), least->major, least->minor, spoken.major, spoken.minor);
  version_facts out;
  out.product = "Docker";
  for (const auto& each : detail::array_at(facts, "Components"))
    if (each.is_object() && detail::text_at(each.get_object(), "Name").starts_with("Podman"))
      out.product = "Podman";
  out.version = detail::text_at(facts, "Version");
  out.api = fmt::format("{}.{}", spoken.major, spoken.minor);
  known = out;
  return out;
}

result<answer> client::impl::send(request what, const patience& how_long, const std::stop_token& stop,
                                  const body_sink& sink) {
  SWARM_TRY(const auto version, negotiate());
  what.target = fmt::format("/v{}{}", version.api, what.target);
  auto said = exchange(socket, what, how_long, stop, sink);
  if (!said) {
    if (said.error().is(engine_errc::absent) || said.error().is(engine_errc::died)) {
      const std::lock_guard lock(mutex); // what comes back may be another
      known.reset();
    }
    return said;
  }
  if (said->status < 400) return said;
  return tl::unexpected(error_of(*said));
}

result<answer> client::impl::send(std::string_view verb, std::string target, const patience& how_long) {
  return send(request{.verb = std::string(verb), .target = std::move(target)}, how_long);
}

result<answer> client::impl::post(std::string target, const json::value& body) {
  return send(request{.verb = "POST", .target = std::move(target), .body = json::serialize(body)});
}

result<json::value> client::impl::ask(std::string target) {
  SWARM_TRY(const auto said, send("GET", std::move(target)));
  boost::system::error_code failure;
  auto value = json::parse(said.body, failure);
  if (failure)
    return fail(engine_errc::bad_answer, "{}: the container engine's answer cannot be read", socket.native());
  return value;
}

client::client(std::filesystem::path socket) : impl_(std::make_unique<impl>(std::move(socket))) {}
client::~client() = default;

const std::filesystem::path& client::socket() const {
  return impl_->socket;
}

result<> client::ping() {
  if (const auto said = impl_->send("GET", "/_ping"); !said) return tl::unexpected(said.error());
  return {};
}

result<version_facts> client::version() {
  return impl_->negotiate();
}

} // namespace swarm::engine
