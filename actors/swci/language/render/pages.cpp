#include "actors/swci/language/render/page.hpp"
#include "base/endpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace swarm::swci {

namespace {

using namespace answers;

value text_or(const std::string& text, std::string otherwise = "-") {
  if (text.empty()) return absent{std::move(otherwise)};
  return text;
}
value number_or_none(std::uint64_t number) {
  if (number == 0) return absent{};
  return number;
}
value real_or_none(const std::optional<double>& number) {
  if (!number) return absent{};
  return *number;
}
value number(std::uint64_t from) {
  return from;
}
std::string shown(const sn_address& sn) {
  return host_port(sn.host, sn.port);
}

/// One line, "LABEL : text".
page sentence(std::string kind, std::string label, const std::string& text) {
  return {std::move(kind), false, {fields{{{std::move(label), text}}}}};
}

page make(const done& from) {
  return sentence("done", from.what, from.name);
}
page make(const text& from) {
  return {"text", false, {lines{"lines", from.lines}}};
}
page make(const names& from) {
  return {from.of, false, {lines{"names", from.all}}};
}
page make(const sn_is_up&) {
  return {"sn_is_up", false, {remark{"API Server is UP!"}}};
}

page make(const answers::contexts& from) {
  table rows{"contexts", {"CONTEXT", "SN", "SERVICE", "DEFAULT"}, {}};
  for (const auto& each : from.all)
    rows.rows.push_back({each.name, shown(each.sn), each.sn.is_service, each.is_default});
  return {"contexts", false, {std::move(rows)}};
}
page make(const context_info& from) {
  fields all{{{"CONTEXT", from.name},
              {"SN", shown(from.sn)},
              {"SERVICE", from.sn.is_service},
              {"DEFAULT", from.is_default},
              {"CONNECTED_TO", text_or(from.connected_to)},
              {"UID", text_or(from.uid)}}};
  page out{"context_info", false, {std::move(all)}};
  if (!from.other_sns.empty()) out.parts.emplace_back(remark{"Other SNs of this network:"});
  out.parts.emplace_back(lines{"other_sns", from.other_sns});
  return out;
}
page make(const context_version& from) {
  return {"context_version",
          false,
          {fields{{{"CONTEXT", from.context},
                   {"VERSION", from.version},
                   {"CHAIN_ID", from.chain_id},
                   {"BLOCK", from.block_num}}}}};
}
page make(const variables& from) {
  table rows{"variables", {"VARIABLE", "VALUE"}, {}};
  for (const auto& [name, what] : from.all)
    rows.rows.push_back({name, what});
  return {"variables", false, {std::move(rows)}};
}

/// Only where there are organisations.
void add_organisation(fields& to, const std::string& organisation) {
  if (!organisation.empty()) to.all.push_back({"ORGANISATION", organisation});
}

page make(const contract_info& from) {
  fields all{{{"CONTRACT", from.name},
              {"ADDRESS", from.address},
              {"CREATED_BY", text_or(from.created_by, "genesis")},
              {"CREATED", from.created}}};
  add_organisation(all, from.organisation);
  if (!from.invited.empty()) all.all.push_back({"INVITED", fmt::format("{}", fmt::join(from.invited, ", "))});
  if (!from.verified.empty()) all.all.push_back({"VERIFY_MERGES", from.verified});
  return {"contract_info", false, {std::move(all)}};
}

/// Only where something was started over since that is noted.
void add_reset(fields& to, const reset& last) {
  if (last.by.empty()) return;
  to.all.push_back({"RESET_BY", last.by});
  to.all.push_back({"RESET_AT", last.when});
  to.all.push_back({"RESET_NOTE", text_or(last.note)});
}

page make(const contract_status& from) {
  fields all{{{"CONTRACT", from.name},
              {"STATE", from.state},
              {"RESETS", from.generation},
              {"ROUND", from.round_num},
              {"MERGED_ROUND", number_or_none(from.merged_round)},
              {"MERGED_DIGEST", text_or(from.merged_digest)},
              {"MERGE_METHOD", text_or(from.merge_method)},
              {"MIN_PEERS", number(from.min_peers)},
              {"CHECKED_IN", number(from.checked_in)},
              {"WAITED_FOR", number(from.waited_for)},
              {"LEADER", text_or(from.leader)}}};
  add_reset(all, from.reset);
  table rows{
      "peers", {"NAME", "STATE", "LEADS", "ROUND", "LOSS", "METRIC", "EPOCHS", "OF", "WAITS_FOR", "UID"}, {}};
  for (const auto& each : from.peers)
    rows.rows.push_back({text_or(each.name), each.state, each.is_leader, number_or_none(each.last_round),
                         real_or_none(each.loss), real_or_none(each.metric), number(each.epochs_done),
                         number_or_none(each.epochs_total), text_or(each.waits_for), each.uid});
  return {"contract_status", false, {std::move(all), std::move(rows)}};
}

page make(const perfdata& from) {
  table rows{"peers", {"UID", "SL_ADMIN", "LOSS", "METRIC", "TOTAL_EPOCHS", "COMPLETED_EPOCHS"}, {}};
  for (const auto& each : from.all)
    rows.rows.push_back({each.uid, each.is_admin, real_or_none(each.loss), real_or_none(each.metric),
                         number_or_none(each.epochs_total), number(each.epochs_done)});
  page out{"perfdata", false, {fields{{{"CONTRACT", from.contract}}}}};
  if (from.all.empty()) out.parts.emplace_back(remark{"No peer has reported anything yet."});
  out.parts.emplace_back(std::move(rows));
  return out;
}

page make(const model_saved& from) {
  return {"model_saved",
          false,
          {fields{{{"CONTRACT", from.contract},
                   {"ROUND", from.round_num},
                   {"FILE", from.file},
                   {"DIGEST", from.digest},
                   {"BYTES", from.size}}}}};
}
page make(const proof_saved& from) {
  return {"proof_saved",
          false,
          {fields{{{"CONTRACT", from.contract},
                   {"ROUND", from.round_num},
                   {"FILE", from.file},
                   {"BYTES", from.size}}}}};
}

/// These lines are those of the original product, as its clients look for them.
page make(const task_registered& from) {
  page out{"task_registered", false, {}};
  out.parts.emplace_back(lines{"warnings", from.warnings});
  out.parts.emplace_back(remark{"Task definition is valid"});
  out.parts.emplace_back(fields{{{"Task Registered", from.task}}});
  out.parts.emplace_back(remark{"Appending Task Body"});
  for (const auto& each : from.batches)
    out.parts.emplace_back(
        remark{fmt::format("batch start : {} , len : {} Successful", each.first, each.count)});
  return out;
}
page make(const task_info& from) {
  fields all{{{"TASK", from.name},
              {"TYPE", from.type},
              {"AUTHOR", text_or(from.author)},
              {"PREREQ", text_or(from.prerequisite)},
              {"OUTCOME", text_or(from.outcome)},
              {"FINALIZED", from.finalized},
              {"BODY_LINES", number(from.lines)},
              {"BODY_BYTES", number(from.body_bytes)},
              {"CREATED_BY", text_or(from.created_by, "genesis")},
              {"CREATED", from.created},
              {"FINALIZED_AT", from.finalized_at}}};
  add_organisation(all, from.organisation);
  return {"task_info", false, {std::move(all)}};
}
page make(const task_body& from) {
  return {"task_body", false, {lines{"body", from.lines, true}}};
}

page make(const taskrunner_info& from) {
  fields all{{{"TASKRUNNER", from.name},
              {"ADDRESS", from.address},
              {"CREATED_BY", text_or(from.created_by, "genesis")},
              {"CREATED", from.created},
              {"LISTENING_SWOPS", number(from.listening)},
              {"THEIR_SLS", number(from.slots)}}};
  add_organisation(all, from.organisation);
  return {"taskrunner_info", false, {std::move(all)}};
}
/// TASK_STATE is what clients of the original product look for.
page make(const taskrunner_status& from) {
  fields all{{{"TASKRUNNER", from.name},
              {"TASK_NAME", text_or(from.task, "Empty")},
              {"PEER_TYPE", from.peer_type},
              {"TASK_STATE", from.state},
              {"ASSIGNED_TO", text_or(from.mode)},
              {"RUN", number_or_none(from.run)},
              {"NEEDED_PEERS", number(from.quorum)},
              {"LISTENING_SWOPS", number(from.listening)},
              {"ENROLLED_PEERS", number(from.enrolled)},
              {"ACTIVE_PEERS", number(from.active)},
              {"COMPLETED_PEERS", number(from.complete)},
              {"FAILED_PEERS", number(from.failed)},
              {"WAITS_FOR", text_or(from.waits_for)},
              {"CREATED", from.created},
              {"ASSIGNED", from.assigned},
              {"ENROLLED", from.enrolled_at},
              {"STARTED", from.started},
              {"ENDED", from.ended},
              {"LAST_RESET", from.last_reset}}};
  if (!from.reset.by.empty()) {
    all.all.push_back({"RESET_BY", from.reset.by});
    all.all.push_back({"RESET_NOTE", text_or(from.reset.note)});
  }
  return {"taskrunner_status", false, {std::move(all)}};
}
page make(const taskrunner_peers& from) {
  table rows{"peers", {"INDEX", "NAME", "STATUS", "PEERS", "UID"}, {}};
  for (const auto& each : from.all)
    rows.rows.push_back({number(each.index), text_or(each.name), each.status, number(each.peers), each.uid});
  page out{"taskrunner_peers", false, {}};
  if (from.all.empty()) out.parts.emplace_back(remark{"No SWOP takes part."});
  out.parts.emplace_back(std::move(rows));
  return out;
}
page make(const taskrunner_peer_status& from) {
  fields head{{{"TASKRUNNER", from.taskrunner},
               {"INDEX", number(from.index)},
               {"SWOP_UID", from.uid},
               {"SWOP_NAME", text_or(from.name)},
               {"STATUS", from.status},
               {"DESCRIPTION", text_or(from.description)},
               {"SINCE", from.since},
               {"ATTEMPT", number(from.attempt)}}};
  if (from.runs_swarm) head.all.emplace_back("SL_PEERS", number(from.pairs.size()));
  if (!from.no_outputs.empty()) head.all.emplace_back("LAST_LINES", from.no_outputs);
  page out{"taskrunner_peer_status", false, {std::move(head)}};
  if (from.runs_swarm) {
    table rows{"pairs", {"STATUS", "SINCE", "NAME", "UID", "DESCRIPTION"}, {}};
    for (const auto& each : from.pairs)
      rows.rows.push_back(
          {each.status, each.since, text_or(each.name), text_or(each.uid), text_or(each.description)});
    out.parts.emplace_back(std::move(rows));
  }
  table outputs{"outputs", {"OF", "LINE"}, {}};
  for (const auto& each : from.outputs) {
    out.parts.emplace_back(remark{fmt::format("Last lines of {}:", each.of)});
    for (const auto& line : each.lines) {
      // Whatever a program writes, it does not look like a field of this page.
      out.parts.emplace_back(remark{"| " + line});
      outputs.rows.push_back({each.of, line});
    }
  }
  out.parts.emplace_back(hidden{std::move(outputs)});
  return out;
}

page make(const wait_begins& from) {
  return {"wait_begins",
          false,
          {remark{fmt::format("WAITING FOR TASKRUNNER TO COMPLETE - Maximum wait time is : {} mins",
                              from.minutes_max)},
           hidden{fields{{{"TASKRUNNER", from.taskrunner}, {"MINUTES_MAX", number(from.minutes_max)}}}}}};
}
page make(const wait_ended& from) {
  page out{"wait_ended",
           false,
           {fields{{{"TASKRUNNER", from.taskrunner}, {"TASK_STATE", from.state}}},
            hidden{fields{{{"TOO_LONG", from.too_long}}}}}};
  if (from.too_long) out.parts.emplace_back(remark{"WARNING - Maximum configured SWCI wait time is over"});
  return out;
}

void add_limits(std::vector<value>& row, const organisations::limits& from) {
  for (const auto each : {from.nodes, from.trainings, from.peers_per_training, from.chain_bytes_per_day,
                          from.p2p_places, from.model_bytes})
    row.emplace_back(each);
}
std::vector<std::string> with_limits(std::vector<std::string> columns) {
  for (const auto* each :
       {"NODES", "TRAININGS", "PEERS_PER_TRAINING", "CHAIN_BYTES_PER_DAY", "P2P_PLACES", "MODEL_BYTES"})
    columns.emplace_back(each);
  return columns;
}
page make(const answers::organisations& from) {
  table all{
      "organisations", with_limits({"ID", "ORGANISATION", "SINCE", "MEMBERS", "CHAIN_BYTES_TODAY"}), {}};
  table anchors{"anchors", {"ORGANISATION", "CA_SHA256"}, {}};
  for (const auto& each : from.all) {
    all.rows.push_back({each.id, each.name, each.since, each.members, each.chain_bytes_today});
    add_limits(all.rows.back(), each.may_use);
    for (const auto& anchor : each.anchors)
      anchors.rows.push_back({each.name, anchor});
  }
  table motions{"votes", {"VOTE", "ORGANISATION", "VOTES", "NEEDED", "VOTERS", "UNTIL_BLOCK", "MOTION"}, {}};
  table wanted_anchors{"wanted_anchors", {"MOTION", "CA_SHA256"}, {}};
  table wanted_limits{"wanted_limits", with_limits({"MOTION"}), {}};
  for (const auto& each : from.motions) {
    motions.rows.push_back({each.what, each.organisation, number(each.voters.size()), each.needed,
                            fmt::format("{}", fmt::join(each.voters, ", ")), each.until_block, each.key});
    for (const auto& anchor : each.anchors)
      wanted_anchors.rows.push_back({each.key, anchor});
    if (!each.wanted) continue;
    wanted_limits.rows.push_back({each.key});
    add_limits(wanted_limits.rows.back(), *each.wanted);
  }
  page out{"organisations", false, {std::move(all), std::move(anchors)}};
  if (!from.motions.empty()) out.parts.emplace_back(remark{"Open votes:"});
  out.parts.emplace_back(std::move(motions));
  out.parts.emplace_back(std::move(wanted_anchors));
  out.parts.emplace_back(std::move(wanted_limits));
  return out;
}
page make(const seats& from) {
  table all{
      "seats",
      {"ORGANISATION", "SEATS", "TAKEN", "FREE", "SN", "SL", "SWOP", "SWCI", "SILENT", "TRAININGS", "LIMITS"},
      {}};
  for (const auto& each : from.all)
    all.rows.push_back({each.organisation, each.limit, each.taken,
                        each.limit - std::min(each.limit, each.taken), each.sns, each.sls, each.swops,
                        each.swcis, each.silent, each.trainings, text_or(each.limits)});
  return {"seats", false, {std::move(all)}};
}
page make(const organisation_vote& from) {
  fields all{{{from.what, from.organisation}}};
  fields state{
      {{"VOTES", number(from.votes)}, {"NEEDED", number(from.needed)}, {"MOTION", text_or(from.motion)}}};
  page out{"organisation_vote", false, {std::move(all)}};
  if (from.motion.empty()) {
    out.parts.emplace_back(remark{"Enough organisations have voted for it: it is done."});
    out.parts.emplace_back(hidden{fields{{{"DONE", true}}}});
  } else {
    out.parts.emplace_back(std::move(state));
    out.parts.emplace_back(hidden{fields{{{"DONE", false}}}});
  }
  return out;
}

/// Clients of the original product read these columns by their order.
page make(const nodes& from) {
  table rows{
      "nodes", {"NodeType", "HostIP", "Port", "ContainerName", "UUID", "ParentUUID", "i-am-alive"}, {}, true};
  for (const auto& each : from.all)
    rows.rows.push_back({each.type, text_or(each.host), number(each.port), text_or(each.name), each.uid,
                         text_or(each.parent_uid), each.alive});
  return {"nodes", false, {std::move(rows)}};
}
page make(const doctor_report& from) {
  table rows{"findings", {"CHECK", "GOOD", "FINDING"}, {}};
  for (const auto& each : from.all)
    rows.rows.push_back({each.what, each.good, text_or(each.text)});
  return {"doctor", false, {std::move(rows)}};
}

page make(const files& from) {
  if (!from.in_detail) {
    lines all{"files", {}};
    for (const auto& each : from.all)
      all.all.push_back(each.name);
    return {"files", false, {std::move(all)}};
  }
  table rows{"files", {"RIGHTS", "BYTES", "CHANGED", "NAME"}, {}};
  for (const auto& each : from.all)
    rows.rows.push_back({(each.is_folder ? "d" : "-") + each.rights, each.size, each.changed, each.name});
  return {"files", false, {std::move(rows)}};
}
page make(const folder& from) {
  const auto text = from.changed ? "Current Directory : " + from.path : from.path;
  return {"folder", from.changed, {remark{text}, hidden{fields{{{"PATH", from.path}}}}}};
}
page make(const answers::exit_on_failure& from) {
  return {"exit_on_failure",
          true,
          {remark{fmt::format("EXIT ON FAILURE IS TURNED {}", from.on ? "ON" : "OFF")},
           hidden{fields{{{"ON", from.on}}}}}};
}

} // namespace

page page_of(const answer& from) {
  return std::visit([](const auto& each) { return make(each); }, from);
}

} // namespace swarm::swci
