#include "actors/ui/asking/known_calls.hpp"

#include "actors/swci/commands/reads.hpp"
#include "actors/ui/views/event_json.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/task/client.hpp"
#include "contracts/taskrunner/client.hpp"
#include "contracts/taskrunner_registry/client.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training_registry/client.hpp"

namespace swarm::ui {

namespace {

constexpr std::size_t selector_bytes = 4;
using selector_text = std::string; // of four bytes

template <class... Call>
void add_calls(std::map<selector_text, std::string_view>& to, contracts::type_list<Call...>) {
  const auto add = [&to](const bytes& encoded, std::string_view name) {
    to.emplace(std::string(encoded.begin(), encoded.begin() + selector_bytes), name);
  };
  (add(contracts::encode(Call{}), Call::function.name), ...);
}

template <class... Event>
void add_events(std::map<hash32, std::string_view>& to, const std::variant<Event...>*) {
  (to.emplace(contracts::event_topic<Event>(), Event::event.name), ...);
}

struct tables {
  std::map<selector_text, std::string_view> calls;
  std::map<hash32, std::string_view> events;

  template <class Interface>
  void add() {
    add_calls(calls, typename Interface::functions{});
    add_events(events, static_cast<const typename Interface::event*>(nullptr));
  }
  tables() {
    add<contracts::training_interface>();
    add<contracts::training_registry_interface>();
    add<contracts::node_registry_interface>();
    add<contracts::organisation_registry_interface>();
    add<contracts::task_registry_interface>();
    add<contracts::taskrunner_registry_interface>();
    add<contracts::taskrunner_interface>();
  }
};

const tables& known() {
  static const tables all;
  return all;
}

} // namespace

result<std::map<address, std::string>> contract_names(swci::network& sns) {
  using contracts::page_entries_max;
  std::map<address, std::string> out{{contracts::node_registry_address(), "node registry"},
                                     {contracts::organisation_registry_address(), "organisation registry"},
                                     {contracts::training_registry_address(), "training registry"},
                                     {contracts::task_registry_address(), "task registry"},
                                     {contracts::taskrunner_registry_address(), "taskrunner registry"}};
  SWARM_TRY(
      const auto trainings,
      swci::read_pages(sns, contracts::training_registry_address(), page_entries_max, [](std::size_t first) {
        return contracts::training_names_args{first, page_entries_max};
      }));
  for (const auto& name : trainings)
    out[contracts::training_address(name)] = "training " + name;
  SWARM_TRY(const auto taskrunners,
            swci::read_pages(sns, contracts::taskrunner_registry_address(), page_entries_max,
                             [](std::size_t first) {
                               return contracts::taskrunner_names_args{first, page_entries_max};
                             }));
  for (const auto& name : taskrunners)
    out[contracts::taskrunner_address(name)] = "taskrunner " + name;
  return out;
}

std::string_view call_name(bytes_view input) {
  if (input.size() < selector_bytes) return {};
  const auto& calls = known().calls;
  const auto found = calls.find(std::string(input.begin(), input.begin() + selector_bytes));
  return found == calls.end() ? std::string_view{} : found->second;
}

event_words words_of_event(const std::vector<hash32>& topics, bytes_view data) {
  if (topics.empty()) return {};
  const auto& events = known().events;
  const auto found = events.find(topics.front());
  if (found == events.end()) return {};
  event_words out{found->second, {}};
  if (const auto event = contracts::decode_training_event(topics, data))
    out.text = std::string(event_json(*event, {}).at("text").as_string());
  return out;
}

} // namespace swarm::ui
