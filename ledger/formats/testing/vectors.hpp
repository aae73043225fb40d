#pragma once

// Values that several test files share. V4, V5, V6, V12 are the numbered vectors of the ledger reference: V4
// is the example in EIP-155, the others were made with ethers 6.17 and a second independent library.

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/u256.hpp"
#include "ledger/formats/keys.hpp"
#include "ledger/native_contract.hpp"

namespace swarm::ledger::vectors {

/// Bytes from digits that are known to be good.
inline bytes hex(std::string_view digits) {
  return from_hex(digits).value();
}
template <std::size_t N>
fixed_bytes<N> fixed(std::string_view digits) {
  return fixed_from_hex<N>(digits).value();
}
inline std::string text(bytes_view raw) {
  return to_hex(raw, false);
}

/// The key 46 46 ... 46 and its address.
inline private_key key46() {
  return private_key::from_bytes(bytes(32, 0x46)).value();
}
inline const address account46 = fixed<20>("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
/// The address 35 35 ... 35.
inline const address account35 = address::from_view(bytes(20, 0x35)).value();

/// The key that is a small number.
inline private_key small_key(std::uint8_t number) {
  bytes raw(32, 0);
  raw[31] = number;
  return private_key::from_bytes(raw).value();
}

/// V4: legacy, chain 1.
inline const bytes v4_raw =
    hex("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080"
        "25a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761ae"
        "cb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
/// V5: EIP-1559, chain 1337.
inline const bytes v5_raw =
    hex("02f889820539808080830186a094353535353535353535353535353535353535353580a460fe47b10000000"
        "000000000000000000000000000000000000000000000000000000005c080a0dc9d8337731fc688d09698a0"
        "1137d241bd2c175cb72f58a5c07ae839a024d275a012f9132e5439a071126677c04da7d50766f033fcce40f"
        "0c5a7fc9953018a4717");
/// V6: legacy without fee, chain 1337.
inline const bytes v6_raw =
    hex("f8628080830186a09435353535353535353535353535353535353535358080820a96a053204a7fc899201e4"
        "e14c579ad24576697b55b53ec915bef59e0afad94cb3f91a05ad277eb0c0c6c78834425057bde2d5f9c37a9"
        "7d4825bb0c40aa6f83d21fad2b");

/// V12: the log of Named(7, "hello", "Ada"), emitted by account35.
inline log_entry v12_log() {
  log_entry out;
  out.emitter = account35;
  out.topics = {fixed<32>("a1d8f520a64bab9ad9290bd83b500985456a519f7e46997973855f7af866e3aa"), u256(7),
                keccak256("hello")};
  out.data =
      hex("00000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000"
          "0000000000000000000000000000034164610000000000000000000000000000000000000000000000000000000000");
  return out;
}

} // namespace swarm::ledger::vectors
