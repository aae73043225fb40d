#include "contracts/testing/story.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace swarm::contracts {

using testing::wording;

story_command::story_command(const std::string& line) {
  std::istringstream in(line);
  for (std::string word; in >> word;)
    if (const auto equals = word.find('='); equals != std::string::npos)
      options_[word.substr(0, equals)] = word.substr(equals + 1);
    else
      words.push_back(word);
}

bool story_command::has(const std::string& flag) const {
  return std::find(words.begin(), words.end(), flag) != words.end();
}

std::string story_command::text(const std::string& name, const std::string& fallback) const {
  const auto found = options_.find(name);
  return found == options_.end() ? fallback : found->second;
}

std::uint64_t story_command::number(const std::string& name, std::uint64_t fallback) const {
  return std::stoull(text(name, std::to_string(fallback)));
}

story::story(const std::vector<ledger::founder>& founders) : world_(make_contracts(), {}, founders) {}

std::vector<std::string> story::run(const std::string& line) {
  lines_.clear();
  const story_command command(line);
  if (command.word(0) == "nodes")
    register_nodes(command);
  else if (command.word(1) == "offline")
    REQUIRE(world_.send(account(command.word(0)), node_registry_address(), encode_leave_node()).ok);
  else
    act(command);
  check();
  return lines_;
}

address story::account(const std::string& name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    names_.push_back(name);
    return test_account(static_cast<std::uint16_t>(names_.size() - 1));
  }
  return test_account(static_cast<std::uint16_t>(found - names_.begin()));
}

std::string story::name(const address& of) const {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (test_account(static_cast<std::uint16_t>(i)) == of) return names_[i];
  return to_hex(of.view());
}

std::vector<ledger::log_entry> story::send(const address& from, const address& to, const bytes& input) {
  auto done = world_.send(from, to, input);
  if (done.ok) return std::move(done.events);
  auto text = revert_text(done.output);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto hex = to_hex(test_account(static_cast<std::uint16_t>(i)).view());
    for (auto at = text.find(hex); at != std::string::npos; at = text.find(hex))
      text.replace(at, hex.size(), names_[i]);
  }
  say("refused: {}", text);
  return {};
}

void story::register_nodes(const story_command& command) {
  const std::map<std::string, node_type> types{
      {"sn", node_type::sn}, {"sl", node_type::sl}, {"swop", node_type::swop}, {"swci", node_type::swci}};
  for (std::size_t i = 2; i < command.words.size(); ++i)
    REQUIRE(register_node(world_, account(command.words[i]), types.at(command.word(1)), command.words[i]).ok);
}

namespace {

/// The file with its answers replaced by what really happened.
std::string transcript(const std::string& file, story& told) {
  std::ifstream in(file);
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
std::string comparable(const std::string& text) {
  return wording::readable ? text : std::regex_replace(text, std::regex("refused: .*"), "refused");
}

} // namespace

void check_stories(const std::string& folder, const std::function<std::unique_ptr<story>()>& make,
                   std::size_t count_min) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SWARM_SOURCE_DIR "/" + folder)) {
    if (entry.is_directory()) continue;
    const auto file = entry.path().string();
    CAPTURE(file);
    std::ifstream in(file);
    const std::string written{std::istreambuf_iterator<char>(in), {}};
    const auto real = transcript(file, *make());
    if (comparable(real) != comparable(written))
      std::ofstream(std::filesystem::path(entry.path().filename()).replace_extension("actual")) << real;
    CHECK_MESSAGE(comparable(real) == comparable(written),
                  "this happened instead (also written to the .actual file here):\n"
                      << real);
    ++count;
  }
  CHECK(count >= count_min);
}

} // namespace swarm::contracts
