#pragma once
// Facts from OpenSSL's certificates. Included by .cpp files only.
#include "transport/identity/certificate_facts.hpp"

#include <openssl/x509.h>

namespace swarm::transport {

certificate_facts facts_of(const X509* certificate);

} // namespace swarm::transport
