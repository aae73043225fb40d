#pragma once
// Whether the files of an identity have changed. Included by .cpp files only.
#include "transport/tls/tls_identity.hpp"

namespace swarm::transport {

/// Changes when one of the files, or what is in the folders of trusted certificates and CRLs, does: names, sizes,
/// times and inodes.
std::string stamp_of(const tls_files& files);

/// Whether a file beside --cacert is taken for CRLs: "crl" is in its name, in any case.
bool is_named_crl(const std::filesystem::path& file);

} // namespace swarm::transport
