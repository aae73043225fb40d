#include "actors/metrics/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>

namespace swarm::metrics {

void counter::add(double more) const {
  to_->Increment(more);
}

void counter::grow_to(double total) const {
  if (const auto more = total - to_->Value(); more > 0) to_->Increment(more);
}

void gauge::set(double now) const {
  to_->Set(now);
}

void histogram::observe(std::chrono::duration<double> took) const {
  to_->Observe(took.count());
}

/// One of a kind: its families by name, with what they have.
template <class Value>
struct families {
  struct entry {
    prometheus::Family<Value>* family;
    std::map<labels, Value*> values;
  };
  std::map<std::string_view, entry> by_name;

  template <class... Args>
  Value& value(prometheus::detail::Builder<Value> builder, prometheus::Registry& all, const series& what,
               const labels& which, Args&&... args) {
    auto found = by_name.find(what.name);
    if (found == by_name.end()) {
      auto& family = builder.Name(std::string(what.name)).Help(std::string(what.help)).Register(all);
      found = by_name.emplace(what.name, entry{&family, {}}).first;
    }
    auto& [family, values] = found->second;
    auto& at = values[which];
    if (at == nullptr) at = &family->Add(which, std::forward<Args>(args)...);
    return *at;
  }

  void remove(const labels& with) {
    const auto has_it = [](const labels& which, const auto& label) {
      const auto found = which.find(label.first);
      return found != which.end() && found->second == label.second;
    };
    for (auto& [name, one] : by_name)
      for (auto it = one.values.begin(); it != one.values.end();) {
        const bool fits =
            std::ranges::all_of(with, [&](const auto& label) { return has_it(it->first, label); });
        if (fits) one.family->Remove(it->second);
        it = fits ? one.values.erase(it) : std::next(it);
      }
  }
};

struct registry::impl {
  prometheus::Registry all;
  std::mutex mutex; ///< guards what follows
  families<prometheus::Counter> counters;
  families<prometheus::Gauge> gauges;
  families<prometheus::Histogram> histograms;
};

registry::registry() : impl_(std::make_unique<impl>()) {}
registry::~registry() = default;

counter registry::counter_of(const series& what, const labels& which) {
  const std::lock_guard lock(impl_->mutex);
  return counter(impl_->counters.value(prometheus::BuildCounter(), impl_->all, what, which));
}

gauge registry::gauge_of(const series& what, const labels& which) {
  const std::lock_guard lock(impl_->mutex);
  return gauge(impl_->gauges.value(prometheus::BuildGauge(), impl_->all, what, which));
}

histogram registry::histogram_of(const timed_series& what, const labels& which) {
  const std::lock_guard lock(impl_->mutex);
  return histogram(impl_->histograms.value(prometheus::BuildHistogram(), impl_->all, what, which,
                                           prometheus::Histogram::BucketBoundaries(what.bounds)));
}

void registry::remove(const labels& with) {
  const std::lock_guard lock(impl_->mutex);
  impl_->counters.remove(with);
  impl_->gauges.remove(with);
  impl_->histograms.remove(with);
}

std::string registry::text() const {
  return prometheus::TextSerializer().Serialize(impl_->all.Collect());
}

} // namespace swarm::metrics
