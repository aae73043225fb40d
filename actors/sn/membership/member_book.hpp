#pragma once

#include "contracts/registry/interface.hpp"
#include "ledger/chain/chain_window.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace swarm::membership {

enum class reader_errc {
  no_member = 1, ///< the certificate is none of a member's
};
constexpr std::string_view error_category(reader_errc) {
  return "reader";
}

/// A certificate with which a node is no member any more.
struct ended_membership {
  enum class cause : std::uint8_t {
    replaced, ///< the node is a member with another certificate
    left,     ///< the node wanted it so
    removed,  ///< by a vote
    expired,
    other, ///< its organisation was removed
  };
  address account;
  hash32 identity;
  bool shared = false; ///< another member has the same certificate
  cause how = cause::other;
  std::string why; ///< for people
  /// That of the chain's head when `ended_since` told of it; it ended there or before.
  std::uint64_t block_num = 0;
};

/// Who are the members at a chain's head, by their certificates. It reads the registry once, and from then on only the
/// nodes that blocks name. A chain without organisations has no members, and is open to everybody. All functions may be
/// called from any thread.
class member_book {
public:
  static constexpr std::size_t ended_max = 4096; ///< that are remembered for `ended_since`

  /// From now on it is about this chain.
  void watch(std::shared_ptr<const ledger::chain_window> chain);

  /// Whether somebody with this certificate may read the chain: a member, or a member that registers it anew. The error
  /// says in a sentence what to do. Others: those of reading the chain.
  result<> may_read(const hash32& identity, const std::string& subject);
  /// The memberships that have ended since `seen`, a number that this function sets.
  std::vector<ended_membership> ended_since(std::uint64_t& seen);

  /// Whether a vote has removed the node with this certificate, and no other member has the same.
  bool was_removed(const hash32& identity);
  /// Whether the CA with this fingerprint belongs to an organisation. Before a chain is known every CA does.
  bool is_anchor(const hash32& fingerprint);
  /// Whether it did, or the certificate is that of a node, of an organisation that was removed. Of one that this SN has
  /// never heard of it says no.
  bool was_of_removed_organisation(const hash32& anchor, const hash32& identity);

private:
  struct member {
    hash32 identity;
    hash32 next;              ///< of the certificate to which it is about to change; zero: none
    std::uint64_t expiry = 0; ///< the last second of what stands here
  };

  result<> look();
  result<> load(const ledger::chain_view& chain);
  result<> load_organisations(const ledger::chain_view& chain);
  result<bool> follow(const ledger::chain_view& chain);
  result<> touch(const ledger::chain_view& chain, const address& account, ended_membership::cause how);
  result<std::optional<member>> read(const ledger::chain_view& chain, const contracts::node_view& node);
  void set(const address& account, const std::optional<member>& now, ended_membership::cause how);
  void add(const member& one);
  void take_out(const member& one);
  void end(const address& account, const hash32& identity, ended_membership::cause how);
  std::string refusal(const ledger::chain_view& chain, const hash32& identity,
                      const std::string& subject) const;

  std::mutex mutex_; ///< guards what follows
  std::shared_ptr<const ledger::chain_window> chain_;
  bool open_ = true; ///< a chain without organisations, or none
  hash32 looked_at_; ///< block; zero: never
  std::uint64_t block_num_ = 0;
  hash32 nodes_root_;
  hash32 organisations_root_;
  std::uint64_t good_until_ = 0; ///< block time in which none of what follows has expired
  std::unordered_map<address, member> members_;
  std::unordered_map<hash32, int> identities_;  ///< of members, with how many have them
  std::unordered_map<address, hash32> waiting_; ///< identities of those who are no members yet
  std::map<contracts::organisation_id, std::string> organisations_;
  std::unordered_set<hash32> anchors_;
  std::unordered_set<hash32> former_anchors_; ///< that were taken from organisations while this book watched
  std::unordered_set<hash32> homeless_;       ///< identities of nodes whose organisation was removed
  std::deque<ended_membership> ended_;
  std::uint64_t ended_count_ = 0; ///< so far
};

} // namespace swarm::membership
