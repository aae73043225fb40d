#include "ledger/formats/receipt.hpp"

#include "base/random.hpp"
#include "ledger/formats/testing/vectors.hpp"

#include <doctest/doctest.h>

namespace receipt_test {

using namespace swarm;
using namespace swarm::ledger;
using vectors::hex;
using vectors::text;

namespace {

std::vector<std::size_t> bits_of(const bloom& filter) {
  std::vector<std::size_t> out;
  for (std::size_t bit = 2048; bit-- > 0;)
    if ((filter[255 - bit / 8] & 1 << bit % 8) != 0) out.push_back(bit);
  return out;
}

/// The two receipts of V9.
std::vector<receipt> v9_receipts() {
  receipt first, second;
  first.cumulative_gas_used = 21000;
  second.type = txn_type::dynamic_fee;
  second.cumulative_gas_used = 42000;
  second.logs = {vectors::v12_log()};
  return {first, second};
}

/// Trie nodes written down by hand for the two tries of V9, to check item encodings without the trie code.
bytes leaf(std::string_view path, bytes_view value) {
  return rlp_writer().begin_list().string(hex(path)).string(value).end_list().take();
}

hash32 root_of(const std::vector<bytes>& items) {
  if (items.size() == 1) return keccak256(leaf("2080", items[0])); // the key 80 as a leaf of even length
  rlp_writer branch;
  branch.begin_list().string(keccak256(leaf("31", items[1])).view()); // key 01: nibble 0, then 1
  for (int i = 1; i < 8; ++i)
    branch.string({});
  branch.string(keccak256(leaf("30", items[0])).view()); // key 80: nibble 8, then 0
  for (int i = 9; i < 17; ++i)
    branch.string({});
  return keccak256(branch.end_list().take());
}

template <class Code>
bool breaks(const result<receipt>& outcome, Code code) {
  return !outcome && outcome.error().is(code) && !outcome.error().message.empty();
}

/// A receipt from its four items.
bytes raw_receipt(bytes_view status, bytes_view gas, bytes_view filter, bytes_view logs) {
  return rlp_writer()
      .begin_list()
      .encoded(status)
      .encoded(gas)
      .string(filter)
      .encoded(logs)
      .end_list()
      .take();
}

receipt random_receipt(seeded_random& random) {
  receipt out;
  out.type = static_cast<txn_type>(random.below(3));
  out.ok = random.below(4) != 0;
  out.cumulative_gas_used = random() >> random.below(64);
  for (auto left = out.ok ? random.below(4) : 0; left > 0; --left) {
    log_entry entry;
    fill_random(entry.emitter);
    entry.topics.resize(random.below(5));
    for (auto& topic : entry.topics)
      fill_random(topic);
    entry.data.resize(random.below(100));
    out.logs.push_back(std::move(entry));
  }
  return out;
}

} // namespace

TEST_CASE("bloom bits of an address and of a log (V9)") {
  bloom filter;
  CHECK(bits_of(filter).empty());
  filter.add(vectors::account35.view());
  CHECK(bits_of(filter) == std::vector<std::size_t>{1465, 1020, 276});
  CHECK(filter.may_contain(vectors::account35.view()));
  CHECK(!filter.may_contain(vectors::account46.view()));
  const auto entry = vectors::v12_log();
  const bloom whole = bloom_of({&entry, 1});
  CHECK(bits_of(whole)
        == std::vector<std::size_t>{1812, 1644, 1517, 1465, 1338, 1328, 1027, 1020, 985, 768, 296, 276});
  for (const auto& topic : entry.topics)
    CHECK(whole.may_contain(topic.view()));
  bloom sum;
  sum.add(filter);
  CHECK(sum == filter);
  sum.add(whole);
  CHECK(sum == whole);
}

TEST_CASE("receipts and transactions have the trie values of V9") {
  std::vector<bytes> raw;
  for (const auto& item : v9_receipts())
    raw.push_back(encode_receipt(item));
  CHECK(raw[1][0] == 2);
  CHECK(text(root_of({raw[0]}).view()) == "056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2");
  CHECK(text(root_of(raw).view()) == "9d63407544b48da6f42881179ec2d0b31fd2fc63313a149835760af2f42a18c8");
  CHECK(text(root_of({vectors::v4_raw}).view())
        == "36cf58bec935fe50593ac7443cb728dd37dedac603d60fddfae59fd3bdbfcd7f");
  CHECK(text(root_of({vectors::v4_raw, vectors::v5_raw}).view())
        == "976351dcbfde94701944181161ae0f9022e849b1a153d3295832fa51411bc6aa");
}

TEST_CASE("a failed receipt has status 80") {
  receipt failed;
  failed.ok = false;
  failed.cumulative_gas_used = 1;
  const bytes raw = encode_receipt(failed);
  CHECK(text(bytes_view(raw).first(8)) == "f901068001b90100");
  CHECK(decode_receipt(raw).value() == failed);
}

TEST_CASE("random receipts survive encoding, alone and in lists") {
  seeded_random random(3);
  std::vector<receipt> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(random_receipt(random));
    REQUIRE(decode_receipt(encode_receipt(all.back())).value() == all.back());
  }
  const bytes raw = encode_receipts(all);
  CHECK(decode_receipts(raw).value() == all);
  CHECK(rlp_check(raw));
  CHECK(encode_receipts({}) == hex("c0"));
  CHECK(decode_receipts(hex("c0")).value().empty());
}

