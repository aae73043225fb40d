#pragma once

#include "ledger/formats/keys.hpp"

#include <functional>
#include <span>
#include <unordered_map>

namespace swarm::consensus {

using ledger::signature65;

/// How the machine makes and checks signatures. It is handed in, so that the machine holds no secret and a
/// simulation can do without curve arithmetic. `sign` must be deterministic (RFC 6979): a message that is
/// made again has the same bytes.
struct signature_scheme {
  address account; ///< of this node
  std::function<signature65(const hash32& digest)> sign;
  std::function<result<address>(const hash32& digest, const signature65& signature)> recover;
};

/// secp256k1 with `key`, which must outlive the scheme.
signature_scheme make_signature_scheme(const ledger::private_key& key);

/// Finds the authors of signatures. A validator's signature is computed only once and remembered until
/// `forget`. The memory is bounded; its key is digest and signature together.
class author_finder {
public:
  static constexpr std::size_t remembered_max = 4096;

  explicit author_finder(std::function<result<address>(const hash32&, const signature65&)> recover)
      : recover_(std::move(recover)) {}

  /// The account that signed `digest`, if it is one of `validators`; otherwise
  /// consensus_errc::not_a_validator or what the scheme says of the signature.
  result<address> author_of(const hash32& digest, const signature65& signature,
                            std::span<const address> validators);
  /// Remembers a signature that was made here.
  void add(const hash32& digest, const signature65& signature, const address& author);
  void forget() { known_.clear(); }
  std::size_t remembered() const { return known_.size(); }
  std::size_t recoveries() const { return recoveries_; }

private:
  std::function<result<address>(const hash32&, const signature65&)> recover_;
  std::unordered_map<hash32, address> known_; ///< by keccak(digest, signature); looked up only, never walked
  std::size_t recoveries_ = 0;
};

} // namespace swarm::consensus
