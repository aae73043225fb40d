#include "actors/sn/proofs/proof_json.hpp"

#include "contracts/training/client.hpp"
#include "ledger/native_contract.hpp"

#include <boost/json.hpp>

namespace swarm::proofs {

namespace json = boost::json;
using contracts::merge_proof;

namespace {

constexpr std::string_view format_name = "swarmd merge proof";
constexpr std::uint64_t format_version = 4;
constexpr std::size_t nodes_max = 64; ///< on one way through a trie: keys have at most 64 nibbles
constexpr std::size_t handovers_max = 65'536;

// Writing

template <class T>
std::string hex(const T& raw) {
  return to_hex(bytes_view(raw));
}

json::array nodes_json(const std::vector<bytes>& nodes) {
  json::array out;
  for (const auto& node : nodes)
    out.emplace_back(hex(node));
  return out;
}

json::object log_json(const ledger::log_proof& proof) {
  return {{"block", proof.block_num},
          {"transaction", proof.txn_index},
          {"log", proof.log_index},
          {"transaction_proof", nodes_json(proof.txn)},
          {"receipt_proof", nodes_json(proof.receipt)}};
}

json::object block_json(const ledger::sealed_header& block) {
  json::array seals;
  for (const auto& seal : block.seals.seals)
    seals.emplace_back(hex(seal.signature));
  return {{"header", hex(block.header)}, {"seal_round", block.seals.round_num}, {"seals", std::move(seals)}};
}

json::object handover_json(const ledger::handover& from) {
  auto out = block_json(from.block);
  json::array members;
  for (const auto& nodes : from.proof.members)
    members.emplace_back(nodes_json(nodes));
  out["registry_proof"] = nodes_json(from.proof.account);
  out["count_proof"] = nodes_json(from.proof.count);
  out["validator_proofs"] = std::move(members);
  return out;
}

json::object model_json(const contracts::proved_model& model) {
  return {{"peer", hex(model.peer)},
          {"digest", hex(model.digest)},
          {"size", model.size},
          {"weightage", model.weightage},
          {"base_round", model.base_round},
          {"excluded", model.excluded ? json::value(to_string(*model.excluded)) : json::value(nullptr)},
          {"reveal", log_json(model.reveal)}};
}

json::object shard_json(const contracts::proved_shard& one) {
  return {{"peer", hex(one.peer)}, {"shard", one.shard}, {"commit", log_json(one.commit)}};
}

json::object checker_json(const contracts::proved_attestation& one) {
  return {{"peer", hex(one.peer)}, {"attest", log_json(one.attest)}};
}

template <class T, class Writer>
json::array list_json(const std::vector<T>& items, const Writer& write) {
  json::array out;
  for (const auto& item : items)
    out.emplace_back(write(item));
  return out;
}

// Reading

/// One object of the file; errors name the field by its path.
class fields {
public:
  static result<fields> open(const json::value& from, std::string path) {
    if (!from.is_object()) return fail(errc::invalid, "{}: not an object", path);
    return fields(from.as_object(), std::move(path));
  }

  result<> into(std::string_view key, std::uint64_t& out) const {
    SWARM_TRY(const auto* value, get(key));
    boost::system::error_code failed;
    out = value->is_number() && !value->is_double() ? value->to_number<std::uint64_t>(failed) : 0;
    if (value->is_double() || !value->is_number() || failed)
      return fail(errc::invalid, "{}: not a whole number of 64 bits", at(key));
    return {};
  }
  result<> into(std::string_view key, std::uint32_t& out) const {
    std::uint64_t wide = 0;
    SWARM_CHECK(into(key, wide));
    out = static_cast<std::uint32_t>(wide);
    if (out != wide) return fail(errc::invalid, "{}: does not fit 32 bits", at(key));
    return {};
  }
  result<> into(std::string_view key, std::string& out) const {
    SWARM_TRY(const auto* value, get(key));
    if (!value->is_string()) return fail(errc::invalid, "{}: not a text", at(key));
    out = std::string(value->as_string());
    return {};
  }
  template <std::size_t N>
  result<> into(std::string_view key, fixed_bytes<N>& out) const {
    SWARM_TRY(const auto* value, get(key));
    return read_fixed(*value, at(key), out);
  }
  result<> into(std::string_view key, bytes& out) const {
    SWARM_TRY(const auto* value, get(key));
    return read_bytes(*value, at(key), out);
  }
  /// Reads a list into `out`, each item with `read(value, path, item)`.
  template <class T, class Reader>
  result<> into(std::string_view key, std::vector<T>& out, std::size_t count_max, const Reader& read) const {
    SWARM_TRY(const auto* value, get(key));
    return read_list(*value, at(key), out, count_max, read);
  }
  result<> into(std::string_view key, std::vector<bytes>& out) const {
    return into(key, out, nodes_max, read_bytes);
  }

