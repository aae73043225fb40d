#include "tools/swarm-inspect/main.hpp"

int main(int argc, char** argv) {
  return swarm::inspect::program(argc, argv);
}
