#include "ledger/formats/rlp.hpp"

#include "base/assert.hpp"

namespace swarm::ledger {

namespace {

constexpr std::uint8_t string_base = 0x80;
constexpr std::uint8_t list_base = 0xc0;
constexpr std::size_t short_max = 55;

std::size_t width_of(std::size_t value) {
  std::size_t width = 0;
  for (; value != 0; value >>= 8)
    ++width;
  return width;
}

std::size_t header_size(std::size_t length) {
  return length <= short_max ? 1 : 1 + width_of(length);
}

/// Writes the `header` bytes that announce a payload of `length` bytes.
void put_header(std::uint8_t* to, std::size_t length, std::uint8_t base, std::size_t header) {
  if (header == 1) {
    *to = static_cast<std::uint8_t>(base + length);
    return;
  }
  *to = static_cast<std::uint8_t>(base + short_max + header - 1);
  for (std::size_t i = header - 1; i > 0; --i, length >>= 8)
    to[i] = static_cast<std::uint8_t>(length);
}

/// Reads the payload length of a long form: `width` bytes behind the first byte of `rest`.
result<std::size_t> long_length(bytes_view rest, std::size_t width, std::string_view what) {
  if (rest.size() < 1 + width) return fail(rlp_errc::truncated, "{}: input ends inside a length", what);
  if (rest[1] == 0) return fail(rlp_errc::length_leading_zero, "{}: length starts with a zero byte", what);
  std::uint64_t length = 0;
  for (std::size_t i = 1; i <= width; ++i)
    length = length << 8 | rest[i];
  if (length <= short_max)
    return fail(rlp_errc::long_form, "{}: long form for {} bytes, the short form is due up to 55", what,
                length);
  // Bounding it here also keeps every later sum of sizes far from overflow.
  if (length > rlp_size_max)
    return fail(rlp_errc::too_large, "{}: announces {} bytes, the limit is {}", what, length, rlp_size_max);
  return static_cast<std::size_t>(length);
}

result<> check_string(const rlp_item& item, std::string_view what) {
  if (item.is_list) return fail(rlp_errc::expected_string, "{}: is a list, must be a string", what);
  return {};
}

result<> check_integer(const rlp_item& item, std::size_t width, std::string_view what) {
  SWARM_CHECK(check_string(item, what));
  if (!item.payload.empty() && item.payload.front() == 0)
    return fail(rlp_errc::integer_leading_zero, "{}: integer with a leading zero byte", what);
  if (item.payload.size() > width)
    return fail(rlp_errc::integer_too_wide, "{}: integer of {} bytes, at most {} fit", what,
                item.payload.size(), width);
  return {};
}

result<> check_items(bytes_view rest, std::size_t depth) {
  if (depth > rlp_depth_max)
    return fail(rlp_errc::too_deep, "input: nested deeper than {} lists", rlp_depth_max);
  while (!rest.empty()) {
    SWARM_TRY(const rlp_item item, rlp_split(rest, "item"));
    if (item.is_list) SWARM_CHECK(check_items(item.payload, depth + 1));
  }
  return {};
}

} // namespace

rlp_writer& rlp_writer::begin_list() {
  open_lists_.push_back(out_.size());
  return *this;
}

rlp_writer& rlp_writer::end_list() {
  SWARM_ASSERT(!open_lists_.empty());
  const std::size_t start = open_lists_.back();
  open_lists_.pop_back();
  const std::size_t length = out_.size() - start;
  const std::size_t header = header_size(length);
  out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), header, 0);
  put_header(out_.data() + start, length, list_base, header);
  return *this;
}

rlp_writer& rlp_writer::string(bytes_view raw) {
  if (raw.size() == 1 && raw[0] < string_base) {
    out_.push_back(raw[0]);
    return *this;
  }
  const std::size_t header = header_size(raw.size());
  const std::size_t start = out_.size();
  out_.resize(start + header);
  put_header(out_.data() + start, raw.size(), string_base, header);
  append(out_, raw);
  return *this;
}

rlp_writer& rlp_writer::number(std::uint64_t value) {
  return number(u256(value));
}

rlp_writer& rlp_writer::number(const u256& value) {
  return string(value.minimal());
}

rlp_writer& rlp_writer::address_or_none(const std::optional<address>& who) {
  return string(who ? who->view() : bytes_view{});
}

rlp_writer& rlp_writer::encoded(bytes_view item) {
  append(out_, item);
  return *this;
}

bytes rlp_writer::take() {
  SWARM_ASSERT(open_lists_.empty());
  bytes out = std::move(out_);
  out_.clear();
  return out;
}

bytes rlp_string(bytes_view raw) {
  return rlp_writer(raw.size() + 9).string(raw).take();
}

bytes rlp_number(std::uint64_t value) {
  return rlp_writer(9).number(value).take();
}

