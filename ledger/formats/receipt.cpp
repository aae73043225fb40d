#include "ledger/formats/receipt.hpp"

namespace swarm::ledger {

namespace {

constexpr auto receipt_name = "receipt";

void put_log(rlp_writer& to, const log_entry& entry) {
  to.begin_list().string(entry.emitter.view()).begin_list();
  for (const auto& topic : entry.topics)
    to.string(topic.view());
  to.end_list().string(entry.data).end_list();
}

result<log_entry> read_log(rlp_reader from) {
  log_entry out;
  SWARM_TRY(out.emitter, from.fixed<20>("address"));
  SWARM_TRY(rlp_reader topics, from.list("topics"));
  while (!topics.at_end()) {
    if (out.topics.size() == topics_max)
      return fail(receipt_errc::too_many_topics, "receipt: a log with over {} topics", topics_max);
    SWARM_TRY(const hash32 topic, topics.fixed<32>("topic"));
    out.topics.push_back(topic);
  }
  SWARM_TRY(const bytes_view data, from.string("data"));
  out.data = to_bytes(data);
  SWARM_CHECK(from.finish());
  return out;
}

result<receipt> read_receipt(rlp_reader from, txn_type type) {
  receipt out;
  out.type = type;
  SWARM_TRY(const std::uint64_t status, from.number("status"));
  if (status > 1) return fail(receipt_errc::bad_status, "receipt: status {}, must be 0 or 1", status);
  out.ok = status == 1;
  SWARM_TRY(out.cumulative_gas_used, from.number("cumulative gas used"));
  SWARM_TRY(const auto bits, from.fixed<256>("bloom"));
  SWARM_TRY(rlp_reader logs, from.list("logs"));
  while (!logs.at_end()) {
    SWARM_TRY(const rlp_reader entry, logs.list("log"));
    SWARM_TRY(log_entry next, read_log(entry));
    out.logs.push_back(std::move(next));
  }
  SWARM_CHECK(from.finish());
  if (!out.ok && !out.logs.empty())
    return fail(receipt_errc::logs_of_failure, "receipt: has logs although the transaction failed");
  if (bloom_of(out.logs) != bits)
    return fail(receipt_errc::bloom_mismatch, "receipt: bloom is not that of its logs");
  return out;
}

result<receipt> decode_item(const rlp_item& item) {
  if (!item.is_list) {
    if (!item.payload.empty() && item.payload[0] >= 0xc0)
      return fail(receipt_errc::unsupported_type, "receipt: a legacy one stands as a list, not as a string");
    return decode_receipt(item.payload);
  }
  SWARM_TRY(const rlp_reader from, rlp_reader::open(item, receipt_name));
  return read_receipt(from, txn_type::legacy);
}

} // namespace

bytes encode_receipt(const receipt& item) {
  std::size_t guess = 300;
  for (const auto& entry : item.logs)
    guess += 170 + entry.data.size();
  rlp_writer out(guess);
  // The type byte is an RLP item of its own in front of the list: a byte below 0x80 stands for itself.
  if (item.type != txn_type::legacy) out.number(static_cast<std::uint64_t>(item.type));
  out.begin_list()
      .number(item.ok ? 1 : 0)
      .number(item.cumulative_gas_used)
      .string(bloom_of(item.logs).view());
  out.begin_list();
  for (const auto& entry : item.logs)
    put_log(out, entry);
  out.end_list().end_list();
  return out.take();
}

result<receipt> decode_receipt(bytes_view raw) {
  txn_type type = txn_type::legacy;
  if (!raw.empty() && raw[0] < 0xc0) {
    if (raw[0] != 1 && raw[0] != 2)
      return fail(receipt_errc::unsupported_type, "receipt: first byte {:#04x} is no known type", raw[0]);
    type = static_cast<txn_type>(raw[0]);
    raw = raw.subspan(1);
  }
  SWARM_TRY(const rlp_reader from, rlp_reader::open(raw, receipt_name, receipts_size_max));
  return read_receipt(from, type);
}

bytes encode_receipts(std::span<const receipt> items) {
  rlp_writer out(320 * items.size() + 9);
  out.begin_list();
  for (const auto& item : items) {
    const bytes raw = encode_receipt(item);
    if (item.type == txn_type::legacy)
      out.encoded(raw);
    else
      out.string(raw);
  }
  return out.end_list().take();
}

result<std::vector<receipt>> decode_receipts(bytes_view raw) {
  if (raw.size() > receipts_size_max)
    return fail(receipt_errc::too_large, "receipts: {} bytes, the limit is {}", raw.size(),
                receipts_size_max);
  SWARM_TRY(rlp_reader list, rlp_reader::open(raw, "receipts"));
  std::vector<receipt> out;
  while (!list.at_end()) {
    SWARM_TRY(const rlp_item item, list.next("receipt"));
    SWARM_TRY(receipt next, decode_item(item));
    out.push_back(std::move(next));
  }
  return out;
}

} // namespace swarm::ledger
