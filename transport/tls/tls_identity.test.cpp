#include "transport/tls/tls_identity.hpp"

#include "base/clock.hpp"
#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdlib>

namespace tls_identity_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

/// The code and the parts of the message that loading must fail with.
void refuses(const tls_files& files, tls_errc code, std::initializer_list<std::string> parts) {
  auto loaded = tls_identity::load(files);
  REQUIRE_FALSE(loaded);
  CAPTURE(loaded.error().message);
  CHECK(loaded.error().is(code));
  for (const auto& part : parts) {
    CAPTURE(part);
    CHECK(says(loaded.error(), part));
  }
}

/// Runs deploy/bin/gen-cert and returns its exit status.
int gen_cert(const std::filesystem::path& in, const std::string& arguments, std::string* words = nullptr) {
  auto log = in / "words.txt";
  auto status = std::system(("cd '" + in.string() + "' && '" SWARM_SOURCE_DIR "/deploy/bin/gen-cert' "
                             + arguments + " >'" + log.string() + "' 2>&1")
                                .c_str());
  if (words) *words = read_file(log);
  return WEXITSTATUS(status);
}

unsigned mode_of(const std::filesystem::path& file) {
  struct stat info {};
  return stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

tls_files files_in(const std::filesystem::path& folder, const std::string& name) {
  tls_files files;
  files.cert = folder / (name + "-cert.pem");
  files.key = folder / (name + "-key.pem");
  files.capath = folder / "ca" / "capath";
  return files;
}

} // namespace

TEST_CASE("an identity knows its certificate") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto files = ca.issue("sn-1");
  auto loaded = tls_identity::load(files);
  REQUIRE(loaded);
  const auto& self = **loaded;
  CHECK(self.subject() == "OU=Swarm-Learning, CN=sn-1");
  CHECK(self.common_name() == "sn-1");
  CHECK(self.trusted_count() == 1);
  CHECK(self.warnings().empty());
  auto in_days = (self.not_after() - unix_seconds()) / 86'400;
  CHECK(in_days >= 29);
  CHECK(in_days <= 30);

  bio_ptr in(BIO_new_file(files.cert.c_str(), "r"));
  x509_ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  auto length = i2d_X509(certificate.get(), &der);
  hash32 digest;
  EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  CHECK(self.fingerprint() == digest);
}

TEST_CASE("missing files are named with their option") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto good = ca.issue("sn-1");
  auto absent = folder.path() / "absent.pem";

  auto files = good;
  files.cert = absent;
  refuses(files, tls_errc::missing_file, {"--cert", absent.string(), "no such file"});
  files = good;
  files.key = absent;
  refuses(files, tls_errc::missing_file, {"--key", absent.string()});
  files = good;
  files.cacert = absent;
  refuses(files, tls_errc::missing_file, {"--cacert", absent.string()});
  files = good;
  files.capath = absent;
  refuses(files, tls_errc::missing_file, {"--capath", absent.string(), "no such folder"});
  files.capath = good.cert;
  refuses(files, tls_errc::missing_file, {"--capath", "not a folder", "--cacert"});
  files = good;
  files.cert = folder.path();
  refuses(files, tls_errc::missing_file, {"--cert", "is not a file"});
  files = good;
  files.cert.clear();
  refuses(files, tls_errc::missing_file, {"no certificate given", "--cert"});
  files = good;
  files.key.clear();
  refuses(files, tls_errc::missing_file, {"no private key given", "--key"});
}

TEST_CASE("what is not PEM is refused") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto good = ca.issue("sn-1");
  auto junk = folder.path() / "junk.pem";
  write_file(junk, "no certificate at all\n");

  auto files = good;
  files.cert = junk;
  refuses(files, tls_errc::not_pem, {"--cert", junk.string(), "BEGIN CERTIFICATE"});
  files = good;
  files.key = junk;
  refuses(files, tls_errc::not_pem, {"--key", junk.string(), "BEGIN PRIVATE KEY"});
  files = good;
  files.key = good.cert;
  refuses(files, tls_errc::not_pem, {"--key"});
  files = good;
  files.cacert = junk;
  refuses(files, tls_errc::not_pem, {"--cacert", junk.string()});

  auto damaged = read_file(good.cert);
  damaged.replace(damaged.size() / 2, 8, "????????");
  write_file(junk, read_file(good.cert) + damaged);
  files = good;
  files.cacert = junk;
  refuses(files, tls_errc::not_pem, {"--cacert", "certificate 2", "damaged"});
  write_file(junk, std::string(5 * 1024 * 1024, 'x'));
  refuses(files, tls_errc::not_pem, {"too many for a PEM file"});
}

