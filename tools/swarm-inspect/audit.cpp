#include "tools/swarm-inspect/audit.hpp"

#include "actors/sn/proofs/proof_json.hpp"

#include <fmt/chrono.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace swarm::inspect {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

result<> write_file(const fs::path& file, const std::string& text) {
  auto part = file;
  part += ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << text << '\n';
  out.close();
  std::error_code failed;
  if (out) fs::rename(part, file, failed);
  if (out && !failed) return {};
  const auto why = failed ? failed.message() : std::strerror(errno);
  fs::remove(part, failed);
  return fail(errc::io, "cannot write {}: {}", file.string(), why);
}

result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return fail(errc::not_found, "cannot read {}: {}", file.string(), std::strerror(errno));
  const auto size = in.tellg();
  if (size < 0 || static_cast<std::size_t>(size) > audit::proof_bytes_max)
    return fail(errc::limit, "{} is no proof: it has more than {} bytes", file.string(),
                audit::proof_bytes_max);
  std::string text(static_cast<std::size_t>(size), '\0');
  in.seekg(0).read(text.data(), size);
  if (!in) return fail(errc::io, "cannot read {}: {}", file.string(), std::strerror(errno));
  return text;
}

} // namespace

result<fs::path> write_proof(session& to, const proof_request& request) {
  json::object params{{"contract", request.contract}, {"round", request.round_num}};
  if (request.generation) params["generation"] = *request.generation;
  SWARM_TRY(const auto answer, to.call("proof", std::move(params)));
  const auto text = json::serialize(answer);
  SWARM_TRY(const auto proof, audit::read_proof(text));
  const auto holds = contracts::verify_merge_proof(proof, {{}, proof.chain.genesis_hash});
  if (!holds) return fail_with(holds.error(), "the SN's proof does not hold");
  const auto file = request.output.empty()
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
  SWARM_TRY(const auto text, read_file(file));
  auto proof = audit::read_proof(text);
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
  out += fmt::format("merged {} ({} bytes) by {}, term {}, from\n", to_hex(proof.digest.view()), proof.size,
                     to_hex(proof.leader.view()), proof.term);
  std::vector<std::vector<cell>> rows;
  for (const auto& model : proof.models)
    rows.push_back({{to_hex(model.peer.view())},
                    {to_hex(model.digest.view())},
                    {fmt::format("{}", model.size)},
                    {fmt::format("{}", model.weightage)},
                    {fmt::format("{}", model.base_round)},
                    {model.excluded ? "left out: " + *model.excluded : std::string("yes"),
                     model.excluded ? colour::yellow : colour::none}});
  return out
         + table({{"PEER"}, {"MODEL"}, {"BYTES", true}, {"WEIGHTAGE", true}, {"BASE", true}, {"MERGED"}},
                 rows, how);
}

} // namespace swarm::inspect
