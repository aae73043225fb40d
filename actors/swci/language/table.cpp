#include "actors/swci/language/table.hpp"

#include "actors/swci/language/convert.hpp"
#include "actors/swci/language/words.hpp"
#include "base/assert.hpp"
#include "base/spelling.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

using namespace commands;

/// In the place of a field: the hole is converted into the struct as a whole.
struct whole {};

template <class Struct, class Field>
result<> fill(const argument& from, Struct& to, Field Struct::*field) {
  return convert(from, to.*field);
}
template <class Struct>
result<> fill(const argument& from, Struct& to, whole) {
  return convert(from, to);
}

/// A row: `start` is the command before its holes are filled, `fields` are what they fill, in their order.
template <class Struct, class... Fields>
command_spec row(std::string_view how, std::string_view help, Struct start, Fields... fields) {
  using filler = std::function<result<>(const argument&, Struct&)>;
  const std::vector<filler> fillers{
      [fields](const argument& from, Struct& to) { return fill(from, to, fields); }...};
  auto spec = parse_pattern(how);
  SWARM_ASSERT(spec.holes.size() == sizeof...(fields));
  const auto make = [fillers, start](std::span<const argument> given) -> result<command> {
    Struct out = start;
    for (const auto& each : given)
      SWARM_CHECK(fillers[each.where.index](each, out));
    return command(std::move(out));
  };
  return {std::move(spec), help, false, command(start).index(), make};
}

/// A row of a command that asks an SN.
template <class... Args>
command_spec asks(Args... args) {
  auto out = row(std::move(args)...);
  out.needs_context = true;
  return out;
}

command_area contexts() {
  return {
      "Contexts",
      {row("WAIT FOR IP <ip> [port [retries]]",
           "Waits until the SN there answers. It is asked every 5 seconds, 360 times unless retries says "
           "otherwise.",
           wait_for_sn{}, &wait_for_sn::sn, &wait_for_sn::sn, &wait_for_sn::retries),
       row("WAIT FOR SERVICE <service> [retries]",
           "Waits until the SN behind a reverse proxy answers. It is asked every 5 seconds, 360 times unless "
           "retries "
           "says otherwise.",
           wait_for_sn{}, &wait_for_sn::sn, &wait_for_sn::retries),
       row("CREATE CONTEXT <context> WITH IP <ip> [port]",
           "Makes a context, which is a name for the swarm network that this SN belongs to. The SN must "
           "answer. When "
           "it stops answering, the context goes on with another SN of its network.",
           create_context{}, &create_context::context, &create_context::sn, &create_context::sn),
       row("CREATE CONTEXT <context> WITH SERVICE <service>",
           "Makes a context with an SN that a reverse proxy serves under a name.", create_context{},
           &create_context::context, &create_context::sn),
       row("SWITCH CONTEXT <context>",
           "Makes a context the default one, with which the commands work from then on.", switch_context{},
           &switch_context::context),
       row("LIST CONTEXTS", "Shows the contexts of this session; the default one is marked.",
           list_contexts{}),
       row("GET CONTEXT INFO [context]", "Shows where a context's SN is, and what else is known of it.",
           get_context_info{}, &get_context_info::context),
       asks("GET CONTEXT VERSION", "Shows the version of the default context's SN.", get_context_version{}),
       row("LIST CONTEXT ENV [context]", "Shows the variables of a context.", list_context_env{},
           &list_context_env::context),
       row("GET CONTEXT ENV [context] <variable>", "Shows the value of one variable of a context.",
           get_context_env{}, &get_context_env::context, &get_context_env::variable),
       row("SET CONTEXT ENV [context] <variable> <value>", "Sets a variable of a context.", set_context_env{},
           &set_context_env::context, &set_context_env::variable, &set_context_env::value)}};
}

