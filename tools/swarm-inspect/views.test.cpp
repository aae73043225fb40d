#include "tools/swarm-inspect/views.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace views_test {

using namespace swarm::inspect;
namespace json = boost::json;

namespace {

constexpr std::int64_t now = 1'700'000'000'000;

std::string actor(const std::string& path, const std::string& kind, const std::string& more = "") {
  return R"({"path":")" + path + R"(","kind":")" + kind + R"(","phase":"running","state":"well","mailbox":0,
    "handled":5,"refused":0,"restarts":0,"idle_s":2.34)"
         + (more.empty() ? "" : "," + more) + "}";
}

json::object object(const std::string& text) {
  return json::parse(text).as_object();
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

} // namespace

TEST_CASE("ages and sizes are short and rounded the way people read them") {
  CHECK(age(0) == "0 us");
  CHECK(age(12e-6) == "12 us");
  CHECK(age(0.0012) == "1.2 ms");
  CHECK(age(0.34) == "340 ms");
  CHECK(age(0.9999) == "1.0 s");
  CHECK(age(2.34) == "2.3 s");
  CHECK(age(59.96) == "1 m");
  CHECK(age(250) == "4 m 10 s");
  CHECK(age(10920) == "3 h 2 m");
  CHECK(age(187200) == "2 d 4 h");
  CHECK(bytes(512) == "512 B");
  CHECK(bytes(1536) == "1.5 KiB");
  CHECK(bytes(1024.0 * 1024 * 1024) == "1.0 GiB");
}

TEST_CASE("text is measured and cut by characters, not bytes") {
  CHECK(width_of("├─ ä") == 4);
  CHECK(cut("├─ chain", 5) == "├─ c…");
  CHECK(cut("abc", 3) == "abc");
  CHECK(cut("abc", 0).empty());
}

TEST_CASE("tables align, cut only the last column and only on a terminal, colour only when told") {
  const std::vector<column> columns{{"A"}, {"N", true}, {"LAST"}};
  const std::vector<std::vector<cell>> rows{{{"x"}, {"1"}, {"a long text in the end"}},
                                            {{"yyyy"}, {"100"}, {""}}};
  CHECK(lines(table(columns, rows, {}))
        == std::vector<std::string>{"A       N  LAST", "x       1  a long text in the end", "yyyy  100"});
  CHECK(lines(table(columns, rows, {.width = 20}))[1] == "x       1  a long t…");
  CHECK(table(columns, rows, {.colours = true}).find("\x1b[1m") != std::string::npos);
  CHECK(table(columns, rows, {}).find('\x1b') == std::string::npos);
}

TEST_CASE("the tree is drawn from paths") {
  const auto answer = object(R"({"actors":[)" + actor("/root", "supervisor") + "," + actor("/admin", "worker")
                             + "," + actor("/sn", "supervisor") + "," + actor("/sn/chain", "worker") + ","
                             + actor("/sn/peers", "supervisor") + "," + actor("/sn/peers/a", "worker") + ","
                             + actor("/sn/api", "worker") + "," + actor("/sl", "supervisor") + ","
                             + actor("/sl/files", "worker") + "]}");
  std::vector<std::string> names;
  for (const auto& line : lines(tree_view(answer, now, {})))
    names.push_back(line.substr(0, line.find("  well")));
  for (auto& name : names)
    while (name.ends_with(' '))
      name.pop_back();
  names.erase(names.begin());
  CHECK(names
        == std::vector<std::string>{"/root", "├─ admin", "├─ sn", "│  ├─ chain", "│  ├─ peers", "│  │  └─ a",
                                    "│  └─ api", "└─ sl", "   └─ files"});
}

