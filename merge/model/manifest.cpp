#include "merge/model/manifest.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/hash_tree.hpp"
#include "base/mapped_file.hpp"
#include "merge/model/layout.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>

namespace swarm::merge {

namespace {

constexpr std::string_view domain = "swarmd model v2";
constexpr std::size_t prefix_size = domain.size() + 16;

std::uint64_t chunk_count(std::uint64_t size) {
  return (size + chunk_size - 1) / chunk_size;
}

} // namespace

bytes manifest::encode() const {
  bytes out(prefix_size + chunks.size() * 32);
  auto* at = std::copy(domain.begin(), domain.end(), out.data());
  put_be64(at, size);
  put_be64(at + 8, chunk_bytes);
  at += 16;
  for (const auto& chunk : chunks)
    at = std::copy(chunk.begin(), chunk.end(), at);
  return out;
}

hash32 manifest::digest() const {
  return model_digest(size, chunk_bytes, tree_root(chunks));
}

result<manifest> manifest::decode(bytes_view raw) {
  if (raw.size() < prefix_size || as_text(raw.first(domain.size())) != domain)
    return fail(merge_errc::bad_manifest, "this is no model manifest: it does not begin with \"{}\"", domain);
  manifest out;
  out.size = get_be64(raw.data() + domain.size());
  out.chunk_bytes = get_be64(raw.data() + domain.size() + 8);
  if (out.chunk_bytes != chunk_size)
    return fail(merge_errc::bad_manifest, "model manifest: chunks of {} bytes; this version knows only {}",
                out.chunk_bytes, chunk_size);
  if (out.size == 0 || out.size > model_size_max)
    return fail(merge_errc::bad_manifest, "model manifest: a model of {} bytes; 1 to {} are allowed",
                out.size, model_size_max);
  const auto digests = raw.subspan(prefix_size);
  if (digests.size() != chunk_count(out.size) * 32)
    return fail(merge_errc::bad_manifest,
                "model manifest: {} bytes of chunk digests; a model of {} bytes has {}", digests.size(),
                out.size, chunk_count(out.size) * 32);
  out.chunks.resize(digests.size() / 32);
  for (std::size_t i = 0; i < out.chunks.size(); ++i)
    std::copy_n(digests.begin() + static_cast<std::ptrdiff_t>(i * 32), 32, out.chunks[i].begin());
  return out;
}

std::uint64_t manifest::size_of_chunk(std::uint64_t index) const {
  SWARM_ASSERT(index < chunks.size());
  return std::min(chunk_bytes, size - index * chunk_bytes);
}

std::uint64_t manifest_encoded_size(std::uint64_t size) {
  return prefix_size + chunk_count(size) * 32;
}

manifest make_manifest(bytes_view file) {
  manifest out;
  out.size = file.size();
  out.chunks.resize(chunk_count(file.size()));
  tbb::parallel_for(std::size_t{0}, out.chunks.size(), [&](std::size_t i) {
    out.chunks[i] = sha256(file.subspan(i * chunk_size, out.size_of_chunk(i)));
    note_mapped_read(out.size_of_chunk(i));
  });
  return out;
}

} // namespace swarm::merge