command_area contracts() {
  return {
      "Training contracts",
      {asks("CREATE CONTRACT <contract>",
            "Makes a training contract. SLs train under it when their programs name it.", create_contract{},
            &create_contract::contract),
       asks("RESET CONTRACT <contract> [NOTE <note:text>]",
            "Starts a training contract over, so that it can be trained under again. Peers that are "
            "still in a "
            "training leave it without its last model. This cannot be undone. Everybody sees the note.",
            reset_contract{}, &reset_contract::contract, &reset_contract::note),
       asks("INVITE <organisation> TO CONTRACT <contract>",
            "From then on only organisations that are invited take part in a training contract, and the one "
            "whose SWCI made it, which alone invites. Until the first is invited everybody may.",
            invite{}, &invite::organisation, &invite::contract),
       asks("TRUST MERGES <contract>",
            "From then on what a leader merges under a training contract is not checked by others. The "
            "organisation "
            "whose SWCI made it says so.",
            verify_merges{{}, when_verified::never}, &verify_merges::contract),
       asks("VERIFY MERGES <contract>",
            "What a leader merges is checked by others before it counts, as it is from the beginning.",
            verify_merges{}, &verify_merges::contract),
       asks("VERIFY MERGES <contract> BEHIND",
            "The same, but programs that can take it back train on with what is merged while it is checked.",
            verify_merges{{}, when_verified::behind}, &verify_merges::contract),
       asks("LIST CONTRACTS", "Shows the names of all training contracts.", list_contracts{}),
       asks("GET CONTRACT INFO <contract>", "Shows what stays the same of a training contract.",
            get_contract_info{}, &get_contract_info::contract),
       asks("GET CONTRACT STATUS <contract>",
            "Shows how far a training is: its round, its leader, and what each of its peers does.",
            get_contract_status{}, &get_contract_status::contract),
       asks("PERFDATA [CONTRACT] <contract>",
            "Shows loss, metric and epochs of each pair of SL and ML. A pair that has reported nothing "
            "yet has no "
            "loss; that is no failure.",
            perfdata{}, &perfdata::contract),
       asks("WATCH CONTRACT <contract>",
            "Shows peers, rounds and losses, and who waits for whom, again with each change, until "
            "Ctrl-C or the "
            "training's end.",
            watch_contract{}, &watch_contract::contract),
       asks("GET MODEL <contract> [ROUND <round>] TO <file>",
            "Saves a merged model as a safetensors file, the newest one or that of a round. It is "
            "checked against "
            "its digest on the chain.",
            get_model{}, &get_model::contract, &get_model::round_num, &get_model::file),
       asks("PROVE <contract> ROUND <round> TO <file>",
            "Saves the proof of a merge, which swarm-inspect verify checks without trusting any node.",
            prove_merge{}, &prove_merge::contract, &prove_merge::round_num, &prove_merge::file)}};
}

command_area tasks() {
  return {
      "Tasks",
      {asks("CREATE TASK FROM <file>",
            "Makes a task from its definition in YAML. The definition is checked first, then the task is "
            "registered "
            "and its body appended.",
            create_task_from{}, &create_task_from::file),
       asks("CREATE TASK <type:task_type> <task> <author:text> <prereq:task> <outcome:text>",
            "Makes a task without a body. ROOTTASK is the prerequisite of a task that needs no other.",
            create_task{}, &create_task::type, &create_task::task, &create_task::author,
            &create_task::prerequisite, &create_task::outcome),
       asks("APPEND TASK BODY <task> <index:line_num> <line>",
            "Adds a line to a task's body, or replaces it. All that follows one blank after the number is "
            "the line. A "
            "finalized task cannot be changed.",
            append_task_body{}, &append_task_body::task, &append_task_body::line_num,
            &append_task_body::line),
       asks("FINALIZE TASK <task>",
            "Ends the making of a task. From then on it can be assigned, and not be changed.",
            finalize_task{}, &finalize_task::task),
       asks("DELETE TASK <task>", "Removes a task that is not finalized.", delete_task{}, &delete_task::task),
       asks("GET TASK INFO <task>", "Shows type, author, prerequisite and outcome of a task.",
            get_task_info{}, &get_task_info::task),
       asks("GET TASK BODY <task>", "Shows the numbered lines of a task's body.", get_task_body{},
            &get_task_body::task),
       asks("LIST TASKS", "Shows the names of all tasks.", list_tasks{})}};
}

