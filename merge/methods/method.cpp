#include "merge/methods/method.hpp"

#include "merge/methods/kernels.hpp"
#include "merge/model/header_json.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace swarm::merge {

namespace {

constexpr std::array<std::string_view, 3> method_names{"mean", "coordmedian", "geomedian"};

class mean_algorithm final : public merge_algorithm {
public:
  result<> prepare(std::span<const model_file* const>, std::span<const double> weights) override {
    weights_ = scale_weights(weights);
    return {};
  }
  void combine(dtype type, std::span<const std::uint8_t* const> inputs, std::uint8_t* out,
               std::size_t count) const override {
    weighted_mean(type, inputs, weights_, out, count);
  }

private:
  mean_weights weights_;
};

} // namespace

result<merge_method> parse_merge_method(std::string_view text) {
  if (text.empty()) return merge_method::mean;
  std::string lower(text.substr(0, 64));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto found = std::find(method_names.begin(), method_names.end(), lower);
  if (found == method_names.end())
    return fail(errc::invalid, "unknown merge method {}; use mean, coordmedian or geomedian",
                quote_name(text));
  return static_cast<merge_method>(found - method_names.begin());
}

std::string_view name_of(merge_method method) {
  return method_names[static_cast<std::size_t>(method)];
}

result<> check_supported(merge_method method) {
  if (method == merge_method::mean) return {};
  return fail(merge_errc::not_implemented, "merge method '{}' is not in this version; use mean",
              name_of(method));
}

result<std::unique_ptr<merge_algorithm>> make_algorithm(merge_method method) {
  SWARM_CHECK(check_supported(method));
  return std::make_unique<mean_algorithm>();
}

} // namespace swarm::merge
