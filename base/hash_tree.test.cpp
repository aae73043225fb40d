#include "base/hash_tree.hpp"

#include "base/hash.hpp"

#include <doctest/doctest.h>

namespace hash_tree_test {

using namespace swarm;

namespace {

std::vector<hash32> some_leaves(std::size_t count) {
  std::vector<hash32> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(sha256(as_bytes(std::to_string(i))));
  return out;
}

/// RFC 6962 as it is written there: cut at the largest power of two below the number of leaves.
hash32 root_by_definition(std::span<const hash32> leaves) {
  if (leaves.size() == 1) return leaves.front();
  std::size_t cut = 1;
  while (2 * cut < leaves.size())
    cut *= 2;
  bytes both{0x01};
  append(both, root_by_definition(leaves.first(cut)).view());
  append(both, root_by_definition(leaves.subspan(cut)).view());
  return sha256(both);
}

} // namespace

TEST_CASE("a tree has the root that RFC 6962 defines, and the same from the roots of its parts") {
  for (std::size_t count = 1; count <= 70; ++count) {
    CAPTURE(count);
    const auto leaves = some_leaves(count);
    const auto root = root_by_definition(leaves);
    CHECK(tree_root(leaves) == root);
    for (unsigned level = 0; level <= tree_height(count) + 1; ++level) {
      const auto at_once = tree_above(leaves, level);
      CHECK(at_once.size() == tree_width(count, level));
      std::vector<hash32> in_parts;
      const auto unit = std::size_t{1} << level;
      for (std::size_t first = 0; first < count; first += unit)
        in_parts.push_back(
            root_by_definition(std::span(leaves).subspan(first, std::min(unit, count - first))));
      CHECK(in_parts == at_once);
      CHECK(tree_root(in_parts) == root);
    }
  }
}

TEST_CASE("the published tree of eight leaves has its published root") {
  // The inputs and the root are those of the test vectors of Certificate Transparency; leaves are marked with 0x00 there.
  const std::vector<std::string_view> inputs{
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  std::vector<hash32> leaves;
  for (const auto input : inputs) {
    bytes marked{0x00};
    append(marked, from_hex(input).value());
    leaves.push_back(sha256(marked));
  }
  CHECK(to_hex(tree_root(leaves).view(), false)
        == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST_CASE("a tree's height and widths follow from its leaves") {
  CHECK(tree_height(1) == 0);
  CHECK(tree_height(2) == 1);
  CHECK(tree_height(3) == 2);
  CHECK(tree_height(4) == 2);
  CHECK(tree_height(1 << 20) == 20);
  CHECK(tree_width(0, 0) == 0);
  CHECK(tree_width(5, 0) == 5);
  CHECK(tree_width(5, 1) == 3);
  CHECK(tree_width(5, 2) == 2);
  CHECK(tree_width(5, 3) == 1);
}

TEST_CASE("a model's digest is that of domain, size, chunk size and root") {
  const auto root = sha256(as_bytes("root"));
  bytes what = to_bytes(as_bytes("swarmd model v2"));
  append(what, from_hex("0000000000000102").value());
  append(what, from_hex("0000000000100000").value());
  append(what, root.view());
  CHECK(model_digest(0x102, 1 << 20, root) == sha256(what));
}

} // namespace hash_tree_test
