#pragma once

#include "actors/sn/membership/vouching/organisation_budget.hpp"
#include "base/bytes.hpp"

#include <string>
#include <variant>
#include <vector>

/// What goes into the vouching machine and what comes out.
namespace swarm::vouching {

/// An SN that is a member. An organisation that is not live is not waited for.
struct member_sn {
  address account;
  organisation_id organisation = 0;
  bool live = true; ///< its organisation
  bool operator==(const member_sn&) const = default;
};

namespace event {
/// The SNs that are members, in the order of their registration; with each change, at least once a second.
struct council {
  std::vector<member_sn> sns;
};
/// A node asks to be a member, and waits for vouches. `objection`: what is wrong with its proof; empty for nothing. To
/// be repeated when an objection is dropped.
struct applied {
  address account;
  hash32 statement;
  organisation_id organisation = 0;
  address parent;  ///< the SN that its registration came through
  std::string who; ///< for people: its certificate and organisation
  std::string objection;
};
struct vouched {
  address account;
  hash32 statement;
  organisation_id by = 0;
};
/// The account waits no more: it is a member, or it has left, was removed or forgotten.
struct closed {
  address account;
};
/// An SN of another organisation says that this one does nothing.
struct accused {
  organisation_id organisation = 0;
};
struct answered {
  organisation_id organisation = 0;
};
/// The certificate of a member of this SN's organisation is good no more. To be repeated while it is a member.
struct lost {
  address account;
  std::string who;
  std::string why;
};
/// Time has passed; to come several times a second.
struct tick {};
} // namespace event

namespace action {
struct vouch {
  address account;
  hash32 statement;
  bool operator==(const vouch&) const = default;
};
/// The organisation leaves an applicant waiting: it is not live unless one of its SNs answers.
struct accuse {
  organisation_id organisation = 0;
  bool operator==(const accuse&) const = default;
};
struct answer {
  bool operator==(const answer&) const = default;
};
/// Count the vouches of an applicant anew, as some SN may be live no more.
struct settle {
  address account;
  bool operator==(const settle&) const = default;
};
struct remove {
  address account;
  bool operator==(const remove&) const = default;
};
/// A line in the operator's log.
struct say {
  std::string text;
  bool warning = false;
};
} // namespace action
using vouching_action =
    std::variant<action::vouch, action::accuse, action::answer, action::settle, action::remove, action::say>;

} // namespace swarm::vouching
