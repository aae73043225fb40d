#include "transport/spiffe/x509_svids.hpp"

#include "base/testing/wording.hpp"
#include "transport/errors.hpp"
#include "transport/ml_channel/proto.hpp"

#include <doctest/doctest.h>

namespace x509_svids_test {

using namespace swarm;
using namespace swarm::transport;
using swarm::testing::says;
namespace proto = ml::proto;

namespace {

bytes text_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}

bytes svid(std::string_view id = "spiffe://org1/sn", bool with_bundle = true) {
  bytes out;
  proto::put_text(out, 1, id);
  proto::put_text(out, 2, "certificate");
  proto::put_text(out, 3, "key");
  if (with_bundle) proto::put_text(out, 4, "bundle");
  proto::put_text(out, 5, "hint");
  proto::put_text(out, 99, "of a later version");
  return out;
}

bytes federated(std::string_view domain) {
  bytes out;
  proto::put_text(out, 1, domain);
  proto::put_text(out, 2, "their bundle");
  return out;
}

bytes message(const std::vector<bytes>& svids) {
  bytes out;
  for (const auto& one : svids)
    proto::put_message(out, 1, one);
  return out;
}

error refusal(bytes_view raw) {
  const auto read = decode_x509_svids(raw);
  REQUIRE(!read);
  return read.error();
}

} // namespace

TEST_CASE("an agent's message as it is") {
  auto raw = message({svid(), svid("spiffe://org1/sl")});
  proto::put_text(raw, 2, "crl");
  proto::put_message(raw, 3, federated("spiffe://org2"));
  proto::put_message(raw, 3, federated("org3"));
  proto::put_text(raw, 77, "of a later version");
  const auto read = decode_x509_svids(raw);
  REQUIRE(read);
  REQUIRE(read->all.size() == 2);
  CHECK(read->all[0].id == spiffe_id{"org1", "/sn"});
  CHECK(read->all[0].certificates == text_bytes("certificate"));
  CHECK(read->all[0].key == text_bytes("key"));
  CHECK(read->all[0].bundle == text_bytes("bundle"));
  CHECK(read->all[1].id.path == "/sl");
  CHECK(read->crls == std::vector<bytes>{text_bytes("crl")});
  CHECK(read->federated.size() == 2);
  CHECK(read->federated.at("org2") == text_bytes("their bundle"));
}

TEST_CASE("a message without an identity, or with half of one, is refused by name") {
  CHECK(refusal({}).is(tls_errc::no_identity));
  CHECK(says(refusal(message({svid("spiffe://org1")})).message, "the ID of a trust domain"));
  CHECK(says(refusal(message({svid("org1/sn")})).message, "'org1/sn' is no SPIFFE ID"));
  CHECK(says(refusal(message({svid("spiffe://org1/sn", false)})).message,
             "comes without a bundle of its trust domain"));
  auto raw = message({svid()});
  proto::put_message(raw, 3, federated("Not A Domain"));
  CHECK(says(refusal(raw).message, "'Not A Domain', which is no trust domain"));
  CHECK(refusal(raw).is(tls_errc::bad_svid));
}

TEST_CASE("anything cut short, of a wrong type, twice, or too much is refused") {
  const auto whole = message({svid()});
  for (std::size_t size = 1; size < whole.size(); ++size)
    CHECK(!decode_x509_svids(bytes_view(whole).first(size)));
  bytes number;
  proto::put_uint64(number, 1, 7);
  CHECK(refusal(number).is(tls_errc::bad_svid));
  auto twice = svid();
  proto::put_text(twice, 1, "spiffe://org1/sl");
  CHECK(says(refusal(message({twice})).message, "comes twice"));
  CHECK(says(refusal(message(std::vector(svids_max + 1, svid()))).message, "more than 64 SVIDs"));
  auto many = message({svid()});
  for (std::size_t i = 0; i <= federated_bundles_max; ++i)
    proto::put_message(many, 3, federated("org" + std::to_string(i)));
  CHECK(says(refusal(many).message, "more than 256 bundles"));
  CHECK(says(refusal(bytes(svid_message_bytes_max + 1)).message, "longer than"));
}

} // namespace x509_svids_test
