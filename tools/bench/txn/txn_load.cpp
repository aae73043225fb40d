// As many transactions per second as SNs take: clients with many open transactions each.
//
//   txn_load CERT KEY CA CLIENTS COUNT BATCH OPEN SN_PORT...
//
// COUNT transactions in all, signed beforehand, of CLIENTS accounts; client i is connected to SN i modulo
// their number, sends batches of BATCH eth_sendRawTransactionSync and keeps OPEN batches without an answer.
// Prints one JSON object: seconds from the first batch to the last receipt, transactions per second, and the
// median and 99th percentile in milliseconds of a batch's time.

#include "tools/bench/txn/sn_client.hpp"

#include <chrono>
#include <cstdio>
#include <latch>
#include <mutex>

namespace {

using namespace swarm;
using namespace swarm::bench;
namespace json = boost::json;
using clock_type = std::chrono::steady_clock;

/// Its transactions in order, and when each batch went out.
class load_client {
public:
  load_client(transport::io_runtime& io, const credentials& files, std::uint16_t port, std::latch& end)
      : files_(files), sn_(io, files, port), end_(end) {}

  void sign(std::size_t count, std::size_t batch) {
    const auto key = ledger::private_key::make_random();
    const auto chain_id = chain_id_of(sn_);
    const auto own = join(sn_, files_, key);
    for (std::size_t i = 0; i < count; ++i) {
      if (i % batch == 0) batches_.emplace_back("[");
      auto& text = batches_.back();
      if (text.size() > 1) text += ',';
      text += call_text("eth_sendRawTransactionSync", {to_hex(make_update(key, i + 1, chain_id, own).raw())});
    }
    for (auto& text : batches_)
      text += ']';
    sizes_.assign(batches_.size(), batch);
    sizes_.back() = count - batch * (batches_.size() - 1);
  }
  void start(std::size_t open) {
    std::size_t first = 0;
    {
      const std::lock_guard held(lock_);
      first = std::min(open, batches_.size());
      next_ = first;
    }
    for (std::size_t i = 0; i < first; ++i)
      send(i);
  }
  const std::vector<double>& batch_ms() const { return batch_ms_; }

private:
  void send(std::size_t index) {
    sn_.post(std::move(batches_[index]),
             [this, index, sent = clock_type::now()](std::string_view text) { answered(index, text, sent); });
  }
  void answered(std::size_t index, std::string_view text, clock_type::time_point sent) {
    // Batches of one account become final in order. Receipts are not parsed, as they are long and only one
    // word of them matters.
    constexpr std::string_view good = R"("status":"0x1")";
    std::size_t receipts = 0;
    for (auto at = text.find(good); at != text.npos; at = text.find(good, at + good.size()))
      ++receipts;
    if (receipts != sizes_[index]) die("a batch failed: " + std::string(text.substr(0, 2000)));
    std::size_t next = 0;
    bool over = false;
    {
      const std::lock_guard held(lock_);
      batch_ms_.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - sent).count());
      next = next_++;
      over = batch_ms_.size() == batches_.size();
    }
    if (next < batches_.size()) send(next);
    if (over) end_.count_down();
  }

  const credentials files_;
  sn_client sn_;
  std::latch& end_;
  std::vector<std::string> batches_;
  std::vector<std::size_t> sizes_;
  std::mutex lock_;
  std::size_t next_ = 0;
  std::vector<double> batch_ms_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 9) die("usage: txn_load CERT KEY CA CLIENTS COUNT BATCH OPEN SN_PORT...");
  const auto number = [&](int at) { return static_cast<std::size_t>(std::atoll(argv[at])); };
  const auto clients = number(4), count = number(5), batch = number(6), open = number(7);
  if (clients == 0 || count < clients || batch == 0 || open == 0) die("nothing to do");
  transport::io_runtime io(1);
  std::latch end(static_cast<std::ptrdiff_t>(clients));
  std::vector<std::unique_ptr<load_client>> all;
  for (std::size_t i = 0; i < clients; ++i) {
    const auto port = number(8 + static_cast<int>(i % static_cast<std::size_t>(argc - 8)));
    all.push_back(std::make_unique<load_client>(io, credentials{argv[1], argv[2], argv[3]},
                                                static_cast<std::uint16_t>(port), end));
    all.back()->sign(count / clients, batch);
  }
  std::fprintf(stderr, "ready\n");
  const auto sent = count / clients * clients;
  const auto begun = clock_type::now();
  for (auto& one : all)
    one->start(open);
  end.wait();
  const auto seconds = std::chrono::duration<double>(clock_type::now() - begun).count();
  std::vector<double> times;
  for (const auto& one : all)
    times.insert(times.end(), one->batch_ms().begin(), one->batch_ms().end());
  std::printf("%s\n", json::serialize(json::object{{"seconds", seconds},
                                                   {"per_second", static_cast<double>(sent) / seconds},
                                                   {"batch_p50_ms", percentile(times, 0.5)},
                                                   {"batch_p99_ms", percentile(times, 0.99)}})
                          .c_str());
}
