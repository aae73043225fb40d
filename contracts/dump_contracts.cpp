#include "contracts/registry/client.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/training/interface.hpp"

#include <cstdio>

// Prints what the C++ side believes the interfaces to be, one function or event a line, for the comparison
// with what solc makes of interfaces/*.sol:
//   function <contract> <signature> <selector> <view|nonpayable> <answer type or ->
//   event <contract> <signature> <topic> <a digit per parameter: 1 indexed, 0 not>

namespace {

using namespace swarm;
using namespace swarm::contracts;

template <class Args>
void print_function(std::string_view contract) {
  using answer = typename abi::layout<Args>::answer;
  std::string answer_type = "-";
  if constexpr (!std::is_void_v<answer>) answer_type = abi::codec<answer>::type_name();
  fmt::print("function {} {} {} {} {}\n", contract, abi::signature<Args>(), to_hex(abi::selector_of<Args>()),
             abi::layout<Args>::view ? "view" : "nonpayable", answer_type);
}

template <class Event>
void print_event(std::string_view contract) {
  std::string indexed;
  for (bool one : abi::layout<Event>::indexed)
    indexed += one ? '1' : '0';
  fmt::print("event {} {} {} {}\n", contract, abi::signature<Event>(), to_hex(event_topic<Event>().view()),
             indexed);
}

template <class... Args, class... Event>
void print(std::string_view contract, function_list<Args...>, std::type_identity<std::variant<Event...>>) {
  (print_function<Args>(contract), ...);
  (print_event<Event>(contract), ...);
}

} // namespace

int main() {
  print("INodeRegistry", node_registry_functions{}, std::type_identity<node_event>{});
  print("ITrainingRegistry", training_registry_functions{}, std::type_identity<training_registry_event>{});
  print("ITraining", training_functions{}, std::type_identity<training_event>{});
  return std::fflush(stdout) == 0 ? 0 : 1;
}
