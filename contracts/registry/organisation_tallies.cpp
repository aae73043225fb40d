#include "contracts/registry/organisation_tallies.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 tallies_slot = u256(16);

void add(tally_slot& tally, node_type type, std::uint32_t one) {
  tally.nodes += one;
  if (type == node_type::sn) tally.sns += one;
  if (type == node_type::sn || type == node_type::swci) tally.voters += one;
  if (type == node_type::swop && tally.swops_plus_one != 0) tally.swops_plus_one += one;
}

} // namespace

hash32 organisation_tallies::place(organisation_id id) const {
  return slots_.mapped(u256(id), tallies_slot);
}

void organisation_tallies::count_in(organisation_id id, node_type type) const {
  if (id == 0) return;
  auto tally = of(id);
  add(tally, type, 1);
  set(id, tally);
}

void organisation_tallies::count_out(organisation_id id, node_type type) const {
  if (id == 0) return;
  auto tally = of(id);
  add(tally, type, ~std::uint32_t{0});
  set(id, tally);
}

account_list organisation_tallies::waiting(organisation_id id) const {
  const auto base = place(id);
  return {slots_, slot_after(base, 1), slot_after(base, 2)};
}

bool organisation_tallies::is_live(const tally_slot& tally) const {
  return tally.sns > 0
         && (tally.accused_at == 0 || slots_.host().block_time() <= tally.accused_at + answer_seconds);
}

std::vector<organisation_id> organisation_tallies::live() const {
  auto out = organisations_.ids().load();
  std::erase_if(out, [this](auto id) { return !is_live(of(id)); });
  return out;
}

std::vector<organisation_id> organisation_tallies::voting() const {
  auto out = organisations_.ids().load();
  std::erase_if(out, [this](auto id) { return of(id).voters == 0; });
  return out;
}

} // namespace swarm::contracts
