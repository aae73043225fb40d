#pragma once

#include "actors/ui/feed/feed_hub.hpp"

#include <list>

/// What many browsers ask at a time: all who look at a training want the same of it once it goes on.
namespace swarm::ui {

/// What is answered from the chain alone, and so the same for whoever asks while the chain is the same.
using shared_question = std::variant<question::rounds, question::series, question::runs>;
/// None of others.
std::optional<shared_question> shared_of(const any_question& what);

/// Answers that still hold, so that each is worked out and written once for all who ask. For one thread.
class answer_book {
public:
  static constexpr std::size_t answers_max = 32;
  static constexpr std::size_t bytes_max = 8 * 1024 * 1024; ///< of all of them
  /// An SN might keep news back: what is older is asked for anew.
  static constexpr std::uint64_t age_ms_max = 2'000;

  /// The answer that was begun when just so many news of the chain had come; null: it has to be worked out.
  shared_text find(const shared_question& what, std::uint64_t news, std::uint64_t now_ms);
  void keep(const shared_question& what, std::uint64_t news, std::uint64_t now_ms, shared_text text);

private:
  struct kept {
    shared_question what;
    std::uint64_t news = 0;
    std::uint64_t at_ms = 0;
    shared_text text;
  };
  void drop(std::list<kept>::iterator which);

  std::list<kept> all_; ///< newest first
  std::size_t bytes_ = 0;
};

} // namespace swarm::ui
