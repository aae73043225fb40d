#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

// Golden stories of rounds are in training/scenarios/*.txt. A line is a command; the lines after it that
// start with "> " are its answer: events, the text of a revert, or what was asked for. Invariants are checked
// after each command. Commands, with options in any order:
//   nodes TYPE NAME...                  registers nodes
//   NAME register [min=2] [method=mean] [weight=1] [end=snapshot] [nolead]
//   NAME in ROUND [weight=1] [base=ROUND-1] [layout=0] [gen=] [finished]
//   NAME vote ROUND | NAME suspect ROUND TERM | NAME leave REASON | NAME reset | NAME loss ROUND LOSS
//   NAME refused REASON [gen=]          its program was refused before it was a peer
//   NAME commit ROUND TERM CONTRIBUTOR... [-EXCLUDED...]
//   NAME offline                        leaves the NodeRegistry
//   head | peers | order | merge ROUND
// The name "leader" stands for whoever leads, in commands and in answers.

namespace {

struct command {
  std::vector<std::string> words;
  std::map<std::string, std::string> options;

  explicit command(const std::string& line) {
    std::istringstream in(line);
    for (std::string word; in >> word;)
      if (const auto equals = word.find('='); equals != std::string::npos)
        options[word.substr(0, equals)] = word.substr(equals + 1);
      else
        words.push_back(word);
  }
  std::string word(std::size_t i) const { return i < words.size() ? words[i] : ""; }
  std::uint64_t number(std::size_t i) const { return std::stoull(words.at(i)); }
  bool has(const std::string& flag) const {
    return std::find(words.begin(), words.end(), flag) != words.end();
  }
  std::string text(const std::string& name, const std::string& fallback) const {
    const auto found = options.find(name);
    return found == options.end() ? fallback : found->second;
  }
  std::uint64_t number(const std::string& name, std::uint64_t fallback) const {
    return std::stoull(text(name, std::to_string(fallback)));
  }
};

class story {
public:
  story()
      : world_(make_contracts()), where_(training_address(default_training_name)), probe_(world_, where_) {}

  std::vector<std::string> run(const std::string& line) {
    lines_.clear();
    const command cmd(line);
    const auto& verb = cmd.word(0);
    if (verb == "nodes")
      register_nodes(cmd);
    else if (verb == "head")
      show_head();
    else if (verb == "peers")
      show_peers();
    else if (verb == "order")
      show_order();
    else if (verb == "merge")
      show_merge(cmd.number(1));
    else
      act(cmd);
    const auto broken = probe_.broken_invariant();
    if (!broken.empty()) lines_.push_back("BROKEN INVARIANT: " + broken);
    return lines_;
  }

private:
  address account(const std::string& name) {
    if (name == "leader") return probe_.head().leader;
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      names_.push_back(name);
      return test_account(static_cast<std::uint16_t>(names_.size() - 1));
    }
    return test_account(static_cast<std::uint16_t>(found - names_.begin()));
  }
  std::string name(const address& of) const {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (test_account(static_cast<std::uint16_t>(i)) == of) return names_[i];
    return to_hex(of.view());
  }
  std::string names(const std::vector<address>& accounts) const {
    std::string out;
    for (const auto& one : accounts)
      out += (out.empty() ? "" : " ") + name(one);
    return out.empty() ? "nobody" : out;
  }
  static hash32 digest(const std::string& text) { return keccak256(text); }

  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    lines_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void register_nodes(const command& cmd) {
    const std::map<std::string, node_type> types{
        {"sn", node_type::sn}, {"sl", node_type::sl}, {"swop", node_type::swop}, {"swci", node_type::swci}};
    for (std::size_t i = 2; i < cmd.words.size(); ++i)
      REQUIRE(register_node(world_, account(cmd.words[i]), types.at(cmd.word(1)), cmd.words[i]).ok);
  }

