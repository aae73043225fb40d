#include "transport/p2p/p2p_codec.hpp"

#include "base/random.hpp"
#include "ledger/formats/keys.hpp"
#include "ledger/formats/rlp.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace p2p_codec_test {

using namespace swarm;
using namespace swarm::p2p;

namespace {

bytes random_bytes(seeded_random& random, std::size_t size) {
  bytes out(size);
  for (auto& each : out)
    each = static_cast<std::uint8_t>(random());
  return out;
}

template <std::size_t N>
fixed_bytes<N> random_fixed(seeded_random& random) {
  return *fixed_bytes<N>::from_view(random_bytes(random, N));
}

template <class Make>
auto some(seeded_random& random, std::size_t least, const Make& make) {
  std::vector<decltype(make())> out;
  for (auto left = least + random.below(5); left > 0; --left)
    out.push_back(make());
  return out;
}

hello random_hello(seeded_random& random) {
  hello out;
  out.chain_id = random();
  out.genesis = random_fixed<32>(random);
  out.head = {random(), random_fixed<32>(random)};
  out.account = random_fixed<20>(random);
  out.endpoint = random.below(3) == 0 ? "" : "sn-2.example:30303";
  out.program = "swarmd 0.1.0";
  out.validates = random.below(2) == 0;
  out.instance = random();
  out.connection = random.below(100);
  if (random.below(2) == 0) out.version = 2;
  if (out.version > 2) out.rules_known = random.below(9);
  out.proof = random_fixed<65>(random);
  return out;
}

frame random_frame(std::size_t kind, seeded_random& random) {
  const auto hash = [&] { return random_fixed<32>(random); };
  const auto raw = [&] { return random_bytes(random, 1 + random.below(300)); };
  switch (static_cast<frame_kind>(kind)) {
  case frame_kind::hello:
    return random_hello(random);
  case frame_kind::head:
    return head{{random(), hash()}};
  case frame_kind::ping:
    return ping{random()};
  case frame_kind::pong:
    return pong{random.below(2)};
  case frame_kind::consensus:
    return consensus{raw()};
  case frame_kind::txns:
    return txns{some(random, 1, raw)};
  case frame_kind::txn_hashes:
    return txn_hashes{some(random, 1, hash)};
  case frame_kind::get_txns:
    return get_txns{random(), some(random, 1, hash)};
  case frame_kind::got_txns:
    return got_txns{random(), some(random, 0, raw)};
  case frame_kind::get_blocks:
    return get_blocks{random(), random.below(1u << 30), 1 + random.below(blocks_max), 1 + random.below(4096)};
  case frame_kind::got_blocks:
    return got_blocks{random(), some(random, 0, [&] {
                        return sealed_block{raw(), random_bytes(random, random.below(99))};
                      })};
  case frame_kind::get_neighbors:
    return get_neighbors{};
  case frame_kind::signs:
    return signs{some(random, 1, raw)};
  case frame_kind::get_part:
    return get_part{random(), 1 + random.below(frame_bytes_max), raw()};
  case frame_kind::got_part:
    return got_part{random(), raw()};
  case frame_kind::got_neighbors:
    return got_neighbors{some(random, 0, [&] {
      return peer_entry{random_fixed<20>(random), "[fe80::1]:443"};
    })};
  }
  return get_neighbors{};
}

bool breaks(const frame& what, frame_errc rule) {
  const auto out = decode(encode(what));
  return !out && out.error().is(rule);
}

} // namespace

TEST_CASE("every frame comes back as it was sent") {
  seeded_random random(1);
  for (int turn = 0; turn < 50; ++turn)
    for (std::size_t kind = 0; kind < frame_kind_count; ++kind) {
      const auto sent = random_frame(kind, random);
      const auto raw = encode(sent);
      CHECK(raw.at(0) == kind);
      const auto got = decode(raw);
      REQUIRE(got);
      CHECK(*got == sent);
    }
}

