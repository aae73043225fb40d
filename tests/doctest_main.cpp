#ifdef SWARM_SCRAMBLE_TEXTS
#include "base/testing/wording.hpp"

#include <cstdio>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

int main(int argc, char** argv) {
  const int status = doctest::Context(argc, argv).run();
  std::printf("[scrambled] %zu checks of texts compared shapes only\n", swarm::testing::wording::compared);
  return status;
}
#else
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#endif
