// swarm-inspect looks into a running swarmd through its admin socket. It is only a printer: everything it
// shows is what the process said. Only `verify` believes nobody, `re-enter` is for a process that is stopped, and
// `model` reads the files of one, running or not.

#include "tools/swarm-inspect/main.hpp"

#include "actors/sn/proofs/proof_json.hpp"
#include "tools/swarm-inspect/audit.hpp"
#include "tools/swarm-inspect/model.hpp"
#include "tools/swarm-inspect/reenter.hpp"
#include "tools/swarm-inspect/session.hpp"
#include "tools/swarm-inspect/views.hpp"
#include "tools/swarm-inspect/vote.hpp"

#include <CLI/CLI.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace swarm::inspect {

namespace {

namespace json = boost::json;

constexpr int exit_refused = 1, exit_usage = 2, exit_unreachable = 3;

struct arguments {
  std::string socket;
  std::string data_dir = "swarm-data";
  bool as_json = false;
  std::string command;
  std::string name;     ///< of the actor
  std::string contract; ///< for round and reset
  bool force = false;   ///< for reset
  std::string note;     ///< the same
  std::uint64_t rules_version = 0;
  std::uint64_t rules_from = 0;
  double interval_s = 1;
  bool once = false;
  proof_request proof;
  model_request model;
  std::string file; ///< to verify
  vote_request vote;
  std::vector<std::string> validators;
  std::string genesis;
  reenter_request reentry;
};

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

style terminal_style() {
  if (!::isatty(STDOUT_FILENO)) return {};
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const bool plain = std::getenv("NO_COLOR") != nullptr;
  return {.colours = !plain, .width = known ? size.ws_col : 0U};
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int complain(const error& e, int code = exit_refused) {
  fmt::print(stderr, "swarm-inspect: {}\n", e.message);
  return code;
}

std::filesystem::path socket_of(const arguments& args) {
  return args.socket.empty() ? std::filesystem::path(args.data_dir) / "admin.sock"
                             : std::filesystem::path(args.socket);
}

json::object params_of(const arguments& args) {
  json::object out;
  if (!args.name.empty()) out["name"] = args.name;
  if (!args.contract.empty()) out["contract"] = args.contract;
  if (args.command == "top") out["interval_ms"] = static_cast<std::int64_t>(args.interval_s * 1000);
  return out;
}

std::string view(const arguments& args, const json::value& answer, const style& how) {
  if (!answer.is_object()) return any_view(answer, now_ms(), how);
  if (args.command == "tree") return tree_view(answer.as_object(), now_ms(), how);
  if (args.command == "actor") return actor_view(answer.as_object(), now_ms(), how);
  if (args.command == "top") return top_view(answer.as_object(), how);
  return any_view(answer, now_ms(), how);
}

int show(session& to, const arguments& args) {
  const auto answer = to.call(args.command, params_of(args));
  if (!answer) return complain(answer.error());
  print(args.as_json ? json::serialize(*answer) + "\n" : view(args, *answer, terminal_style()));
  return 0;
}

int top(session& to, const arguments& args) {
  const bool terminal = ::isatty(STDOUT_FILENO) && !args.as_json;
  if (args.once || !terminal) return show(to, args);
  for (;;) {
    const auto answer = to.call(args.command, params_of(args));
    if (!answer) return complain(answer.error());
    print("\x1b[H\x1b[2J" + view(args, *answer, terminal_style()));
  }
}

int trace(session& to, const arguments& args) {
  const auto how = terminal_style();
  const auto ended = to.follow("trace", params_of(args), [&](const json::object& line) {
    if (args.as_json) {
      print(json::serialize(line) + "\n");
      return std::ferror(stdout) == 0;
    }
    if (const auto* lost = line.if_contains("lost"))
      print(how.paint(fmt::format("({} events were lost: they came faster than they could be shown)\n",
                                  json::serialize(*lost)),
                      colour::yellow));
    if (const auto* event = line.if_contains("event"); event && event->is_object())
      print(trace_view(event->as_object(), now_ms(), how) + "\n");
    return std::ferror(stdout) == 0;
  });
  if (ended || ended.error().is(transport::net_errc::closed)) {
    fmt::print(stderr, "swarm-inspect: the process has ended\n");
    return 0;
  }
  return complain(ended.error());
}

/// Ends an actor, waits for what its supervisor does about it, and shows that.
int kill(session& to, const arguments& args) {
  const auto before = to.call("actor", {{"name", args.name}});
  if (!before) return complain(before.error());
  const auto killed = to.call("kill", params_of(args));
  if (!killed) return complain(killed.error());
  if (args.as_json) {
    print(json::serialize(*killed) + "\n");
    return 0;
  }
  const auto& path = before->at("path");
  const auto text = [](const json::value& v) { return std::string(v.as_string()); };
  print(fmt::format("{} was told to end\n", text(path)));
  if (const auto* current = killed->as_object().if_contains("current"))
    print(fmt::format("it is in message {} for {}: it ends when that returns\n", text(*current),
                      age(killed->at("current_s").to_number<double>())));
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begun < std::chrono::seconds(5)) {
    // A question that comes when the one who answers here ends may be lost with it.
    to.wait_at_most(std::chrono::milliseconds(500));
    const auto now = to.call("actor", {{"name", path}});
    const bool is_cut = !now && now.error().category == error_category(transport::net_errc{});
    if (is_cut) { // it was the one that answers here
      if (auto again = session::open(socket_of(args))) to = std::move(*again);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!now) {
      print(fmt::format("it is gone, and not started again ({})\n", now.error().message));
      return 0;
    }
    if (now->at("actor_id") != before->at("actor_id") && text(now->at("phase")) == "running") {
      print(fmt::format("its supervisor started it again within {}; restarts: {}\n", age(took),
                        json::serialize(now->at("restarts"))));
      return 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  print("it has not been started again within 5 s: see swarm-inspect tree\n");
  return 0;
}

/// Waits until the SN has left. That takes a quorum of the validators, so it may take long.
int leave(session& to, const arguments& args) {
  for (;;) {
    const auto answer = to.call("leave", {});
    if (!answer) return complain(answer.error());
    if (answer->at("left") == true) {
      print(args.as_json
                ? json::serialize(*answer) + "\n"
                : fmt::format("it left the network in block {}; stop it when you like, it comes back "
                              "when it is started again\n",
                              json::serialize(answer->at("block_num"))));
      return 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// Waits until the chain has it. In a training of several organisations it may take more than this SN's word.
int reset(session& to, const arguments& args) {
  auto answer = to.call("reset", {{"contract", args.contract}, {"force", args.force}, {"note", args.note}});
  if (!answer) return complain(answer.error());
  const auto before = answer->at("generation");
  while (answer->at("reset") != true && answer->at("asked") != true) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    answer = to.call("reset", {{"contract", args.contract}, {"beyond", before}});
    if (!answer) return complain(answer.error());
  }
  if (args.as_json) {
    print(json::serialize(*answer) + "\n");
    return 0;
  }
  if (answer->at("reset") != true) {
    print(fmt::format(
        "the reset of '{}' is asked for by {}: more than half of the organisations in it have to\n",
        args.contract, json::serialize(answer->at("asked_by"))));
    return 0;
  }
  print(fmt::format("'{}' begins anew, as generation {}: start the SLs, those that have ended, and "
                    "the programs\n",
                    args.contract, json::serialize(answer->at("generation"))));
  return 0;
}

int proof(session& to, const arguments& args) {
  const auto file = write_proof(to, args.proof);
  if (!file) return complain(file.error());
  print(args.as_json ? json::serialize(json::object{{"file", file->string()}}) + "\n"
                     : fmt::format("the proof is in {}\n", file->string()));
  return 0;
}

int vote(session& to, const arguments& args) {
  const auto outcome = cast_vote(to, args.vote);
  if (!outcome) return complain(outcome.error());
  print(args.as_json ? json::serialize(*outcome) + "\n" : vote_view(args.vote, *outcome));
  return 0;
}

/// Shows the rules of the chain, or votes on the next ones.
int rules(session& to, const arguments& args) {
  json::object params;
  if (args.rules_version != 0) params = {{"version", args.rules_version}, {"from_block", args.rules_from}};
  const auto answer = to.call("rules", params);
  if (!answer) return complain(answer.error());
  const auto shown = [&](std::string_view name) { return json::serialize(answer->at(name)); };
  std::string text;
  if (args.rules_version != 0)
    text = fmt::format("voted in transaction {}\n", shown("txn"));
  else if (answer->at("next") == 0)
    text = fmt::format("version {} is in force; this SN knows versions up to {}\n", shown("version"),
                       shown("known"));
  else
    text = fmt::format("version {} is in force, {} from block {} on; this SN knows versions up to {}\n",
                       shown("version"), shown("next"), shown("from_block"), shown("known"));
  print(args.as_json ? json::serialize(*answer) + "\n" : text);
  return 0;
}

int verify(const arguments& args) {
  const auto trust = parse_trust(args.validators, args.genesis);
  if (!trust) return complain(trust.error(), exit_usage);
  const auto verified = verify_file(args.file, *trust);
  if (!verified) return complain(verified.error());
  print(args.as_json ? json::serialize(proofs::to_json(verified->proof)) + "\n"
                     : proof_view(*verified, terminal_style()));
  return 0;
}

int model(const arguments& args) {
  auto request = args.model;
  request.data_dir = args.socket.empty() ? std::filesystem::path(args.data_dir)
                                         : std::filesystem::absolute(args.socket).parent_path();
  const auto written = write_model(request, [&](const json::object& params) -> result<json::value> {
    SWARM_TRY(auto to, session::open(socket_of(args)));
    return to.call("merge", params);
  });
  if (!written) return complain(written.error());
  print(args.as_json ? json::serialize(to_json(*written)) + "\n" : model_view(request, *written));
  return 0;
}

int reenter(const arguments& args) {
  auto request = args.reentry;
  request.data_dir = args.data_dir;
  const auto word = reenter(request);
  if (!word) return complain(word.error());
  print(args.as_json ? json::serialize(to_json(*word)) + "\n" : reenter_view(*word));
  return 0;
}

int run(const arguments& args) {
  if (args.command == "verify") return verify(args);
  if (args.command == "re-enter") return reenter(args);
  if (args.command == "model") return model(args);
  auto to = session::open(socket_of(args));
  if (!to) return complain(to.error(), exit_unreachable);
  if (args.command == "top") return top(*to, args);
  if (args.command == "trace") return trace(*to, args);
  if (args.command == "kill") return kill(*to, args);
  if (args.command == "proof") return proof(*to, args);
  if (args.command == "leave") return leave(*to, args);
  if (args.command == "reset") return reset(*to, args);
  if (args.command == "vote") return vote(*to, args);
  if (args.command == "rules") return rules(*to, args);
  return show(*to, args);
}

/// `vote` and what can be voted on.
void add_votes(CLI::App& command, vote_request& into) {
  command.require_subcommand(1);
  const auto motion = [&](const std::string& name, const std::string& what, const std::string& help) {
    auto* sub = command.add_subcommand(name, help);
    sub->callback([&into, what] { into.motion = what; });
    return sub;
  };
  const auto about = [&](CLI::App* sub) {
    sub->add_option("ORGANISATION", into.organisation, "its name; swarmd's SWCI lists them")->required();
    return sub;
  };
  const auto with_file = [&](CLI::App* sub) {
    sub->add_option("FILE", into.file, "PEM, the certificates of its CAs")->required();
  };
  with_file(about(motion("admit", "admit", "for a new organisation")));
  with_file(about(motion("replace-ca", "replace CA", "for other CAs of an organisation than it has")));
  about(motion("remove", "remove", "for the removal of an organisation, which has no vote on it"));
  auto* limits = about(motion("limits", "set limits", "for other limits of an organisation; others stay"));
  for (const auto& [flag, name] :
       std::map<std::string, std::string>{{"--nodes", "nodes"},
                                          {"--trainings", "trainings"},
                                          {"--peers-per-training", "peers_per_training"},
                                          {"--chain-bytes-per-day", "chain_bytes_per_day"},
                                          {"--p2p-places", "p2p_places"},
                                          {"--model-bytes", "model_bytes"}})
    limits->add_option_function<std::uint64_t>(
        flag, [&into, key = name](std::uint64_t value) { into.limits[key] = value; });
  motion("take-back", "take back", "take a vote back")
      ->add_option("MOTION", into.key, "its key, as LIST ORGANISATIONS of SWCI shows it")
      ->required();
}

void add_reentry(CLI::App& command, reenter_request& into) {
  command.add_option("--block", into.block_num, "the first block that it votes on: the one after the head")
      ->required();
  command.add_option(
      "--round", into.round_num,
      "it votes in no earlier round of that block; 200000 if anybody has re-entered at it before, then "
      "300000, then 400000. Without it the first one, 100000, or the next after that of its last "
      "re-entry");
}

void add_model(CLI::App& command, model_request& into) {
  command.add_option("CONTRACT", into.contract, "training contract")->required();
  command.add_option("ROUND", into.round_num, "a merged round")->required()->check(CLI::PositiveNumber);
  command.add_option("-o,--out", into.output, "the file, in safetensors format; it must not exist")
      ->required();
  command.add_option("--generation", into.generation,
                     "of the contract, which counts its resets; without it the present one");
  command.add_flag("--force", into.force, "replace the file if it exists");
}

void add_commands(CLI::App& app, arguments& args) {
  app.add_option("--socket", args.socket, "the admin socket itself");
  app.add_option("--data-dir", args.data_dir,
                 "data directory of the swarmd to look into; its admin.sock is used")
      ->envname("SWARMD_DATA_DIR")
      ->capture_default_str();
  app.add_flag("--json", args.as_json, "print the answers as JSON");
  app.require_subcommand(1);
  app.fallthrough();
  const auto command = [&](const std::string& name, const std::string& help) {
    auto* sub = app.add_subcommand(name, help);
    sub->callback([&args, name] { args.command = name; });
    return sub;
  };
  const std::string name_help = "path of the actor, or an end of it that fits one: /sn/chain or chain";
  command("tree", "all actors as a tree: state, mailbox, messages, restarts, errors, what they do now");
  command("actor", "all about one actor")->add_option("NAME", args.name, name_help)->required();
  auto* top_command = command("top", "who is busy: share of time, messages per second, mailbox");
  top_command->add_option("--interval", args.interval_s, "seconds between two samples")
      ->check(CLI::Range(0.05, 10.0))
      ->capture_default_str();
  top_command->add_flag("--once", args.once, "one sample instead of refreshing");
  command("trace", "every message of one actor, until interrupted")
      ->add_option("NAME", args.name, name_help)
      ->required();
  command("kill", "end one actor as a crash would, to see that its supervisor mends it; a training goes on")
      ->add_option("NAME", args.name, name_help)
      ->required();
  command("round", "the training round as this process sees it")
      ->add_option("CONTRACT", args.contract, "training contract; without it the one in use");
  command("chain", "the chain as this process sees it");
  command("leave", "take an SN out of the network for good: it no longer votes on blocks, the others go on");
  auto* reset_command =
      command("reset", "start a training contract over, so that it can be trained under again; of an SN");
  reset_command->add_option("CONTRACT", args.contract, "training contract")->required();
  reset_command->add_flag("--force", args.force, "even if peers still train");
  reset_command->add_option("--note", args.note, "why, for everybody to see: 160 bytes at most");
  add_votes(*command("vote", "vote for this SN's organisation on who belongs to the network; of an SN"),
            args.vote);
  auto* rules_command =
      command("rules", "the version of the chain's rules; with a vote on the next one; of an SN");
  auto* version = rules_command->add_option("--version", args.rules_version, "vote for this version");
  rules_command->add_option("--from", args.rules_from, "from this block on")->needs(version);
  version->needs("--from");
  add_reentry(*command("re-enter",
                       "have a validator that lost the record of its votes vote again, when so many lost "
                       "theirs that no quorum is left; of an SN that is stopped, after the heads of all "
                       "SNs were compared"),
              args.reentry);
  auto* proof_command = command("proof", "write a file that proves to anybody what a round merged; of an SN");
  proof_command->add_option("CONTRACT", args.proof.contract, "training contract")->required();
  proof_command->add_option("ROUND", args.proof.round_num, "a merged round")->required();
  proof_command->add_option(
      "--generation", args.proof.generation,
      "of the contract, which counts its resets; without it the latest that merged the round");
  proof_command->add_option("-o,--output", args.proof.output,
                            "the file; without it CONTRACT-round-ROUND.proof.json");
  add_model(
      *command("model", "write the model of a merged round that an SL keeps; of one that runs, or does not"),
      args.model);
  auto* verify_command = command("verify", "check such a file; needs no swarmd");
  verify_command->add_option("FILE", args.file, "as written by proof")->required();
  verify_command
      ->add_option("--validators", args.validators, "trust these addresses to seal blocks, with commas")
      ->delimiter(',');
  verify_command->add_option("--genesis", args.genesis, "trust the chain with this genesis hash");
}

} // namespace

int program(int argc, char** argv) {
  arguments args;
  CLI::App app{"Looks into a running swarmd.", "swarm-inspect"};
  add_commands(app, args);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  try {
    return run(args);
  } catch (const std::exception& e) {
    fmt::print(stderr, "swarm-inspect: {}\n", e.what());
    return exit_refused;
  }
}

} // namespace swarm::inspect
