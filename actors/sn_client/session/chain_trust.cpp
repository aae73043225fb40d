#include "actors/sn_client/session/chain_trust.hpp"

#include "base/hash.hpp"
#include "contracts/abi/client.hpp"
#include "contracts/contracts.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/proof/receipt_proof.hpp"

#include <algorithm>
#include <set>

namespace swarm::session {

namespace json = boost::json;

namespace {

constexpr std::size_t changes_max = 1024; ///< in one answer

bool is_view(const rpc_call& call) {
  return call.method == "eth_call";
}
bool asks_head(const rpc_call& call) {
  return call.method == "eth_blockNumber";
}

/// As `eth_call` wrote it.
result<ledger::call_request> request_of(const rpc_call& call) {
  const auto& fields = call.params.at(0).as_object();
  ledger::call_request out;
  SWARM_TRY(out.to, fixed_from_hex<20>(std::string_view(fields.at("to").as_string())));
  SWARM_TRY(out.input, from_hex(std::string_view(fields.at("input").as_string())));
  return out;
}

/// The views of a batch.
result<std::vector<ledger::call_request>> requests_of(const std::vector<rpc_call>& calls) {
  std::vector<ledger::call_request> out;
  for (const auto& call : calls)
    if (is_view(call)) {
      SWARM_TRY(out.emplace_back(), request_of(call));
    }
  return out;
}

/// As an SN answers an eth_call.
json::object response_of(const ledger::call_result& view) {
  using ledger::call_status;
  if (view.status == call_status::ok) return {{"result", to_hex(view.output)}};
  if (view.status == call_status::out_of_gas)
    return {{"error", json::object{{"code", -32000}, {"message", "out of gas"}}}};
  return {{"error", json::object{{"code", 3},
                                 {"message", "execution reverted: " + contracts::revert_text(view.output)},
                                 {"data", to_hex(view.output)}}}};
}

} // namespace

chain_trust::chain_trust(std::optional<hash32> genesis)
    : genesis_(genesis),
      contracts_(std::make_shared<const ledger::contract_table>(contracts::make_contracts())) {}

rpc_call chain_trust::question() const {
  rpc_call out{"swarm_validatorChanges", {}};
  if (chain_) out.params.emplace_back(fmt::format("{:#x}", chain_->reached()));
  return out;
}

result<bool> chain_trust::take(std::uint64_t chain_id, const json::value& response) {
  SWARM_TRY(const auto texts, texts_of(response, changes_max));
  auto chain = chain_;
  for (const auto& text : texts) {
    SWARM_TRY(const auto raw, from_hex(text));
    SWARM_TRY(const auto shown, ledger::decode_handover(raw));
    if (chain) {
      SWARM_CHECK(chain->follow(shown));
      continue;
    }
    SWARM_TRY(chain, ledger::light_chain::begin({chain_id, genesis_.value_or(keccak256(shown.block.header))},
                                                shown));
  }
  if (!chain) return fail(ledger::proof_errc::genesis, "it does not show the genesis block");
  if (chain->identity().chain_id != chain_id)
    return fail(ledger::proof_errc::genesis, "the chain's id is {}, not {}", chain_id,
                chain->identity().chain_id);
  chain_ = std::move(chain);
  genesis_ = chain_->identity().genesis_hash;
  return !texts.empty();
}

bool chain_trust::has_views(const std::vector<rpc_call>& calls) {
  return std::ranges::any_of(calls, is_view);
}

chain_trust::proof_request chain_trust::to_prove(const std::vector<rpc_call>& calls) const {
  proof_request out;
  json::array views;
  for (const auto& call : calls) {
    if (is_view(call))
      views.push_back(call.params.at(0));
    else if (!asks_head(call))
      out.sent.push_back(call);
  }
  json::array params; // not in braces: compilers differ about an array of one array
  params.emplace_back(std::move(views));
  if (const auto requests = requests_of(calls)) out.has = witnesses_.best_for(*requests);
  if (out.has) {
    params.emplace_back("latest");
    params.emplace_back(to_hex(out.has->id.view()));
  }
  out.sent.push_back({"swarm_provedCall", std::move(params)});
  return out;
}

result<chain_trust::proved> chain_trust::execute(const std::vector<rpc_call>& calls, const std::string& shown,
                                                 const ledger::known_witness_ptr& has) {
  SWARM_TRY(const auto raw, from_hex(shown));
  SWARM_TRY(const auto item, ledger::decode_proved_calls(raw));
  SWARM_TRY(const auto header, chain_->open(item.block));
  SWARM_TRY(const auto requests, requests_of(calls));
  SWARM_TRY(auto done,
            ledger::execute_witnessed(header, chain_->identity(), requests, item.nodes, *contracts_, has));
  witnesses_.keep(std::move(done.witness));
  return proved{header.block_num, std::move(done.results)};
}

result<std::vector<json::value>> chain_trust::check(const std::vector<rpc_call>& calls,
                                                    std::vector<json::value> responses,
                                                    const ledger::known_witness_ptr& has) {
  auto last = std::move(responses.back());
  const auto shown = text_of(last);
  proved views;
  if (shown) {
    SWARM_TRY(views, execute(calls, *shown, has));
  }
  std::vector<json::value> out;
  auto plain = responses.begin();
  auto view = views.views.begin();
  for (const auto& call : calls) {
    if (!is_view(call) && !asks_head(call))
      out.push_back(std::move(*plain++));
    else if (!shown)
      out.push_back(last);
    else if (is_view(call))
      out.emplace_back(response_of(*view++));
    else
      out.emplace_back(json::object{{"result", fmt::format("{:#x}", views.block_num)}});
  }
  return out;
}

rpc_call chain_trust::receipt_question(bytes_view txn) {
  return {"swarm_provedReceipt", {to_hex(keccak256(txn).view())}};
}

result<chain_trust::txn_end> chain_trust::check_receipt(const std::string& shown, bytes_view txn) {
  SWARM_TRY(const auto raw, from_hex(shown));
  SWARM_TRY(const auto proof, ledger::decode_receipt_proof(raw));
  SWARM_TRY(const auto header, ledger::open_header(proof.block.header));
  const bool past = header.block_num <= chain_->reached();
  if (const auto opened = chain_->open_past(proof.block); !opened) {
    // Of validators who came and went this node need not have heard.
    if (past && opened.error().category == error_category(ledger::seal_errc{}))
      return fail(ledger::proof_errc::old_head, "{}", opened.error().message);
    return tl::unexpected(opened.error());
  }
  SWARM_TRY(const auto outcome, ledger::check_receipt_proof(proof, header, txn));
  return txn_end{outcome.ok, header.block_num};
}

chain_trust::freshness chain_trust::fresh_by(const json::value& signs, std::uint64_t unix_ms,
                                             std::uint64_t tolerance_ms) const {
  const auto& validators = chain_->validators();
  const auto& of = chain_->identity();
  freshness out{.needed = (validators.size() - 1) / 3 + 1};
  std::set<address> seen;
  const auto texts = texts_of(signs, ledger::validators_max);
  for (const auto& text : texts.value_or(std::vector<std::string>{})) {
    if (out.enough()) break;
    const auto raw = from_hex(text);
    if (!raw) continue;
    const auto sign = ledger::decode_sign_of_life(*raw, of.chain_id, of.genesis_hash);
    if (!sign || sign->head > chain_->head() || !std::ranges::binary_search(validators, sign->account))
      continue;
    const auto apart = sign->serial > unix_ms ? sign->serial - unix_ms : unix_ms - sign->serial;
    if (apart <= tolerance_ms && seen.insert(sign->account).second) ++out.shown;
  }
  return out;
}

} // namespace swarm::session
