#include "tools/swarm-inspect/views.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace swarm::inspect {

namespace json = boost::json;

namespace {

std::string text(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v && v->is_string() ? std::string(v->as_string()) : std::string{};
}

double number(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (!v) return 0;
  if (v->is_double()) return v->as_double();
  if (v->is_uint64()) return static_cast<double>(v->as_uint64());
  return v->is_int64() ? static_cast<double>(v->as_int64()) : 0;
}

std::int64_t whole(const json::object& o, std::string_view key) {
  return static_cast<std::int64_t>(number(o, key));
}

std::vector<const json::object*> objects(const json::object& o, std::string_view key) {
  std::vector<const json::object*> out;
  const auto* list = o.if_contains(key);
  if (!list || !list->is_array()) return out;
  for (const auto& each : list->as_array())
    if (each.is_object()) out.push_back(&each.as_object());
  return out;
}

/// A number that deserves attention when it is not 0.
cell counted(std::int64_t n, colour when_not_zero) {
  return {fmt::format("{}", n), n == 0 ? colour::dim : when_not_zero};
}

cell state_cell(const json::object& actor) {
  const auto phase = text(actor, "phase"), state = text(actor, "state");
  if (phase == "running") return {state};
  return {state.empty() || phase == "ended" ? phase : fmt::format("{}: {}", phase, state),
          phase == "ended" || phase == "not started" ? colour::red : colour::yellow};
}

cell now_cell(const json::object& actor) {
  const auto current = text(actor, "current");
  const auto since = number(actor, "current_s");
  if (!current.empty())
    return {fmt::format("{}, {}", current, age(since)), since > 1 ? colour::red : colour::green};
  const auto idle = number(actor, "idle_s");
  return {idle > 0 ? fmt::format("idle {}", age(idle)) : std::string{}, colour::dim};
}

cell error_cell(const json::object& actor, std::int64_t now_ms) {
  const auto error = text(actor, "last_error");
  if (error.empty()) return {};
  const auto ago = static_cast<double>(now_ms - whole(actor, "last_error_unix_ms")) / 1000;
  return {fmt::format("{} ago: {}", age(std::max(0.0, ago)), error), colour::red};
}

// The tree

std::size_t depth_of(std::string_view path) {
  return path == "/root" ? 0 : static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

/// "├─ chain": lines to the last sibling of each level above.
std::vector<std::string> branches(const std::vector<const json::object*>& actors) {
  std::vector<std::string> paths, out;
  for (const auto* a : actors)
    paths.push_back(text(*a, "path"));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto depth = depth_of(paths[i]);
    if (depth == 0) {
      out.push_back(paths[i]);
      continue;
    }
    // A level has more siblings to come when a later line is as deep before one is less deep.
    const auto more_at = [&](std::size_t level) {
      for (std::size_t j = i + 1; j < paths.size(); ++j)
        if (depth_of(paths[j]) <= level) return depth_of(paths[j]) == level;
      return false;
    };
    std::string line;
    for (std::size_t level = 1; level < depth; ++level)
      line += more_at(level) ? "│  " : "   ";
    line += more_at(depth) ? "├─ " : "└─ ";
    out.push_back(line + paths[i].substr(paths[i].rfind('/') + 1));
  }
  return out;
}

} // namespace

/// On a terminal too narrow for it the last column becomes a table of its own below.
std::string tree_view(const json::object& answer, std::int64_t now_ms, const style& how) {
  constexpr std::size_t wide = 140, now_width = 28, state_min = 12;
  const auto actors = objects(answer, "actors");
  const auto names = branches(actors);
  const bool narrow = how.width > 0 && how.width < wide;
  std::size_t name_width = 0;
  for (const auto& name : names)
    name_width = std::max(name_width, width_of(name));
  const auto others = name_width + 2 + 4 * 2 + 7 + 7 + 7 + 8 + 2 + now_width;
  const auto state_width =
      narrow ? std::max(state_min, how.width - std::min(how.width, others)) : std::string::npos;
  std::vector<std::vector<cell>> rows, errors;
  for (std::size_t i = 0; i < actors.size(); ++i) {
    const auto& a = *actors[i];
    auto state = state_cell(a);
    state.text = cut(state.text, state_width);
    rows.push_back({{names[i], text(a, "kind") == "supervisor" ? colour::cyan : colour::none},
                    std::move(state),
                    counted(whole(a, "mailbox"), colour::yellow),
                    {fmt::format("{}", whole(a, "handled"))},
                    counted(whole(a, "refused"), colour::red),
                    counted(whole(a, "restarts"), colour::yellow),
                    now_cell(a)});
    auto error = error_cell(a, now_ms);
    if (!narrow)
      rows.back().push_back(std::move(error));
    else if (!error.text.empty())
      errors.push_back({{text(a, "path")}, std::move(error)});
  }
  std::vector<column> columns{
      {"ACTOR"},          {"STATE"}, {"MAILBOX", true}, {"HANDLED", true}, {"REFUSED", true},
      {"RESTARTS", true}, {"NOW"}};
  if (!narrow) columns.push_back({"LAST ERROR"});
  auto out = table(columns, rows, how);
  if (!errors.empty()) out += fmt::format("\n{}", table({{"ACTOR"}, {"LAST ERROR"}}, errors, how));
  return out;
}

