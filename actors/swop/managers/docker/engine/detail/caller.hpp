#pragma once

#include "actors/swop/managers/docker/engine/client.hpp"

#include <boost/json.hpp>

#include <mutex>
#include <span>

namespace swarm::engine {

namespace json = boost::json;

namespace detail {

using query = std::vector<std::pair<std::string, std::string>>;

/// Any text as a part of a path or a query.
std::string encoded(std::string_view text);
std::string target_of(std::string_view path, const query& parameters);
/// The filter that picks what has these labels.
std::string label_filter(const label_map& with);
json::object object_of(const std::map<std::string, std::string>& from);

// Answers are read leniently: what is missing, or of another type, is empty.
std::string text_at(const json::object& in, std::string_view key);
std::int64_t number_at(const json::object& in, std::string_view key);
bool flag_at(const json::object& in, std::string_view key);
const json::object& object_at(const json::object& in, std::string_view key);
const json::array& array_at(const json::object& in, std::string_view key);
/// What an engine says for people, in one line.
std::string one_line(std::string text);
label_map labels_at(const json::object& in, std::string_view key);
/// "2026-01-02T03:04:05.123456789Z" in milliseconds since 1970; 0 when it is none, or the year 1.
std::uint64_t time_of(std::string_view text);

/// Takes a stream apart into lines, of which none is longer than a megabyte.
class line_cutter {
public:
  explicit line_cutter(std::function<result<bool>(std::string_view)> take) : take_(std::move(take)) {}
  result<bool> operator()(std::string_view piece);
  result<bool> finish();

private:
  std::function<result<bool>(std::string_view)> take_;
  std::string rest_;
};

/// For what may be silent as long as it likes, as a step of a build: what hangs is said by whoever waits, not killed.
inline constexpr patience endless{.head = std::chrono::milliseconds(0),
                                  .silence = std::chrono::milliseconds(0)};
/// Of an answer whose text says nothing.
inline result<> done(const result<answer>& said) {
  if (!said) return tl::unexpected(said.error());
  return {};
}

} // namespace detail

struct client::impl {
  explicit impl(std::filesystem::path where) : socket(std::move(where)) {}

  result<version_facts> negotiate();
  /// Sends, and makes an error of an answer that is one.
  result<answer> send(request what, const patience& how_long = {}, const std::stop_token& stop = {},
                      const body_sink& sink = {});
  result<answer> send(std::string_view verb, std::string target, const patience& how_long = {});
  result<answer> post(std::string target, const json::value& body);
  result<json::value> ask(std::string target);
  /// A build or a pull, whose answer is what happens.
  result<> follow(request what, const std::stop_token& stop, const on_line& tell);

  std::filesystem::path socket;
  std::mutex mutex;
  std::optional<version_facts> known;
};

} // namespace swarm::engine
