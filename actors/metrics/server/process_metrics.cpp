#include "actors/metrics/server/process_metrics.hpp"

#include "actors/metrics/series.hpp"
#include "base/file.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <vector>

namespace swarm::metrics {

namespace {

constexpr std::size_t proc_file_max = 64 * 1024;

/// Fields of /proc/self/stat by their numbers in proc(5), the third one on. The second is the program's name, in which
/// anything may be.
class stat_fields {
public:
  stat_fields() : text_(read_file("/proc/self/stat", proc_file_max).value_or("")) {
    std::size_t at = text_.rfind(')');
    while (at != text_.npos && (at = text_.find_first_not_of(" )\n", at)) != text_.npos) {
      const auto end = std::min(text_.find(' ', at), text_.size());
      fields_.push_back(std::string_view(text_).substr(at, end - at));
      at = end;
    }
  }
  double operator[](std::size_t number) const {
    double out = 0;
    if (number < 3 || number - 3 >= fields_.size()) return 0;
    const auto field = fields_[number - 3];
    std::from_chars(field.data(), field.data() + field.size(), out);
    return out;
  }

private:
  std::string text_;
  std::vector<std::string_view> fields_;
};

double ticks_per_second() {
  return static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds() {
  rusage used = {};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return 0;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// When the host was started, in seconds since 1970.
double boot_time() {
  const auto text = read_file("/proc/stat", std::size_t{1} << 20U).value_or("");
  const auto at = text.find("\nbtime ");
  return at == text.npos ? 0 : std::strtod(text.c_str() + at + 7, nullptr);
}

double open_fds() {
  std::error_code failed;
  double count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failed);
       !failed && it != std::filesystem::directory_iterator(); it.increment(failed))
    ++count;
  return count;
}

} // namespace

process_metrics::process_metrics(registry& to, const std::string& version)
    : cpu_(to.counter_of(process_cpu, {})), resident_(to.gauge_of(process_resident, {})),
      virtual_(to.gauge_of(process_virtual, {})), fds_(to.gauge_of(process_fds, {})),
      threads_(to.gauge_of(process_threads, {})) {
  to.gauge_of(build_info, {{"version", version}}).set(1);
  to.gauge_of(process_start, {}).set(boot_time() + stat_fields()[22] / ticks_per_second());
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    to.gauge_of(process_fds_max, {}).set(static_cast<double>(limit.rlim_cur));
}

void process_metrics::read() {
  const stat_fields stat;
  cpu_.grow_to(cpu_seconds());
  virtual_.set(stat[23]);
  resident_.set(stat[24] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  threads_.set(stat[20]);
  fds_.set(open_fds());
}

} // namespace swarm::metrics
