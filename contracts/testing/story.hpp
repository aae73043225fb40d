#pragma once

#include "contracts/testing/memory_host.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

/// Golden stories: text files in which a line is a command, and the lines after it that start with "> " are its
/// answer: events, the text of a revert, or what was asked for.
namespace swarm::contracts {

/// A line taken apart: words, and options as in "min=2".
class story_command {
public:
  explicit story_command(const std::string& line);

  std::string word(std::size_t i) const { return i < words.size() ? words[i] : ""; }
  std::uint64_t number(std::size_t i) const { return std::stoull(words.at(i)); }
  bool has(const std::string& flag) const;
  std::string text(const std::string& name, const std::string& fallback) const;
  std::uint64_t number(const std::string& name, std::uint64_t fallback) const;

  std::vector<std::string> words;

private:
  std::map<std::string, std::string> options_;
};

/// What stories of any contract have: a world, names for accounts, and the answer to the current command.
class story {
public:
  explicit story(const std::vector<ledger::founder>& founders = {});
  virtual ~story() = default;

  /// The answer to one line. "nodes TYPE NAME..." registers nodes, "NAME offline" takes one from the NodeRegistry.
  std::vector<std::string> run(const std::string& line);

protected:
  virtual void act(const story_command& command) = 0;
  /// Called after each command.
  virtual void check() {}

  /// The account of that name, which is made when it is new.
  virtual address account(const std::string& name);
  std::string name(const address& of) const;
  /// Sends the call; when it is refused, says so and returns nothing. Otherwise the events are the caller's to tell.
  std::vector<ledger::log_entry> send(const address& from, const address& to, const bytes& input);

  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    lines_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  memory_world world_;

private:
  void register_nodes(const story_command& command);

  std::vector<std::string> names_;
  std::vector<std::string> lines_;
};

/// Plays every story of `folder`, relative to the sources, and checks that all happen as written; what happens instead
/// is also written to a .actual file.
void check_stories(const std::string& folder, const std::function<std::unique_ptr<story>()>& make,
                   std::size_t count_min);

} // namespace swarm::contracts
