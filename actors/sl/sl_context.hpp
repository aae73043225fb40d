#pragma once

#include "actors/sl/channel/program_link.hpp"
#include "actors/sl/shards/shard_board.hpp"
#include "base/file.hpp"
#include "config/members/member_rules.hpp"
#include "config/options.hpp"
#include "ledger/formats/keys.hpp"
#include "merge/store/model_store.hpp"
#include "transport/http/http_client.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace swarm::actors {

/// How far this node's merge is. The leader writes it; the file server reads it when other nodes ask.
struct merge_progress_board {
  std::atomic<std::uint64_t> round_num = 0;
  std::atomic<std::uint32_t> term = 0;
  std::atomic<std::uint64_t> progress = 0; ///< only its change means something
  std::atomic<time_point> fetched =
      time_point{}; ///< when the leader of a merge had done with fetching models
};

/// What the follower has last seen of the chain, for those who ask others on account of it.
struct chain_board {
  std::atomic<std::uint64_t> block_num = 0;
  std::atomic<bool> sn_answers = false; ///< an SN can be asked
};

/// The names of an SL's actors below its supervisor.
namespace sl_names {
inline constexpr std::string_view channel = "channel", sn = "sn", files = "files", follower = "follower",
                                  leader_prefix = "leader:", beside_prefix = "merge:",
                                  check_prefix = "check:", shard_prefix = "shard:";
} // namespace sl_names

/// What the actors of one SL share: all of it is immutable or thread-safe.
struct sl_context {
  config::sl_options options;
  std::string log_source = "swarm.SL";
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<transport::http_client> client;
  std::shared_ptr<merge::model_store> store;
  std::shared_ptr<const ledger::private_key> key;
  hash32 commit_secret; ///< see follower/commit_secret.hpp
  std::shared_ptr<merge_progress_board> board;
  std::shared_ptr<shard_board> shards = std::make_shared<shard_board>();
  std::shared_ptr<chain_board> chain = std::make_shared<chain_board>();
  std::shared_ptr<program_link> link;
  std::string file_endpoint; ///< the host:port from which others fetch models
  unique_fd held_port;       ///< keeps a port that was chosen here, see transport/held_port.hpp

  const address& account() const { return key->account(); }
};

} // namespace swarm::actors
