#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/swci/language/session/contexts.hpp"
#include "actors/swci/language/session/events.hpp"
#include "actors/swci/language/session/user_folder.hpp"
#include "base/endpoint.hpp"

#include <functional>
#include <stop_token>

namespace swarm::swci {

inline constexpr std::size_t node_answer_bytes_max = 1024 * 1024;

/// What another node's server said, and who that node is.
struct node_answer {
  unsigned status = 0; ///< of HTTP
  std::string body;
  hash32 certificate;               ///< its fingerprint
  bool is_own_organisation = false; ///< whose authority vouched for that certificate
};

/// What a command under way can do beside answering. It runs on a thread of its own.
struct command_world {
  network* sns = nullptr; ///< null: the command asks no SN, or there is no context
  std::string context;
  context_list contexts; ///< as they were when the command began
  user_folder folder;
  std::stop_token stop;
  std::chrono::minutes task_wait_max{120};
  std::function<void(answer)> say; ///< before the command ends
  /// The same in the place of what it showed so before, where the console can do that.
  std::function<void(answer)> show_anew;
  std::function<void()> waits; ///< a sign that a wait goes on
  /// Whether an SN's API answers.
  std::function<result<>(const sn_address&)> look_for_sn;
  /// What is got from another node's server.
  struct wanted_file {
    std::string target;
    std::uint64_t offset = 0;    ///< of the first byte
    std::uint64_t block_num = 0; ///< the newest block on account of which it is asked for
  };
  /// GET with this SWCI's certificate and account; the body is handed over in pieces.
  std::function<result<>(const endpoint& node, const wanted_file& what,
                         const std::function<result<>(bytes_view)>& piece)>
      fetch;
  /// The same for small answers of any status, soon or not at all.
  std::function<result<node_answer>(const endpoint& node, const std::string& target)> ask_node;
  /// Whether whoever gave this command may see what programs wrote.
  bool may_see_lines = true;
  bool follows_lines = false; ///< PEER STATUS has lines of all programs, not only of those that failed
  /// Connects to the network of a new context and registers in it.
  std::function<result<>(const std::string& context, const sn_address&)> open_context;

  /// False: the command was cancelled while it waited.
  bool pause(std::chrono::milliseconds time) const;
};

/// Carries a command out, whose files are resolved into the user folder already. None: there is nothing to
/// say, or the session says it.
result<std::optional<answer>> carry_out(const command& what, command_world& world);

} // namespace swarm::swci
