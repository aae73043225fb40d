#include "transport/tls/trust_anchors.hpp"

#include "base/clock.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

namespace trust_anchors_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;

TEST_CASE("anchors are the trusted certificates, each once, and the own chain ends at one of them") {
  temp_folder first, second;
  const authority ca(first.path(), "CA-1"), other(second.path(), "CA-2");
  auto files = ca.issue("sn-1");
  files.cacert = ca.ca_file();
  files.capath = first.path() / "capath";
  std::filesystem::create_directory(files.capath);
  write_file(files.capath / "1.pem", read_file(ca.ca_file()) + read_file(other.ca_file()));
  write_file(files.capath / "2.pem", read_file(other.ca_file()));
  const auto anchors = read_trust_anchors(files);
  REQUIRE(anchors);
  REQUIRE(anchors->size() == 2);
  CHECK((*anchors)[0].fingerprint < (*anchors)[1].fingerprint);
  const auto mine = own_anchor(files);
  REQUIRE(mine);
  for (const auto& one : *anchors)
    CHECK((one.common_name == "CA-1") == (one.fingerprint == *mine));
  CHECK((*anchors)[0].public_key != (*anchors)[1].public_key);
  const auto alone = read_anchor_file(other.ca_file(), "CA");
  REQUIRE(alone);
  REQUIRE(alone->size() == 1);
  CHECK(alone->front().common_name == "CA-2");
  CHECK(alone->front().not_after > unix_seconds());
  write_file(second.path() / "again.pem", alone->front().pem);
  const auto again = read_anchor_file(second.path() / "again.pem", "CA");
  REQUIRE(again);
  CHECK(again->front().fingerprint == alone->front().fingerprint);

  files.capath.clear();
  files.cacert = other.ca_file();
  CHECK(own_anchor(files).error().is(tls_errc::foreign_ca));
  CHECK(read_anchor_file(first.path() / "none", "CA").error().is(tls_errc::missing_file));
  CHECK(read_anchor_file(files.key, "CA").error().is(tls_errc::not_pem));
}

} // namespace trust_anchors_test
