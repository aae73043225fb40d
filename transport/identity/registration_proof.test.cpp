#include "transport/identity/registration_proof.hpp"

#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

namespace registration_proof_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

registration_chain this_chain() {
  registration_chain out{4711, {}};
  out.genesis_hash.fill(3);
  return out;
}

registration_claim claim_of(std::uint8_t account) {
  registration_claim out;
  out.account.fill(account);
  out.organisation = 2;
  out.role = 1;
  out.sequence = 7;
  return out;
}

/// An authority, a node that it has certified, and an SN that checks the node's proof.
struct registration_fixture {
  temp_folder folder;
  authority ca{folder.path() / "ca", "CA-1"};
  tls_files sn_files = ca.issue("sn-1");
  std::shared_ptr<const tls_identity> sn = identity_of(sn_files);

  proved_claim prove(const tls_files& files, const registration_claim& claim = claim_of(1)) const {
    auto made = prove_registration(*identity_of(files), this_chain(), claim);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
  result<proved_certificate> check(const proved_claim& what) const {
    return check_registration(what.proof, this_chain(), what.claim, *sn);
  }
  void refuses(const proved_claim& what, proof_errc code) const {
    const auto checked = check(what);
    REQUIRE_FALSE(checked);
    CAPTURE(checked.error().message);
    CHECK(checked.error().is(code));
  }
};

} // namespace

TEST_CASE("a node proves its registration with a key of any usual kind") {
  const registration_fixture f;
  for (const auto kind : {key_kind::ec, key_kind::rsa_2048, key_kind::ed25519}) {
    CAPTURE(static_cast<int>(kind));
    certificate_wish wish;
    wish.key = kind;
    const auto files = f.ca.issue("sl-1", wish);
    const auto made = f.prove(files);
    const auto own = identity_of(files)->certificate();
    CHECK(made.claim.identity == own->fingerprint);
    CHECK(made.claim.expiry == own->not_after);
    const auto checked = f.check(made);
    REQUIRE(checked);
    CHECK(checked->certificate.fingerprint == own->fingerprint);
    CHECK(checked->anchor.fingerprint == f.sn->anchor()->fingerprint);
  }
  CHECK(f.check(f.prove(f.ca.issue("sl-2", original_wish("sl-2"))))); // as Swarm Learning 2.x makes them
}

TEST_CASE("a chain through an intermediate authority comes with the proof") {
  const registration_fixture f;
  const auto made = f.prove(f.ca.intermediate("between").issue("sl-1"));
  const auto checked = f.check(made);
  REQUIRE(checked);
  CHECK(checked->anchor.fingerprint == f.sn->anchor()->fingerprint);

  auto without = made; // of the second certificate
  const auto first = static_cast<std::size_t>(made.proof[2] << 8 | made.proof[3]);
  const auto at = without.proof.begin() + 4 + static_cast<std::ptrdiff_t>(first);
  const auto second = static_cast<std::ptrdiff_t>(at[0] << 8 | at[1]);
  without.proof.erase(at, at + 2 + second);
  without.proof[1] = 1;
  f.refuses(without, proof_errc::not_trusted);
}

TEST_CASE("each word of a claim is signed") {
  const registration_fixture f;
  const auto good = f.prove(f.ca.issue("sl-1"));
  REQUIRE(f.check(good));
  using change = std::function<void(registration_claim&)>;
  for (const auto& [lie, code] : std::vector<std::pair<change, proof_errc>>{
           {[](auto& c) { c.account.fill(2); }, proof_errc::wrong_signature},
           {[](auto& c) { c.organisation = 3; }, proof_errc::wrong_signature},
           {[](auto& c) { c.role = 4; }, proof_errc::wrong_signature},
           {[](auto& c) { ++c.sequence; }, proof_errc::wrong_signature},
           {[](auto& c) { ++c.expiry; }, proof_errc::other_certificate},
           {[](auto& c) { c.identity.fill(9); }, proof_errc::other_certificate}}) {
    auto other = good;
    lie(other.claim);
    f.refuses(other, code);
  }
  auto elsewhere = this_chain();
  elsewhere.chain_id = 1;
  CHECK(check_registration(good.proof, elsewhere, good.claim, *f.sn).error().is(proof_errc::wrong_signature));
  elsewhere = this_chain();
  elsewhere.genesis_hash.fill(4);
  CHECK(check_registration(good.proof, elsewhere, good.claim, *f.sn).error().is(proof_errc::wrong_signature));
}

TEST_CASE("nobody registers with somebody else's certificate") {
  const registration_fixture f;
  const auto victim = f.prove(f.ca.issue("sl-1"));
  const auto thief = f.prove(f.ca.issue("sl-2"), claim_of(9));
  // The certificate of one, the signature of the other.
  const auto length_of = [](const bytes& proof) {
    return 4 + static_cast<std::ptrdiff_t>(proof[2] << 8 | proof[3]);
  };
  proved_claim mixed{thief.claim,
                     bytes(victim.proof.begin(), victim.proof.begin() + length_of(victim.proof))};
  mixed.proof.insert(mixed.proof.end(), thief.proof.begin() + length_of(thief.proof), thief.proof.end());
  mixed.claim.identity = victim.claim.identity;
  mixed.claim.expiry = victim.claim.expiry;
  f.refuses(mixed, proof_errc::wrong_signature);
}

TEST_CASE("a certificate of an authority that is not trusted proves nothing") {
  const registration_fixture f;
  const authority other(f.folder.path() / "other", "CA-1"); // of the same name
  f.refuses(f.prove(other.issue("sl-1")), proof_errc::not_trusted);
}

TEST_CASE("an expired or revoked certificate proves nothing any more") {
  const registration_fixture f;
  certificate_wish brief;
  brief.ends = 1;
  const auto ending = f.prove(f.ca.issue("sl-1", brief));
  CHECK(eventually([&] { return !f.check(ending); }));
  f.refuses(ending, proof_errc::not_trusted);

  const auto files = f.ca.issue("sl-2");
  const auto revoked = f.prove(files);
  f.ca.revoke(f.folder.path() / "ca" / "ca.crl.pem", {files.cert});
  const auto checked =
      check_registration(revoked.proof, this_chain(), revoked.claim, *identity_of(f.sn_files));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().is(proof_errc::revoked));
  CHECK(says(checked.error(), "CN=sl-2"));
}

TEST_CASE("what is no proof is refused, whatever it is") {
  const registration_fixture f;
  const auto good = f.prove(f.ca.issue("sl-1"));
  const auto with = [&](bytes proof) { return proved_claim{good.claim, std::move(proof)}; };
  f.refuses(with({}), proof_errc::malformed);
  f.refuses(with(bytes(registration_proof_bytes_max + 1, 1)), proof_errc::malformed);
  f.refuses(with(bytes(1000, 0xff)), proof_errc::malformed);
  for (std::size_t size = 0; size < good.proof.size(); ++size)
    f.refuses(with(bytes(good.proof.begin(), good.proof.begin() + static_cast<std::ptrdiff_t>(size))),
              proof_errc::malformed);
  auto longer = good.proof;
  longer.push_back(0);
  f.refuses(with(longer), proof_errc::malformed);
  for (std::size_t at = 0; at < good.proof.size(); at += 3) {
    auto damaged = good.proof;
    damaged[at] ^= 0x40;
    CHECK_FALSE(f.check(with(std::move(damaged))));
  }
  auto many = good.proof;
  many[1] = registration_proof_certificates_max + 1;
  f.refuses(with(many), proof_errc::malformed);
}

} // namespace registration_proof_test
