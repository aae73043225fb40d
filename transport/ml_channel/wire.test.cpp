#include "transport/ml_channel/wire.hpp"

#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "transport/ml_channel/proto.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

namespace wire_test {

using namespace swarm;
using namespace swarm::ml;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

bytes unhex(std::string_view text) {
  auto raw = from_hex(text);
  REQUIRE(raw);
  return std::move(*raw);
}

template <class T>
wording message_of(const result<T>& from) {
  return from ? "no error" : from.error().message;
}

template <class T>
bool fails(const result<T>& from, wire_errc code, std::string_view text) {
  CAPTURE(message_of(from));
  return !from && from.error().is(code) && says(from.error(), text);
}

// Written by Python's protobuf 4.21.12 from a description with the fields of the reference.
constexpr auto weights_hex = "0a310a0c64656e73652e77656967687412210a1064747970652827666c6f617433322729120302a"
                             "c021a0801010101010101010a340a16626e2e"
                             "6e756d5f626174636865735f747261636b6564121a0a0e64747970652827696e74363427291a080"
                             "5000000000000000a1d0a046e6f6e6512150a"
                             "1064747970652827666c6f617433322729120100";
const auto sync_request_hex = std::string("0a03732d311003180a20012a8801") + weights_hex;
const auto loss_request_hex = std::string("0a03732d3110031801228801") + weights_hex;

const bytes eight_ones(8, 1);
const bytes five{5, 0, 0, 0, 0, 0, 0, 0};

weights_view sample_weights() {
  return {{"dense.weight", "dtype('float32')", {2, 300}, eight_ones},
          {"bn.num_batches_tracked", "dtype('int64')", {}, five},
          {"none", "dtype('float32')", {0}, {}}};
}

void check_equal(const weights_view& a, const weights_view& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].dtype == b[i].dtype);
    CHECK(a[i].shape == b[i].shape);
    CHECK(to_bytes(a[i].data) == to_bytes(b[i].data));
  }
}

/// A field with a length.
bytes field_of(std::uint32_t number, bytes_view content) {
  bytes out;
  proto::put_message(out, number, content);
  return out;
}

bytes joined(std::initializer_list<bytes> parts) {
  bytes out;
  for (const auto& part : parts)
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

bytes text_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// Weights with one entry of this key and array.
bytes weights_of(const bytes& key, const bytes& array) {
  return field_of(1, joined({field_of(1, key), field_of(2, array)}));
}

} // namespace

TEST_CASE("a frame header has the bytes of the reference") {
  const auto raw = encode_header({msg_type::open_session_response, 1'000'000});
  CHECK(to_hex(raw, false) == "0a0a0d02000000150200000015030000001d40420f00");
  const auto back = decode_header(raw);
  REQUIRE(back);
  CHECK(back->type == msg_type::open_session_response);
  CHECK(back->size == 1'000'000);
  for (std::uint32_t type = 1; type <= 10; ++type) {
    const auto each = decode_header(encode_header({static_cast<msg_type>(type), 1}));
    REQUIRE(each);
    CHECK(static_cast<std::uint32_t>(each->type) == type);
    CHECK(!name_of(each->type).empty());
  }
}

TEST_CASE("a header that cannot be is refused in words for the program") {
  const auto good = encode_header({msg_type::sync_request, 1000});
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto out = good;
    out[at] = value;
    return out;
  };
  CHECK(fails(decode_header(with(3, 3)), wire_errc::wrong_api_version,
              "speaks version 3 of the channel to the SL (at least 2), this SL speaks version 2"));
  CHECK(fails(decode_header(with(8, 3)), wire_errc::wrong_api_version, "at least 3"));
  CHECK(decode_header(with(8, 1)));
  CHECK(fails(decode_header(with(13, 0)), wire_errc::unknown_type, "unknown type 0"));
  CHECK(fails(decode_header(with(13, 11)), wire_errc::unknown_type, "unknown type 11"));
  CHECK(fails(decode_header(with(16, 1)), wire_errc::unknown_type, "unknown type 16777222"));
  CHECK(fails(decode_header(encode_header({msg_type::sync_request, 0})), wire_errc::empty_body,
              "SyncRequest without a body"));
  CHECK(fails(decode_header(good, 999), wire_errc::oversize,
              "a SyncRequest of 1000 bytes; at most 999 are allowed"));
  CHECK(decode_header(good, 1000));
  CHECK(fails(decode_header(with(21, 0x80)), wire_errc::oversize, "at most 2147483647 are allowed"));
  CHECK(fails(decode_header(encode_header({msg_type::open_session_request, (1u << 20) + 1})),
              wire_errc::oversize, "at most 1048576"));
  for (const std::size_t tag : {0, 1, 2, 7, 12, 17})
    CHECK(fails(decode_header(with(tag, 0x7f)), wire_errc::bad_header, "no frame header but"));
  CHECK(fails(decode_header(bytes(21)), wire_errc::bad_header, "of 21 bytes"));
  CHECK(fails(decode_header(text_of("GET / HTTP/1.1\r\nHost: ")), wire_errc::bad_header, "474554"));
}

