#include "contracts/runtime/reset_record.hpp"

#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

struct author_slot {
  address by;
  std::uint64_t block_num = 0;
};

struct ended_slot {
  std::uint64_t ended = 0;
};

} // namespace

reset_view reset_record::load() const {
  const auto author = slots_.get<author_slot>(first_);
  if (author.block_num == 0) return {};
  return {author.block_num, slots_.get<ended_slot>(slot_after(first_, 1)).ended, author.by,
          slots_.load_text(slot_after(first_, 2))};
}

void reset_record::store(const reset_view& reset) const {
  slots_.put(first_, author_slot{reset.by, reset.block_num});
  slots_.put(slot_after(first_, 1), ended_slot{reset.ended});
  slots_.store_text(slot_after(first_, 2), reset.note);
}

result<> check_reset_note(std::string_view note) {
  return check_text("the note of a reset", note, reset_note_bytes_max);
}

} // namespace swarm::contracts