  void act(const command& cmd) {
    const auto caller = account(cmd.word(0));
    if (cmd.word(1) == "offline") {
      REQUIRE(world_.send(caller, node_registry_address(), encode_leave_node()).ok);
      return;
    }
    const auto done = world_.send(caller, where_, input_of(cmd, caller));
    if (!done.ok) {
      auto text = revert_text(done.output);
      for (std::size_t i = 0; i < names_.size(); ++i) {
        const auto hex = to_hex(test_account(static_cast<std::uint16_t>(i)).view());
        for (auto at = text.find(hex); at != std::string::npos; at = text.find(hex))
          text.replace(at, hex.size(), names_[i]);
      }
      return say("refused: {}", text);
    }
    for (const auto& event : done.events)
      std::visit([this](const auto& one) { tell(one); },
                 decode_training_event(event.topics, event.data).value());
  }

  bytes input_of(const command& cmd, const address& caller) {
    const auto verb = cmd.word(1);
    const auto generation = cmd.number("gen", probe_.head().generation);
    if (verb == "register") {
      const std::map<std::string, on_train_end> ends{{"inactive", on_train_end::inactive},
                                                     {"snapshot", on_train_end::snapshot},
                                                     {"active", on_train_end::active}};
      return encode_register_peer({.min_peers = static_cast<std::uint32_t>(cmd.number("min", 2)),
                                   .merge_method = cmd.text("method", "mean"),
                                   .weightage = static_cast<std::uint32_t>(cmd.number("weight", 1)),
                                   .train_end = ends.at(cmd.text("end", "snapshot")),
                                   .epochs_total = 10,
                                   .can_lead = !cmd.has("nolead")});
    }
    if (verb == "in") {
      const auto weight = static_cast<std::uint32_t>(cmd.number("weight", 1));
      const bool model = weight > 0;
      return encode_check_in({.generation = generation,
                              .round_num = cmd.number(2),
                              .digest = model ? digest("model of " + name(caller)) : hash32{},
                              .size = model ? 1000u : 0u,
                              .layout_digest = model ? digest("layout " + cmd.text("layout", "0")) : hash32{},
                              .weightage = weight,
                              .base_round = cmd.number("base", probe_.head().merged_round),
                              .finished = cmd.has("finished")});
    }
    if (verb == "vote") return encode_vote_close({generation, cmd.number(2)});
    if (verb == "suspect")
      return encode_suspect_leader({generation, cmd.number(2), static_cast<std::uint32_t>(cmd.number(3))});
    if (verb == "reset") return encode_reset();
    if (verb == "loss")
      return encode_report_loss(
          {generation, cmd.number(2), to_micro(std::stod(cmd.word(3))), to_micro(0.5), 1, 10});
    if (verb == "commit") return commit_input(cmd, generation);
    const std::map<std::string, leave_reason> reasons{
        {"gone", leave_reason::program_gone},           {"failed", leave_reason::program_failed},
        {"ended", leave_reason::program_ended},         {"stopped", leave_reason::node_stopped},
        {"parameters", leave_reason::other_parameters}, {"method", leave_reason::other_merge_method},
        {"peers", leave_reason::other_min_peers}};
    if (verb == "refused") return encode_report_refusal({generation, reasons.at(cmd.word(2))});
    REQUIRE(verb == "leave");
    return encode_leave_peer({reasons.at(cmd.word(2))});
  }

  bytes commit_input(const command& cmd, std::uint64_t generation) {
    commit_merge_args args;
    args.generation = generation;
    args.round_num = cmd.number(2);
    args.term = static_cast<std::uint32_t>(cmd.number(3));
    args.digest = digest("merge " + cmd.word(2));
    args.size = 2000;
    for (std::size_t i = 4; i < cmd.words.size(); ++i) {
      if (cmd.words[i].front() != '-') {
        args.contributors.push_back(account(cmd.words[i]));
      } else {
        args.excluded.push_back(account(cmd.words[i].substr(1)));
        args.reasons.push_back(exclusion_reason::not_available);
      }
    }
    return encode_commit_merge(args);
  }

