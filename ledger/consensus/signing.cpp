#include "ledger/consensus/signing.hpp"

#include "base/hash.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/rules.hpp"

namespace swarm::consensus {

namespace {

hash32 key_of(const hash32& digest, const signature65& signature) {
  std::array<std::uint8_t, 32 + 65> both{};
  std::copy(digest.begin(), digest.end(), both.begin());
  std::copy(signature.begin(), signature.end(), both.begin() + 32);
  return keccak256(bytes_view(both));
}

} // namespace

signature_scheme make_signature_scheme(const ledger::private_key& key) {
  return {
      key.account(), [&key](const hash32& digest) { return key.sign_recoverable(digest); },
      [](const hash32& digest, const signature65& signature) { return ledger::recover(digest, signature); }};
}

result<address> author_finder::author_of(const hash32& digest, const signature65& signature,
                                         std::span<const address> validators) {
  const auto key = key_of(digest, signature);
  if (const auto known = known_.find(key); known != known_.end()) {
    if (is_validator(validators, known->second)) return known->second;
  } else {
    ++recoveries_;
    SWARM_TRY(const address author, recover_(digest, signature));
    if (is_validator(validators, author)) {
      if (known_.size() >= remembered_max) known_.clear();
      known_.emplace(key, author);
      return author;
    }
  }
  return fail(consensus_errc::not_a_validator, "signed by nobody of the {} validators", validators.size());
}

void author_finder::add(const hash32& digest, const signature65& signature, const address& author) {
  if (known_.size() >= remembered_max) known_.clear();
  known_.emplace(key_of(digest, signature), author);
}

} // namespace swarm::consensus
