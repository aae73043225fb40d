#include "transport/tls/detail/pem_files.hpp"

#include "base/file.hpp"
#include "transport/tls/detail/file_stamp.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <iterator>

namespace swarm::transport {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t file_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t folder_files_max = 4096;

result<std::string> read_small_file(const fs::path& path, std::string_view option) {
  auto text = read_file(path, file_bytes_max);
  if (text) return text;
  const auto& why = text.error();
  if (why.is(file_errc::too_large))
    return fail(tls_errc::not_pem, "{}: {}: more than {} bytes are too many for a PEM file", option,
                path.string(), file_bytes_max);
  if (why.is(file_errc::not_found))
    return fail(tls_errc::missing_file, "{}: {}: no such file", option, path.string());
  if (why.is(file_errc::wrong_kind))
    return fail(tls_errc::missing_file, "{}: {}: is not a file", option, path.string());
  return fail(tls_errc::missing_file, "{}: {}", option, why.message);
}

bio_ptr memory_bio(const std::string& text) {
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The blocks of one kind in `text`, none if there is no such block; an error for a damaged block.
template <class Owner, class Read>
result<std::vector<Owner>> parse_blocks(const std::string& text, Read read, std::string_view kind,
                                        const fs::path& file, std::string_view option) {
  std::vector<Owner> out;
  auto bio = memory_bio(text);
  ERR_clear_error();
  while (Owner one{read(bio.get(), nullptr, nullptr, nullptr)})
    out.push_back(std::move(one));
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  auto reason = openssl_reason();
  if (!at_end)
    return fail(tls_errc::not_pem, "{}: {}: {} {} in it is damaged: {}", option, file.string(), kind,
                out.size() + 1, reason);
  return out;
}

result<std::vector<x509_ptr>> parse_certificates(const std::string& text, const fs::path& file,
                                                 std::string_view option) {
  return parse_blocks<x509_ptr>(text, PEM_read_bio_X509, "certificate", file, option);
}

result<std::vector<crl_ptr>> parse_crls(const std::string& text, const fs::path& file,
                                        std::string_view option) {
  return parse_blocks<crl_ptr>(text, PEM_read_bio_X509_CRL, "CRL", file, option);
}

template <class Owner>
void append(std::vector<Owner>& to, std::vector<Owner> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// The visible files of a folder that `wanted` accepts, by name.
template <class Wanted>
result<std::vector<fs::path>> files_in(const fs::path& folder, std::string_view option, Wanted wanted) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    if (it->path().filename().native().front() != '.' && wanted(it->path()) && it->is_regular_file(ignored))
      out.push_back(it->path());
    if (out.size() > folder_files_max)
      return fail(tls_errc::rejected, "{}: {}: holds more than {} files", option, folder.string(),
                  folder_files_max);
  }
  if (ec)
    return fail(tls_errc::missing_file, "{}: {}: cannot be read: {}", option, folder.string(), ec.message());
  std::sort(out.begin(), out.end());
  return out;
}

int refuse_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

} // namespace

result<std::vector<x509_ptr>> read_certificates(const fs::path& file, std::string_view option) {
  SWARM_TRY(auto text, read_small_file(file, option));
  SWARM_TRY(auto out, parse_certificates(text, file, option));
  if (out.empty())
    return fail(tls_errc::not_pem, "{}: {}: holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)",
                option, file.string());
  return out;
}

result<pkey_ptr> read_private_key(const fs::path& file, std::string_view option) {
  SWARM_TRY(auto text, read_small_file(file, option));
  bool pass_phrase_asked = false;
  auto bio = memory_bio(text);
  ERR_clear_error();
  pkey_ptr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_pass_phrase, &pass_phrase_asked));
  OPENSSL_cleanse(text.data(), text.size());
  auto reason = openssl_reason();
  if (key) return key;
  if (pass_phrase_asked)
    return fail(
        tls_errc::encrypted_key,
        "{}: {}: the private key has a pass phrase, nobody can type it in here; remove it with: openssl pkey "
        "-in {} -out PLAIN-KEY.pem",
        option, file.string(), file.string());
  return fail(tls_errc::not_pem,
              "{}: {}: holds no usable private key in PEM form (-----BEGIN PRIVATE KEY-----): {}", option,
              file.string(), reason);
}

result<trusted_files> read_trusted_folder(const fs::path& folder, std::string_view option,
                                          std::vector<std::string>& passed_over) {
  std::error_code ec;
  if (!fs::exists(folder, ec))
    return fail(tls_errc::missing_file, "{}: {}: no such folder", option, folder.string());
  if (!fs::is_directory(folder, ec))
    return fail(tls_errc::missing_file, "{}: {}: is not a folder; a single file is given with --cacert",
                option, folder.string());
  SWARM_TRY(const auto files, files_in(folder, option, [](const fs::path&) { return true; }));
  trusted_files out;
  for (const auto& file : files) {
    SWARM_TRY(auto text, read_small_file(file, option));
    SWARM_TRY(auto certificates, parse_certificates(text, file, option));
    SWARM_TRY(auto crls, parse_crls(text, file, option));
    if (certificates.empty() && crls.empty()) passed_over.push_back(file.filename().string());
    append(out.certificates, std::move(certificates));
    append(out.crls, std::move(crls));
  }
  if (out.certificates.empty())
    return fail(tls_errc::empty_capath,
                "{}: {}: holds no certificate; put the PEM certificate of every organisation's CA in it",
                option, folder.string());
  return out;
}

result<trusted_files> read_trusted_file(const fs::path& file, std::string_view option) {
  trusted_files out;
  SWARM_TRY(out.certificates, read_certificates(file, option));
  SWARM_TRY(auto beside, files_in(fs::absolute(file).parent_path(), option, is_named_crl));
  beside.push_back(file);
  for (const auto& each : beside) {
    SWARM_TRY(const auto text, read_small_file(each, option));
    SWARM_TRY(auto crls, parse_crls(text, each, option));
    append(out.crls, std::move(crls));
  }
  return out;
}

} // namespace swarm::transport
