#include "actors/admin/status_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace swarm::actors {

namespace json = boost::json;

namespace {

double seconds_of(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

/// The state struct's JSON text, parsed, or as text when it is not JSON.
json::value parsed(const std::string& text) {
  boost::system::error_code failed;
  auto value = json::parse(text, failed);
  return failed ? json::value(text) : value;
}

} // namespace

json::object to_json(const actor_status& s, bool with_detail) {
  json::object out;
  out["path"] = s.path;
  out["kind"] = s.kind;
  out["phase"] = s.phase;
  out["state"] = s.state;
  out["mailbox"] = s.mailbox;
  out["handled"] = s.handled;
  out["refused"] = s.refused;
  out["busy_s"] = seconds_of(s.busy_ns);
  out["idle_s"] = seconds_of(s.idle_ns);
  out["current"] = s.current;
  out["current_s"] = seconds_of(s.current_ns);
  out["restarts"] = s.restarts;
  out["last_error"] = s.last_error;
  out["last_error_unix_ms"] = s.last_error_unix_ms;
  out["started_unix_ms"] = s.started_unix_ms;
  out["detached"] = s.detached;
  out["actor_id"] = s.actor_id;
  if (with_detail && !s.detail.empty()) out["detail"] = parsed(s.detail);
  return out;
}

json::object to_json(const trace_event& e) {
  json::object out;
  out["unix_us"] = e.unix_us;
  out["path"] = e.path;
  out["event"] = e.event;
  if (!e.type.empty()) out["type"] = e.type;
  if (!e.text.empty()) out["text"] = e.text;
  if (!e.from.empty()) out["from"] = e.from;
  if (e.ns > 0) out["seconds"] = seconds_of(static_cast<std::uint64_t>(e.ns));
  return out;
}

json::array top_rows(const std::vector<actor_status>& before, const std::vector<actor_status>& after,
                     double seconds) {
  std::map<std::string_view, const actor_status*> old;
  for (const auto& s : before)
    old[s.path] = &s;
  struct row {
    const actor_status* now;
    double busy, rate;
  };
  std::vector<row> rows;
  for (const auto& s : after) {
    const auto it = old.find(s.path);
    const bool same = it != old.end() && it->second->actor_id == s.actor_id;
    const auto busy_before = same ? std::min(it->second->busy_ns, s.busy_ns) : 0;
    const auto handled_before = same ? std::min(it->second->handled, s.handled) : 0;
    rows.push_back({&s, std::min(1.0, seconds_of(s.busy_ns - busy_before) / seconds),
                    static_cast<double>(s.handled - handled_before) / seconds});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const row& a, const row& b) {
    return std::tuple(a.busy, a.now->mailbox, a.rate) > std::tuple(b.busy, b.now->mailbox, b.rate);
  });
  json::array out;
  for (const auto& r : rows)
    out.push_back({{"path", r.now->path},
                   {"busy", r.busy},
                   {"handled_per_s", r.rate},
                   {"mailbox", r.now->mailbox},
                   {"state", r.now->state},
                   {"current", r.now->current},
                   {"current_s", seconds_of(r.now->current_ns)}});
  return out;
}

} // namespace swarm::actors