TEST_CASE("a key with a pass phrase is refused with the way out") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto files = ca.issue("sn-1");
  bio_ptr in(BIO_new_file(files.key.c_str(), "r"));
  pkey_ptr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  auto locked = folder.path() / "locked.pem";
  bio_ptr out(BIO_new_file(locked.c_str(), "w"));
  std::string phrase = "secret";
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), phrase.data(),
                                static_cast<int>(phrase.size()), nullptr, nullptr);
  out.reset();
  files.key = locked;
  refuses(files, tls_errc::encrypted_key, {"--key", locked.string(), "pass phrase", "openssl pkey"});
}

TEST_CASE("key, dates, issuer and purpose must fit") {
  temp_folder folder;
  authority ca(folder.path() / "a", "CA-1");
  authority other(folder.path() / "b", "CA-2");
  auto good = ca.issue("sn-1");
  auto second = ca.issue("sn-2");

  auto files = good;
  files.key = second.key;
  refuses(files, tls_errc::key_mismatch, {files.key.string(), good.cert.string(), "CN=sn-1"});

  certificate_wish past;
  past.begins = -7200;
  past.ends = -3600;
  files = ca.issue("old", past);
  refuses(files, tls_errc::expired, {files.cert.string(), "CN=old", "expired on 20"});

  certificate_wish future;
  future.begins = 3600;
  future.ends = 7200;
  files = ca.issue("young", future);
  refuses(files, tls_errc::not_yet_valid, {files.cert.string(), "CN=young", "clock"});

  files = good;
  files.cacert = other.ca_file();
  refuses(files, tls_errc::foreign_ca, {good.cert.string(), "CN=sn-1", "CN=CA-1", "--capath"});

  // Two CAs of the same name are two CAs.
  authority same_name(folder.path() / "c", "CA-1");
  files.cacert = same_name.ca_file();
  refuses(files, tls_errc::foreign_ca, {good.cert.string()});

  certificate_wish server_only;
  server_only.extended_key_usage = "serverAuth";
  files = ca.issue("half", server_only);
  refuses(files, tls_errc::wrong_purpose, {"CN=half", "client", "clientAuth"});

  authority expired_ca(folder.path() / "d", "CA-old", -60);
  files = expired_ca.issue("sn-3");
  refuses(files, tls_errc::expired, {"CN=CA-old", "expired"});

  certificate_wish weak;
  weak.key = key_kind::rsa_1024;
  files = ca.issue("weak", weak);
  refuses(files, tls_errc::rejected, {files.cert.string(), "too small"});
}

TEST_CASE("CAs come from a file, a folder or both") {
  temp_folder folder;
  authority ca(folder.path() / "a", "CA-1");
  authority other(folder.path() / "b", "CA-2");
  auto good = ca.issue("sn-1");
  auto capath = folder.path() / "capath";
  std::filesystem::create_directory(capath);

  auto files = good;
  files.cacert.clear();
  refuses(files, tls_errc::no_ca, {"--cacert", "--capath"});
  files.capath = capath;
  refuses(files, tls_errc::empty_capath, {capath.string(), "holds no certificate"});
  write_file(capath / "README", "the CAs of all organisations\n");
  refuses(files, tls_errc::empty_capath, {capath.string()});

  // There are no hash links, two certificates in one file, one of them twice, and a hidden file
  // that is ignored.
  write_file(capath / "all.pem", read_file(other.ca_file()) + read_file(ca.ca_file()));
  write_file(capath / "again.crt", read_file(ca.ca_file()));
  write_file(capath / ".hidden.pem", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n");
  auto loaded = tls_identity::load(files);
  REQUIRE(loaded);
  CHECK((*loaded)->trusted_count() == 2);
  REQUIRE((*loaded)->warnings().size() == 1);
  CHECK((*loaded)->warnings()[0].find("README") != std::string::npos);

  write_file(capath / "broken.pem", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n");
  refuses(files, tls_errc::not_pem, {"broken.pem", "damaged"});
  std::filesystem::remove(capath / "broken.pem");
  std::filesystem::remove(capath / "all.pem");
  std::filesystem::remove(capath / "README");
  files.cacert = other.ca_file();
  CHECK(identity_of(files)->trusted_count() == 2);
}

TEST_CASE("a readable key and an end that is near are warned of") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  certificate_wish short_lived;
  short_lived.ends = 3600;
  auto files = ca.issue("sn-1", short_lived);
  chmod(files.key.c_str(), 0644);
  auto self = identity_of(files);
  REQUIRE(self->warnings().size() == 2);
  CHECK(self->warnings()[0].find("mode 0644") != std::string::npos);
  CHECK(self->warnings()[0].find("chmod 600") != std::string::npos);
  CHECK(self->warnings()[1].find("ends on") != std::string::npos);
}

TEST_CASE("a certificate belongs to the authority that its chain leads to, among all that are trusted") {
  const temp_folder folder, other_folder, third_folder;
  const authority own(folder.path(), "CA-1"), other(other_folder.path(), "CA-2");
  const authority namesake(third_folder.path(), "CA-1");
  const auto trusted = folder.path() / "all";
  std::filesystem::create_directory(trusted);
  std::filesystem::copy(other.ca_file(), trusted / "1.pem");
  std::filesystem::copy(own.ca_file(), trusted / "2.pem");
  const auto identity_by = [&](const authority& by, const std::string& name) {
    auto files = by.issue(name);
    files.cacert.clear();
    files.capath = trusted;
    return identity_of(files);
  };
  const auto first = identity_by(own, "sl-1"), second = identity_by(own, "swci-1");
  const auto foreign = identity_by(other, "sl-1");
  CHECK(first->anchor()->fingerprint == second->anchor()->fingerprint);
  CHECK(first->shares_anchor(*second->anchor()));
  CHECK_FALSE(first->shares_anchor(*foreign->anchor()));
  CHECK_FALSE(first->shares_anchor(*identity_of(namesake.issue("sl-1"))->anchor()));
  CHECK_FALSE(first->shares_anchor({}));
}

TEST_CASE("certificates of the original's profile are accepted") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto self = identity_of(ca.issue("sn-1", original_wish("SN-1")));
  CHECK(self->subject() == "OU=Swarm-Learning, CN=SN-1");
}

