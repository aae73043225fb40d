#pragma once

#include "actors/swop/managers/docker/engine/exchange.hpp"
#include "actors/swop/managers/docker/engine/things.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace swarm::engine {

/// What happened in a build or a pull, as a person reads it: lines without control characters.
using on_line = std::function<void(std::string_view)>;

/// A container engine behind its Unix socket: Docker's, or Podman's with the same interface. Which version of the
/// interface both know is found out at the first call, and anew after the engine was away. Each call opens a
/// connection, blocks, and may be made from any thread. What the engine refuses is `refused`, `not_found` or
/// `conflict`, with the engine's own words.
class client {
public:
  explicit client(std::filesystem::path socket);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  const std::filesystem::path& socket() const;
  /// Whether it is there now. Fails with engine_errc::absent, forbidden or too_old.
  result<> ping();
  /// As it said when it was asked first.
  result<version_facts> version();

  // Images; `name` is one with a tag or a digest, or an identifier.
  result<image_facts> image(const std::string& name);
  result<std::vector<image_facts>> images(const label_map& with);
  /// Builds what `context`, an archive of tar, has; the image is called `what.name`. Fails with `failed`, and what
  /// failed has been told line by line.
  result<> build(const build_wanted& what, const body_source& context, const std::stop_token& stop,
                 const on_line& tell);
  /// An image of the files in an archive of tar.
  result<> import_image(const std::string& name, const label_map& labels, std::string archive);
  /// `credentials` as `registry_credentials` makes them; empty for none.
  result<> pull(const std::string& name, const std::string& credentials, const std::stop_token& stop,
                const on_line& tell);
  result<> tag(const std::string& name, const std::string& other);
  result<> remove_image(const std::string& name);

  result<volume_facts> volume(const std::string& name);
  result<std::vector<volume_facts>> volumes(const label_map& with);
  /// One that is there already stays as it is.
  result<> make_volume(const std::string& name, const label_map& labels);
  result<> remove_volume(const std::string& name);

  result<network_facts> network(const std::string& name);
  result<> make_network(const std::string& name, const std::string& subnet, const label_map& labels);
  /// With a fixed address unless `address` is empty.
  result<> connect(const std::string& network, const std::string& container, const std::string& address);
  result<> remove_network(const std::string& name);

  // Containers; `id` may be a name, too.
  /// Its identifier. It does not run.
  result<std::string> create(const std::string& name, const container_wanted& what);
  result<> start(const std::string& id);
  result<container_facts> inspect(const std::string& id);
  /// Running or not.
  result<std::vector<container_entry>> containers(const label_map& with);
  /// The last lines of both outputs, as they are; at most about a megabyte.
  result<std::string> logs(const std::string& id, std::size_t lines);
  /// SIGTERM, and SIGKILL after `grace`; returns when it has ended.
  result<> stop(const std::string& id, std::chrono::seconds grace);
  result<> kill(const std::string& id, const std::string& signal);
  /// With the volumes that have no name. `force`: ends it first.
  result<> remove(const std::string& id, bool force);
  /// Its exit code, when it has ended.
  result<int> wait(const std::string& id, const std::stop_token& stop);
  /// A folder of a container, running or not, as an archive of tar; and the reverse.
  result<> read_folder(const std::string& id, const std::string& path, const body_sink& sink,
                       const std::stop_token& stop);
  result<> write_folder(const std::string& id, const std::string& path, const body_source& archive,
                        const std::stop_token& stop);

  /// Tells what happens to containers with these labels from now on, and a little of what came before, until it fails or
  /// is stopped. `told` is called first with an event of no action.
  result<> events(const label_map& with, const std::stop_token& stop,
                  const std::function<void(const container_event&)>& told);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The registry that an image's name begins with; docker.io where it names none.
std::string registry_host(const std::string& image);
/// The header X-Registry-Auth of a user with a password.
std::string registry_credentials(const std::string& user, const std::string& password,
                                 const std::string& registry);
/// The same from the text of docker's config.json; empty where it has nothing for the registry of `image`.
result<std::string> registry_credentials_in(std::string_view config_json, const std::string& image);

} // namespace swarm::engine