TEST_CASE("small messages have the bytes of Python's protobuf, both ways") {
  const status failed{status_code::error_in_sl, "no SN"}, ok{status_code::ok, "StatusOK"};
  CHECK(to_hex(encode(failed), false) == "080112056e6f20534e");
  CHECK(decode_status(unhex("080112056e6f20534e")).value() == failed);
  CHECK(to_hex(encode(ok), false) == "12085374617475734f4b");

  const session_request open{128, 2, 0, true, "snapshot", 10, "defaultbb.cqdb.sml.hpe", "mean"};
  const auto open_hex =
      "088001100220012a08736e617073686f74300a3a1664656661756c7462622e637164622e736d6c2e68706542046d65616e";
  CHECK(to_hex(encode(open), false) == open_hex);
  CHECK(decode_session_request(unhex(open_hex)).value() == open);

  const session_response opened{ok, "s-1"};
  CHECK(to_hex(encode(opened), false) == "0a0a12085374617475734f4b1203732d31");
  CHECK(decode_session_response(encode(opened)).value() == opened);

  const sync_response synced{"s-1", 3, ok, 128, true};
  CHECK(to_hex(encode(synced), false) == "0a03732d3110031a0a12085374617475734f4b2080012801");
  CHECK(decode_sync_response(encode(synced)).value() == synced);

  const loss_response loss{"s-1", 3, 1, ok, 0.5f, -0.25f, 2, -1};
  const auto loss_hex =
      "0a03732d3110031801220a12085374617475734f4b2d0000003f35000080be380240ffffffffffffffffff01";
  CHECK(to_hex(encode(loss), false) == loss_hex);
  CHECK(decode_loss_response(unhex(loss_hex)).value() == loss);

  const kill_session_request kill{"s-1", {status_code::ok, "done"}};
  CHECK(to_hex(encode(kill), false) == "0a03732d3112061204646f6e65");
  CHECK(decode_kill_session_request(encode(kill)).value() == kill);
}

TEST_CASE("messages with weights have the bytes of Python's protobuf, both ways") {
  sync_request sync{"s-1", 3, 10, 1, sample_weights()};
  CHECK(to_hex(encode(sync), false) == sync_request_hex);
  const auto raw = unhex(sync_request_hex);
  const auto back = decode_sync_request(raw);
  REQUIRE_MESSAGE(back, message_of(back));
  CHECK(back->session_id == "s-1");
  CHECK(back->sync_seq_num == 3);
  CHECK(back->node_weightage == 10);
  CHECK(back->number_of_nodes == 1);
  check_equal(back->input_params, sync.input_params);
  // Nothing is copied: the views are into the body.
  CHECK(back->input_params[0].data.data() > raw.data());
  CHECK(back->input_params[0].data.data() < raw.data() + raw.size());

  CHECK(to_hex(encode(loss_request{"s-1", 3, 1, sample_weights()}), false) == loss_request_hex);
  const auto loss_raw = unhex(loss_request_hex);
  const auto loss = decode_loss_request(loss_raw);
  REQUIRE_MESSAGE(loss, message_of(loss));
  CHECK(loss->loss_seq_num == 1);
  check_equal(loss->merged_params, sample_weights());
}

TEST_CASE("a body is never empty") {
  CHECK(to_hex(encode(status{})) == "0x0800");
  CHECK(to_hex(encode(session_request{})) == "0x0800");
  CHECK(to_hex(encode(session_response{})) == "0x0a00");
  CHECK(to_hex(encode(sync_request{})) == "0x0a00");
  CHECK(to_hex(encode(sync_response{})) == "0x0a00");
  CHECK(to_hex(encode(loss_response{})) == "0x0a00");
  CHECK(to_hex(encode(kill_session_request{})) == "0x0a00");
  CHECK(decode_status(encode(status{})).value() == status{});
  CHECK(decode_session_response(encode(session_response{})).value() == session_response{});
  CHECK(decode_sync_response(encode(sync_response{})).value() == sync_response{});
  CHECK(decode_session_request({}).value() == session_request{});
}

