#include "actors/swop/lines/offer.hpp"

#include "base/file.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

namespace offer_test {

using namespace swarm;
using namespace swarm::swop;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  REQUIRE(replace_file(file, as_bytes(text)));
}

} // namespace

TEST_CASE("a host offers what its kernel says that it has") {
  transport::test::temp_folder folder;
  const auto& proc = folder.path();
  write(proc / "meminfo", "MemTotal:       16303428 kB\nMemFree: 1 kB\nMemAvailable:\t  8000000 kB\n");
  for (const auto* at : {"0000:01:00.0", "0000:02:00.0"})
    write(proc / "driver/nvidia/gpus" / at / "information", "Model: \t\t NVIDIA H200\nIRQ:   1\n");
  write(proc / "driver/nvidia/gpus/0000:03:00.0/information", "IRQ:   1\n");
  const auto found = read_offer(folder.path(), "PROCESS", proc);
  CHECK(found.cores >= 1);
  CHECK(found.memory_bytes == 16303428ull * 1024);
  CHECK(found.memory_free_bytes == 8000000ull * 1024);
  CHECK(found.disk_bytes > 0);
  CHECK(found.disk_free_bytes <= found.disk_bytes);
  CHECK(found.gpus == std::vector<std::string>{"NVIDIA H200", "NVIDIA H200", "unknown"});
  const auto back = decode_offer(encode_offer(found));
  REQUIRE(back);
  CHECK(*back == found);
}

TEST_CASE("what cannot be found out is nothing") {
  transport::test::temp_folder folder;
  const auto found = read_offer(folder.path() / "nowhere", "DOCKER", folder.path());
  CHECK(found.memory_bytes == 0);
  CHECK(found.disk_bytes == 0);
  CHECK(found.gpus.empty());
  CHECK(decode_offer(encode_offer(found)));
  CHECK(read_offer(folder.path(), "PROCESS").memory_bytes > 0); // this host
}

TEST_CASE("the SNs that a host offers come back, and an earlier SWOP has none") {
  host_offer offer{.engine = "PROCESS"};
  offer.sns = {{"sn-2", true, 1700000000000, ""}, {"sn-3", false, 0, "the program exited (exit code 1)"}};
  const auto text = encode_offer(offer);
  const auto back = decode_offer(text);
  REQUIRE(back);
  CHECK(back->sns == offer.sns);
  const auto with = [&](const std::string& sns) {
    return text.substr(0, text.find(R"("sns":)")) + R"("sns":)" + sns + "}";
  };
  CHECK(decode_offer(with("[]")));
  for (const auto* sns :
       {"{}", "[1]", R"([{"name":"a"}])", R"([{"name":1,"runs":true,"since_ms":0,"ended":""}])"})
    CHECK_MESSAGE(!decode_offer(with(sns)), sns);
  offer.sns.assign(offer_sns_max + 1, {"sn", false, 0, ""});
  CHECK(decode_offer(encode_offer(offer)).error().is(errc::limit));
}

TEST_CASE("an offer of another SWOP is believed within its bounds alone") {
  const auto offer = [](std::string_view gpus, std::string_view cores, std::string_view engine) {
    return fmt::format(
        R"({{"cores":{},"memory_bytes":1,"memory_free_bytes":1,"disk_bytes":1,"disk_free_bytes":1,)"
        R"("gpus":{},"engine":{}}})",
        cores, gpus, engine);
  };
  REQUIRE(decode_offer(offer("[]", "4", R"("PROCESS")")));
  for (const auto& text : {std::string{}, std::string("[]"), std::string("{}"), offer("{}", "4", R"("x")"),
                           offer("[]", "-1", R"("x")"), offer("[]", "\"4\"", R"("x")"), offer("[]", "4", "1"),
                           offer("[[[[[]]]]]", "4", R"("x")"), offer("[1]", "4", R"("x")")})
    CHECK_MESSAGE(!decode_offer(text), text);
  std::string many = R"(["g")";
  for (std::size_t i = 0; i < offer_gpus_max; ++i)
    many += R"(,"g")";
  const auto of_limit = [](const std::string& text) {
    const auto read = decode_offer(text);
    return !read && read.error().is(errc::limit);
  };
  CHECK(of_limit(offer(many + "]", "4", R"("x")")));
  CHECK(of_limit(offer("[]", "18446744073709551615", R"("x")")));
  CHECK(of_limit(offer("[]", "4", '"' + std::string(offer_text_bytes_max + 1, 'x') + '"')));
  CHECK(of_limit(std::string(offer_body_bytes_max + 1, ' ')));
}

} // namespace offer_test
