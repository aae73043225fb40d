#include "actors/ui/history/event_logs.hpp"

#include "actors/ui/reading/answers.hpp"
#include "contracts/training/client.hpp"

namespace swarm::ui {

namespace json = boost::json;

std::optional<raw_log> raw_log_of(const json::value& log) {
  const auto* topics = field_of(log, "topics");
  const auto* data = field_of(log, "data");
  if (topics == nullptr || !topics->is_array() || data == nullptr || !data->is_string()) return std::nullopt;
  raw_log out;
  for (const auto& each : topics->get_array()) {
    const auto* text = each.if_string();
    if (text == nullptr) return std::nullopt;
    const auto topic = fixed_from_hex<32>(std::string_view(*text));
    if (!topic) return std::nullopt;
    out.topics.push_back(*topic);
  }
  auto raw = from_hex(std::string_view(data->get_string()));
  if (!raw) return std::nullopt;
  out.data = std::move(*raw);
  return out;
}

namespace {

/// None: it is an event of a newer contract, or nonsense.
std::optional<logged_event> event_of(const json::value& log) {
  const auto raw = raw_log_of(log);
  if (!raw) return std::nullopt;
  auto event = contracts::decode_training_event(raw->topics, raw->data);
  if (!event) return std::nullopt;
  return logged_event{std::move(*event), {number_in(log, "blockNumber"), text_in(log, "transactionHash")}};
}

} // namespace

result<std::vector<logged_event>> read_events(swci::network& sns, const address& training,
                                              std::uint64_t first_block, std::uint64_t last_block,
                                              const std::vector<hash32>& topics) {
  json::object filter{{"address", to_hex(training.view())},
                      {"fromBlock", fmt::format("{:#x}", first_block)},
                      {"toBlock", fmt::format("{:#x}", last_block)}};
  if (!topics.empty()) {
    json::array any;
    for (const auto& each : topics)
      any.emplace_back(to_hex(each.view()));
    json::array list; // not in braces: compilers differ about an array of one array
    list.emplace_back(std::move(any));
    filter["topics"] = std::move(list);
  }
  SWARM_TRY(const auto responses, sns.ask({{"eth_getLogs", {std::move(filter)}}}));
  SWARM_TRY(const auto* logs, session::result_of(responses.front()));
  if (!logs->is_array()) return fail(errc::unavailable, "the SN's answer is no list of events");
  std::vector<logged_event> out;
  out.reserve(logs->get_array().size());
  for (const auto& each : logs->get_array())
    if (auto event = event_of(each)) out.push_back(std::move(*event));
  return out;
}

} // namespace swarm::ui
