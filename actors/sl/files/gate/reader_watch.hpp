#pragma once

#include "contracts/registry/interface.hpp"

#include <map>
#include <set>
#include <vector>

namespace swarm::gate {

/// Whose connections have to end: those with a certificate that was granted a model, and with which no account that
/// named it is a member any more. Without I/O, clock or threads.
class reader_watch {
public:
  static constexpr std::size_t accounts_max = 64; ///< of one certificate, the newest

  /// The account was granted a model over a connection with this certificate.
  void granted(const hash32& certificate, const address& account);
  /// The certificates of all connections that there are now. Others are forgotten.
  void keep(const std::vector<hash32>& connected);
  /// At most `count` accounts whose records are to be read now, each in its turn.
  std::vector<address> next(std::size_t count);
  /// What is registered for one of them.
  void read(const contracts::node_view& node, const address& account);
  /// The certificates whose connections have to end, each told once.
  std::vector<hash32> take_ended();

private:
  std::map<hash32, std::set<address>> readers_;
  address last_; ///< the one whose turn was last
  std::vector<hash32> ended_;
};

} // namespace swarm::gate