  result<const json::value*> get(std::string_view key) const {
    const auto* value = from_->if_contains(key);
    if (value == nullptr) return fail(errc::invalid, "{}: missing", at(key));
    return value;
  }
  std::string at(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

  static result<> read_bytes(const json::value& value, const std::string& path, bytes& out) {
    const auto text = value.is_string() ? std::string_view(value.as_string()) : std::string_view{};
    if (!text.starts_with("0x"))
      return fail(errc::invalid, "{}: not a text of bytes that starts with 0x", path);
    auto raw = from_hex(text);
    if (!raw) return fail(errc::invalid, "{}: {}", path, raw.error().message);
    out = std::move(*raw);
    return {};
  }
  template <std::size_t N>
  static result<> read_fixed(const json::value& value, const std::string& path, fixed_bytes<N>& out) {
    bytes raw;
    SWARM_CHECK(read_bytes(value, path, raw));
    if (raw.size() != N) return fail(errc::invalid, "{}: {} bytes, must be {}", path, raw.size(), N);
    std::copy(raw.begin(), raw.end(), out.begin());
    return {};
  }
  template <class T, class Reader>
  static result<> read_list(const json::value& value, const std::string& path, std::vector<T>& out,
                            std::size_t count_max, const Reader& read) {
    if (!value.is_array()) return fail(errc::invalid, "{}: not a list", path);
    const auto& list = value.as_array();
    if (list.size() > count_max)
      return fail(errc::invalid, "{}: {} items, at most {} are read", path, list.size(), count_max);
    for (std::size_t i = 0; i < list.size(); ++i)
      SWARM_CHECK(read(list[i], fmt::format("{}[{}]", path, i), out.emplace_back()));
    return {};
  }

private:
  fields(const json::object& from, std::string path) : from_(&from), path_(std::move(path)) {}
  const json::object* from_;
  std::string path_;
};

result<> read_log(const fields& parent, std::string_view key, ledger::log_proof& out) {
  SWARM_TRY(const auto* value, parent.get(key));
  SWARM_TRY(const auto from, fields::open(*value, parent.at(key)));
  SWARM_CHECK(from.into("block", out.block_num));
  SWARM_CHECK(from.into("transaction", out.txn_index));
  SWARM_CHECK(from.into("log", out.log_index));
  SWARM_CHECK(from.into("transaction_proof", out.txn));
  return from.into("receipt_proof", out.receipt);
}

result<> read_block(const json::value& value, const std::string& path, ledger::sealed_header& out) {
  SWARM_TRY(const auto from, fields::open(value, path));
  SWARM_CHECK(from.into("header", out.header));
  SWARM_CHECK(from.into("seal_round", out.seals.round_num));
  const auto read_seal = [](const json::value& one, const std::string& where, ledger::commit_seal& seal) {
    return fields::read_fixed(one, where, seal.signature);
  };
  return from.into("seals", out.seals.seals, ledger::seals_max, read_seal);
}

result<> read_handover(const json::value& value, const std::string& path, ledger::handover& out) {
  SWARM_CHECK(read_block(value, path, out.block));
  SWARM_TRY(const auto from, fields::open(value, path));
  SWARM_CHECK(from.into("registry_proof", out.proof.account));
  SWARM_CHECK(from.into("count_proof", out.proof.count));
  const auto read_nodes = [](const json::value& one, const std::string& where, std::vector<bytes>& nodes) {
    return fields::read_list(one, where, nodes, nodes_max, fields::read_bytes);
  };
  return from.into("validator_proofs", out.proof.members, ledger::validators_max, read_nodes);
}

result<> read_model(const json::value& value, const std::string& path, contracts::proved_model& out) {
  SWARM_TRY(const auto from, fields::open(value, path));
  SWARM_CHECK(from.into("peer", out.peer));
  SWARM_CHECK(from.into("digest", out.digest));
  SWARM_CHECK(from.into("size", out.size));
  SWARM_CHECK(from.into("weightage", out.weightage));
  SWARM_CHECK(from.into("base_round", out.base_round));
  SWARM_TRY(const auto* excluded, from.get("excluded"));
  if (!excluded->is_null()) {
    std::string words;
    SWARM_CHECK(from.into("excluded", words));
    out.excluded = contracts::parse_exclusion_reason(words);
    if (!out.excluded)
      return fail(errc::invalid, "{}: not one of the reasons of a training contract", from.at("excluded"));
  }
  return read_log(from, "reveal", out.reveal);
}

result<> read_checker(const json::value& value, const std::string& path, contracts::proved_attestation& out) {
  SWARM_TRY(const auto from, fields::open(value, path));
  SWARM_CHECK(from.into("peer", out.peer));
  return read_log(from, "attest", out.attest);
}

result<> read_shard(const json::value& value, const std::string& path, contracts::proved_shard& out) {
  SWARM_TRY(const auto from, fields::open(value, path));
  SWARM_CHECK(from.into("peer", out.peer));
  SWARM_CHECK(from.into("shard", out.shard));
  return read_log(from, "commit", out.commit);
}

result<> check_format(const fields& from) {
  std::string format;
  std::uint64_t version = 0;
  SWARM_CHECK(from.into("format", format));
  if (format != format_name)
    return fail(errc::invalid, "format: '{}', this program reads '{}'", format.substr(0, 40), format_name);
  SWARM_CHECK(from.into("version", version));
  if (version != format_version)
    return fail(errc::invalid, "version: {}, this program reads version {}", version, format_version);
  return {};
}

} // namespace

json::object to_json(const merge_proof& proof) {
  return {{"format", format_name},
          {"version", format_version},
          {"chain_id", proof.chain.chain_id},
          {"genesis_hash", hex(proof.chain.genesis_hash)},
          {"contract", proof.contract},
          {"generation", proof.generation},
          {"round", proof.round_num},
          {"term", proof.term},
          {"leader", hex(proof.leader)},
          {"digest", hex(proof.digest)},
          {"size", proof.size},
          {"merge", log_json(proof.merge)},
          {"shards", list_json(proof.shards, shard_json)},
          {"models", list_json(proof.models, model_json)},
          {"acceptance", log_json(proof.acceptance)},
          {"checkers", list_json(proof.checkers, checker_json)},
          {"blocks", list_json(proof.blocks, block_json)},
          {"handovers", list_json(proof.handovers, handover_json)}};
}

result<merge_proof> read_proof(std::string_view text) {
  if (text.size() > proof_bytes_max)
    return fail(errc::limit, "{} bytes, a proof has at most {}", text.size(), proof_bytes_max);
  boost::system::error_code failed;
  json::parse_options strict;
  strict.max_depth = 8;
  const auto value = json::parse(json::string_view(text.data(), text.size()), failed, {}, strict);
  if (failed) return fail(errc::invalid, "not JSON: {}", failed.message());
  SWARM_TRY(const auto from, fields::open(value, {}));
  SWARM_CHECK(check_format(from));
  merge_proof out;
  SWARM_CHECK(from.into("chain_id", out.chain.chain_id));
  SWARM_CHECK(from.into("genesis_hash", out.chain.genesis_hash));
  SWARM_CHECK(from.into("contract", out.contract));
  SWARM_CHECK(from.into("generation", out.generation));
  SWARM_CHECK(from.into("round", out.round_num));
  SWARM_CHECK(from.into("term", out.term));
  SWARM_CHECK(from.into("leader", out.leader));
  SWARM_CHECK(from.into("digest", out.digest));
  SWARM_CHECK(from.into("size", out.size));
  SWARM_CHECK(read_log(from, "merge", out.merge));
  SWARM_CHECK(from.into("shards", out.shards, contracts::peers_max, read_shard));
  SWARM_CHECK(from.into("models", out.models, contracts::peers_max, read_model));
  SWARM_CHECK(read_log(from, "acceptance", out.acceptance));
  SWARM_CHECK(from.into("checkers", out.checkers, contracts::peers_max, read_checker));
  SWARM_CHECK(from.into("blocks", out.blocks, 3 * contracts::peers_max + 2, read_block));
  SWARM_CHECK(from.into("handovers", out.handovers, handovers_max, read_handover));
  return out;
}

} // namespace swarm::proofs
