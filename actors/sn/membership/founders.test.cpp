#include "actors/sn/membership/founders.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace founders_test {

using namespace swarm;
using membership::founders_of;
using swarm::testing::says;

namespace {

transport::trust_anchor anchor(std::uint8_t number, std::string organisation, std::string common_name,
                               std::uint8_t key = 0) {
  transport::trust_anchor out;
  out.fingerprint.fill(number);
  out.public_key.fill(key == 0 ? number : key);
  out.subject = organisation + "/" + common_name;
  out.organisation = std::move(organisation);
  out.common_name = std::move(common_name);
  return out;
}

address account() {
  address out;
  out.fill(7);
  return out;
}

/// Whatever certificates say, a chain can be begun with what is made of them.
std::vector<ledger::founder> made_of(const std::vector<transport::trust_anchor>& anchors) {
  auto out = founders_of(anchors, anchors.front().fingerprint, account());
  ledger::genesis_params params;
  params.validators = {account()};
  params.founders = out;
  const auto checked = ledger::normalize(params);
  CAPTURE((checked ? std::string() : checked.error().message));
  REQUIRE(checked);
  CHECK(ledger::decode_genesis(ledger::encode_genesis(*checked)) == *checked);
  return out;
}

} // namespace

TEST_CASE("a trusted CA is a founder, named by its O or its CN; the sentinel's own has its validator") {
  const auto all = made_of({anchor(1, "Clinic", "CA"), anchor(2, "", "CA-2")});
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "Clinic");
  CHECK(all[0].validators == std::vector{account()});
  CHECK(all[1].name == "CA-2");
  CHECK(all[1].validators.empty());
}

TEST_CASE("two certificates of one authority are one organisation, two authorities of one name are two") {
  const auto all = made_of(
      {anchor(1, "", "CA", 9), anchor(2, "", "CA", 9), anchor(3, "", "CA", 8), anchor(4, "", "ca", 7)});
  REQUIRE(all.size() == 3);
  CHECK(all[0].anchors.size() == 2);
  CHECK(all[0].name == "CA");
  CHECK(all[1].name == "CA 2");
  CHECK(all[2].name == "ca 3");
}

TEST_CASE("whatever a certificate says becomes a name") {
  CHECK(made_of({anchor(1, "", "")})[0].name == "organisation");
  CHECK(made_of({anchor(1, " \n ", "")})[0].name == "organisation");
  CHECK(made_of({anchor(1, "a\nb\x7f ", "")})[0].name == "a b");
  CHECK(made_of({anchor(1, "\xc2\x85", "")})[0].name == "organisation");
  std::string umlauts;
  for (int i = 0; i < 100; ++i)
    umlauts += "ü";
  CHECK(made_of({anchor(1, "x" + umlauts, "")})[0].name.size() == 59);
  std::vector<transport::trust_anchor> many;
  for (int i = 1; i < 256; ++i)
    many.push_back(anchor(static_cast<std::uint8_t>(i), std::string(200, 'n'), ""));
  CHECK(made_of(many).size() == 255);
}

TEST_CASE("more than a chain can have is refused in words") {
  std::vector<transport::trust_anchor> many;
  for (std::size_t i = 0; i < 17; ++i)
    many.push_back(anchor(static_cast<std::uint8_t>(i + 1), "", "CA", 9));
  ledger::genesis_params params;
  params.validators = {account()};
  params.founders = founders_of(many, many.front().fingerprint, account());
  const auto refused = ledger::normalize(params);
  REQUIRE(!refused);
  CHECK(says(refused.error(), "17 anchors"));
}

} // namespace founders_test
