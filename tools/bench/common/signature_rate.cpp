// How many signatures this machine recovers in a second on all cores, beside whatever else it does.
//
//   signature_rate MILLISECONDS
//
// Prints one JSON object: per_second.

#include "tools/bench/common/signature_mill.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <cstdlib>

int main(int count, char** arguments) {
  const auto milliseconds = count == 2 ? std::atoi(arguments[1]) : 0;
  if (milliseconds <= 0) {
    std::fputs("usage: signature_rate MILLISECONDS\n", stderr);
    return 1;
  }
  swarm::bench::signature_mill mill;
  mill.run(std::chrono::milliseconds(milliseconds));
  const boost::json::object out{{"per_second", mill.per_second()}};
  std::printf("%s\n", boost::json::serialize(out).c_str());
}
