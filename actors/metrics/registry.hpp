#pragma once

#include <chrono>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
// NOLINTBEGIN(readability-identifier-naming): the names are theirs
class Counter;
class Gauge;
class Histogram;
// NOLINTEND(readability-identifier-naming)
} // namespace prometheus

namespace swarm::metrics {

using labels = std::map<std::string, std::string>;

/// What is counted or measured under one name; series.hpp has them all.
struct series {
  std::string_view name;
  std::string_view help;
};
/// A series of durations, in seconds, with the upper bounds of its buckets.
struct timed_series : series {
  std::initializer_list<double> bounds;
};

// One value of a series. Any thread may change it, and does not wait. It lives as long as its registry, unless it is removed.

class counter {
public:
  void add(double more = 1) const;
  /// For what is counted elsewhere: nothing happens when the total has not grown.
  void grow_to(double total) const;

private:
  friend class registry;
  explicit counter(prometheus::Counter& to) : to_(&to) {}
  prometheus::Counter* to_;
};

class gauge {
public:
  void set(double now) const;

private:
  friend class registry;
  explicit gauge(prometheus::Gauge& to) : to_(&to) {}
  prometheus::Gauge* to_;
};

class histogram {
public:
  void observe(std::chrono::duration<double> took) const;

private:
  friend class registry;
  explicit histogram(prometheus::Histogram& to) : to_(&to) {}
  prometheus::Histogram* to_;
};

/// All that one process counts and measures. Who measures asks for a value once, and then only changes it; who asks for the
/// same labels again, as an actor that was restarted, gets the same value. So what is read here is never waited for: of an
/// actor that is stuck it is what it has told last.
class registry {
public:
  registry();
  ~registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  counter counter_of(const series& what, const labels& which);
  gauge gauge_of(const series& what, const labels& which);
  histogram histogram_of(const timed_series& what, const labels& which);

  /// Removes every value that has these labels, as of a training that is over; their handles must not be used any more.
  void remove(const labels& with);

  /// All of it in Prometheus's text format 0.0.4.
  std::string text() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace swarm::metrics
