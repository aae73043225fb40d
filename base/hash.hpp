#pragma once

#include "base/bytes.hpp"

#include <memory>

namespace swarm {

/// Keccak-256 with the original padding (0x01), as Ethereum uses it; not SHA3-256.
hash32 keccak256(bytes_view data);
inline hash32 keccak256(std::string_view text) {
  return keccak256(as_bytes(text));
}

/// SHA-256, FIPS 180-4.
hash32 sha256(bytes_view data);

/// SHA-256 of data that comes in pieces.
class sha256_stream {
public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  sha256_stream& operator=(sha256_stream&&) noexcept;

  void update(bytes_view data);
  /// The digest of everything so far; the stream starts anew.
  hash32 finish();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace swarm