result<rlp_item> rlp_split(bytes_view& rest, std::string_view what) {
  if (rest.empty()) return fail(rlp_errc::truncated, "{}: nothing there, one item expected", what);
  const std::uint8_t first = rest[0];
  rlp_item item;
  std::size_t header = 1;
  std::size_t length = 0;
  if (first < string_base) {
    header = 0;
    length = 1;
  } else {
    item.is_list = first >= list_base;
    length = static_cast<std::size_t>(first - (item.is_list ? list_base : string_base));
    if (length > short_max) {
      header = 1 + length - short_max;
      SWARM_TRY(length, long_length(rest, header - 1, what));
    }
  }
  if (rest.size() - header < length)
    return fail(rlp_errc::truncated, "{}: announces {} bytes, {} are there", what, length,
                rest.size() - header);
  item.encoded = rest.first(header + length);
  item.payload = item.encoded.subspan(header);
  if (!item.is_list && header == 1 && length == 1 && item.payload[0] < string_base)
    return fail(rlp_errc::wrapped_byte, "{}: a byte below 0x80 must stand for itself, without 0x81", what);
  rest = rest.subspan(header + length);
  return item;
}

result<rlp_item> rlp_decode(bytes_view input, std::string_view what, std::size_t size_max) {
  if (input.size() > size_max)
    return fail(rlp_errc::too_large, "{}: {} bytes, the limit is {}", what, input.size(), size_max);
  SWARM_TRY(const rlp_item item, rlp_split(input, what));
  if (!input.empty())
    return fail(rlp_errc::trailing_bytes, "{}: {} bytes follow its end", what, input.size());
  return item;
}

result<> rlp_check(bytes_view input) {
  SWARM_TRY(const rlp_item item, rlp_decode(input, "input"));
  return item.is_list ? check_items(item.payload, 1) : result<>{};
}

result<std::uint64_t> rlp_to_u64(const rlp_item& item, std::string_view what) {
  SWARM_CHECK(check_integer(item, 8, what));
  std::uint64_t value = 0;
  for (const auto byte : item.payload)
    value = value << 8 | byte;
  return value;
}

result<u256> rlp_to_u256(const rlp_item& item, std::string_view what) {
  SWARM_CHECK(check_integer(item, 32, what));
  u256 value;
  std::copy(item.payload.begin(), item.payload.end(), value.end() - item.payload.size());
  return value;
}

result<rlp_reader> rlp_reader::open(bytes_view input, std::string_view what, std::size_t size_max) {
  SWARM_TRY(const rlp_item item, rlp_decode(input, what, size_max));
  return open(item, what);
}

result<rlp_reader> rlp_reader::open(const rlp_item& list, std::string_view what) {
  if (!list.is_list) return fail(rlp_errc::expected_list, "{}: is a string, must be a list", what);
  return rlp_reader(list.payload, what, 1);
}

result<> rlp_reader::finish() const {
  if (!rest_.empty()) return fail(rlp_errc::extra_item, "{}: has items behind its last one", what_);
  return {};
}

result<rlp_item> rlp_reader::next(std::string_view field) {
  if (rest_.empty()) return fail(rlp_errc::missing_item, "{}: {} is missing", what_, field);
  auto item = rlp_split(rest_, field);
  if (!item) return fail_with(std::move(item).error(), what_);
  return item;
}

result<bytes_view> rlp_reader::string(std::string_view field, std::size_t size_max) {
  SWARM_TRY(const rlp_item item, next(field));
  if (auto checked = check_string(item, field); !checked) return fail_with(std::move(checked).error(), what_);
  if (item.payload.size() > size_max)
    return fail(rlp_errc::too_large, "{}: {}: {} bytes, the limit is {}", what_, field, item.payload.size(),
                size_max);
  return item.payload;
}

result<std::uint64_t> rlp_reader::number(std::string_view field) {
  SWARM_TRY(const rlp_item item, next(field));
  auto value = rlp_to_u64(item, field);
  if (!value) return fail_with(std::move(value).error(), what_);
  return value;
}

result<u256> rlp_reader::number256(std::string_view field) {
  SWARM_TRY(const rlp_item item, next(field));
  auto value = rlp_to_u256(item, field);
  if (!value) return fail_with(std::move(value).error(), what_);
  return value;
}

result<std::optional<address>> rlp_reader::address_or_none(std::string_view field) {
  SWARM_TRY(const bytes_view raw, string(field));
  if (raw.empty()) return std::optional<address>{};
  if (raw.size() != 20)
    return fail(rlp_errc::wrong_width, "{}: {}: {} bytes, must be 20 or none", what_, field, raw.size());
  std::optional<address> out{address{}};
  std::copy(raw.begin(), raw.end(), out->begin());
  return out;
}

result<rlp_reader> rlp_reader::list(std::string_view field) {
  SWARM_TRY(const rlp_item item, next(field));
  if (depth_ >= rlp_depth_max)
    return fail(rlp_errc::too_deep, "{}: {}: nested deeper than {} lists", what_, field, rlp_depth_max);
  SWARM_TRY(rlp_reader inner, open(item, field));
  inner.depth_ = depth_ + 1;
  return inner;
}

result<> rlp_reader::fixed_into(std::span<std::uint8_t> out, std::string_view field) {
  SWARM_TRY(const bytes_view raw, string(field));
  if (raw.size() != out.size())
    return fail(rlp_errc::wrong_width, "{}: {}: {} bytes, must be {}", what_, field, raw.size(), out.size());
  std::copy(raw.begin(), raw.end(), out.begin());
  return {};
}

} // namespace swarm::ledger