command_area taskrunners() {
  return {
      "Taskrunners",
      {asks("CREATE TASKRUNNER <taskrunner>",
            "Makes a taskrunner. SWOPs listen on the one that their profile names.", create_taskrunner{},
            &create_taskrunner::taskrunner),
       asks("RESET TASKRUNNER <taskrunner> [NOTE <note:text>]",
            "Frees a taskrunner for its next task. SWOPs end what still runs of the former one and clean up. "
            "This "
            "cannot be undone. Everybody sees the note.",
            reset_taskrunner{}, &reset_taskrunner::taskrunner, &reset_taskrunner::note),
       asks("LIST TASKRUNNERS", "Shows the names of all taskrunners.", list_taskrunners{}),
       asks("LIST TASKRUNNER PEERS <taskrunner>", "Shows the SWOPs that take part in a taskrunner's task.",
            list_taskrunner_peers{}, &list_taskrunner_peers::taskrunner),
       asks("GET TASKRUNNER INFO <taskrunner>", "Shows what stays the same of a taskrunner.",
            get_taskrunner_info{}, &get_taskrunner_info::taskrunner),
       asks("GET TASKRUNNER STATUS <taskrunner>",
            "Shows the task under way, its state, how many peers are active, complete and failed, and when "
            "what "
            "happened.",
            get_taskrunner_status{}, &get_taskrunner_status::taskrunner),
       asks("GET TASKRUNNER PEER STATUS <taskrunner> <swop:peer>",
            "Shows what one SWOP does, since when, and what it waits for; of a RUN_SWARM task, each of its "
            "pairs of "
            "SL and ML.",
            get_taskrunner_peer_status{}, &get_taskrunner_peer_status::taskrunner,
            &get_taskrunner_peer_status::swop),
       asks("ASSIGN TASK <task> TO <taskrunner> WITH <count> PEERS",
            "Has SWOPs execute a task. It is complete when so many peers are: pairs of SL and ML for "
            "RUN_SWARM, of "
            "which more may start, and SWOPs for any other task.",
            assign_task{.to = with_peers{}}, &assign_task::task, &assign_task::taskrunner, &assign_task::to),
       asks("ASSIGN TASK <task> TO <taskrunner> WITH ALL PEERS",
            "Has all SWOPs that listen at this moment execute a task, with all their pairs of SL and ML for "
            "RUN_SWARM.",
            assign_task{}, &assign_task::task, &assign_task::taskrunner),
       asks("ASSIGN TASK <task> TO <taskrunner> TARGET <swop:node>",
            "Has one SWOP execute a task; while it is under way, adds this SWOP to it, or has it try again.",
            assign_task{.to = one_swop{}}, &assign_task::task, &assign_task::taskrunner, &assign_task::to),
       asks("WAIT FOR TASKRUNNER <taskrunner>",
            "Waits until a taskrunner's task is complete or has failed, at most as long as "
            "SWCI_TASK_MAX_WAIT_TIME "
            "says, which is 120 minutes by default. Ctrl-C ends the wait, not the task.",
            wait_for_taskrunner{}, &wait_for_taskrunner::taskrunner)}};
}

command_area organisations() {
  return {
      "Organisations",
      {asks("LIST ORGANISATIONS",
            "Shows the organisations of the network, the fingerprints of their CA certificates, since when "
            "they belong to it, what they have put on the chain today (UTC), what they may use up, and what "
            "they vote on.",
            list_organisations{}),
       asks(
           "LIST SEATS",
           "Shows how many nodes each organisation may have in the network, and how many it has: in all, of "
           "each role, and of them without a sign of life; how many of its trainings are under way; and what "
           "limits these. Organisations vote for another number in all with swarm-inspect.",
           list_seats{}),
       asks("LIMIT SEATS <seat> <limit> [OF <organisation>]",
            "Limits how many nodes of a role, or trainings under way at once, the organisation of this SWCI "
            "has; "
            "or votes for such a limit of an organisation, which holds as soon as more than half of the "
            "organisations vote for the same. The lower one counts. Nothing that is there is stopped by it.",
            limit_seats{}, &limit_seats::kind, &limit_seats::most, &limit_seats::organisation),
       asks("ADMIT ORGANISATION <organisation> FROM <file>",
            "Votes for a new organisation, whose CA certificates are in a PEM file, or whose trust domain is "
            "named as spiffe://DOMAIN. It belongs to the network as soon as more than half of the "
            "organisations "
            "vote for it, with the same name and certificates.",
            admit_organisation{}, &admit_organisation::organisation, &admit_organisation::file),
       asks("REMOVE ORGANISATION <organisation>",
            "Votes for the removal of an organisation, which itself has no vote on it. It takes two votes, "
            "and "
            "more than half of the others.",
            remove_organisation{}, &remove_organisation::organisation),
       asks("REPLACE CA OF <organisation> FROM <file>",
            "Votes for other CA certificates of an organisation than it has: those in a PEM file, or a trust "
            "domain, spiffe://DOMAIN, and no others.",
            replace_ca{}, &replace_ca::organisation, &replace_ca::file),
       asks("REMOVE NODE <node>",
            "Votes for the removal of a node. It goes at once when it belongs to the organisation of this "
            "SWCI, otherwise as soon as more than half of the organisations vote for it.",
            remove_node{}, &remove_node::node)}};
}

