#include "actors/sl/files/granted_chunks.hpp"

#include "merge/methods/remerge.hpp"

#include <doctest/doctest.h>

namespace granted_chunks_test {

using namespace swarm;
using namespace swarm::actors;

namespace {

constexpr auto chunk = merge::chunk_size;

/// The tensors begin right after each other; each chunk but the last has an end of one.
merge::model_layout layout_of(const std::vector<std::uint64_t>& sizes) {
  std::vector<merge::tensor_spec> specs;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    specs.push_back({std::string(1, static_cast<char>('a' + i)), merge::dtype::u8, {sizes[i]}});
  return merge::model_layout::make(specs).value();
}

transport::byte_range chunks(std::uint64_t first, std::uint64_t count) {
  return {first * chunk, count * chunk};
}

} // namespace

TEST_CASE("what is granted may be read, and the chunks with the ends of tensors that reach into it") {
  const auto layout = layout_of({3 * chunk, 2 * chunk, 4 * chunk}); // in chunks 0 to 3, 3 to 5, 5 to 9
  const std::vector<std::uint64_t> granted{1, 2};
  for (const auto index : {0, 1, 2, 3})
    CHECK(may_read(layout, granted, chunks(static_cast<std::uint64_t>(index), 1)));
  for (const auto index : {4, 5, 6, 9})
    CHECK_FALSE(may_read(layout, granted, chunks(static_cast<std::uint64_t>(index), 1)));
  CHECK(may_read(layout, granted, chunks(0, 4)));
  CHECK_FALSE(may_read(layout, granted, chunks(0, 5)));
  CHECK_FALSE(may_read(layout, granted, {4 * chunk - 1, 2}));
  CHECK(may_read(layout, granted, {4 * chunk - 1, 1}));
  CHECK(may_read(layout, granted, {0, 0}));
  CHECK_FALSE(may_read(layout, {}, {0, 1}));
}

TEST_CASE("whatever a chunk needs to be made again may be read") {
  const auto layout = layout_of({5, 3 * chunk, 0, 7, chunk / 2, chunk, 2 * chunk + 3, 1});
  std::vector<merge::checked_input> inputs(2);
  for (auto& input : inputs)
    input = {hash32{}, std::vector<hash32>((layout.file_size() + chunk - 1) / chunk), 1};
  for (auto& digest : inputs[1].chunks)
    digest[0] = 1;
  for (std::uint64_t same = 0; same < inputs[0].chunks.size(); ++same) {
    auto now = inputs;
    now[1].chunks[same] = now[0].chunks[same];
    const auto again = merge::remerge::make(merge_method::mean, layout, now).value();
    for (std::uint64_t index = 0; index < again.chunk_count(); ++index)
      for (const auto needed : again.needs(index))
        CHECK(may_read(layout, std::vector{index}, chunks(needed, 1)));
  }
}

} // namespace granted_chunks_test
