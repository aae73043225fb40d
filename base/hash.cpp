#include "base/hash.hpp"

#include "base/assert.hpp"

#include <cryptopp/keccak.h>
#include <openssl/evp.h>

namespace swarm {

hash32 keccak256(bytes_view data) {
  thread_local CryptoPP::Keccak_256 hasher;
  hash32 out;
  hasher.CalculateDigest(out.data(), data.data(), data.size());
  return out;
}

hash32 sha256(bytes_view data) {
  hash32 out;
  unsigned int size = 0;
  SWARM_ASSERT(EVP_Digest(data.data(), data.size(), out.data(), &size, EVP_sha256(), nullptr) == 1
               && size == 32);
  return out;
}

struct sha256_stream::state {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~state() { EVP_MD_CTX_free(context); }
  void restart() {
    SWARM_ASSERT(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) {
  state_->restart();
}
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;

void sha256_stream::update(bytes_view data) {
  SWARM_ASSERT(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
}

hash32 sha256_stream::finish() {
  hash32 out;
  unsigned int size = 0;
  SWARM_ASSERT(EVP_DigestFinal_ex(state_->context, out.data(), &size) == 1 && size == 32);
  state_->restart();
  return out;
}

} // namespace swarm