TEST_CASE("a shape is read packed, unpacked and mixed") {
  const auto dtype = field_of(1, text_of("dtype('int8')"));
  for (const auto& shape :
       {bytes{0x12, 3, 2, 3, 4}, bytes{0x10, 2, 0x10, 3, 0x10, 4}, bytes{0x12, 1, 2, 0x10, 3, 0x12, 1, 4}}) {
    const auto body = field_of(5, weights_of(text_of("a"), joined({dtype, shape, field_of(3, bytes(24))})));
    const auto sync = decode_sync_request(body);
    REQUIRE_MESSAGE(sync, message_of(sync));
    CHECK(sync->input_params.at(0).shape == std::vector<std::uint32_t>{2, 3, 4});
  }
}

TEST_CASE("fields of a newer client are skipped") {
  const auto body =
      joined({unhex("0a03732d31"), bytes{0x98, 0x06, 1}, field_of(200, bytes(9)),
              bytes{0xa5, 0x06, 1, 2, 3, 4}, bytes{0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8}, bytes{0x28, 1}});
  const auto synced = decode_sync_response(body);
  REQUIRE_MESSAGE(synced, message_of(synced));
  CHECK(*synced == sync_response{"s-1", 0, {}, 0, true});
}

TEST_CASE("what is swarmd's own stands in fields that the original passes over, and only when it is used") {
  CHECK(encode(session_request{128, 2}) == unhex("0880011002"));
  const session_request asks{.sync_interval = 128, .min_peers = 2, .takes_notices = true};
  CHECK(encode(asks) == unhex("0880011002a00601"));
  CHECK(decode_session_request(encode(asks)).value() == asks);
  const session_request shares{.sync_interval = 128, .min_peers = 2, .shares_memory = true};
  CHECK(encode(shares) == unhex("0880011002a80601"));
  CHECK(decode_session_request(encode(shares)).value() == shares);
  const session_response offers{.session_id = "s", .memory_socket = "m"};
  CHECK(encode(session_response{.session_id = "s"}) == unhex("120173"));
  CHECK(encode(offers) == unhex("120173aa06016d"));
  CHECK(decode_session_response(encode(offers)).value() == offers);
  const memory_place place{1, 1, std::uint64_t{1} << 40};
  CHECK(decode_memory_place(encode(place)).value() == place);
  sync_request gives{.session_id = "s"};
  CHECK(encode(gives) == unhex("0a0173"));
  gives.input_memory = place;
  CHECK(encode(gives) == unhex("0a0173aa060b0801100118808080808020"));
  CHECK(decode_sync_request(encode(gives)).value().input_memory == place);
  loss_request brings{.session_id = "s"};
  brings.merged_memory = place;
  CHECK(encode(brings) == unhex("0a0173aa060b0801100118808080808020"));
  CHECK(decode_loss_request(encode(brings)).value().merged_memory == place);
  const session_request resumes{.sync_interval = 128, .min_peers = 2, .resume = true};
  CHECK(encode(resumes) == unhex("0880011002b00601"));
  CHECK(decode_session_request(encode(resumes)).value() == resumes);
  const session_response opened{.session_id = "s", .resumes = true, .resume_round = 7};
  CHECK(encode(opened) == joined({encode(session_response{.session_id = "s"}), unhex("b00601b80607")}));
  CHECK(decode_session_response(encode(opened)).value() == opened);
  const sync_response synced{.session_id = "s", .merged_round = 7};
  CHECK(encode(synced) == joined({encode(sync_response{.session_id = "s"}), unhex("b80607")}));
  CHECK(decode_sync_response(encode(synced)).value() == synced);
  const session_request follows{.sync_interval = 128, .min_peers = 2, .follows_rounds = true};
  CHECK(encode(follows) == unhex("0880011002b80601"));
  CHECK(decode_session_request(encode(follows)).value() == follows);
  const session_response named{.session_id = "s", .node = "n"};
  CHECK(encode(named) == unhex("120173c206016e"));
  CHECK(decode_session_response(encode(named)).value() == named);
  const sync_response told{.session_id = "s",
                           .merged_digest = "d",
                           .mean_peers = 2,
                           .mean_loss = 1,
                           .mean_metric = 2,
                           .training = "t"};
  CHECK(encode(told) == unhex("0a0173ca060164d00602dd060000803fe50600000040fa060174"));
  CHECK(decode_sync_response(encode(told)).value() == told);
  const session_request turns{.sync_interval = 128, .min_peers = 2, .takes_back = true};
  CHECK(encode(turns) == unhex("0880011002e80601"));
  CHECK(decode_session_request(encode(turns)).value() == turns);
  const loss_request back{.session_id = "s", .ahead = true, .goes_back = true};
  CHECK(encode(back) == unhex("0a0173e80601f00601"));
  CHECK(decode_loss_request(encode(back)).value().ahead);
  CHECK(decode_loss_request(encode(back)).value().goes_back);
  const status notice{status_code::ok, "a", true};
  CHECK(encode(notice) == unhex("120161a00601"));
  CHECK(decode_status(encode(notice)).value() == notice);
}

