#pragma once

#include "contracts/abi/members.hpp"
#include "ledger/native_contract.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>

/// How contract state is laid out in 32-byte slots. Mappings, dynamic arrays and strings are as in Solidity;
/// the members of a packed slot stand from left to right.
namespace swarm::contracts {

namespace detail {

template <class T>
inline constexpr bool is_packable = std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, address>;

template <class T>
void pack_one(std::uint8_t*& to, const T& value) {
  static_assert(is_packable<T>);
  if constexpr (std::is_same_v<T, address>) {
    to = std::copy(value.begin(), value.end(), to);
  } else {
    const auto number = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i)
      *to++ = static_cast<std::uint8_t>(number >> 8 * (sizeof(T) - 1 - i));
  }
}

template <class T>
void unpack_one(const std::uint8_t*& from, T& value) {
  if constexpr (std::is_same_v<T, address>) {
    std::copy(from, from + value.size(), value.begin());
    from += value.size();
  } else {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      number = number << 8 | *from++;
    value = static_cast<T>(number);
  }
}

} // namespace detail

/// The members of a plain struct (abi/members.hpp) share a slot, in the order in which they are declared.
template <class T>
hash32 pack(const T& value) {
  hash32 out;
  auto* to = out.data();
  with_members(value, [&to](const auto&... member) {
    static_assert((std::size_t{0} + ... + sizeof(member)) <= 32, "does not fit one slot");
    (detail::pack_one(to, member), ...);
  });
  return out;
}

template <class T>
T unpack(const hash32& word) {
  T out{};
  const auto* from = word.data();
  with_members(out, [&from](auto&... member) { (detail::unpack_one(from, member), ...); });
  return out;
}

/// `base + offset` as 256-bit numbers; wraps around.
hash32 slot_after(const hash32& base, std::uint64_t offset);

/// One contract's slots within one call. Hashing to find slot numbers is charged.
class slots {
public:
  slots(ledger::contract_host& host, const address& contract) : host_(host), contract_(contract) {}

  ledger::contract_host& host() const { return host_; }
  const address& contract() const { return contract_; }

  hash32 load(const hash32& slot) const { return host_.load(contract_, slot); }
  void store(const hash32& slot, const hash32& value) const { host_.store(contract_, slot, value); }

  template <class T>
  T get(const hash32& slot) const {
    return unpack<T>(load(slot));
  }
  template <class T>
  void put(const hash32& slot, const T& value) const {
    store(slot, pack(value));
  }

  /// Keccak-256, charged as the EVM charges it: 30 plus 6 per word.
  hash32 hash(bytes_view data) const;
  /// Where the value of `key` is in the mapping at `slot`: keccak(key . slot).
  hash32 mapped(const hash32& key, const hash32& slot) const;
  /// Where the first item of the dynamic array at `slot` is: keccak(slot).
  hash32 items(const hash32& slot) const { return hash(slot.view()); }

  /// Strings as Solidity keeps them: up to 31 bytes in the slot with twice the length in the last byte,
  /// longer ones from keccak(slot) on with twice the length plus one in the slot.
  std::string load_text(const hash32& slot) const;
  void store_text(const hash32& slot, std::string_view text) const;

private:
  ledger::contract_host& host_;
  address contract_;
};

/// A mapping's key made of an address.
hash32 key_of(const address& account);

} // namespace swarm::contracts