  void tell(const peer_registered& e) {
    say("{} registered: generation {}, minPeers {}, {}, weightage {}", name(e.peer), e.generation,
        e.min_peers, e.merge_method, e.weightage);
  }
  void tell(const peer_left& e) { say("{} left: {}", name(e.peer), to_string(e.reason)); }
  void tell(const peer_absent& e) { say("{} is absent from round {}", name(e.peer), e.round_num); }
  void tell(const checked_in& e) {
    say("{} is in round {}: weightage {}, base {}{}", name(e.peer), e.round_num, e.weightage, e.base_round,
        e.finished ? ", finished" : "");
  }
  void tell(const round_closed& e) {
    say("round {} closed: leader {}, {} participants, {} contributors", e.round_num, name(e.leader),
        e.participants, e.contributors);
  }
  void tell(const round_reopened& e) { say("round {} is collected anew", e.round_num); }
  void tell(const leader_suspected& e) {
    say("{} suspects {}, leader of term {}", name(e.by), name(e.leader), e.term);
  }
  void tell(const leader_changed& e) {
    say("{} leads round {} under term {}", name(e.leader), e.round_num, e.term);
  }
  void tell(const merge_committed& e) {
    say("round {} merged under term {} by {}: {}; without {}", e.round_num, e.term, name(e.leader),
        names(e.contributors), names(e.excluded));
  }
  void tell(const loss_reported& e) {
    say("{} has loss {} after round {}", name(e.peer), from_micro(e.loss_micro), e.round_num);
  }
  void tell(const training_complete& e) { say("complete with round {}", e.round_num); }
  void tell(const training_reset& e) { say("reset by {}: generation {}", name(e.by), e.generation); }

  void show_head() {
    const auto h = probe_.head();
    say("generation {} round {} {} term {} leader {} minPeers {} {} waiting for {} in {} votes {} merged {}",
        h.generation, h.round_num, to_string(h.phase), h.term, h.leader.is_zero() ? "nobody" : name(h.leader),
        h.min_peers, h.merge_method, h.waited_for, h.checked_in, h.close_votes, h.merged_round);
  }
  void show_peers() {
    for (const auto& p : probe_.peers())
      say("{} {}{} last round {} loss round {}{} at {}", p.name, to_string(p.state),
          p.state == peer_state::left ? fmt::format(" as {}", to_string(p.reason)) : "", p.last_round,
          p.loss_round, p.can_lead ? "" : " cannot lead", p.endpoint);
  }
  void show_order() {
    std::vector<address> in;
    for (const auto& one : probe_.check_ins())
      in.push_back(one.peer);
    say("{}", names(in));
  }
  void show_merge(std::uint64_t round_num) {
    const auto m = probe_.merge_of(round_num);
    say("round {} term {} by {}: {}; without {}", m.round_num, m.term, name(m.leader), names(m.contributors),
        names(m.excluded));
    for (const auto& reason : m.reasons)
      say("reason: {}", to_string(reason));
  }

  memory_world world_;
  address where_;
  training_probe probe_;
  std::vector<std::string> names_;
  std::vector<std::string> lines_;
};

/// The file with its answers replaced by what really happened.
std::string transcript(const std::string& file) {
  std::ifstream in(file);
  story told;
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("> ")) continue;
    out += line + '\n';
    if (line.empty() || line.front() == '#') continue;
    for (const auto& answer : told.run(line))
      out += "> " + answer + '\n';
  }
  return out;
}

/// A story as it can be compared: where errors have no readable text, without what is said of a refusal.
std::string comparable(const std::string& story) {
  return wording::readable ? story : std::regex_replace(story, std::regex("refused: .*"), "refused");
}

} // namespace

TEST_CASE("the golden stories of rounds happen as written") {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SWARM_SOURCE_DIR "/contracts/training/scenarios")) {
    const auto file = entry.path().string();
    CAPTURE(file);
    std::ifstream in(file);
    const std::string written{std::istreambuf_iterator<char>(in), {}};
    const auto real = transcript(file);
    if (comparable(real) != comparable(written))
      std::ofstream(std::filesystem::path(entry.path().filename()).replace_extension("actual")) << real;
    CHECK_MESSAGE(comparable(real) == comparable(written),
                  "this happened instead (also written to the .actual file here):\n"
                      << real);
    ++count;
  }
  CHECK(count >= 7);
}