TEST_CASE("a body that breaks a rule is refused by name") {
  using malformed = wire_errc;
  constexpr auto bad = malformed::malformed;
  CHECK(fails(decode_status(bytes{0x08}), bad, "Status, byte 1: a number is cut short"));
  CHECK(fails(decode_status(bytes{0x12, 5, 'a'}), bad, "5 bytes announced, but only 1 are left"));
  CHECK(fails(decode_status(bytes{0x15, 1, 2}), bad, "4 bytes announced, but only 2 are left"));
  CHECK(fails(decode_status(bytes{0x00, 1}), bad, "no field number"));
  CHECK(fails(decode_status(bytes{0x0b}), bad, "field 1 has the unknown wire type 3"));
  CHECK(fails(decode_status(joined({bytes{0x08}, bytes(9, 0xff), bytes{2}})), bad, "longer than 64 bits"));
  CHECK(fails(decode_status(joined({bytes{0x08}, bytes(10, 0xff), bytes{1}})), bad, "longer than 64 bits"));
  CHECK(fails(decode_status(bytes{0x08, 1, 0x08, 1}), bad, "field 1 comes twice"));
  CHECK(fails(decode_status(bytes{0x0a, 0}), bad, "Status.code: a number was expected"));
  CHECK(fails(decode_status(bytes{0x10, 0}), bad, "Status.msg: a text was expected"));
  CHECK(fails(decode_status(bytes{0x12, 1, 0xff}), bad, "Status.msg: the text is not UTF-8"));
  CHECK(fails(decode_session_request(bytes{0x08, 0x80, 0x80, 0x80, 0x80, 0x08}), bad,
              "SessionRequest.syncInterval: the number does not fit into 32 bits"));
  CHECK(fails(decode_session_request(bytes{0x25, 0, 0, 0, 0}), bad, "useAdaptiveSync: true or false"));
  CHECK(fails(decode_session_request(field_of(7, bytes(256, 'c'))), wire_errc::limit,
              "SessionRequest.trainingContract: 256 bytes; at most 255 are allowed"));
  CHECK(
      fails(decode_session_request(field_of(8, bytes(65, 'c'))), wire_errc::limit, "mergeMethod: 65 bytes"));
  CHECK(fails(decode_loss_response(bytes{0x28, 1}), bad, "LossResponse.loss: a 32-bit float was expected"));
  CHECK(fails(decode_loss_response(bytes{0x20, 1}), bad, "LossResponse.status: a field with a length"));
  CHECK(fails(decode_kill_session_request(field_of(2, bytes{0x08})), bad, "Status, byte 1"));
  CHECK(decode_status(bytes{0x08, 9})->code == status_code::error_others);
  CHECK(decode_session_request(bytes{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
            ->sync_interval
        == -1);
}

TEST_CASE("bad weights are refused by name") {
  const auto good = joined({field_of(1, text_of("dtype('int8')")), field_of(3, bytes(1))});
  const auto decode = [](const bytes& weights) { return decode_sync_request(field_of(5, weights)); };
  constexpr auto bad = wire_errc::malformed;
  CHECK(decode(weights_of(text_of("a"), good)));
  CHECK(fails(decode(weights_of({}, good)), bad, "an array has no name"));
  CHECK(fails(decode(field_of(1, field_of(1, text_of("a")))), bad, "'a' has no array"));
  CHECK(fails(decode(joined({weights_of(text_of("a"), good), weights_of(text_of("a"), good)})), bad,
              "'a' comes twice"));
  CHECK(fails(decode(weights_of(bytes(513, 'n'), good)), wire_errc::limit, "Weights entry.key: 513 bytes"));
  CHECK(fails(decode(weights_of(bytes{0xff}, good)), bad, "not UTF-8"));
  CHECK(fails(decode(weights_of(text_of("a"), field_of(1, bytes(65, 'd')))), wire_errc::limit,
              "Weights, 'a': NDArray.dtype: 65 bytes"));
  CHECK(fails(decode(weights_of(text_of("a"), joined({good, good}))), bad, "comes twice"));
  CHECK(fails(decode(weights_of(text_of("a"), field_of(2, bytes(33, 1)))), wire_errc::limit,
              "more than 32 dimensions"));
  CHECK(fails(decode(weights_of(text_of("a"), bytes{0x12, 1, 0x80})), bad,
              "NDArray.shape: a number is cut short"));
  CHECK(fails(decode(weights_of(text_of("a"), bytes{0x10, 0x80, 0x80, 0x80, 0x80, 0x10})), bad,
              "a dimension does not fit"));
  bytes many;
  for (int i = 0; i <= 65536; ++i) {
    const auto one = weights_of(text_of(fmt::format("{}", i)), {});
    many.insert(many.end(), one.begin(), one.end());
  }
  CHECK(fails(decode(many), wire_errc::limit, "more than 65536 arrays"));
}

TEST_CASE("the client 2.3 is recognised by the file name in the place of the weights") {
  for (const auto* name : {"trained_weights.pkl", "/tmp/hpe-swarm/trained_weights.pkl", "x", "h1"}) {
    const auto body = joined({field_of(1, text_of("s-1")), bytes{0x10, 1}, field_of(5, text_of(name))});
    CHECK(fails(decode_sync_request(body), wire_errc::client_2_3, "swarmlearning client 2.3"));
    CHECK(says(message_of(decode_sync_request(body)), name));
  }
  CHECK(decode_sync_request(field_of(5, {})).value().input_params.empty());
  CHECK(fails(decode_sync_request(field_of(5, bytes{0x80, 0x04, 0x95})), wire_errc::malformed, "Weights"));
}

TEST_CASE("long texts of a Status are cut at a character") {
  std::string text(text_size_max - 1, 'a');
  text += "\u00e9";
  CHECK(decode_status(encode(status{status_code::error_in_sl, text}))->msg
        == std::string(text_size_max - 1, 'a'));
  bytes raw = field_of(2, text_of(text));
  CHECK(decode_status(raw)->msg.size() == text_size_max - 1);
}

TEST_CASE("no bytes make a decoder fail otherwise than by an error, and what it accepts round-trips") {
  const std::vector<bytes> seeds{unhex(sync_request_hex), unhex(loss_request_hex),
                                 encode(session_request{128, 2, 0, true, "snapshot", 10, "c", "mean"}),
                                 encode(loss_response{"s-1", 3, 1, {}, 0.5f, -0.25f, 2, 1})};
  seeded_random random(17);
  std::size_t accepted = 0;
  const auto again = [&]<class T>(result<T> decoded, const std::function<result<T>(bytes_view)>& decode) {
    if (!decoded) return;
    ++accepted;
    const auto raw = encode(*decoded);
    const auto second = decode(raw);
    REQUIRE_MESSAGE(second, message_of(second));
    REQUIRE(encode(*second) == raw);
  };
  for (int round = 0; round < 20000; ++round) {
    auto raw = seeds[random.below(seeds.size())];
    for (std::uint64_t change = 0; change <= random.below(4); ++change)
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
    if (random.below(4) == 0) raw.resize(random.below(raw.size()) + 1);
    again.operator()<sync_request>(decode_sync_request(raw), decode_sync_request);
    again.operator()<loss_request>(decode_loss_request(raw), decode_loss_request);
    again.operator()<session_request>(decode_session_request(raw), decode_session_request);
    again.operator()<session_response>(decode_session_response(raw), decode_session_response);
    again.operator()<sync_response>(decode_sync_response(raw), decode_sync_response);
    again.operator()<loss_response>(decode_loss_response(raw), decode_loss_response);
    again.operator()<kill_session_request>(decode_kill_session_request(raw), decode_kill_session_request);
    again.operator()<status>(decode_status(raw), decode_status);
  }
  CHECK(accepted > 1000);
}

} // namespace wire_test
