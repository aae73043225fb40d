#include "actors/swop/managers/docker/volumes/engine_volumes.hpp"

#include "actors/swop/managers/docker/volumes/tar_pack.hpp"
#include "base/bytes.hpp"
#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace swarm::engine {

namespace {

constexpr std::string_view made_label = "swarmd.volume", helper_label = "swarmd.helper",
                           owner_label = "swarmd.owner";
/// Where a container that never runs has the volume, through which files come and go.
constexpr std::string_view place = "/volume";
constexpr std::string_view empty_image = "localhost/swarmd/empty:1";
constexpr std::size_t end_of_archive_bytes = 1024;
constexpr std::chrono::milliseconds lock_wait_max{120'000}, lock_pause{100};

bool is_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'
           || c == '-';
  };
  return name.size() > 1 && name.size() <= 200 && std::ranges::all_of(name, is_plain) && name.front() != '.'
         && name.front() != '_' && name.front() != '-';
}

/// A container that never runs, as long as it exists; with a volume, or with none.
class helper_container {
public:
  static result<helper_container> make(client& of, const std::string& owner, const std::string& name,
                                       const std::string& volume) {
    if (const auto there = of.image(std::string(empty_image)); !there) {
      if (!there.error().is(engine_errc::not_found)) return tl::unexpected(there.error());
      SWARM_CHECK(of.import_image(std::string(empty_image), {{std::string(helper_label), "1"}},
                                  tar_of_file("empty", "") + std::string(end_of_archive_bytes, '\0')));
    }
    container_wanted what;
    what.image = empty_image;
    what.entrypoint = {"never-run"};
    what.labels[std::string(helper_label)] = owner;
    if (!volume.empty()) what.mounts = {{volume, std::string(place), true}};
    what.network = "none";
    auto id = of.create(name, what);
    if (!id) return tl::unexpected(std::move(id).error());
    return helper_container(of, std::move(*id));
  }
  /// One that has the volume.
  static result<helper_container> holder(client& of, const std::string& owner, const std::string& volume) {
    std::array<std::uint8_t, 8> mark{};
    fill_random(mark);
    return make(of, owner, fmt::format("swarmd-volume-{}", to_hex(mark, false)), volume);
  }
  /// One of a kind for each name of a volume: who has it is the only one that replaces that volume. SWOPs with one engine
  /// may do so at the same time, as their nodes may have the same numbers.
  static result<helper_container> lock(client& of, const std::string& owner, const std::string& volume,
                                       const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + lock_wait_max;
    for (;;) {
      auto made = make(of, owner, "swarmd-fill-" + volume, {});
      if (made || !made.error().is(engine_errc::conflict)) return made;
      if (stop.stop_requested()) return fail(engine_errc::stopped, "stopped");
      if (std::chrono::steady_clock::now() >= until)
        return fail(volume_errc::in_use,
                    "another SWOP fills the volume {}: wait, or if there is none remove the container "
                    "swarmd-fill-{}",
                    volume, volume);
      std::this_thread::sleep_for(lock_pause);
    }
  }

  helper_container(helper_container&& from) noexcept : of_(from.of_), id_(std::exchange(from.id_, {})) {}
  helper_container& operator=(helper_container&&) = delete;
  ~helper_container() {
    if (!id_.empty()) std::ignore = of_->remove(id_, true);
  }

  const std::string& id() const { return id_; }

private:
  helper_container(client& of, std::string id) : of_(&of), id_(std::move(id)) {}

  client* of_;
  std::string id_;
};

result<> check_replaceable(client& of, const std::string& name) {
  const auto there = of.volume(name);
  if (!there) {
    if (there.error().is(engine_errc::not_found)) return {};
    return tl::unexpected(there.error());
  }
  if (there->labels.contains(std::string(made_label))) return {};
  return fail(volume_errc::in_use,
              "the volume {} is not one that a task has made: remove it, or choose another Outcome", name);
}

result<> fill(client& of, const std::string& owner, const std::string& name, const std::string& task_name,
              const body_source& archive, const std::stop_token& stop) {
  SWARM_TRY(const auto lock, helper_container::lock(of, owner, name, stop));
  if (of.volume(name)) {
    const auto gone = of.remove_volume(name);
    if (!gone && gone.error().is(engine_errc::conflict))
      return fail(volume_errc::in_use,
                  "the volume {} is in use: RESET the taskrunner whose containers have it", name);
    SWARM_CHECK(gone);
  }
  SWARM_CHECK(
      of.make_volume(name, {{std::string(made_label), task_name}, {std::string(owner_label), owner}}));
  const auto done = [&]() -> result<> {
    SWARM_TRY(const auto holder, helper_container::holder(of, owner, name));
    return of.write_folder(holder.id(), std::string(place), archive, stop);
  }();
  if (!done) std::ignore = of.remove_volume(name);
  return done;
}

} // namespace

result<named_volume> find_volume(client& of, const std::string& name, std::optional<std::uint64_t> node) {
  if (!is_name(name))
    return fail(volume_errc::none, "'{}' is no name of a volume: letters, digits, '_', '.' and '-'", name);
  std::vector<std::string> names{name};
  if (node) names.insert(names.begin(), fmt::format("{}-{}", name, *node));
  for (const auto& each : names) {
    const auto there = of.volume(each);
    if (!there) {
      if (there.error().is(engine_errc::not_found)) continue;
      return tl::unexpected(there.error());
    }
    const auto label = there->labels.find(std::string(made_label));
    const bool made = label != there->labels.end() && label->second == name;
    if (each == name || made) return named_volume{each, made};
  }
  return fail(volume_errc::none, "the container engine has no volume '{}'", name);
}

void remove_helpers(client& of, const std::string& owner) {
  const auto left = of.containers({{std::string(helper_label), owner}});
  if (!left) return;
  for (const auto& each : *left)
    if (const auto label = each.labels.find(std::string(helper_label));
        label != each.labels.end() && label->second == owner)
      std::ignore = of.remove(each.id, true);
}

result<> fill_volumes(client& of, const std::string& owner, const std::string& name,
                      const std::vector<std::uint64_t>& nodes,
                      const std::vector<std::filesystem::path>& folders, std::uint32_t uid, std::uint32_t gid,
                      const std::stop_token& stop) {
  if (!is_name(name))
    return fail(volume_errc::none, "'{}' is no name of a volume: letters, digits, '_', '.' and '-'", name);
  std::vector<std::string> names;
  for (const auto node : nodes)
    names.push_back(fmt::format("{}-{}", name, node));
  if (nodes.empty()) names.push_back(name);
  for (const auto& each : names)
    SWARM_CHECK(check_replaceable(of, each));
  SWARM_CHECK(check_replaceable(of, name));
  for (std::size_t i = 0; i < names.size(); ++i)
    SWARM_CHECK(fill(of, owner, names[i], name, tar_of_folder(folders.at(i), uid, gid), stop));
  // Copies of an earlier time that no node of today has. Another SWOP with this engine has its own.
  SWARM_TRY(const auto all, of.volumes({{std::string(made_label), name}, {std::string(owner_label), owner}}));
  for (const auto& each : all)
    if (std::ranges::find(names, each.name) == names.end()) std::ignore = of.remove_volume(each.name);
  return {};
}

result<> read_volume(client& of, const std::string& owner, const std::string& name, const body_sink& sink,
                     const std::stop_token& stop) {
  SWARM_TRY(const auto holder, helper_container::holder(of, owner, name));
  return of.read_folder(holder.id(), std::string(place) + "/.", sink, stop);
}

} // namespace swarm::engine
