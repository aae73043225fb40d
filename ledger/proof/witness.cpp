#include "ledger/proof/witness.hpp"

#include "base/hash.hpp"
#include "ledger/proof/proof_wire.hpp"

#include <algorithm>
#include <unordered_map>

namespace swarm::ledger {

namespace {

/// Whatever is read once stays, so that nothing is recorded twice.
constexpr std::size_t keep_all = std::size_t{1} << 40;

/// The nodes of a witness by what they are, those of an earlier one, and which of them were read.
class witness_nodes {
public:
  static result<witness_nodes> open(std::span<const bytes> nodes, const known_witness* has) {
    if (nodes.size() > witness_nodes_max)
      return fail(proof_errc::witness, "witness: {} nodes, at most {} are read", nodes.size(),
                  witness_nodes_max);
    witness_nodes out;
    out.has_ = has;
    out.shown_.reserve(nodes.size());
    std::size_t size = 0;
    for (const auto& node : nodes) {
      size += node.size();
      if (size > witness_bytes_max)
        return fail(proof_errc::witness, "witness: more than {} bytes", witness_bytes_max);
      if (!out.shown_.emplace(keccak256(node), &node).second)
        return fail(proof_errc::witness, "witness: a node comes twice");
    }
    out.unread_ = out.shown_.size();
    if (has != nullptr) out.read_.reserve(has->nodes.size());
    return out;
  }

  result<trie_node_ptr> read(const hash32& hash) {
    if (const auto found = read_.find(hash); found != read_.end()) return found->second.node;
    SWARM_TRY(auto found, find(hash));
    memory_ += found.memory;
    return read_.emplace(hash, std::move(found)).first->second.node;
  }
  bool all_read() const { return unread_ == 0; }
  known_witness take(const hash32& id) { return {id, {}, std::move(read_), memory_}; }

private:
  static constexpr std::size_t entry_overhead = 160;

  result<known_witness::known_node> find(const hash32& hash) {
    if (const auto found = shown_.find(hash); found != shown_.end()) {
      --unread_;
      auto node = decode_trie_node(*found->second);
      if (!node)
        return fail(proof_errc::witness, "witness: node {} is damaged: {}", to_hex(hash.view()),
                    node.error().message);
      const auto memory = (*node)->memory() + entry_overhead;
      return known_witness::known_node{std::move(*node), memory};
    }
    if (has_ != nullptr)
      if (const auto found = has_->nodes.find(hash); found != has_->nodes.end()) return found->second;
    return fail(proof_errc::witness, "witness: node {} is missing", to_hex(hash.view()));
  }

