#include "actors/swop/managers/process/state.hpp"

#include "actors/swop/managers/process/detail/strict_json.hpp"

#include <algorithm>
#include <array>

namespace swarm::managers {

namespace json = boost::json;
using detail::object_reader;

namespace {

constexpr std::uint64_t version = 1;

struct cause_word {
  ending_cause cause;
  std::string_view word;
};
constexpr std::array cause_words{
    cause_word{ending_cause::itself, "itself"},
    cause_word{ending_cause::told, "told"},
    cause_word{ending_cause::deadline, "deadline"},
    cause_word{ending_cause::out_of_memory, "out_of_memory"},
    cause_word{ending_cause::process_limit, "process_limit"},
    cause_word{ending_cause::not_started, "not_started"},
    cause_word{ending_cause::no_such_command, "no_such_command"},
    cause_word{ending_cause::lost, "lost"},
};

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};

json::object process_json(const process_id& id) {
  return {{"pid", id.pid}, {"start", id.start}};
}

result<process_id> read_process(const json::value& from, std::string_view where) {
  object_reader reader(from, std::string(where));
  process_id out;
  out.pid = static_cast<int>(reader.number("pid", INT32_MAX));
  out.start = reader.number("start");
  SWARM_CHECK(reader.finish());
  return out;
}

json::object ending_json(const ending& how) {
  json::object out{{"cause", name_of(how.cause)}, {"message", how.message}};
  if (how.exit_code) out.emplace("exit_code", *how.exit_code);
  if (how.signal) out.emplace("signal", *how.signal);
  return out;
}

result<ending> read_ending(const json::value& from) {
  object_reader reader(from, "how");
  ending out;
  const auto word = reader.text("cause");
  const auto* known = std::ranges::find(cause_words, std::string_view(word), &cause_word::word);
  if (known == cause_words.end())
    reader.complain("cause", "is none that is known");
  else
    out.cause = known->cause;
  out.message = reader.text("message");
  if (const auto code = reader.optional_number("exit_code", 255)) out.exit_code = static_cast<int>(*code);
  if (const auto signal = reader.optional_number("signal", 64)) out.signal = static_cast<int>(*signal);
  SWARM_CHECK(reader.finish());
  return out;
}

result<cgroup_id> read_cgroup(const json::value& from) {
  object_reader reader(from, "cgroup");
  cgroup_id out{reader.text("path"), reader.number("inode")};
  SWARM_CHECK(reader.finish());
  return out;
}

json::object phase_json(const shim_state& state) {
  return std::visit(overloaded{
                        [](const shim_state::starting&) {
                          return json::object{{"phase", "starting"}};
                        },
                        [](const shim_state::running& now) {
                          return json::object{{"phase", "running"},
                                              {"init", process_json(now.init)},
                                              {"started_ms", now.started_ms}};
                        },
                        [](const shim_state::ended& now) {
                          return json::object{{"phase", "ended"},
                                              {"started_ms", now.started_ms},
                                              {"ended_ms", now.ended_ms},
                                              {"how", ending_json(now.how)}};
                        },
                    },
                    state.phase);
}

result<> read_phase(object_reader& reader, shim_state& out) {
  const auto phase = reader.text("phase");
  if (phase == "running") {
    shim_state::running now;
    const auto* init = reader.take("init");
    now.started_ms = reader.number("started_ms");
    if (init != nullptr) {
      SWARM_TRY(now.init, read_process(*init, "init"));
    }
    out.phase = now;
  } else if (phase == "ended") {
    shim_state::ended now;
    now.started_ms = reader.number("started_ms");
    now.ended_ms = reader.number("ended_ms");
    if (const auto* how = reader.take("how")) {
      SWARM_TRY(now.how, read_ending(*how));
    }
    out.phase = std::move(now);
  } else if (phase != "starting") {
    reader.complain("phase", "is none that is known");
  }
  return {};
}

result<shim_state> read_checked(std::string_view text) {
  if (text.size() > state_bytes_max)
    return fail(errc::corrupt, "state: has more than {} bytes", state_bytes_max);
  SWARM_TRY(const auto value, detail::parse_json(text, "state"));
  object_reader reader(value, "state");
  if (reader.number("version") != version) reader.complain("version", "is of another program");
  shim_state out;
  out.boot = reader.text("boot");
  if (const auto* shim = reader.take("shim")) {
    SWARM_TRY(out.shim, read_process(*shim, "shim"));
  }
  if (const auto* cgroup = reader.take("cgroup", false)) {
    SWARM_TRY(out.cgroup, read_cgroup(*cgroup));
  }
  SWARM_CHECK(read_phase(reader, out));
  SWARM_CHECK(reader.finish());
  return out;
}

} // namespace

std::string_view name_of(ending_cause cause) {
  return std::ranges::find(cause_words, cause, &cause_word::cause)->word;
}

std::string write_state(const shim_state& state) {
  json::object out{{"version", version}, {"boot", state.boot}, {"shim", process_json(state.shim)}};
  if (state.cgroup)
    out.emplace("cgroup", json::object{{"path", state.cgroup->path}, {"inode", state.cgroup->inode}});
  for (const auto& [key, value] : phase_json(state))
    out.emplace(key, value);
  return json::serialize(out);
}

result<shim_state> read_state(std::string_view text) {
  auto out = read_checked(text);
  if (!out) return fail(errc::corrupt, "{}", out.error().message);
  return out;
}

} // namespace swarm::managers
