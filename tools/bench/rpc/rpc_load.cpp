// How many reads per second an SN answers.
//
//   rpc_load CERT KEY CA CLIENTS COUNT OPEN SN_PORT METHOD PARAMS
//
// COUNT calls of METHOD with PARAMS (a JSON list) in all, over CLIENTS kept WebSockets, each with OPEN calls
// without an answer. Prints one JSON object: calls per second.

#include "tools/bench/txn/sn_client.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <latch>

namespace {

using namespace swarm;
using namespace swarm::bench;

struct reader {
  sn_client& sn;
  const std::string& text;
  std::atomic<std::int64_t>& left;
  std::latch& end;

  void ask() const {
    sn.post(text, [this](std::string_view answer) {
      if (answer.find(R"("error")") != answer.npos || answer.find(R"("result":null)") != answer.npos)
        die("a read failed: " + std::string(answer.substr(0, 500)));
      end.count_down();
      if (left.fetch_sub(1) > 0) ask();
    });
  }
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 10) die("usage: rpc_load CERT KEY CA CLIENTS COUNT OPEN SN_PORT METHOD PARAMS");
  const auto number = [&](int at) { return std::atoll(argv[at]); };
  const auto clients = number(4), count = number(5), open = number(6);
  if (clients <= 0 || open <= 0 || count < clients * open) die("nothing to do");
  const auto text = call_text(argv[8], boost::json::parse(argv[9]).as_array());
  transport::io_runtime io(1);
  std::latch end(count);
  std::atomic<std::int64_t> left = count - clients * open;
  std::vector<std::unique_ptr<sn_client>> links;
  std::vector<std::unique_ptr<reader>> readers;
  for (auto i = 0; i < clients; ++i) {
    links.push_back(std::make_unique<sn_client>(io, credentials{argv[1], argv[2], argv[3]},
                                                static_cast<std::uint16_t>(number(7))));
    readers.push_back(std::make_unique<reader>(reader{*links.back(), text, left, end}));
  }
  join(*links.front(), {argv[1], argv[2], argv[3]}, ledger::private_key::make_random()); // only members read
  const auto begun = std::chrono::steady_clock::now();
  for (const auto& one : readers)
    for (auto i = 0; i < open; ++i)
      one->ask();
  end.wait();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto per_second = static_cast<double>(count) / seconds;
  std::printf("%s\n", boost::json::serialize(boost::json::object{{"per_second", per_second}}).c_str());
}
