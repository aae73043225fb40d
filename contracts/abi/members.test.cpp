#include "contracts/abi/members.hpp"

#include "base/u256.hpp"

#include <doctest/doctest.h>

namespace members_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

struct none {
  static constexpr int not_a_member = 0;
};
struct inner {
  int left = 0;
  int right = 0;
};
template <class T>
struct one {
  T value;
};
/// Types that are themselves aggregates, can be made of a number, or own memory.
struct mixed {
  bool flag = false;
  inner pair;
  std::array<inner, 2> pairs;
  address who;
  hash32 digest;
  u256 big;
  std::string text;
  std::vector<std::string> texts;
  enum kind : std::uint8_t { red, green };
  kind paint = red;
  int doubled() const { return 2 * pair.left; }
};
struct sixteen {
  int m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16;
};

static_assert(member_count<none> == none::not_a_member);
static_assert(member_count<inner> == 2);
static_assert(member_count<const inner> == 2);
static_assert(member_count<mixed> == 9);
static_assert(member_count<sixteen> == 16);
static_assert(member_count<one<bool>> == 1);
static_assert(member_count<one<inner>> == 1);
static_assert(member_count<one<address>> == 1);
static_assert(member_count<one<u256>> == 1);
static_assert(member_count<one<std::string>> == 1);
static_assert(member_count<one<std::vector<address>>> == 1);
static_assert(member_count<one<std::vector<std::vector<std::string>>>> == 1);
static_assert(std::is_same_v<member_types<none>, type_list<>>);
static_assert(
    std::is_same_v<member_types<mixed>, type_list<bool, inner, std::array<inner, 2>, address, hash32, u256,
                                                  std::string, std::vector<std::string>, mixed::kind>>);
static_assert(plain_struct<mixed> && !plain_struct<std::string> && !plain_struct<mixed::kind>);

} // namespace

TEST_CASE("members are visited in the order in which they are declared") {
  sixteen numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  int visited = 0;
  each_member(std::as_const(numbers), [&visited](auto index, const int& number) {
    CHECK(index() == static_cast<std::size_t>(visited));
    CHECK(number == ++visited);
  });
  CHECK(visited == 16);
  each_member(numbers, [](auto, int& number) { number = -number; });
  CHECK(numbers.m1 == -1);
  CHECK(numbers.m16 == -16);
  const int sum = with_members(numbers, [](auto... member) { return (0 + ... + member); });
  CHECK(sum == -136);
  none nothing;
  CHECK(with_members(nothing, [] { return true; }));
}

} // namespace members_test