command_area miscellaneous() {
  return {
      "Miscellaneous",
      {asks("LIST NODES",
            "Shows the SNs, SLs and SWOPs that are alive: type, host, port, name, UID, the UID of the SN "
            "that each "
            "belongs to, and its last sign of life.",
            list_nodes{}),
       row("DOCTOR",
           "Looks for what is often wrong: clocks, certificates, ports, SNs that do not answer, lost nodes.",
           doctor{}),
       row("SLEEP <seconds>",
           "Waits, for instance to let programs save their model before a RESET TASKRUNNER.", sleep_for{},
           &sleep_for::time),
       row("CD <folder>", "Changes the working folder. It is always in the user folder, /platform/swarm/usr.",
           change_folder{}, &change_folder::folder),
       row("LS() [options:files]",
           "Shows files of the user folder. Of the options of its namesake it knows -l, -a, -h, -r, -t, "
           "-S, -1 "
           "and -A.",
           list_files{}, whole{}),
       row("PWD()", "Shows the working folder.", show_folder{}),
       row("HELP [command:topic]", "Shows all commands, or how one is written and what it does.", help{},
           &help::command),
       row("EXIT", "Ends the session, with exit code 0.", exit_session{}),
       row("EXIT ON FAILURE [ON|OFF]",
           "Says whether the session ends, with exit code 1, when a command fails. It does not before this "
           "command.",
           exit_on_failure{}, &exit_on_failure::on)}};
}

std::vector<std::string> split_name(std::string_view name) {
  std::vector<std::string> out;
  word_scanner words(name);
  while (const auto each = words.next_unfinished())
    out.emplace_back(each->text);
  return out;
}

} // namespace

const std::vector<command_area>& command_areas() {
  static const std::vector<command_area> all{contexts(),    contracts(),     tasks(),
                                             taskrunners(), organisations(), miscellaneous()};
  return all;
}

const std::vector<const command_spec*>& all_commands() {
  static const auto all = [] {
    std::vector<const command_spec*> out;
    for (const auto& area : command_areas())
      for (const auto& each : area.commands)
        out.push_back(&each);
    return out;
  }();
  return all;
}

bool needs_context(const command& what) {
  const auto& all = all_commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](auto* each) { return each->makes == what.index(); });
  SWARM_ASSERT(found != all.end());
  return (*found)->needs_context;
}

std::vector<const command_spec*> commands_beginning_with(std::span<const std::string> words) {
  std::vector<const command_spec*> out;
  for (const auto* each : all_commands()) {
    const auto name = split_name(each->how.name);
    if (words.size() <= name.size()
        && std::equal(words.begin(), words.end(), name.begin(), equal_ignoring_case))
      out.push_back(each);
  }
  return out;
}

std::string nearest_command(std::span<const std::string> words) {
  // As many words as a name has, or one less, since a blank may have been forgotten.
  std::string best;
  std::size_t best_distance = SIZE_MAX;
  for (const auto* each : all_commands()) {
    const auto length = split_name(each->how.name).size();
    for (auto count = std::max<std::size_t>(length, 2) - 1; count <= std::min(length, words.size());
         ++count) {
      std::string typed;
      for (const auto& word : words.first(count))
        typed += (typed.empty() ? "" : " ") + upper(word);
      const std::string_view name = each->how.name;
      if (!nearest(typed, {&name, 1})) continue;
      if (const auto far = edit_distance(typed, name); far < best_distance) {
        best_distance = far;
        best = name;
      }
    }
  }
  return best;
}

std::string hint(std::string_view name) {
  return name.empty() ? "; HELP lists all commands" : fmt::format("; did you mean {}?", name);
}

} // namespace swarm::swci