std::string actor_view(const json::object& a, std::int64_t now_ms, const style& how) {
  const auto started = whole(a, "started_unix_ms");
  const auto up = static_cast<double>(now_ms - started) / 1000;
  const std::vector<std::pair<std::string, cell>> lines{
      {"actor", {text(a, "path"), colour::bold}},
      {"kind",
       {text(a, "kind") + (a.if_contains("detached") && a.at("detached") == true ? ", own thread" : "")}},
      {"state", state_cell(a)},
      {"started",
       {started ? fmt::format("{}, {} ago", clock_time(started, now_ms), age(std::max(0.0, up))) : ""}},
      {"now", now_cell(a)},
      {"mailbox", counted(whole(a, "mailbox"), colour::yellow)},
      {"handled",
       {fmt::format("{} messages, {} in handlers", whole(a, "handled"), age(number(a, "busy_s")))}},
      {"refused", counted(whole(a, "refused"), colour::red)},
      {"restarts", counted(whole(a, "restarts"), colour::yellow)},
      {"last error", error_cell(a, now_ms)}};
  std::string out;
  for (const auto& [name, value] : lines)
    if (!value.text.empty()) out += fmt::format("{:<12}{}\n", name, how.paint(value.text, value.with));
  if (const auto* detail = a.if_contains("detail"))
    out += fmt::format("\n{}", any_view(*detail, now_ms, how));
  return out;
}

std::string top_view(const json::object& answer, const style& how) {
  std::vector<std::vector<cell>> rows;
  for (const auto* a : objects(answer, "actors")) {
    const auto busy = number(*a, "busy");
    rows.push_back({{text(*a, "path")},
                    {fmt::format("{:.1f}", busy * 100), busy > 0.8 ? colour::red : colour::none},
                    {fmt::format("{:.1f}", number(*a, "handled_per_s"))},
                    counted(whole(*a, "mailbox"), colour::yellow),
                    now_cell(*a),
                    {text(*a, "state")}});
  }
  return table({{"ACTOR"}, {"BUSY %", true}, {"MSG/S", true}, {"MAILBOX", true}, {"NOW"}, {"STATE"}}, rows,
               how);
}

std::string trace_view(const json::object& e, std::int64_t now_ms, const style& how) {
  const auto event = text(e, "event");
  const auto us = whole(e, "unix_us");
  auto with = colour::none;
  if (event == "failed" || event == "ended") with = colour::red;
  if (event == "refused" || event == "slow") with = colour::yellow;
  if (event == "started") with = colour::green;
  std::string out = how.paint(fmt::format("{}{:03}", clock_time(us / 1000, now_ms), us % 1000), colour::dim);
  if (event != "message") out += fmt::format(" {}", how.paint(event, with));
  if (const auto type = text(e, "type"); !type.empty())
    out += fmt::format(" {}", how.paint(type, colour::cyan));
  if (const auto words = text(e, "text"); !words.empty()) out += fmt::format(" {}", words);
  if (e.if_contains("seconds")) out += fmt::format(" took {}", age(number(e, "seconds")));
  if (const auto from = text(e, "from"); !from.empty())
    out += how.paint(fmt::format(" from {}", from), colour::dim);
  return out;
}

// Anything