TEST_CASE("receipts that break a rule are refused with its code") {
  const bytes none = hex("c0"), gas = hex("01"), ok = hex("01");
  const bloom empty;
  CHECK(decode_receipt(raw_receipt(ok, gas, empty.view(), none)));
  CHECK(breaks(decode_receipt(raw_receipt(hex("02"), gas, empty.view(), none)), receipt_errc::bad_status));
  CHECK(breaks(decode_receipt(raw_receipt(hex("00"), gas, empty.view(), none)),
               rlp_errc::integer_leading_zero));
  CHECK(breaks(decode_receipt(raw_receipt(ok, gas, bytes(255, 0), none)), rlp_errc::wrong_width));
  CHECK(breaks(decode_receipt(raw_receipt(ok, gas, bytes(256, 1), none)), receipt_errc::bloom_mismatch));
  const auto with_topics = [](std::size_t count) {
    rlp_writer to;
    to.begin_list().begin_list().string(vectors::account35.view()).begin_list();
    for (std::size_t i = 0; i < count; ++i)
      to.string(hash32{}.view());
    return to.end_list().string({}).end_list().end_list().take();
  };
  log_entry four;
  four.emitter = vectors::account35;
  four.topics.resize(4);
  const bloom filter = bloom_of({&four, 1});
  CHECK(decode_receipt(raw_receipt(ok, gas, filter.view(), with_topics(4))).value().logs[0] == four);
  CHECK(breaks(decode_receipt(raw_receipt(ok, gas, filter.view(), with_topics(5))),
               receipt_errc::too_many_topics));
  CHECK(breaks(decode_receipt(raw_receipt(hex("80"), gas, filter.view(), with_topics(4))),
               receipt_errc::logs_of_failure));
  bytes raw = encode_receipt(v9_receipts()[1]);
  raw[0] = 3;
  CHECK(breaks(decode_receipt(raw), receipt_errc::unsupported_type));
  raw[0] = 0;
  CHECK(breaks(decode_receipt(raw), receipt_errc::unsupported_type));
  CHECK(!decode_receipt({}));
  const bytes legacy = encode_receipt(v9_receipts()[0]);
  const bytes wrapped = rlp_writer().begin_list().string(legacy).end_list().take();
  CHECK(decode_receipts(wrapped).error().is(receipt_errc::unsupported_type));
  CHECK(decode_receipts(bytes(receipts_size_max + 1, 0)).error().is(receipt_errc::too_large));
}

TEST_CASE("whatever bytes are accepted as a receipt, they are its only encoding") {
  seeded_random random(5);
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    bytes raw = encode_receipt(v9_receipts()[random.below(2)]);
    raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
    const auto item = decode_receipt(raw);
    if (!item) continue;
    ++accepted;
    REQUIRE(encode_receipt(*item) == raw);
  }
  CHECK(accepted > 100);
}

} // namespace receipt_test
