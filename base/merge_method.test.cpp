#include "base/merge_method.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace merge_method_test {

using namespace swarm;

namespace {

std::string canonical(std::string_view text) {
  const auto method = parse_merge_method(text);
  REQUIRE_MESSAGE(method, (method ? "" : method.error().message));
  CHECK(parse_merge_method(text_of(*method)).value() == *method);
  return text_of(*method);
}

std::string complaint(std::string_view text) {
  const auto method = parse_merge_method(text);
  REQUIRE_MESSAGE(!method, text);
  CHECK(method.error().is(errc::invalid));
  return method.error().message;
}

const std::string digest(64, 'a');

} // namespace

TEST_CASE("Krum bears as many hostile models as there are enough others for") {
  CHECK(hostile_borne(2, 8) == 2);
  CHECK(hostile_borne(2, 7) == 2);
  CHECK(hostile_borne(2, 6) == 1);
  CHECK(hostile_borne(2, 4) == 0);
  CHECK(hostile_borne(2, 0) == 0);
  CHECK(hostile_borne(0, 8) == 0);
}

TEST_CASE("a merge method has one spelling, whatever the user's") {
  for (const auto& [written, spelling] : std::vector<std::pair<std::string, std::string>>{
           {"", "mean"},
           {"Mean", "mean"},
           {"coordmedian", "coordmedian"},
           {"GEOMEDIAN", "geomedian"},
           {"trimmedmean:0.20", "trimmedmean:0.2"},
           {"TrimmedMean:00.499999", "trimmedmean:0.499999"},
           {"krum:01", "krum:1"},
           {"krum:0", "krum:0"},
           {"multikrum:2,3", "multikrum:2,3"},
           {"clippedmean:10.0", "clippedmean:10"},
           {"clippedmean:0.000001", "clippedmean:0.000001"},
           {"clippedmean:999999999.5", "clippedmean:999999999.5"},
           {"custom:My-Method_2", "custom:my-method_2"},
           {"custom:x," + std::string(64, 'A'), "custom:x," + digest}})
    CHECK(canonical(written) == spelling);
}

TEST_CASE("what is no merge method is refused in one line that says what is") {
  const std::string all = "expected 'mean', 'coordmedian', 'geomedian', 'trimmedmean:0.2', 'krum:f', "
                          "'multikrum:f,m', 'clippedmean:norm' or 'custom:name'";
  CHECK(complaint("median") == "mergeMethod 'median' is unknown, " + all);
  CHECK(complaint("mean ") == "mergeMethod 'mean ' is unknown, " + all);
  CHECK(complaint("a\nb") == "mergeMethod 'a?b' is unknown, " + all);
  CHECK(complaint(std::string(200, 'x'))
        == "mergeMethod '" + std::string(64, 'x') + "...' is unknown, " + all);
  CHECK(complaint("mean:1") == "mergeMethod 'mean:1': this method takes nothing after a colon");
  CHECK(complaint("trimmedmean:0.6")
        == "mergeMethod 'trimmedmean:0.6': trimmedmean cuts a part above 0 and below 0.5 from each end, for "
           "example trimmedmean:0.2");
  for (const auto* bad : {"trimmedmean",
                          "trimmedmean:",
                          "trimmedmean:0",
                          "trimmedmean:0.5",
                          "trimmedmean:-0.1",
                          "trimmedmean:.2",
                          "trimmedmean:0.",
                          "trimmedmean:1e-1",
                          "trimmedmean:0.1234567",
                          "trimmedmean:0.2,1",
                          "krum",
                          "krum:",
                          "krum:-1",
                          "krum:1.5",
                          "krum:1,2",
                          "krum:1025",
                          "krum:4294967297",
                          "multikrum:1",
                          "multikrum:1,0",
                          "multikrum:1,2,3",
                          "clippedmean",
                          "clippedmean:0",
                          "clippedmean:inf",
                          "clippedmean:1e3",
                          "clippedmean:1234567890",
                          "custom",
                          "custom:",
                          "custom:a b",
                          "custom:a,",
                          "custom:a,12",
                          "custom:a/b"})
    CHECK_FALSE(complaint(bad).empty());
  CHECK_FALSE(complaint("custom:" + std::string(33, 'a')).empty());
  CHECK_FALSE(complaint("custom:a," + std::string(62, 'a') + "0x").empty());
  CHECK_FALSE(complaint("custom:a,0x" + std::string(62, 'a')).empty());
}

TEST_CASE("krum needs enough models in the smallest round") {
  const auto check = [](std::string_view text, std::uint32_t min_peers) -> std::string {
    const auto checked = check_peers(parse_merge_method(text).value(), min_peers);
    return checked ? "" : checked.error().message;
  };
  CHECK(check("krum:1", 5).empty());
  CHECK(check("krum:1", 4)
        == "mergeMethod 'krum:1' needs at least 2 * 1 + 3 = 5 models in every round, but minPeers is 4");
  CHECK(check("krum:0", 3).empty());
  CHECK_FALSE(check("krum:0", 2).empty());
  CHECK(check("multikrum:1,4", 5).empty());
  CHECK(check("multikrum:1,5", 5)
        == "mergeMethod 'multikrum:1,5' merges 5 models, but of minPeers 5 at most 4 are not hostile");
  CHECK_FALSE(check("multikrum:2,1", 6).empty());
  CHECK(check("trimmedmean:0.2", 1).empty());
  CHECK(check("mean", 1).empty());
}

} // namespace merge_method_test
