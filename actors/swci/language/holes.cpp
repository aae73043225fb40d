#include "actors/swci/language/holes.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <utility>

namespace swarm::swci {

namespace {

using entry = std::pair<hole_kind, hole_info>;

const std::vector<entry>& holes() {
  static const std::vector<entry> all{
      {hole_kind::context, {"context", "the name of a context", 0, 0, {}}},
      {hole_kind::contract, {"contract", "the name of a training contract", 0, 0, {}}},
      {hole_kind::task, {"task", "the name of a task", 0, 0, {}}},
      {hole_kind::taskrunner, {"taskrunner", "the name of a taskrunner", 0, 0, {}}},
      {hole_kind::organisation,
       {"organisation", "the name of an organisation, in quotes if it has blanks", 0, 0, {}}},
      {hole_kind::node, {"node", "the UID of a node, as LIST NODES shows it", 0, 0, {}}},
      {hole_kind::peer,
       {"peer", "a SWOP's index, from 0 on, or its UID, as LIST TASKRUNNER PEERS shows them", 0, 1023, {}}},
      {hole_kind::file, {"file", "a file in the user folder", 0, 0, {}}},
      {hole_kind::folder, {"folder", "a folder in the user folder", 0, 0, {}}},
      {hole_kind::files, {"files", "options such as -l, files and folders in the user folder", 0, 0, {}}},
      {hole_kind::ip, {"ip", "the IP address or the name of an SN's host", 0, 0, {}}},
      {hole_kind::port,
       {"port", "the port of the SN's API, from 1 to 65535; without it 30304", 1, 65535, {}}},
      {hole_kind::service,
       {"service",
        "the name under which a reverse proxy serves the SN's API, with :port if it is not 443",
        0,
        0,
        {}}},
      {hole_kind::retries,
       {"retries", "how often to try, 5 seconds apart, from 1 to 100000; without it 360", 1, 100'000, {}}},
      {hole_kind::seconds,
       {"seconds", "seconds from 0 to 604800, with at most three decimals", 0, 604'800, {}}},
      {hole_kind::count, {"count", "how many peers are needed, from 1 to 65536", 1, 65'536, {}}},
      {hole_kind::line_num, {"line_num", "the number of a line, from 1 to 511", 1, 511, {}}},
      {hole_kind::round, {"round", "the number of a round, from 1 on", 1, UINT64_MAX, {}}},
      {hole_kind::variable, {"variable", "the name of a variable: letters, digits and '_'", 0, 0, {}}},
      {hole_kind::value, {"value", "a value, in quotes if it has blanks", 0, 0, {}}},
      {hole_kind::text, {"text", "a text, in quotes if it has blanks", 0, 0, {}}},
      {hole_kind::task_type,
       {"task_type",
        "RUN_SWARM, MAKE_USER_CONTAINER, PULL_IMAGE, MAKE_SWARM_USER_CONTENT or RUN_NODE",
        0,
        0,
        {"RUN_SWARM", "MAKE_USER_CONTAINER", "PULL_IMAGE", "MAKE_SWARM_USER_CONTENT", "RUN_NODE"}}},
      {hole_kind::on_off, {"on_off", "ON or OFF", 0, 0, {"ON", "OFF"}}},
      {hole_kind::seat,
       {"seat", "SN, SL, SWOP, SWCI or TRAININGS", 0, 0, {"SN", "SL", "SWOP", "SWCI", "TRAININGS"}}},
      {hole_kind::limit, {"limit", "how many at most, up to 100000; 0: no limit", 0, 100'000, {}}},
      {hole_kind::line, {"line", "the text of the line, as it stands, of less than 80 characters", 0, 0, {}}},
      {hole_kind::topic, {"topic", "a command, or its first words", 0, 0, {}}}};
  return all;
}

} // namespace

const hole_info& info_of(hole_kind kind) {
  const auto& all = holes();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const entry& each) { return each.first == kind; });
  SWARM_ASSERT(found != all.end());
  return found->second;
}

std::optional<hole_kind> hole_kind_named(std::string_view name) {
  for (const auto& [kind, info] : holes())
    if (info.name == name) return kind;
  return std::nullopt;
}

bool takes_all_words(hole_kind kind) {
  return kind == hole_kind::files || kind == hole_kind::topic;
}

} // namespace swarm::swci
