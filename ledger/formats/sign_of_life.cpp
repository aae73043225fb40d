#include "ledger/formats/sign_of_life.hpp"

#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {

constexpr std::string_view domain = "swarm sign of life";

hash32 digest_of(std::uint64_t serial, std::uint64_t head, std::string_view api_endpoint,
                 std::uint64_t chain_id, const hash32& genesis_hash) {
  rlp_writer out(384);
  out.begin_list().string(as_bytes(domain)).number(chain_id).string(genesis_hash.view());
  out.number(serial).number(head).string(as_bytes(api_endpoint)).end_list();
  return keccak256(out.take());
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

} // namespace

bytes encode_sign_of_life(std::uint64_t serial, std::uint64_t head, std::string_view api_endpoint,
                          const private_key& key, std::uint64_t chain_id, const hash32& genesis_hash) {
  const auto signature = key.sign_recoverable(digest_of(serial, head, api_endpoint, chain_id, genesis_hash));
  rlp_writer out(sign_of_life_bytes_max);
  out.begin_list().number(serial).number(head).string(as_bytes(api_endpoint));
  out.string(signature.view()).end_list();
  return out.take();
}

result<sign_of_life> decode_sign_of_life(bytes_view raw, std::uint64_t chain_id, const hash32& genesis_hash) {
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "sign of life", sign_of_life_bytes_max));
  sign_of_life out;
  SWARM_TRY(out.serial, from.number("serial"));
  SWARM_TRY(out.head, from.number("head"));
  SWARM_TRY(const auto endpoint, from.string("endpoint", api_endpoint_bytes_max));
  SWARM_TRY(const auto signature, from.fixed<65>("signature"));
  SWARM_CHECK(from.finish());
  out.api_endpoint = as_text(endpoint);
  if (!is_plain(out.api_endpoint)) return fail(errc::invalid, "sign of life: the endpoint is no plain text");
  SWARM_TRY(out.account,
            recover(digest_of(out.serial, out.head, out.api_endpoint, chain_id, genesis_hash), signature));
  return out;
}

} // namespace swarm::ledger
