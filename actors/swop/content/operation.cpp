#include "actors/swop/content/operation.hpp"

#include "actors/swop/content/relative_path.hpp"

#include <algorithm>
#include <cctype>

namespace swarm::content {

namespace {

constexpr std::size_t target_bytes_max = 2048;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// The last part of an address's path, without query and fragment. It may be empty.
std::string_view last_part(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  const auto authority = target.find("://");
  if (authority != std::string_view::npos) target.remove_prefix(authority + 3);
  const auto slash = target.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : target.substr(slash + 1);
}

result<> read_option(operation& to, std::string_view key, std::string_view value) {
  const auto name = lower(key);
  if (name == "out") {
    to.out = value;
    return {};
  }
  if (name == "sha256") {
    auto digest = fixed_from_hex<32>(value);
    if (!digest)
      return fail(content_errc::bad_operation, "option Sha256: '{}' is no digest; give 64 hexadecimal digits",
                  shown(value));
    to.sha256 = *digest;
    return {};
  }
  return fail(content_errc::bad_operation, "option '{}' is not known; there are Out and Sha256", shown(key));
}

} // namespace

bool is_outside_volume(std::string_view target) {
  return target.starts_with('/') || target.find("://") != std::string_view::npos;
}

result<operation> read_operation(std::string_view name, std::string_view target,
                                 const operation_options& options) {
  operation out;
  if (name == "EXTRACT")
    out.what = operation::kind::extract;
  else if (name != "DOWNLOAD")
    return fail(content_errc::bad_operation, "operation '{}' is not known; there are DOWNLOAD and EXTRACT",
                shown(name));
  if (target.empty() || target.size() > target_bytes_max)
    return fail(content_errc::bad_operation, "{}: Target has {} bytes; 1 to {} are allowed", name,
                target.size(), target_bytes_max);
  out.target = target;
  for (const auto& [key, value] : options)
    if (auto done = read_option(out, key, value); !done) return fail_with(std::move(done).error(), name);

  const bool download = out.what == operation::kind::download;
  if (download && !is_outside_volume(target))
    return fail(content_errc::bad_operation,
                "DOWNLOAD: Target is no address; it begins with http://, https:// or file://");
  if (download && (out.out.empty() || out.out.ends_with('/'))) {
    const auto file_name = last_part(target);
    if (file_name.empty())
      return fail(content_errc::bad_operation,
                  "DOWNLOAD: the address ends without a file's name; give one with the option Out");
    out.out += file_name;
  }
  const auto path = split_path(out.out);
  if (path.fault != path_fault::none)
    return fail(content_errc::bad_operation, "{}: Out '{}' {}", name, shown(out.out), explain(path.fault));
  if (download && path.parts.empty())
    return fail(content_errc::bad_operation, "DOWNLOAD: Out '{}' names no file", shown(out.out));
  out.out = join_path(path.parts);
  if (!is_outside_volume(target)) {
    const auto from = split_path(target);
    if (from.fault != path_fault::none || from.parts.empty())
      return fail(content_errc::bad_operation, "EXTRACT: Target '{}' {}", shown(target),
                  from.parts.empty() && from.fault == path_fault::none ? "names no file"
                                                                       : explain(from.fault));
    out.target = join_path(from.parts);
  }
  return out;
}

} // namespace swarm::content