namespace {

bool is_scalar(const json::value& v) {
  return !v.is_object() && !v.is_array();
}

std::string scalar(std::string_view key, const json::value& v, std::int64_t now_ms) {
  if (v.is_string()) return std::string(v.as_string());
  if (v.is_null()) return "-";
  if (v.is_bool()) return v.as_bool() ? "yes" : "no";
  const auto n = v.is_double()   ? v.as_double()
                 : v.is_uint64() ? static_cast<double>(v.as_uint64())
                                 : static_cast<double>(v.as_int64());
  if (key.ends_with("_unix_ms")) {
    if (n <= 0) return "-";
    const auto at = static_cast<std::int64_t>(n);
    return fmt::format("{} ({} ago)", clock_time(at, now_ms),
                       age(std::max(0.0, static_cast<double>(now_ms - at) / 1000)));
  }
  if (key.ends_with("_per_s")) return fmt::format("{:.1f}", n);
  if (key.ends_with("_bytes") || key == "bytes") return bytes(n);
  if (key.ends_with("_ms")) return age(n / 1000);
  if (key.ends_with("_s")) return age(n);
  if (v.is_double()) return fmt::format("{:g}", n);
  return v.is_uint64() ? fmt::format("{}", v.as_uint64()) : fmt::format("{}", v.as_int64());
}

std::string indented(const std::string& block, std::size_t by) {
  std::string out;
  std::size_t at = 0;
  while (at < block.size()) {
    const auto end = std::min(block.find('\n', at), block.size());
    out += fmt::format("{:{}}{}\n", "", by, block.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

style narrower(style how, std::size_t by) {
  if (how.width > 0) how.width = how.width > by + 20 ? how.width - by : 20;
  return how;
}

std::string list_view(const json::array& list, std::int64_t now_ms, const style& how);

/// A list of objects becomes a table with a column for each member; members that are not scalar are shown as
/// compact JSON.
std::string objects_view(const json::array& list, std::int64_t now_ms, const style& how) {
  std::vector<std::string> keys;
  std::vector<column> columns;
  for (const auto& each : list)
    for (const auto& [key, value] : each.as_object()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        keys.emplace_back(key);
        columns.push_back({std::string(key), value.is_number()});
      }
    }
  std::vector<std::vector<cell>> rows;
  for (const auto& each : list) {
    auto& row = rows.emplace_back();
    for (const auto& key : keys) {
      const auto* v = each.as_object().if_contains(key);
      row.push_back({!v ? "" : is_scalar(*v) ? scalar(key, *v, now_ms) : json::serialize(*v)});
    }
  }
  return table(columns, rows, how);
}

std::string list_view(const json::array& list, std::int64_t now_ms, const style& how) {
  const auto is_object = [](const json::value& v) { return v.is_object() && !v.as_object().empty(); };
  if (!list.empty() && std::all_of(list.begin(), list.end(), is_object))
    return objects_view(list, now_ms, how);
  std::string out;
  for (const auto& v : list)
    out += is_scalar(v) ? scalar({}, v, now_ms) + "\n" : json::serialize(v) + "\n";
  return out;
}

std::string object_view(const json::object& o, std::int64_t now_ms, const style& how) {
  std::size_t width = 0;
  for (const auto& [key, value] : o)
    if (is_scalar(value)) width = std::max(width, width_of(key));
  std::string out;
  for (const auto& [key, value] : o) {
    if (!is_scalar(value)) continue;
    out += fmt::format("{}{}  {}\n", std::string_view(key),
                       std::string(width - std::min(width, width_of(key)), ' '), scalar(key, value, now_ms));
  }
  for (const auto& [key, value] : o) {
    if (is_scalar(value)) continue;
    const auto inner = value.is_object() ? object_view(value.as_object(), now_ms, narrower(how, 2))
                                         : list_view(value.as_array(), now_ms, narrower(how, 2));
    out += fmt::format("{}{}\n{}", out.empty() ? "" : "\n", how.paint(std::string_view(key), colour::bold),
                       inner.empty() ? "  (none)\n" : indented(inner, 2));
  }
  return out;
}

} // namespace

std::string any_view(const json::value& answer, std::int64_t now_ms, const style& how) {
  if (answer.is_object()) return object_view(answer.as_object(), now_ms, how);
  if (answer.is_array()) return list_view(answer.as_array(), now_ms, how);
  return scalar({}, answer, now_ms) + "\n";
}

} // namespace swarm::inspect
