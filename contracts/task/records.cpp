#include "contracts/task/records.hpp"

#include "base/u256.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(0);
constexpr hash32 names_slot = u256(1);
constexpr hash32 tasks_slot = u256(2);
constexpr hash32 creators_slot = u256(3);
constexpr std::uint64_t body_offset = 5; ///< from a task's first slot to that of its lines
} // namespace

task_records::task_records(const slots& in) : slots_(in), names_(in, count_slot, names_slot) {}

std::uint64_t task_records::created_by(const hash32& creator) const {
  return u256(slots_.load(slots_.mapped(creator, creators_slot))).to_u64();
}
void task_records::set_created_by(const hash32& creator, std::uint64_t count) const {
  slots_.store(slots_.mapped(creator, creators_slot), u256(count));
}

task_records::record task_records::of(std::string_view name) const {
  return {slots_, slots_.mapped(slots_.hash(as_bytes(name)), tasks_slot)};
}

void task_records::record::set_texts(std::string_view author, std::string_view prereq,
                                     std::string_view outcome) const {
  slots_.store_text(slot_after(base_, 2), author);
  slots_.store_text(slot_after(base_, 3), prereq);
  slots_.store_text(slot_after(base_, 4), outcome);
}

std::string task_records::record::line(std::uint64_t number) const {
  return slots_.load_text(slot_after(slots_.items(slot_after(base_, body_offset)), number));
}
void task_records::record::set_line(std::uint64_t number, std::string_view text) const {
  slots_.store_text(slot_after(slots_.items(slot_after(base_, body_offset)), number), text);
}

void task_records::record::clear() const {
  for (std::uint64_t i = 0, lines = head().lines; i < lines; ++i)
    set_line(i, {});
  set_texts({}, {}, {});
  set_blocks({});
  slots_.store(base_, {});
}

} // namespace swarm::contracts