TEST_CASE("cut and changed frames are refused, or are the one form of something else") {
  seeded_random random(2);
  int refused = 0;
  for (int turn = 0; turn < 4000; ++turn) {
    auto raw = encode(random_frame(random.below(frame_kind_count), random));
    if (random.below(4) == 0)
      raw.resize(random.below(raw.size()));
    else
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
    const auto got = decode(raw);
    if (got)
      CHECK(encode(*got) == raw);
    else
      ++refused;
  }
  CHECK(refused > 1000);
}

TEST_CASE("bounds of frames") {
  CHECK(decode({}).error().is(frame_errc::empty));
  CHECK(decode(bytes(frame_bytes_max + 1)).error().is(frame_errc::oversize));
  CHECK(decode(bytes{frame_kind_count, 0xc0}).error().is(frame_errc::unknown_kind));
  CHECK(decode(bytes{3, 0x80}).error().is(frame_errc::malformed));
  CHECK(decode(bytes{11, 0xc0}));
  CHECK(decode(bytes{11, 0xc1, 0x80}).error().is(frame_errc::malformed));
  const std::vector<hash32> one_too_many(hashes_max + 1);
  CHECK(breaks(txn_hashes{one_too_many}, frame_errc::limit));
  CHECK(breaks(txn_hashes{}, frame_errc::empty_list));
  CHECK(breaks(get_txns{1, std::vector<hash32>(txns_asked_max + 1)}, frame_errc::limit));
  CHECK(breaks(txns{}, frame_errc::empty_list));
  CHECK(breaks(txns{std::vector<bytes>(txns_max + 1, bytes{1})}, frame_errc::limit));
  CHECK(breaks(txns{{bytes{}}}, frame_errc::malformed));
  CHECK(breaks(txns{{bytes(txn_bytes_max + 1)}}, frame_errc::malformed));
  CHECK(breaks(consensus{}, frame_errc::empty_list));
  CHECK(breaks(get_blocks{1, 5, 0, 100}, frame_errc::empty_list));
  CHECK(breaks(get_blocks{1, 5, blocks_max + 1, 100}, frame_errc::limit));
  CHECK(breaks(get_blocks{1, UINT64_MAX, 1, 100}, frame_errc::limit));
  CHECK(breaks(get_blocks{1, 5, 1, 0}, frame_errc::limit));
  CHECK(breaks(get_blocks{1, 5, 1, frame_bytes_max + 1}, frame_errc::limit));
  CHECK(breaks(got_blocks{1, {sealed_block{}}}, frame_errc::malformed));
  CHECK(breaks(got_neighbors{std::vector<peer_entry>(neighbors_max + 1, {address{}, "a:1"})},
               frame_errc::limit));
  CHECK(breaks(got_neighbors{{{address{}, ""}}}, frame_errc::bad_endpoint));
  CHECK(breaks(signs{}, frame_errc::empty_list));
  CHECK(breaks(get_part{1, 1, {}}, frame_errc::empty_list));
  CHECK(breaks(get_part{1, 0, {1}}, frame_errc::limit));
  CHECK(breaks(get_part{1, frame_bytes_max + 1, {1}}, frame_errc::limit));
  CHECK(breaks(get_part{1, 1, bytes(question_bytes_max + 1)}, frame_errc::malformed));
  CHECK(breaks(got_part{1, {}}, frame_errc::empty_list));
  CHECK(breaks(signs{std::vector<bytes>(signs_max + 1, bytes{1})}, frame_errc::limit));
  CHECK(breaks(signs{{bytes(sign_bytes_max + 1)}}, frame_errc::malformed));
}

TEST_CASE("texts of a hello") {
  seeded_random random(3);
  auto from = random_hello(random);
  from.endpoint = "sn-2";
  CHECK(breaks(from, frame_errc::bad_endpoint));
  from.endpoint = "";
  CHECK(decode(encode(from)));
  from.program = std::string(64, 'x');
  CHECK(decode(encode(from)));
  from.program += 'x';
  CHECK(breaks(from, frame_errc::malformed));
  from.program = "two\nlines";
  CHECK(breaks(from, frame_errc::malformed));
}

