#pragma once

#include "ledger/native_contract.hpp"

#include <stdexcept>

/// A small contract for the ledger's own tests: the first byte of the input says what to do.
namespace swarm::ledger::test {

inline constexpr std::uint8_t test_kind = 7;
enum class op : std::uint8_t {
  store,
  emit,
  revert,
  burn,
  load,
  deploy,
  write_foreign,
  context,
  five_topics,
  crash
};

inline address test_address(std::uint8_t last = 0x99) {
  address out;
  out[0] = 0xc0;
  out[19] = last;
  return out;
}

inline hash32 word(std::uint64_t value) {
  return u256(value);
}

/// The input: the op, then 32-byte words.
template <class... Words>
bytes input_of(op what, const Words&... words) {
  bytes out;
  out.reserve(1 + 32 * sizeof...(words));
  out.push_back(static_cast<std::uint8_t>(what));
  (append(out, words.view()), ...);
  return out;
}

/// Error("nope"), vector V11.
inline bytes nope() {
  return *from_hex("0x08c379a0"
                   "0000000000000000000000000000000000000000000000000000000000000020"
                   "0000000000000000000000000000000000000000000000000000000000000004"
                   "6e6f706500000000000000000000000000000000000000000000000000000000");
}

class test_contract final : public native_contract {
public:
  call_outcome call(contract_host& host, const call_context& context, bytes_view input) const override {
    auto word_at = [&](std::size_t i) {
      hash32 out;
      for (std::size_t k = 0; k < 32 && 1 + 32 * i + k < input.size(); ++k)
        out[k] = input[1 + 32 * i + k];
      return out;
    };
    switch (static_cast<op>(input.empty() ? 0xff : input[0])) {
    case op::store:
      host.store(context.self, word_at(0), word_at(1));
      return {};
    case op::emit: // topics: word 0 and the caller; data: word 1
      host.emit({context.self, {word_at(0), caller_topic(context)}, to_bytes(word_at(1).view())});
      return {};
    case op::revert:
      host.store(context.self, word_at(0), word_at(1));
      host.emit({context.self, {}, {}});
      return {false, nope()};
    case op::burn:
      for (std::uint64_t i = 0;; ++i)
        host.store(context.self, word(i), word(i + 1));
    case op::load:
      return {true, to_bytes(host.load(context.self, word_at(0)).view())};
    case op::deploy: {
      auto where = test_address(word_at(0)[31]);
      host.deploy(where, word_at(1)[31]);
      host.store(where, word(1), word_at(2));
      return {true, bytes{static_cast<std::uint8_t>(host.has_code(where))}};
    }
    case op::write_foreign:
      host.store(test_address(1), word(1), word(1));
      return {};
    case op::context: {
      bytes out = to_bytes(context.caller.view());
      append(out, context.self.view());
      append(out, word(context.chain_id).view());
      append(out, word(context.block_num).view());
      out.push_back(context.read_only);
      return {true, out};
    }
    case op::five_topics:
      host.emit({context.self, std::vector<hash32>(5), {}});
      return {};
    case op::crash:
      throw std::runtime_error("broken contract");
    }
    return {false, {}};
  }

private:
  static hash32 caller_topic(const call_context& context) {
    hash32 out;
    std::copy(context.caller.begin(), context.caller.end(), out.begin() + 12);
    return out;
  }
};

/// The test contract at `test_address()`, with slot 5 set to 55.
inline native_contract_set test_contracts() {
  native_contract_set out;
  out.kinds.push_back({test_kind, std::make_shared<test_contract>()});
  out.genesis.push_back({test_address(), test_kind, {{word(5), word(55)}}});
  return out;
}

} // namespace swarm::ledger::test