TEST_CASE("a row of the tree says what is wrong with an actor") {
  const auto answer =
      object(R"({"actors":[)"
             + actor("/a", "worker", R"("current":"merge_now","current_s":7.31,"last_error":"disk full",
                                "last_error_unix_ms":1699999990000)")
             + R"(,{"path":"/b","phase":"stopping","state":"half way","restarts":3}]})");
  const auto out = lines(tree_view(answer, now, {}));
  REQUIRE(out.size() == 3);
  CHECK(out[1].find("merge_now, 7.3 s") != std::string::npos);
  CHECK(out[1].ends_with("10.0 s ago: disk full"));
  CHECK(out[2].find("stopping: half way") != std::string::npos);
  CHECK(out[1].find('\x1b') == std::string::npos);

  const auto narrow = lines(tree_view(answer, now, {.width = 90}));
  REQUIRE(narrow.size() == 6);
  for (const auto& line : narrow)
    CHECK(width_of(line) <= 90);
  CHECK(narrow[4] == "ACTOR  LAST ERROR");
  CHECK(narrow[5] == "/a     10.0 s ago: disk full");
}

TEST_CASE("one actor is shown with everything that there is, its detail too") {
  const auto answer =
      object(actor("/sn/chain", "worker", R"("detached":true,"busy_s":1.5,"started_unix_ms":1699999940000,
    "detail":{"block_num":12,"digest":"0xab","peers":[{"name":"p1","lag_ms":250},{"name":"p22","lag_ms":3000}]})"));
  const auto out = lines(actor_view(answer, now, {}));
  CHECK(out[0] == "actor       /sn/chain");
  CHECK(out[1] == "kind        worker, own thread");
  CHECK(std::find(out.begin(), out.end(), "handled     5 messages, 1.5 s in handlers") != out.end());
  CHECK(out[3].ends_with(", 1 m ago"));
  const std::vector<std::string> tail(out.end() - 7, out.end());
  CHECK(tail
        == std::vector<std::string>{"block_num  12", "digest     0xab", "", "peers", "  name  lag_ms",
                                    "  p1    250 ms", "  p22    3.0 s"});
}

TEST_CASE("any JSON is readable: names, nested objects, tables, lists") {
  const auto value = json::parse(R"({"round_num":3,"leader":null,"open":true,"size_bytes":2048,"since_s":61,
    "closed_unix_ms":1699999999000,"leader_of":{"term":2},"waiting_for":["a","b"],"none":[],"rate_per_s":1.25})");
  const auto out = any_view(value, now, {});
  CHECK(out.find("round_num       3\n") != std::string::npos);
  CHECK(out.find("leader          -\n") != std::string::npos);
  CHECK(out.find("open            yes\n") != std::string::npos);
  CHECK(out.find("size_bytes      2.0 KiB\n") != std::string::npos);
  CHECK(out.find("since_s         1 m 1 s\n") != std::string::npos);
  CHECK(out.find("(1.0 s ago)\n") != std::string::npos);
  CHECK(out.find("\nleader_of\n  term  2\n") != std::string::npos);
  CHECK(out.find("\nwaiting_for\n  a\n  b\n") != std::string::npos);
  CHECK(out.find("\nnone\n  (none)\n") != std::string::npos);
  CHECK(any_view(json::value("x"), now, {}) == "x\n");
  CHECK(any_view(json::parse("[]"), now, {}).empty());
  CHECK(any_view(json::parse(R"([1,"two",[3]])"), now, {}) == "1\ntwo\n[3]\n");
}

TEST_CASE("top and trace print one line each") {
  const auto top = object(R"({"actors":[{"path":"/sn/chain","busy":0.925,"handled_per_s":3120.04,"mailbox":7,
    "current":"submit_txn","current_s":0.0004,"state":"block 9"}]})");
  CHECK(lines(top_view(top, {}))[1] == "/sn/chain    92.5  3120.0        7  submit_txn, 400 us  block 9");
  const auto event =
      object(R"({"unix_us":1699999999123456,"event":"message","type":"submit_txn","text":"nonce 4",
    "from":"/sn/api"})");
  CHECK(trace_view(event, now, {}).ends_with(".123456 submit_txn nonce 4 from /sn/api"));
  const auto failed = object(R"({"unix_us":1699999999123456,"event":"slow","type":"merge","seconds":1.5})");
  CHECK(trace_view(failed, now, {}).ends_with(" slow merge took 1.5 s"));
}

} // namespace views_test
