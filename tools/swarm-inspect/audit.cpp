#include "tools/swarm-inspect/audit.hpp"

#include "actors/sn/proofs/proof_json.hpp"
#include "base/file.hpp"

#include <fmt/chrono.h>

namespace swarm::inspect {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

result<> write_file(const fs::path& path, const std::string& text) {
  if (auto done = replace_file(path, as_bytes(text + '\n'), 0666); !done)
    return fail(errc::io, "cannot write {}", done.error().message);
  return {};
}

result<std::string> read_proof_file(const fs::path& path) {
  auto text = read_file(path, proofs::proof_bytes_max, open_as::stream);
  if (text) return text;
  if (text.error().is(file_errc::too_large)) return fail_with(text.error(), "no proof");
  return fail_with(text.error(), "cannot read the proof");
}

} // namespace

result<fs::path> write_proof(session& to, const proof_request& request) {
  json::object params{{"contract", request.contract}, {"round", request.round_num}};
  if (request.generation) params["generation"] = *request.generation;
  SWARM_TRY(const auto answer, to.call("proof", std::move(params)));
  const auto text = json::serialize(answer);
  SWARM_TRY(const auto proof, proofs::read_proof(text));
  const auto holds = contracts::verify_merge_proof(proof, {{}, proof.chain.genesis_hash});
  if (!holds) return fail_with(holds.error(), "the SN's proof does not hold");
  auto file = request.output.empty()
                  ? fs::path(fmt::format("{}-round-{}.proof.json", request.contract, request.round_num))
                  : request.output;
  SWARM_CHECK(write_file(file, text));
  return file;
}

result<contracts::merge_trust> parse_trust(const std::vector<std::string>& validators,
                                           const std::string& genesis) {
  contracts::merge_trust out;
  for (const auto& text : validators) {
    const auto who = fixed_from_hex<20>(text);
    if (!who)
      return fail(errc::invalid, "--validators: '{}' is not an address: {}", text, who.error().message);
    if (std::find(out.validators.begin(), out.validators.end(), *who) != out.validators.end())
      return fail(errc::invalid, "--validators: {} is named twice", text);
    out.validators.push_back(*who);
  }
  if (!genesis.empty()) {
    const auto hash = fixed_from_hex<32>(genesis);
    if (!hash) return fail(errc::invalid, "--genesis: '{}' is not a hash: {}", genesis, hash.error().message);
    out.genesis_hash = *hash;
  }
  if (out.validators.empty() && !out.genesis_hash)
    return fail(
        errc::invalid,
        "say whom you trust: --genesis HASH (swarm-inspect chain shows it) or --validators ADDRESS,...");
  return out;
}

result<verified_proof> verify_file(const fs::path& file, const contracts::merge_trust& trust) {
  SWARM_TRY(const auto text, read_proof_file(file));
  auto proof = proofs::read_proof(text);
  if (!proof) return fail_with(proof.error(), file.string() + " is no proof");
  const auto place = contracts::verify_merge_proof(*proof, trust);
  if (!place) return fail_with(place.error(), file.string() + " does not prove what it says");
  return verified_proof{std::move(*proof), *place};
}

std::string proof_view(const verified_proof& verified, const style& how) {
  const auto& proof = verified.proof;
  const auto& place = verified.place;
  auto out = fmt::format("{}: round {} of '{}', generation {}\n", how.paint("proved", colour::green),
                         proof.round_num, proof.contract, proof.generation);
  out += fmt::format("in block {} of chain {}, {:%Y-%m-%d %H:%M:%S} UTC, sealed by {} of {} validators\n",
                     place.block_num, proof.chain.chain_id,
                     fmt::gmtime(static_cast<std::time_t>(place.timestamp)), place.seals, place.validators);
  std::string makers;
  for (const auto& one : proof.shards)
    makers += fmt::format("{}{}", makers.empty() ? "" : ", ", to_hex(one.peer.view()));
  out += fmt::format("merged {} ({} bytes) by {}, term {}, from\n", to_hex(proof.digest.view()), proof.size,
                     makers.empty() ? to_hex(proof.leader.view()) : makers, proof.term);
  std::vector<std::vector<cell>> rows;
  for (const auto& model : proof.models)
    rows.push_back({{to_hex(model.peer.view())},
                    {to_hex(model.digest.view())},
                    {fmt::format("{}", model.size)},
                    {fmt::format("{}", model.weightage)},
                    {fmt::format("{}", model.base_round)},
                    {model.excluded ? fmt::format("left out: {}", contracts::to_string(*model.excluded))
                                    : std::string("yes"),
                     model.excluded ? colour::yellow : colour::none}});
  return out
         + table({{"PEER"}, {"MODEL"}, {"BYTES", true}, {"WEIGHTAGE", true}, {"BASE", true}, {"MERGED"}},
                 rows, how);
}

} // namespace swarm::inspect
