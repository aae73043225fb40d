#include "actors/sl/follower/commit_secret.hpp"

#include "base/file.hpp"
#include "base/random.hpp"

namespace swarm::actors {

result<hash32> open_commit_secret(const std::filesystem::path& path) {
  hash32 out;
  if (const auto kept = read_file(path, out.size()); kept && kept->size() == out.size())
    return *hash32::from_view(as_bytes(*kept));
  fill_random(out);
  SWARM_CHECK(replace_file(path, out.view()));
  return out;
}

} // namespace swarm::actors