TEST_CASE("a hostile subject cannot write into the log") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  certificate_wish wish;
  wish.common_name = "a\n2026-01-01 : root \x1b[31m";
  auto self = identity_of(ca.issue("odd", wish));
  CHECK(self->subject().find('\n') == std::string::npos);
  CHECK(self->subject().find('\x1b') == std::string::npos);
}

TEST_CASE("gen-cert makes what nodes need") {
  temp_folder folder;
  std::string words;
  REQUIRE(gen_cert(folder.path(), "-o out sn-1 sl-1 -n sl-2,sl-3 --san IP:127.0.0.1,DNS:localhost", &words)
          == 0);
  auto out = folder.path() / "out";
  for (auto* name : {"sn-1", "sl-1", "sl-2", "sl-3"}) {
    auto self = identity_of(files_in(out, name));
    CHECK(self->common_name() == name);
    CHECK(self->warnings().empty());
    CHECK(mode_of(out / (std::string(name) + "-key.pem")) == 0600);
  }
  CHECK(mode_of(out / "ca" / "ca-key.pem") == 0600);
  CHECK(std::filesystem::exists(out / "ca" / "capath" / "ca-cert.pem"));

  auto before = read_file(out / "sn-1-key.pem");
  CHECK(gen_cert(folder.path(), "-o out sl-9 sn-1", &words) == 1);
  CHECK(words.find("sn-1-key.pem: exists already; --force") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(out / "sl-9-key.pem"));
  CHECK(read_file(out / "sn-1-key.pem") == before);

  auto ca_before = read_file(out / "ca" / "capath" / "ca-cert.pem");
  CHECK(gen_cert(folder.path(), "-o out --force --rsa --days 5 sn-1") == 0);
  CHECK(read_file(out / "sn-1-key.pem") != before);
  CHECK(read_file(out / "ca" / "capath" / "ca-cert.pem") == ca_before);
  auto renewed = identity_of(files_in(out, "sn-1"));
  CHECK((renewed->not_after() - unix_seconds()) / 86'400 <= 5);

  std::filesystem::remove(out / "ca" / "ca-key.pem");
  CHECK(gen_cert(folder.path(), "-o out sl-10", &words) == 1);
  CHECK(words.find("only one exists") != std::string::npos);
}

TEST_CASE("gen-cert keeps the original's layout and refuses wrong calls") {
  temp_folder folder;
  std::string words;
  CHECK(gen_cert(folder.path(), "-e mnist -i 1", &words) == 1);
  CHECK(words.find("workspace/mnist") != std::string::npos);
  std::filesystem::create_directories(folder.path() / "workspace" / "mnist");
  CHECK(gen_cert(folder.path(), "-e mnist -i 1 --original") == 0);
  auto out = folder.path() / "workspace" / "mnist" / "cert";
  for (auto* kind : {"sn", "sl", "swci", "swop"})
    identity_of(files_in(out, std::string(kind) + "-1"));
  CHECK(identity_of(files_in(out, "sn-1"))->subject() == "OU=Swarm-Learning, CN=SN-1");
  CHECK(std::filesystem::exists(out / "ca" / "ca-1-key.pem"));
  CHECK(std::filesystem::exists(out / "ca" / "capath" / "ca-1-cert.pem"));

  for (auto* wrong :
       {"", "-o", "-o x", "-o x ../sn", "-o x a/b", "-o x sn sn", "-o x ca", "-o x sn --san host",
        "-o x sn --days 0", "-o x sn --days 99999", "-e mnist", "-e mnist -i 1 sn", "--what"}) {
    CAPTURE(wrong);
    CHECK(gen_cert(folder.path(), wrong) == 2);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / "x"));
  CHECK(gen_cert(folder.path(), "--help", &words) == 0);
  CHECK(words.find("--original") != std::string::npos);
}

} // namespace tls_identity_test
