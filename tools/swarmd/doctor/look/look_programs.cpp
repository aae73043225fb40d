#include "actors/swop/choices.hpp"
#include "actors/swop/managers/docker/engine/client.hpp"
#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/build/child.hpp"
#include "actors/swop/managers/process/host_facts.hpp"
#include "config/sources/environment.hpp"
#include "tools/swarmd/doctor/look/look.hpp"
#include "tools/swarmd/doctor/look/within.hpp"

#include <boost/json.hpp>

namespace swarm::doctor {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds engine_max{10'000};
constexpr std::chrono::seconds python_max{10};
constexpr std::size_t last_lines_max = 10;

/// What a Python has, without importing frameworks, which takes seconds; nothing is compiled to files.
constexpr std::string_view python_look = R"(
import importlib.metadata as metadata, json, platform
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ''
out = {'version': platform.python_version(), 'package': '', 'fault': '', 'trouble': ''}
out['frameworks'] = [f'{name} {version(name)}' for name in ('torch', 'tensorflow', 'keras', 'numpy') if version(name)]
try:
    import swarmlearning
    out['package'] = swarmlearning.__version__
except Exception as why:
    lacks = isinstance(why, ModuleNotFoundError) and why.name == 'swarmlearning'
    out['fault'], out['trouble'] = 'no_package' if lacks else 'broken', f'{type(why).__name__}: {why}'[:500]
print(json.dumps(out))
)";

manager_facts::fault fault_of(const error& why) {
  using enum manager_facts::fault;
  if (why.is(engine::engine_errc::absent) || why.is(managers::manager_errc::not_installed)) return absent;
  if (why.is(engine::engine_errc::forbidden) || why.is(managers::manager_errc::forbidden)) return forbidden;
  if (why.is(engine::engine_errc::too_old)) return too_old;
  return other;
}

void take_trouble(manager_facts& into, const error& why) {
  into.is = fault_of(why);
  into.trouble = why.message;
}

manager_facts look_at_sandboxes() {
  manager_facts out;
  const auto bwrap = managers::find_bwrap();
  if (!bwrap) {
    take_trouble(out, bwrap.error());
  } else if (const auto tried = managers::try_sandbox(*bwrap); !tried) {
    take_trouble(out, tried.error());
  }
  return out;
}

manager_facts look_at_engine(const fs::path& socket, const std::string& image) {
  manager_facts out;
  out.is_engine = true;
  out.socket = socket.native();
  out.sl_image = image;
  engine::client engine(socket);
  const auto version = engine.version();
  if (!version) {
    take_trouble(out, version.error());
    return out;
  }
  out.product = version->product;
  out.version = version->version;
  out.api = version->api;
  const auto there = engine.image(image);
  out.sl_image_there = there.has_value();
  if (!there && !there.error().is(engine::engine_errc::not_found)) out.image_trouble = there.error().message;
  return out;
}

std::string text_at(const json::object& in, std::string_view key) {
  const auto* found = in.if_contains(json::string_view(key.data(), key.size()));
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

void read_python(python_facts& into, const std::string& said) {
  boost::system::error_code failure;
  const auto read = json::parse(said, failure);
  into.is = python_facts::fault::broken;
  into.trouble = said;
  if (failure || !read.is_object()) return;
  const auto& from = read.get_object();
  into.version = text_at(from, "version");
  into.package = text_at(from, "package");
  into.trouble = text_at(from, "trouble");
  const auto fault = text_at(from, "fault");
  if (fault.empty()) into.is = python_facts::fault::none;
  if (fault == "no_package") into.is = python_facts::fault::no_package;
  if (const auto* list = from.if_contains("frameworks"); list != nullptr && list->is_array())
    for (const auto& each : list->get_array())
      if (each.is_string()) into.frameworks.emplace_back(each.get_string());
}

config::environment environment_with(std::string_view name, std::string_view value) {
  auto out = config::process_environment();
  out[std::string(name)] = value;
  return out;
}

bool is_there(const fs::path& path) {
  std::error_code failure;
  return fs::exists(path, failure);
}

/// What has to be there for an option of the engine; empty: nothing that can be looked for.
std::string device_of(const std::string& option, const std::string& value) {
  if (option == "gpus") return value == "0" ? "" : "/dev/nvidiactl";
  return option == "device" ? value.substr(0, value.find(':')) : "";
}

} // namespace

manager_facts look_at_manager(const config::swop_options& options, tasks::manager_type type) {
  if (type == tasks::manager_type::process) return look_at_sandboxes();
  manager_facts none;
  none.is_engine = true;
  const auto socket = actors::engine_socket(options);
  if (!socket) {
    take_trouble(none, socket.error());
    return none;
  }
  auto out = within(engine_max, [where = *socket, image = actors::sl_image(options)] {
    return look_at_engine(where, image);
  });
  if (out) return *out;
  none.is = manager_facts::fault::other;
  none.trouble = fmt::format("{}: the container engine does not answer", socket->native());
  return none;
}

gpu_facts look_at_gpus(const tasks::swop_profile* profile, bool by_engine) {
  gpu_facts out;
  for (int i = 0; is_there(fmt::format("/dev/nvidia{}", i)); ++i)
    out.devices.push_back(fmt::format("/dev/nvidia{}", i));
  if (is_there("/dev/kfd")) out.devices.emplace_back("/dev/kfd");
  if (profile == nullptr) return out;
  out.hidden = by_engine && (is_there("/.dockerenv") || is_there("/run/.containerenv"));
  for (const auto& node : profile->nodes)
    for (const auto& option : node.user_options)
      for (const auto& value : option.values)
        if (const auto device = device_of(option.name, value); !device.empty())
          if (const auto text = fmt::format("{}: {}", option.name, value);
              std::none_of(out.wishes.begin(), out.wishes.end(),
                           [&](const auto& each) { return each.option == text; }))
            out.wishes.push_back({text, device, is_there(device)});
  return out;
}

python_facts look_at_python(const std::string& program, bool named) {
  python_facts out;
  out.program = program;
  out.named = named;
  std::string said;
  const auto ended = build::run_child({.words = {program, "-c", std::string(python_look)},
                                       .environment = environment_with("PYTHONDONTWRITEBYTECODE", "1"),
                                       .folder = "/",
                                       .mounts = {}},
                                      {.deadline = std::chrono::steady_clock::now() + python_max}, {},
                                      [&said](std::string_view line) { said = line; });
  if (!ended) {
    const bool late = ended.error().is(build::child_errc::out_of_time);
    out.is = late ? python_facts::fault::broken : python_facts::fault::no_python;
    out.trouble = late ? fmt::format("not done in {} s", python_max.count()) : ended.error().message;
    return out;
  }
  read_python(out, said);
  if (ended->exit_code == 127 && out.is == python_facts::fault::broken)
    out.is = python_facts::fault::no_python;
  return out;
}

program_facts run_alone(const std::string& command, unsigned seconds) {
  program_facts out;
  out.command = command;
  out.seconds = seconds;
  std::error_code failure;
  const auto ended =
      build::run_child({.words = {"/bin/sh", "-c", command},
                        .environment = environment_with("SWARM_LOOPBACK", "True"),
                        .folder = fs::current_path(failure),
                        .mounts = {}},
                       {.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds)}, {},
                       [&out](std::string_view line) {
                         out.last_lines.emplace_back(line);
                         if (out.last_lines.size() > last_lines_max)
                           out.last_lines.erase(out.last_lines.begin());
                       });
  if (ended)
    out.exit_code = ended->exit_code;
  else if (ended.error().is(build::child_errc::out_of_time))
    out.out_of_time = true;
  else
    out.trouble = ended.error().message;
  return out;
}

} // namespace swarm::doctor
