#pragma once
// Reading certificates and keys. Included by .cpp files only.
#include "transport/errors.hpp"
#include "transport/tls/detail/openssl.hpp"

#include <filesystem>
#include <vector>

namespace swarm::transport {

/// Every certificate of a PEM file, in order; at least one. `option` is the option that named the
/// file ("--cert").
result<std::vector<x509_ptr>> read_certificates(const std::filesystem::path& file, std::string_view option);
/// The private key of a PEM file.
result<pkey_ptr> read_private_key(const std::filesystem::path& file, std::string_view option);
/// Every certificate of every file in a folder, hidden files left out. Files without a certificate (keys,
/// notes) are skipped and named in `passed_over`; a damaged certificate is an error.
result<std::vector<x509_ptr>> read_certificate_folder(const std::filesystem::path& folder,
                                                      std::string_view option,
                                                      std::vector<std::string>& passed_over);

} // namespace swarm::transport
