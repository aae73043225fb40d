#pragma once

#include "base/result.hpp"
#include "config/members/member_rules.hpp"
#include "config/options.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/tls/tls_identity.hpp"

#include <memory>

namespace swarm::actors {

/// What a role finds on its host's disk: its identity in TLS and its key on the chain.
struct node_identity {
  std::shared_ptr<const transport::tls_identity> tls;
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean
  std::shared_ptr<const ledger::private_key> key;       ///< data_dir/node.key, made at the first start
};

/// Where its certificate comes from.
transport::tls_files tls_files_of(const config::identity_options& from);

/// The rules of a --members file; none of an empty path. Logs what it tolerates.
result<std::shared_ptr<const members::member_rules>> load_members(const std::filesystem::path& file);

/// Loads the role's certificates and rules; makes its data directory with its parents, for its owner only (0700), and
/// locks it: two processes on one data directory are refused. The lock lasts as long as the process.
result<node_identity> open_node_identity(const config::role_options& options);

} // namespace swarm::actors
