#include "ledger/proof/proof_wire.hpp"

namespace swarm::ledger {

namespace {

constexpr std::size_t header_bytes_max = 1024;
constexpr std::size_t seals_bytes_max = 32 * 1024;

} // namespace

void write_sealed(rlp_writer& out, const sealed_header& block) {
  out.string(block.header).string(encode_seals(block.seals));
}

result<sealed_header> read_sealed(rlp_reader& from) {
  sealed_header out;
  SWARM_TRY(const auto header, from.string("header", header_bytes_max));
  out.header = to_bytes(header);
  SWARM_TRY(const auto seals, from.string("seals", seals_bytes_max));
  SWARM_TRY(out.seals, decode_seals(seals));
  return out;
}

void write_nodes(rlp_writer& out, std::span<const bytes> nodes) {
  out.begin_list();
  for (const auto& node : nodes)
    out.string(node);
  out.end_list();
}

result<std::vector<bytes>> read_nodes(rlp_reader& from, std::string_view what, const node_limits& limits) {
  SWARM_TRY(auto list, from.list(what));
  std::vector<bytes> out;
  while (!list.at_end()) {
    if (out.size() >= limits.nodes_max)
      return fail(limits.refusal, "{}: more than {} nodes", what, limits.nodes_max);
    SWARM_TRY(const auto node, list.string(what, limits.node_bytes_max));
    out.push_back(to_bytes(node));
  }
  return out;
}

} // namespace swarm::ledger
