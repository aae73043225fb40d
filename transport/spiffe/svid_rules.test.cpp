// Which SVIDs a node takes from its agent, and which certificates of others by them.
#include "base/testing/wording.hpp"
#include "transport/identity/registration_proof.hpp"
#include "transport/spiffe/detail/bundles.hpp"
#include "transport/testing/test_support.hpp"
#include "transport/tls/detail/load_identity.hpp"
#include "transport/tls/detail/pem_files.hpp"

#include <doctest/doctest.h>

namespace svid_rules_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

bytes der_of(const std::filesystem::path& file) {
  bytes out;
  const auto certificates = read_certificates(file, "test");
  REQUIRE(certificates);
  for (const auto& one : *certificates) {
    unsigned char* raw = nullptr;
    const auto size = i2d_X509(one.get(), &raw);
    REQUIRE(size > 0);
    append(out, {raw, static_cast<std::size_t>(size)});
    OPENSSL_free(raw);
  }
  return out;
}

bytes pkcs8_of(const std::filesystem::path& file) {
  const auto key = read_private_key(file, "test");
  REQUIRE(key);
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, freed_by<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(key->get()));
  unsigned char* raw = nullptr;
  const auto size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &raw);
  bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

certificate_wish svid_wish(const std::string& uris) {
  certificate_wish out;
  out.alt_names = uris;
  out.key_usage = "critical,digitalSignature";
  out.extended_key_usage = "serverAuth,clientAuth";
  return out;
}

struct fixture {
  temp_folder folder;
  authority ours{folder.path() / "a", "org1"};
  authority theirs{folder.path() / "b", "org2"};
  tls_files own = ours.issue("sn", svid_wish("URI:spiffe://org1/sn"));

  x509_svids said(const tls_files& files, std::string_view id = "spiffe://org1/sn") const {
    x509_svids out;
    out.all.push_back(
        {*spiffe_id::parse(id), der_of(files.cert), pkcs8_of(files.key), der_of(ours.ca_file())});
    out.federated["org2"] = der_of(theirs.ca_file());
    return out;
  }
  std::string trouble(const tls_files& files, std::string_view id = "spiffe://org1/sn") const {
    const auto loaded = load_svids(said(files, id), nullptr);
    return loaded ? std::string("accepted") : loaded.error().message;
  }
  /// What a node with this store says to such a certificate of `of`.
  static std::string verdict(X509_STORE* store, const authority& of, const certificate_wish& wish) {
    const auto files = of.issue("other", wish);
    const auto certificates = read_certificates(files.cert, "test");
    const auto judged = verify_chain(certificates->front().get(), nullptr, store, presented_by::client);
    return judged.failure == 0 ? std::string("accepted") : std::string(svid_failure_text(judged.failure));
  }
};

X509_STORE* store_in(const tls_identity::state& state) {
  return SSL_CTX_get_cert_store(state.server.native_handle());
}

} // namespace

TEST_CASE("an SVID and its bundles become an identity, named by SPIFFE ID and trust domain") {
  const fixture f;
  const auto loaded = load_svids(f.said(f.own), nullptr);
  REQUIRE(loaded);
  const auto& state = **loaded;
  CHECK(state.certificate->subject == "spiffe://org1/sn");
  CHECK(state.certificate->fingerprint == digest_of({"org1", "/sn"}));
  CHECK(state.certificate->uris == std::vector<std::string>{"spiffe://org1/sn"});
  CHECK(state.certificate->subject_parts.empty()); // a CN makes no role of it
  CHECK(state.anchor->subject == "spiffe://org1");
  CHECK(state.anchor->fingerprint == digest_of_trust_domain("org1"));
  CHECK(state.trusted_count == 2);
  // The next one has another key and another end, and is the same node.
  const auto next = f.ours.issue("next", svid_wish("URI:spiffe://org1/sn"));
  const auto rotated = load_svids(f.said(next), loaded->get());
  REQUIRE(rotated);
  CHECK((*rotated)->certificate->fingerprint == state.certificate->fingerprint);
  CHECK((*rotated)->certificate->serial != state.certificate->serial);
}