TEST_CASE("endpoints") {
  for (const auto* good :
       {"sn:1", "10.0.0.1:30303", "a.b-c_d.example:65535", "[::1]:443", "[fe80::a:1]:30303"})
    CHECK_MESSAGE(check_endpoint(good), good);
  for (const auto* bad :
       {"",        ":",      "sn",     "sn:",    ":80",    "sn:0",   "sn:65536", "sn:080",
        "sn:8x",   "sn:-1",  "sn :80", "-sn:80", "sn/:80", "a@b:80", "[]:80",    "[1.2.3.4]:80",
        "[::1:80", "::1:80", "sn:80 ", "\x01:80"})
    CHECK_MESSAGE(!check_endpoint(bad), bad);
  CHECK(check_endpoint(std::string(253, 'a') + ":65535"));
  CHECK_FALSE(check_endpoint(std::string(254, 'a') + ":1"));
}

TEST_CASE("a hello of a version that is not spoken is told by its number, whatever follows") {
  for (const std::uint64_t version : {0, 1, 4, 1000}) {
    const auto raw = ledger::rlp_writer(16).begin_list().number(version).number(5).end_list().take();
    bytes whole{static_cast<std::uint8_t>(frame_kind::hello)};
    whole.insert(whole.end(), raw.begin(), raw.end());
    const auto read = decode(whole);
    REQUIRE_FALSE(read);
    CHECK(read.error().is(frame_errc::other_version));
  }
}

namespace {

/// What an SN of swarmd 0.2 said to who had dialled it: the certificates of both, its own first, then its frames.
std::vector<bytes> said_by_release_0_2() {
  std::ifstream in(SWARM_SOURCE_DIR "/transport/p2p/testdata/said-by-0.2.txt");
  std::vector<bytes> out;
  for (std::string line; std::getline(in, line);)
    if (auto raw = from_hex(line)) out.push_back(std::move(*raw));
  return out;
}

} // namespace

TEST_CASE("what release 0.2 said is understood, and said in the same bytes") {
  const auto said = said_by_release_0_2();
  REQUIRE(said.size() > 4);
  for (std::size_t i = 2; i < said.size(); ++i) {
    const auto read = decode(said[i]);
    REQUIRE(read);
    CHECK(encode(*read) == said[i]);
  }
  const auto greeting = decode(said[2]);
  const auto* from = std::get_if<hello>(&*greeting);
  REQUIRE(from != nullptr);
  CHECK(from->version == 2);
  const auto own = hash32::from_view(said[0]).value(), peer = hash32::from_view(said[1]).value();
  const auto signer = ledger::recover(hello_digest(*from, own, peer), from->proof);
  REQUIRE(signer);
  CHECK(*signer == from->account);
}

TEST_CASE("the digest of a hello covers everything it says and both certificates") {
  seeded_random random(4);
  const auto base = random_hello(random);
  const auto one = random_fixed<32>(random), other = random_fixed<32>(random);
  const auto digest = hello_digest(base, one, other);
  const auto differs = [&](auto change) {
    auto changed = base;
    change(changed);
    return hello_digest(changed, one, other) != digest;
  };
  CHECK(differs([](hello& h) { h.version++; }));
  CHECK(differs([](hello& h) { h.chain_id++; }));
  CHECK(differs([](hello& h) { h.genesis[0]++; }));
  CHECK(differs([](hello& h) { h.head.block_num++; }));
  CHECK(differs([](hello& h) { h.account[0]++; }));
  CHECK(differs([](hello& h) { h.endpoint += "1"; }));
  CHECK(differs([](hello& h) { h.program += "1"; }));
  CHECK(differs([](hello& h) { h.validates = !h.validates; }));
  CHECK(differs([](hello& h) { h.instance++; }));
  CHECK(differs([](hello& h) { h.connection++; }));
  CHECK_FALSE(differs([](hello& h) { h.proof[0]++; }));
  CHECK(hello_digest(base, other, one) != digest);
}

TEST_CASE("frames made without copies are the same frames") {
  const bytes a{1, 2, 3}, b{4};
  const std::vector<bytes_view> views{a, b};
  CHECK(encode_txns(views) == encode(txns{{a, b}}));
  CHECK(encode_consensus(a) == encode(consensus{a}));
}

} // namespace p2p_codec_test
