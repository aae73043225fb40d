// What a SPIFFE agent sends: HTTP/2 frames of a call, and the message in them.
#include "base/assert.hpp"
#include "transport/spiffe/workload_call.hpp"
#include "transport/spiffe/x509_svids.hpp"

using namespace swarm;
using namespace swarm::transport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw(data, size);
  if (const auto read = decode_x509_svids(raw)) {
    SWARM_ASSERT(!read->all.empty() && read->all.size() <= svids_max);
    SWARM_ASSERT(read->federated.size() <= federated_bundles_max && read->crls.size() <= svid_crls_max);
    for (const auto& each : read->all)
      SWARM_ASSERT(spiffe_id::parse(each.id.to_string()) == each.id && !each.id.path.empty());
  } else {
    SWARM_ASSERT(!read.error().message.empty());
  }
  workload_call call;
  call.take_output();
  auto rest = raw;
  while (!rest.empty()) {
    const auto count = std::min<std::size_t>(rest.size(), 1 + rest.front() % 64);
    if (!call.feed(rest.first(count))) break;
    call.take_output();
    if (const auto message = call.take_message()) SWARM_ASSERT(message->size() <= svid_message_bytes_max);
    rest = rest.subspan(count);
  }
  return 0;
}
