#include "actors/sl/files/gate/reader_watch.hpp"

#include <doctest/doctest.h>

namespace reader_watch_test {

using namespace swarm;

namespace {

hash32 certificate(std::uint64_t number) {
  return hash32(u256(number));
}
address account(std::uint8_t number) {
  address out;
  out.fill(number);
  return out;
}
contracts::node_view member(std::uint8_t number, std::uint64_t with) {
  contracts::node_view out;
  out.account = account(number);
  out.active = true;
  out.identity = certificate(with);
  return out;
}

} // namespace

TEST_CASE("connections end when no account that read over them is a member with their certificate") {
  gate::reader_watch watch;
  watch.granted(certificate(1), account(1));
  watch.granted(certificate(1), account(2));
  watch.read(member(1, 1), account(1));
  CHECK(watch.take_ended().empty());
  watch.read({}, account(1)); // it was removed; the other one shares its certificate
  CHECK(watch.take_ended().empty());
  watch.read(member(2, 5), account(2)); // it has another certificate now
  CHECK(watch.take_ended() == std::vector{certificate(1)});
  watch.read({}, account(2));
  CHECK(watch.take_ended().empty());
  CHECK(watch.next(8).empty());
}

TEST_CASE("what is looked at is what is connected, in turns") {
  gate::reader_watch watch;
  for (std::uint8_t i = 1; i <= 5; ++i)
    watch.granted(certificate(i), account(i));
  watch.keep({certificate(1), certificate(2), certificate(3)});
  CHECK(watch.next(2) == std::vector{account(1), account(2)});
  CHECK(watch.next(2) == std::vector{account(3), account(1)});
  CHECK(watch.next(9) == std::vector{account(2), account(3), account(1)});
  watch.read({}, account(4));
  CHECK(watch.take_ended().empty()); // it is gone anyway
}

TEST_CASE("a certificate with ever more accounts keeps the memory bounded") {
  gate::reader_watch watch;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    address who;
    who[0] = static_cast<std::uint8_t>(i);
    who[1] = static_cast<std::uint8_t>(i / 256);
    watch.granted(certificate(1), who);
  }
  CHECK(watch.next(10'000).size() == gate::reader_watch::accounts_max);
}

} // namespace reader_watch_test
