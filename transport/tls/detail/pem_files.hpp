#pragma once
// Reading certificates and keys. Included by .cpp files only.
#include "transport/errors.hpp"
#include "transport/identity/detail/revocation.hpp"
#include "transport/tls/detail/openssl.hpp"

#include <filesystem>
#include <vector>

namespace swarm::transport {

/// Every certificate of a PEM file, in order; at least one. `option` is the option that named the
/// file ("--cert").
result<std::vector<x509_ptr>> read_certificates(const std::filesystem::path& file, std::string_view option);
/// The private key of a PEM file.
result<pkey_ptr> read_private_key(const std::filesystem::path& file, std::string_view option);
/// What a node trusts, and what its authorities took back.
struct trusted_files {
  std::vector<x509_ptr> certificates;
  std::vector<crl_ptr> crls;
};
/// Every certificate and CRL of every file in a folder, hidden files left out. Files with neither (keys, notes) are
/// skipped and named in `passed_over`; anything damaged is an error, and so is a folder without a certificate.
result<trusted_files> read_trusted_folder(const std::filesystem::path& folder, std::string_view option,
                                          std::vector<std::string>& passed_over);
/// The certificates of a file, at least one, and the CRLs in it and in the files beside it that are named so
/// (`is_named_crl`).
result<trusted_files> read_trusted_file(const std::filesystem::path& file, std::string_view option);

} // namespace swarm::transport
