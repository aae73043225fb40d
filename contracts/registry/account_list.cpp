#include "contracts/registry/account_list.hpp"

#include "base/assert.hpp"
#include "base/u256.hpp"

namespace swarm::contracts {

std::uint64_t account_list::size() const {
  return u256(slots_.load(count_slot_)).to_u64();
}

address account_list::at(std::uint64_t index) const {
  const auto word = slots_.load(slot_after(slots_.items(accounts_slot_), index));
  address out;
  std::copy(word.begin() + 12, word.end(), out.begin());
  return out;
}

std::uint32_t account_list::add(const address& account) const {
  const auto index = size();
  slots_.store(slot_after(slots_.items(accounts_slot_), index), key_of(account));
  slots_.store(count_slot_, u256(index + 1));
  return static_cast<std::uint32_t>(index);
}

address account_list::remove(std::uint64_t index) const {
  const auto last = size() - 1;
  SWARM_ASSERT(index <= last);
  const auto accounts = slots_.items(accounts_slot_);
  address moved;
  if (index != last) {
    moved = at(last);
    slots_.store(slot_after(accounts, index), key_of(moved));
  }
  slots_.store(slot_after(accounts, last), {});
  slots_.store(count_slot_, u256(last));
  return moved;
}

} // namespace swarm::contracts
