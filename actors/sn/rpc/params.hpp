#pragma once

#include "actors/sn/rpc/errors.hpp"
#include "base/u256.hpp"
#include "ledger/chain/log_filter.hpp"
#include "ledger/state/call.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>

/// Reading and writing the values of Ethereum's JSON-RPC (execution API): QUANTITY is 0x and hexadecimal
/// digits without leading zeros, DATA is 0x and an even number of digits.
namespace swarm::rpc {

/// At most `bytes_max` bytes of what a client sent, for an error text, without splitting a character.
std::string_view shown(std::string_view text, std::size_t bytes_max = 80);

std::string quantity(std::uint64_t value);
std::string quantity(const u256& value);
std::string hex_data(bytes_view raw);

/// The block whose state a request is about (EIP-1898); without number and hash it is the head.
struct block_ref {
  std::optional<std::uint64_t> num;
  std::optional<hash32> hash;
  bool pending = false; ///< the head and what waits for the next block
};

/// Positional parameters of one request. Every reader names the parameter it could not read.
class params {
public:
  explicit params(const boost::json::array& from) : list_(from) {}
  std::size_t size() const { return list_.size(); }
  bool has(std::size_t index) const { return index < list_.size() && !list_[index].is_null(); }
  result<std::string> text(std::size_t index, std::string_view what) const;
  result<std::uint64_t> number(std::size_t index, std::string_view what) const;
  /// As `number`, but also takes a JSON number, as some clients send counts so.
  result<std::uint64_t> count(std::size_t index, std::string_view what) const;
  /// How many numbers the list has; it may be absent.
  result<std::size_t> numbers(std::size_t index, std::string_view what, std::size_t count_max) const;
  result<bool> flag(std::size_t index, std::string_view what) const;
  result<bytes> raw(std::size_t index, std::string_view what) const;
  result<hash32> hash(std::size_t index, std::string_view what) const;
  result<address> account(std::size_t index, std::string_view what) const;
  /// A block by number or tag; none for the head (latest, safe, finalized, pending, or nothing given).
  result<std::optional<std::uint64_t>> block(std::size_t index) const;
  /// A block by number, tag or hash, or as an object with blockNumber or blockHash.
  result<block_ref> block_or_hash(std::size_t index) const;
  result<ledger::call_request> call(std::size_t index) const;
  /// A list of at most `count_max` strings.
  result<std::vector<std::string>> texts(std::size_t index, std::string_view what,
                                         std::size_t count_max) const;
  /// A list of at most `count_max` items, not empty.
  result<const boost::json::array*> list(std::size_t index, std::string_view what,
                                         std::size_t count_max) const;
  result<const boost::json::object*> object(std::size_t index, std::string_view what) const;

private:
  const boost::json::array& list_;
};

result<std::uint64_t> parse_quantity(std::string_view text, std::string_view what);
/// The same up to 256 bits.
result<u256> parse_wide_quantity(std::string_view text, std::string_view what);
/// Address and topics of a filter object; the caller reads the block range.
result<ledger::log_filter> parse_filter(const boost::json::object& from);
/// The blocks that a filter object asks for: one by its hash, or a range; a missing end means the head.
struct block_range {
  std::optional<hash32> block_hash;
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> to;
};
result<block_range> parse_range(const boost::json::object& from);
/// Accepts 1 to 64 digits, as clients write storage keys with and without leading zeros.
result<hash32> parse_slot(std::string_view text);

} // namespace swarm::rpc
