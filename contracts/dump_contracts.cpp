#include "contracts/abi/function.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/task/interface.hpp"
#include "contracts/taskrunner/interface.hpp"
#include "contracts/taskrunner_registry/interface.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/interface.hpp"

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
  using answer = abi::answer_of<Args>;
  std::string answer_type = "-";
  if constexpr (!std::is_void_v<answer>) answer_type = abi::codec<answer>::type_name();
  fmt::print("function {} {} {} {} {}\n", contract, abi::signature<Args>(), to_hex(abi::selector_of<Args>()),
             Args::function.is_view ? "view" : "nonpayable", answer_type);
}

template <class Event>
void print_event(std::string_view contract) {
  std::string indexed;
  for (std::size_t i = 0; i < member_count<Event>; ++i)
    indexed += Event::event.is_topic(i) ? '1' : '0';
  fmt::print("event {} {} {} {}\n", contract, abi::signature<Event>(), to_hex(abi::topic_of<Event>().view()),
             indexed);
}

template <class... Args, class... Event>
void print(std::string_view contract, type_list<Args...>, std::type_identity<std::variant<Event...>>) {
  (print_function<Args>(contract), ...);
  (print_event<Event>(contract), ...);
}

template <class Interface>
void print() {
  const auto contract = fmt::format("I{}", Interface::name);
  print(contract, typename Interface::functions{}, std::type_identity<typename Interface::event>{});
}

} // namespace

int main() {
  print<node_registry_interface>();
  print<organisation_registry_interface>();
  print<training_registry_interface>();
  print<training_interface>();
  print<task_registry_interface>();
  print<taskrunner_registry_interface>();
  print<taskrunner_interface>();
  return std::fflush(stdout) == 0 ? 0 : 1;
}
