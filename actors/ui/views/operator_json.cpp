// Tasks and taskrunners.
#include "actors/ui/views/words.hpp"

namespace swarm::ui {

namespace json = boost::json;
using contracts::part_status;
using contracts::taskrunner_state;

namespace {

std::string with_number(std::string_view words, std::string_view counted, std::uint64_t number) {
  return counted.empty() ? std::string(words) : fmt::format("{} ({} {})", words, counted, number);
}

/// What a SWOP, or one of its pairs, does or why it failed.
template <class View>
void add_part(json::object& to, const View& from, const block_times& when) {
  to["name"] = from.name;
  to["status"] = contracts::to_string(from.status);
  const bool is_at_work = from.status != part_status::none && from.status != part_status::invited;
  if (from.failure != contracts::task_failure::none)
    to["failure"] =
        with_number(contracts::to_string(from.failure),
                    from.number == 0 ? std::string_view{} : contracts::number_word(from.failure, from.number),
                    from.number);
  else if (is_at_work)
    to["step"] = with_number(contracts::to_string(from.step), contracts::number_word(from.step), from.number);
  if (const auto since = when.find(from.since_block); since != when.end()) to["since_ms"] = since->second;
}

json::object swop_json(const swop_picture& from, const silence& silent, const block_times& when) {
  json::object pairs;
  for (std::size_t i = 0; i < from.pairs.size(); ++i) {
    json::object pair;
    add_part(pair, from.pairs[i], when);
    if (!from.pairs[i].sl.is_zero()) pair["uid"] = shown(from.pairs[i].sl);
    pairs[std::to_string(i)] = std::move(pair);
  }
  json::object out{{"listening", from.swop.listening},
                   {"slots", from.swop.slots},
                   {"attempt", from.swop.attempt},
                   {"pairs", std::move(pairs)}};
  add_part(out, from.swop, when);
  add_life(out, from.swop.account, silent);
  return out;
}

std::string waits_of_run(const taskrunner_picture& in, const silence& silent) {
  const auto& head = in.head;
  if (head.state == taskrunner_state::enrolling)
    return fmt::format("{} more {} to enrol; {} SWOPs listen, with {} SLs",
                       head.quorum - std::min(head.quorum, head.enrolled),
                       head.type == contracts::task_type::run_swarm ? "SLs" : "SWOPs", head.listening,
                       head.slots);
  if (head.state != taskrunner_state::running) return {};
  std::string out;
  for (const auto& [swop, pairs] : in.swops)
    if (swop.status == part_status::active || swop.status == part_status::invited)
      out += fmt::format("{}{}{}", out.empty() ? "" : ", ", swop.name,
                         silent.contains(swop.account) ? " (gives no sign of life)" : "");
  return out;
}

} // namespace

json::object task_json(const contracts::task_view& from) {
  json::object out{{"type", contracts::to_string(from.type)},
                   {"author", from.author},
                   {"prerequisite", from.prereq},
                   {"outcome", from.outcome},
                   {"finalized", from.finalized},
                   {"lines", from.lines},
                   {"body_bytes", from.body_bytes},
                   {"organisation", from.organisation},
                   {"created_block", from.created_block},
                   {"finalized_block", from.finalized_block}};
  if (!from.creator.is_zero()) out["creator"] = shown(from.creator);
  return out;
}

json::object taskrunner_json(const taskrunner_picture& from, const silence& silent, const block_times& when) {
  const auto& head = from.head;
  json::object out{{"uid", shown(from.at)},
                   {"owner", from.owner.organisation},
                   {"state", contracts::to_string(head.state)},
                   {"run", head.run},
                   {"quorum", head.quorum},
                   {"listening", head.listening},
                   {"slots", head.slots},
                   {"enrolled", head.enrolled},
                   {"active", head.active},
                   {"complete", head.complete},
                   {"failed", head.failed}};
  if (head.state != taskrunner_state::idle) {
    out["task"] = head.task;
    out["task_type"] = contracts::to_string(head.type);
    out["mode"] = contracts::to_string(head.mode);
  }
  if (auto waits = waits_of_run(from, silent); !waits.empty()) out["waits"] = std::move(waits);
  const std::pair<const char*, std::uint64_t> times[] = {
      {"created_ms", head.times.created},   {"assigned_ms", head.times.assigned},
      {"enrolled_ms", head.times.enrolled}, {"started_ms", head.times.started},
      {"ended_ms", head.times.ended},       {"reset_ms", head.times.last_reset}};
  for (const auto& [key, block_num] : times)
    if (const auto at = when.find(block_num); at != when.end() && block_num > 0) out[key] = at->second;
  json::object swops;
  for (const auto& each : from.swops)
    swops[shown(each.swop.account)] = swop_json(each, silent, when);
  out["swops"] = std::move(swops);
  return out;
}

} // namespace swarm::ui