TEST_CASE("what the agent gives and no node could use is refused in one line") {
  const fixture f;
  const auto with = [&](const certificate_wish& wish, const authority& of) {
    return f.trouble(of.issue("made", wish));
  };
  CHECK(says(with(svid_wish(""), f.ours), "a certificate without a SPIFFE ID"));
  CHECK(says(with(svid_wish("URI:spiffe://org1/sn,URI:spiffe://org1/sl"), f.ours), "several URIs"));
  CHECK(says(with(svid_wish("URI:spiffe://org1"), f.ours), "not the SPIFFE ID of a node"));
  CHECK(says(with(svid_wish("URI:spiffe://org1/sl"), f.ours), "is a certificate of spiffe://org1/sl"));
  CHECK(says(with(svid_wish("URI:spiffe://org1/sn"), f.theirs), "from an unknown CA"));
  auto signs = svid_wish("URI:spiffe://org1/sn");
  signs.key_usage = "critical,digitalSignature,keyCertSign";
  CHECK(says(with(signs, f.ours), "may sign others"));
  auto ca = svid_wish("URI:spiffe://org1/sn");
  ca.ca = true;
  CHECK(says(with(ca, f.ours), "may sign others"));
  auto over = svid_wish("URI:spiffe://org1/sn");
  over.ends = -60;
  CHECK(says(with(over, f.ours), "that has expired (ended "));
  auto other_key = f.own;
  other_key.key = f.ours.issue("x", svid_wish("URI:spiffe://org1/sn")).key;
  CHECK(says(f.trouble(other_key), "belongs to another certificate"));
  auto said = f.said(f.own);
  said.all.front().certificates.pop_back();
  CHECK(says(load_svids(said, nullptr).error().message,
             "certificate 1 of the SVID spiffe://org1/sn is damaged"));
  CHECK(load_svids(said, nullptr).error().is(tls_errc::bad_svid));
  said = f.said(f.own);
  said.federated["org2"].push_back(0);
  CHECK(says(load_svids(said, nullptr).error().message, "the bundle of spiffe://org2 is damaged"));
}

TEST_CASE("an authority vouches for its own trust domain alone") {
  const fixture f;
  const auto loaded = load_svids(f.said(f.own), nullptr);
  REQUIRE(loaded);
  auto* store = store_in(**loaded);
  const auto verdict = [&](const authority& of, const std::string& uris) {
    return f.verdict(store, of, svid_wish(uris));
  };
  CHECK(verdict(f.ours, "URI:spiffe://org1/sl") == "accepted");
  CHECK(verdict(f.theirs, "URI:spiffe://org2/sl") == "accepted");
  CHECK(verdict(f.theirs, "URI:spiffe://org1/sl").empty()); // an unknown CA, to its domain
  CHECK(verdict(f.ours, "URI:spiffe://org2/sl").empty());
  CHECK(says(verdict(f.ours, "URI:spiffe://org3/sl"), "of a trust domain whose bundle"));
  CHECK(says(verdict(f.ours, "DNS:org1"), "without a SPIFFE ID"));
  CHECK(says(verdict(f.ours, "URI:spiffe://org1/sl,URI:https://org1"), "several URIs"));
  CHECK(says(verdict(f.ours, "URI:https://org1/sl"), "not the SPIFFE ID of a node"));
  CHECK(says(f.verdict(store, f.ours, original_wish("sl-1")), "without a SPIFFE ID"));
  auto signs = svid_wish("URI:spiffe://org1/sl");
  signs.key_usage = "critical,digitalSignature,keyCertSign";
  CHECK(says(f.verdict(store, f.ours, signs), "may sign others"));
  auto crls = svid_wish("URI:spiffe://org1/sl");
  crls.key_usage = "critical,digitalSignature,cRLSign";
  CHECK(says(f.verdict(store, f.ours, crls), "may sign others"));
}

TEST_CASE("a chain that held goes on when its SVID has expired, and ends with its domain's bundle") {
  const fixture f;
  auto loaded = load_svids(f.said(f.own), nullptr);
  REQUIRE(loaded);
  auto brief = svid_wish("URI:spiffe://org2/sl");
  brief.ends = -1;
  const auto files = f.theirs.issue("brief", brief);
  certificate_chain chain;
  chain.push_back(std::move(read_certificates(files.cert, "test")->front()));
  chain.push_back(std::move(read_certificates(f.theirs.ca_file(), "test")->front()));
  CHECK(verify_chain(chain.front().get(), nullptr, store_in(**loaded), presented_by::client).failure
        == X509_V_ERR_CERT_HAS_EXPIRED);
  CHECK(verify_again(chain, store_in(**loaded), presented_by::client).failure == 0);
  auto without = f.said(f.own);
  without.federated.clear();
  loaded = load_svids(without, nullptr);
  REQUIRE(loaded);
  CHECK(verify_again(chain, store_in(**loaded), presented_by::client).failure == svid_of_unknown_domain);
}

TEST_CASE("a newer certificate of the same identity is registered when the older has half of its time left") {
  CHECK_FALSE(is_renewal_due(0, 5000, 1000));    // for ever
  CHECK_FALSE(is_renewal_due(5000, 5000, 1000)); // not newer
  CHECK_FALSE(is_renewal_due(4000, 5000, 1000));
  CHECK(is_renewal_due(3000, 5000, 1000));
  CHECK(is_renewal_due(900, 5000, 1000)); // over
  CHECK(is_renewal_due(1020, 1040, 1000));
}

} // namespace svid_rules_test
