#pragma once

#include "actors/sn/rpc/answers.hpp"
#include "actors/sn/rpc/work_shares.hpp"

#include <optional>

namespace swarm::rpc {

/// The requests of one text that the same responder answers.
struct text_part {
  struct request {
    std::size_t place = 0; ///< the place of its answer
    boost::json::value content;
  };
  std::shared_ptr<text_answers> answers;
  std::vector<request> requests;
  std::size_t answered = 0; ///< how many of the requests were run

  const caller& from() const { return answers->from(); }
};

/// Answers requests one after the other, in slices of time, so that its thread can do other
/// things in between.
class responder {
public:
  static constexpr std::uint64_t slice_units = 1'000; ///< of work in a slice, about 20 ms

  virtual ~responder() = default;
  /// To be called while `busy`: does the next slice of work. A single request may take more than a slice.
  void go_on(time_point now);
  bool busy() const { return under_way_ || waiting(); }

  /// Told of each request that names a method, which need not be one that there is; what it returns is called with
  /// the answer, from any thread.
  using watcher = std::function<std::function<void(bool ok)>(std::string_view method)>;
  void watch_with(watcher told) { watcher_ = std::move(told); }

  const work_shares& shares() const { return shares_; }
  /// Lines for the log since the last call: which organisations ask for more than their share.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

protected:
  responder() = default;
  responder(const responder&) = default;
  responder& operator=(const responder&) = default;

  /// Whether a text waits, and the part of the next one that is to be answered here, or what is left of it; none when it
  /// is refused or all of it is for others.
  virtual bool waiting() const = 0;
  virtual std::optional<text_part> next() = 0;
  /// Runs a method, which adds to `work_` what it takes beyond cost::request.
  virtual void run(std::string_view method, const params& given, const reply& to) = 0;
  /// Called when all requests of the current text have been run.
  virtual void text_ended() {}
  /// Others wait: the rest of the current text is to come when its turn comes.
  virtual void set_aside(text_part rest) = 0;
  /// Work was done for somebody, who has had so much of his turns; returns whether other organisations wait.
  virtual bool charge_turn(const party& of, std::uint64_t units) = 0;
  /// Counts work that is charged to a client as part of the slice, and of the client's turns.
  void count(const caller& by, std::uint64_t units);

  time_point now_;
  std::uint64_t work_ = 0; ///< units that the method being run has taken so far

private:
  void answer(const text_part::request& request, const std::shared_ptr<text_answers>& to);

  std::optional<text_part> under_way_;
  std::uint64_t slice_ = 0; ///< units counted since the slice began
  work_shares shares_;
  watcher watcher_;
  std::vector<std::string> notices_;
};

} // namespace swarm::rpc
