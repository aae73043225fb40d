#include "actors/sl/files/gate/refusals.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace swarm::gate {

std::string text_of(const asker& who) {
  return fmt::format("{}{} (certificate {}, {})", who.subject.empty() ? "somebody" : who.subject,
                     who.organisation.empty() ? "" : " of " + who.organisation,
                     to_hex(who.certificate.view()),
                     who.account ? "account " + to_hex(who.account->view()) : "no account named");
}

std::optional<std::string> refusals::add(const asker& who, const std::string& why, time_point now) {
  ++count_;
  if (!records_.contains(who.certificate) && records_.size() == certificates_max)
    records_.erase(std::ranges::min_element(records_, {}, [](const auto& each) { return each.second.at; }));
  auto& known = records_[who.certificate];
  known.subject = who.subject;
  known.organisation = who.organisation;
  known.account = who.account;
  known.why = why;
  known.at = now;
  ++known.count;
  if (known.logged_count > 0 && now - known.logged_at < log_pause) return std::nullopt;
  const auto since = known.count - known.logged_count - 1;
  known.logged_at = now;
  known.logged_count = known.count;
  return fmt::format("refused a model to {}: {}{}", text_of(who), why,
                     since > 0 ? fmt::format("; {} more refused since the last such line", since) : "");
}

bool refusals::must_wait(const hash32& certificate, time_point now) const {
  const auto found = records_.find(certificate);
  return found != records_.end() && found->second.count >= patience && now - found->second.at < wait;
}

} // namespace swarm::gate