  const known_witness* has_ = nullptr;
  std::unordered_map<hash32, const bytes*> shown_;
  std::size_t unread_ = 0; ///< of these
  std::unordered_map<hash32, known_witness::known_node> read_;
  std::size_t memory_ = 0;
};

void put_call(rlp_writer& out, const call_request& call) {
  out.begin_list().string(call.from.view()).address_or_none(call.to).string(call.input).number(call.value);
  if (call.gas_limit) out.number(*call.gas_limit);
  out.end_list();
}

std::vector<hash32> hashes_of(std::span<const call_request> calls) {
  std::vector<hash32> out;
  for (const auto& call : calls) {
    rlp_writer raw;
    put_call(raw, call);
    out.push_back(keccak256(raw.take()));
  }
  return out;
}

/// Codes need no proof: the contracts are in the program.
node_source known_codes(const contract_table& contracts) {
  return [&contracts](const hash32& hash) -> result<bytes> {
    for (unsigned kind = 0; kind < 256; ++kind) {
      auto code = contract_table::code_of_kind(static_cast<std::uint8_t>(kind));
      if (contracts.by_kind(static_cast<std::uint8_t>(kind)) != nullptr && keccak256(code) == hash)
        return code;
    }
    return fail(errc::internal, "a contract has the code {}, which is unknown to this version",
                to_hex(hash.view()));
  };
}

} // namespace

bytes encode_proved_calls(const proved_calls& item) {
  std::size_t size = 2048;
  for (const auto& node : item.nodes)
    size += node.size() + 4;
  rlp_writer out(size);
  out.begin_list();
  write_sealed(out, item.block);
  write_nodes(out, item.nodes);
  return out.end_list().take();
}

result<proved_calls> decode_proved_calls(bytes_view raw) {
  proved_calls out;
  SWARM_TRY(auto from, rlp_reader::open(raw, "proved calls"));
  SWARM_TRY(out.block, read_sealed(from));
  SWARM_TRY(out.nodes,
            read_nodes(from, "witness", {witness_nodes_max, trie_node_bytes_max, proof_errc::witness}));
  SWARM_CHECK(from.finish());
  return out;
}

hash32 witness_id(const hash32& block, std::span<const call_request> calls) {
  rlp_writer out;
  out.begin_list().string(block.view());
  for (const auto& call : calls)
    put_call(out, call);
  return keccak256(out.end_list().take());
}

namespace {

bytes encoding_of(const trie_node& node) {
  return encode_trie_node(node, [](const hash32&, const bytes&, const trie_node_ptr&) {}).rlp;
}

} // namespace

result<std::vector<bytes>> nodes_to_show(state_store& from, const witness_set& read, const witness_set* has) {
  std::vector<bytes> out;
  for (const auto& [hash, size] : read.sizes) {
    if (has != nullptr && has->sizes.contains(hash)) continue;
    SWARM_TRY(const auto node, from.nodes().load(hash));
    out.push_back(encoding_of(*node));
  }
  return out;
}

witness_recorder::witness_recorder(state_store& from, const witness_set* has)
    : from_(from), has_(has), recorded_(
                                  decoded_node_source{[this](const hash32& hash) { return load(hash); }},
                                  [this](const hash32& hash) { return from_.code(hash); }, keep_all) {
  if (has != nullptr) read_.reserve(has->sizes.size());
}

result<trie_node_ptr> witness_recorder::load(const hash32& hash) {
  SWARM_TRY(auto node, from_.nodes().load(hash));
  auto size = has_ != nullptr && has_->sizes.contains(hash) ? has_->sizes.at(hash) : 0;
  if (size == 0) {
    nodes_.push_back(encoding_of(*node));
    size = nodes_.back().size();
  }
  bytes_ += size;
  read_.emplace(hash, size);
  if (read_.size() > witness_nodes_max || bytes_ > witness_bytes_max)
    return fail(errc::limit, "reads too much of the state to prove it: more than {} nodes or {} bytes",
                witness_nodes_max, witness_bytes_max);
  return node;
}

result<witnessed_calls> execute_witnessed(const block_header& on, const chain_identity& of,
                                          std::span<const call_request> calls, std::span<const bytes> nodes,
                                          const contract_table& contracts, const known_witness_ptr& has) {
  SWARM_TRY(auto shown, witness_nodes::open(nodes, has.get()));
  state_store store(decoded_node_source{[&shown](const hash32& hash) { return shown.read(hash); }},
                    known_codes(contracts), 0);
  state_overlay state(store, on.state_root);
  witnessed_calls out;
  for (const auto& call : calls) {
    auto done = execute_view(state, of, on, call, contracts);
    if (!done && done.error().is(errc::corrupt))
      return fail(proof_errc::witness, "witness: {}", done.error().message);
    if (!done) return tl::unexpected(std::move(done).error());
    out.results.push_back(std::move(done->call));
  }
  if (!shown.all_read()) return fail(proof_errc::witness, "witness: has a node that no call reads");
  auto made = shown.take(witness_id(block_hash(on), calls));
  made.calls = hashes_of(calls);
  out.witness = std::make_shared<const known_witness>(std::move(made));
  return out;
}

known_witness_ptr witness_memory::best_for(std::span<const call_request> calls) const {
  const auto wanted = hashes_of(calls);
  known_witness_ptr best;
  std::ptrdiff_t most = 0;
  for (const auto& each : kept_) {
    const auto in_common = std::ranges::count_if(
        wanted, [&](const auto& call) { return std::ranges::find(each->calls, call) != each->calls.end(); });
    if (in_common == 0 || in_common < most) continue;
    best = each;
    most = in_common;
  }
  return best;
}

void witness_memory::keep(known_witness_ptr made) {
  const auto drop = [this](auto which) {
    memory_ -= (*which)->memory;
    kept_.erase(which);
  };
  const auto same = std::ranges::find(kept_, made->calls, [](const auto& each) { return each->calls; });
  if (same != kept_.end()) drop(same);
  memory_ += made->memory;
  kept_.push_back(std::move(made));
  while (kept_.size() > witnesses_max || memory_ > bytes_max)
    drop(kept_.begin());
}

} // namespace swarm::ledger
