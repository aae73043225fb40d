#include "actors/ui/feed/answer_book.hpp"

#include <algorithm>

namespace swarm::ui {

std::optional<shared_question> shared_of(const any_question& what) {
  return std::visit(
      [](const auto& each) -> std::optional<shared_question> {
        if constexpr (std::is_constructible_v<shared_question, decltype(each)>)
          return each;
        else
          return std::nullopt;
      },
      what);
}

void answer_book::drop(std::list<kept>::iterator which) {
  bytes_ -= which->text->size();
  all_.erase(which);
}

shared_text answer_book::find(const shared_question& what, std::uint64_t news, std::uint64_t now_ms) {
  for (auto each = all_.begin(); each != all_.end();) {
    const auto here = each++;
    const bool holds = here->news == news && now_ms >= here->at_ms && now_ms - here->at_ms <= age_ms_max;
    if (!holds)
      drop(here);
    else if (here->what == what)
      return here->text;
  }
  return nullptr;
}

void answer_book::keep(const shared_question& what, std::uint64_t news, std::uint64_t now_ms,
                       shared_text text) {
  if (text->size() > bytes_max) return;
  const auto before = std::ranges::find(all_, what, &kept::what);
  if (before != all_.end()) drop(before);
  bytes_ += text->size();
  all_.push_front({what, news, now_ms, std::move(text)});
  while (all_.size() > answers_max || bytes_ > bytes_max)
    drop(std::prev(all_.end()));
}

} // namespace swarm::ui
