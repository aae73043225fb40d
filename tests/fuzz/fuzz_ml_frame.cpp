// Frames from a training program, and model files and manifests from other SLs.
#include "merge/model/layout.hpp"
#include "merge/model/manifest.hpp"
#include "transport/ml_channel/wire.hpp"

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view raw{data, size};
  if (size >= ml::header_size) (void)ml::decode_header(raw.first(ml::header_size));
  (void)ml::decode_session_request(raw);
  (void)ml::decode_sync_request(raw);
  (void)ml::decode_loss_response(raw);
  (void)ml::decode_kill_session_request(raw);
  (void)merge::model_layout::parse(raw, size);
  (void)merge::manifest::decode(raw);
  return 0;
}
