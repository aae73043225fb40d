#pragma once

#include "base/result.hpp"
#include "contracts/runtime/reset_view.hpp"
#include "contracts/runtime/slots.hpp"

namespace swarm::contracts {

/// What a contract keeps of its last reset, in three slots from `first` on.
class reset_record {
public:
  reset_record(const slots& in, const hash32& first) : slots_(in), first_(first) {}

  reset_view load() const;
  void store(const reset_view& reset) const;

private:
  slots slots_;
  hash32 first_;
};

/// Fails when a note is too long, or has control characters.
result<> check_reset_note(std::string_view note);

} // namespace swarm::contracts
