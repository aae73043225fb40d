// Certificate files that change while connections are up.
#include "base/testing/wording.hpp"
#include "transport/http/http_client.hpp"
#include "transport/ws/testing/ws_fixture.hpp"

namespace tls_watch_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

namespace fs = std::filesystem;

std::shared_ptr<const tls_identity> load_watched(const tls_files& files) {
  auto loaded = tls_identity::load_watched(files);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

/// A server whose files are watched, and clients of two organisations that trust it, whatever it thinks of them.
struct fixture {
  temp_folder folder;
  authority ca{folder.path() / "a", "CA-1"};
  authority other{folder.path() / "b", "CA-2"};
  fs::path capath = folder.path() / "capath";
  tls_files server_files = ca.issue("sn-1");
  std::shared_ptr<const tls_identity> identity;
  io_runtime io{2};
  std::unique_ptr<http_server> server;

  fixture() {
    fs::create_directory(capath);
    fs::copy_file(ca.ca_file(), capath / "ca-1.pem");
    server_files.cacert.clear();
    server_files.capath = capath;
  }
  void trust_other() { put(read_file(other.ca_file()), capath / "ca-2.pem"); }
  /// A file that is there at once.
  static void put(const std::string& text, const fs::path& file) {
    const auto half = file.parent_path() / ("." + file.filename().native());
    write_file(half, text);
    fs::rename(half, file);
  }
  void serve() {
    identity = load_watched(server_files);
    http_server_options options;
    options.address = "127.0.0.1";
    auto started = http_server::start(
        io, identity, options,
        [](const http_request&, const http_reply& reply) { reply(text_response(200, "x")); },
        [](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
          session->start({});
        });
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  tls_files client(const authority& of, const std::string& name, certificate_wish wish = {}) {
    auto files = of.issue(name, std::move(wish));
    files.cacert = ca.ca_file();
    if (&of == &other) {
      write_file(folder.path() / "both.pem", read_file(ca.ca_file()) + read_file(other.ca_file()));
      files.cacert = folder.path() / "both.pem";
    }
    return files;
  }
  result<http_response> ask(const tls_files& files) {
    http_client asking(io, identity_of(files));
    waiting_for<result<http_response>> done;
    asking.request("127.0.0.1", server->port(), {}, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  bool accepts(const tls_files& files) { return ask(files).has_value(); }
  std::size_t websockets() const { return server->status().websockets; }
};

/// The client's end of a WebSocket.
class linked {
  struct news {
    waiting_for<bool> open;
    waiting_for<error> closed;
  };
  std::shared_ptr<news> told_ = std::make_shared<news>(); ///< the last of it may come after the test

public:
  waiting_for<error>& closed = told_->closed;
  std::shared_ptr<ws_session> session;

  linked(fixture& f, std::shared_ptr<const tls_identity> identity) {
    ws_callbacks callbacks;
    callbacks.on_open = [told = told_](const peer_info&) { told->open.set(true); };
    callbacks.on_close = [told = told_](error why) { told->closed.set(std::move(why)); };
    session =
        ws_connect(f.io, std::move(identity), "127.0.0.1", f.server->port(), "/", {}, std::move(callbacks));
    told_->open.get();
  }
};

} // namespace

TEST_CASE("an authority that is put into capath is trusted without a restart") {
  fixture f;
  f.serve();
  const auto files = f.client(f.other, "sl-9");
  CHECK_FALSE(f.accepts(files));
  linked early(f, identity_of(f.client(f.ca, "sl-1")));
  f.trust_other();
  CHECK(eventually([&] { return f.accepts(files); }));
  CHECK(f.identity->trusted_count() == 2);
  CHECK_FALSE(early.closed.ready()); // running connections stay
}

TEST_CASE("an authority in a changed cacert is trusted, too") {
  fixture f;
  f.server_files.capath.clear();
  f.server_files.cacert = f.folder.path() / "trusted.pem";
  write_file(f.server_files.cacert, read_file(f.ca.ca_file()));
  f.serve();
  const auto files = f.client(f.other, "sl-9");
  CHECK_FALSE(f.accepts(files));
  f.put(read_file(f.ca.ca_file()) + read_file(f.other.ca_file()), f.server_files.cacert);
  CHECK(eventually([&] { return f.accepts(files); }));
}

TEST_CASE("an authority that is removed is trusted no more, and its connections end") {
  fixture f;
  f.trust_other();
  f.serve();
  const auto files = f.client(f.other, "sl-9");
  linked gone(f, identity_of(files)), stays(f, identity_of(f.client(f.ca, "sl-1")));
  REQUIRE(eventually([&] { return f.websockets() == 2; }));
  fs::remove(f.capath / "ca-2.pem");
  CHECK(gone.closed.get().is(net_errc::lost));
  CHECK(eventually([&] { return f.websockets() == 1; }));
  CHECK_FALSE(stays.closed.ready());
  const auto again = f.ask(files);
  REQUIRE_FALSE(again);
  CHECK(says(again.error(), "does not know the CA of our certificate"));
}

TEST_CASE("clients leave servers of a removed authority") {
  fixture f;
  f.serve();
  auto files = f.client(f.other, "sl-9");
  files.cacert.clear();
  files.capath = f.folder.path() / "own";
  fs::create_directory(files.capath);
  fs::copy_file(f.ca.ca_file(), files.capath / "ca-1.pem");
  fs::copy_file(f.other.ca_file(), files.capath / "ca-2.pem");
  f.trust_other();
  REQUIRE(eventually([&] { return f.identity->trusted_count() == 2; }));
  const auto own = load_watched(files);
  linked link(f, own);
  http_client client(f.io, own);
  const auto ask = [&] {
    waiting_for<result<http_response>> done;
    client.request("127.0.0.1", f.server->port(), {}, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  };
  REQUIRE(ask()); // its connection is kept
  fs::remove(files.capath / "ca-1.pem");
  const auto why = link.closed.get();
  CAPTURE(why.message);
  CHECK(
      says(why, "its certificate OU=Swarm-Learning, CN=sn-1 of the organisation OU=Swarm-Learning, CN=CA-1"));
  CHECK(says(why, "from an unknown CA"));
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
  const auto again = ask();
  REQUIRE_FALSE(again);
  CHECK(says(again.error(), "from an unknown CA"));
}

TEST_CASE("files that cannot be used change nothing") {
  fixture f;
  f.trust_other();
  f.serve();
  const auto files = f.client(f.other, "sl-9");
  const auto newcomer = authority(f.folder.path() / "c", "CA-3");
  linked stays(f, identity_of(files));
  // The authority that is removed stays as long as there is a damaged file beside it.
  auto half = read_file(newcomer.ca_file());
  write_file(f.capath / "ca-3.pem", half.substr(0, half.size() / 2));
  fs::remove(f.capath / "ca-2.pem");
  const auto shown = f.identity->trusted_count();
  REQUIRE(eventually([&] { return says(f.identity->trouble(), "ca-3.pem"); }));
  CHECK(f.identity->trusted_count() == shown);
  CHECK(f.accepts(files));
  CHECK_FALSE(stays.closed.ready());
  write_file(f.capath / "ca-3.pem", half);
  CHECK(stays.closed.get().is(net_errc::lost));
  CHECK_FALSE(f.accepts(files));
  CHECK(f.identity->trouble().empty());
}

TEST_CASE("a node's own certificate is renewed in place") {
  fixture f;
  f.serve();
  const auto before = f.identity->fingerprint();
  const auto client = f.client(f.ca, "sl-1");
  linked stays(f, identity_of(client));
  const auto renewed = f.ca.issue("renewed", [] {
    certificate_wish wish;
    wish.common_name = "sn-1";
    return wish;
  }());
  f.put(read_file(renewed.cert), f.server_files.cert); // with the old key it is of no use
  REQUIRE(eventually([&] { return says(f.identity->trouble(), "belongs to another certificate"); }));
  CHECK(f.identity->fingerprint() == before);
  CHECK(f.accepts(client));
  f.put(read_file(renewed.key), f.server_files.key);
  REQUIRE(eventually([&] { return f.identity->fingerprint() != before; }));
  CHECK(f.identity->fingerprint() == identity_of(renewed)->fingerprint());
  CHECK(f.accepts(client));
  CHECK_FALSE(stays.closed.ready());
}

TEST_CASE("a revoked certificate is refused, and its connections end") {
  fixture f;
  f.serve();
  const auto files = f.client(f.ca, "sl-9");
  linked gone(f, identity_of(files)), stays(f, identity_of(f.client(f.ca, "sl-1")));
  f.ca.revoke(f.capath / "ca-1.crl.pem", {files.cert});
  CHECK(gone.closed.get().is(net_errc::lost));
  CHECK_FALSE(stays.closed.ready());
  const auto again = f.ask(files);
  REQUIRE_FALSE(again);
  CHECK(says(again.error(), "our certificate is revoked"));
  REQUIRE(eventually([&] { return f.server->status().handshake_failures > 0; }));
  const auto words = f.server->status().last_handshake_failure;
  CAPTURE(words);
  CHECK(says(words, "presented a certificate that its authority has revoked: OU=Swarm-Learning, CN=sl-9"));
  // The list is renewed without it.
  f.ca.revoke(f.capath / "ca-1.crl.pem", {});
  CHECK(eventually([&] { return f.accepts(files); }));
}

TEST_CASE("which lists count") {
  fixture f;
  const auto files = f.client(f.ca, "sl-9");
  SUBCASE("one beside cacert") {
    f.server_files.capath.clear();
    f.server_files.cacert = f.folder.path() / "trust" / "ca.pem";
    fs::create_directory(f.folder.path() / "trust");
    fs::copy_file(f.ca.ca_file(), f.server_files.cacert);
    f.ca.revoke(f.folder.path() / "trust" / "ca-1.crl", {files.cert});
    f.serve();
    CHECK_FALSE(f.accepts(files));
  }
  SUBCASE("one that should have been replaced counts, with a warning") {
    f.ca.revoke(f.capath / "crl.pem", {files.cert}, -60);
    f.serve();
    CHECK_FALSE(f.accepts(files));
    CHECK(f.accepts(f.client(f.ca, "sl-1")));
    REQUIRE(f.identity->warnings().size() == 1);
    CHECK(says(f.identity->warnings()[0],
               "the CRL of OU=Swarm-Learning, CN=CA-1 should have been replaced by 20"));
  }
  SUBCASE("one that another authority of the same name has signed does not") {
    authority(f.folder.path() / "forged", "CA-1").revoke(f.capath / "crl.pem", {files.cert});
    f.serve();
    CHECK(f.accepts(files));
    REQUIRE(f.identity->warnings().size() == 1);
    CHECK(says(f.identity->warnings()[0], "is signed by none of the trusted certificates"));
  }
  SUBCASE("one of an intermediate authority counts for what that has issued") {
    const auto between = f.ca.intermediate("CA-1-b");
    auto below = between.issue("sl-8"), fine = between.issue("sl-7");
    below.cacert = fine.cacert = f.ca.ca_file();
    between.revoke(f.capath / "crl.pem", {below.cert});
    f.serve();
    CHECK_FALSE(f.accepts(below));
    CHECK(f.accepts(fine));
    f.ca.revoke(f.capath / "root-crl.pem", {between.ca_file()}); // the intermediate authority itself
    CHECK(eventually([&] { return !f.accepts(fine); }));
    CHECK(f.accepts(files));
  }
  SUBCASE("a damaged one is an error") {
    write_file(f.capath / "crl.pem", "-----BEGIN X509 CRL-----\nxx\n-----END X509 CRL-----\n");
    const auto loaded = tls_identity::load(f.server_files);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().is(tls_errc::not_pem));
    CHECK(says(loaded.error(), "crl.pem: certificate 1 in it is damaged"));
  }
  SUBCASE("a node whose own certificate is revoked does not start") {
    f.ca.revoke(f.capath / "crl.pem", {f.server_files.cert});
    const auto loaded = tls_identity::load(f.server_files);
    REQUIRE_FALSE(loaded);
    CHECK(says(loaded.error(), "that its authority has revoked"));
  }
}

TEST_CASE("what revokes a node's own certificate still revokes others") {
  fixture f;
  f.serve();
  const auto files = f.client(f.ca, "sl-9");
  linked gone(f, identity_of(files));
  f.ca.revoke(f.capath / "crl.pem", {f.server_files.cert, files.cert});
  CHECK(gone.closed.get().is(net_errc::lost));
  CHECK(eventually([&] { return !f.identity->warnings().empty(); }));
  CHECK(says(f.identity->warnings()[0], "make a new one"));
}

TEST_CASE("a connection ends with the certificate of the other side") {
  fixture f;
  f.serve();
  certificate_wish short_lived;
  short_lived.ends = 3;
  linked gone(f, identity_of(f.client(f.ca, "sl-9", short_lived))),
      stays(f, identity_of(f.client(f.ca, "sl-1")));
  CHECK(gone.closed.get().is(net_errc::lost));
  CHECK_FALSE(stays.closed.ready());
}

TEST_CASE("a session of a certificate that has expired is not resumed") {
  fixture f;
  f.identity = identity_of(f.server_files); // not watched, so that its tickets stay good
  http_server_options options;
  options.address = "127.0.0.1";
  auto started =
      http_server::start(f.io, f.identity, options, [](const http_request&, const http_reply& reply) {
        reply(text_response(200, "x"));
      });
  REQUIRE(started);
  f.server = std::move(*started);
  certificate_wish short_lived;
  short_lived.ends = 3;
  http_client_options brief;
  brief.idle_timeout = std::chrono::milliseconds{1};
  http_client client(f.io, identity_of(f.client(f.ca, "sl-9", short_lived)), brief);
  const auto ask = [&] {
    waiting_for<result<http_response>> done;
    client.request("127.0.0.1", f.server->port(), {}, [&](auto how) { done.set(std::move(how)); });
    return done.get().has_value();
  };
  REQUIRE(ask());
  CHECK(eventually([&] { return !ask(); }));
  CHECK(says(f.server->status().last_handshake_failure, "that has expired"));
}

} // namespace tls_watch_test
