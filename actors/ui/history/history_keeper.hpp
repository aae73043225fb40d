#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/feed/requests.hpp"
#include "actors/ui/history/proved_reports.hpp"
#include "actors/ui/history/round_page.hpp"
#include "actors/ui/history/training_history.hpp"
#include "actors/ui/views/pictures.hpp"

#include <boost/json.hpp>

#include <memory>
#include <stop_token>

namespace swarm::ui {

/// Keeps the histories of all trainings, read from their events when somebody asks: only what is new since then is read again.
/// All of them together have `room`; who takes most of it gives up what is oldest.
/// Events are what the SN says, but for the merges of the present generation, which are compared with the contract's proved
/// state, and for reports that it had when it was read. For one thread.
class history_keeper {
public:
  static constexpr std::size_t events_max = 10'000; ///< in one answer
  static constexpr std::size_t points_max = 100'000;
  static constexpr std::size_t times_max = 50'000; ///< of blocks, remembered

  explicit history_keeper(training_history::amount room = training_history::amount_max,
                          std::shared_ptr<const proved_reports> proved = {})
      : room_(room), proved_reports_(std::move(proved)) {}

  result<boost::json::value> answer(const question::rounds& what, swci::network& sns,
                                    const std::stop_token& stop);
  result<boost::json::value> answer(const question::series& what, swci::network& sns,
                                    const std::stop_token& stop);
  result<boost::json::value> answer(const question::runs& what, swci::network& sns,
                                    const std::stop_token& stop);
  /// Reads what is new of all trainings, so that questions are answered soon.
  result<> catch_up(swci::network& sns, const std::stop_token& stop);
  /// Of all trainings together.
  training_history::amount kept() const;

private:
  struct kept_training {
    training_history history;
    std::uint64_t next_block = 0; ///< whose events have not been read yet
  };
  using generations = std::map<std::uint64_t, training_history::generation>;

  result<const generations*> history_of(const std::string& contract, swci::network& sns,
                                        const std::stop_token& stop);
  result<> catch_up(kept_training& which, const address& at, std::uint64_t head, swci::network& sns,
                    const std::stop_token& stop);
  void make_room();
  /// Marks the merges that the contract itself has, whose state is proved. One that it has otherwise is an error: the SN lies.
  result<> prove_merges(const std::string& contract, std::uint64_t generation,
                        std::vector<shown_round>& rounds, swci::network& sns);
  /// Whether the contract had all that was reported of this round.
  bool is_proved(const std::string& contract, std::uint64_t number, const training_history::generation& of,
                 std::uint64_t round_num) const;
  result<> learn_times(const std::set<std::uint64_t>& blocks, swci::network& sns);
  void add_time(boost::json::object& to, std::string_view key, std::uint64_t block_num) const;
  result<std::string> name_of(const address& node, swci::network& sns);
  boost::json::object run_json(const std::string& contract, std::uint64_t number,
                               const training_history::generation& from) const;

  training_history::amount room_;
  std::shared_ptr<const proved_reports> proved_reports_; ///< null: of none
  std::map<std::string, kept_training> all_;
  struct merge_place {
    std::string contract;
    std::uint64_t generation = 0, round_num = 0;
    auto operator<=>(const merge_place&) const = default;
  };
  std::map<merge_place, hash32> proved_; ///< digests that contracts have
  block_times times_;
  std::map<address, std::string> names_;
};

} // namespace swarm::ui
