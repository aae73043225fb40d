#include "actors/swop/managers/process/build/environment.hpp"

#include "actors/swop/content/tree.hpp"
#include "actors/swop/managers/process/build/context_files.hpp"
#include "actors/swop/managers/process/build/record.hpp"
#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

#include <algorithm>

namespace swarm::build {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

namespace {

bool is_client_wheel(std::string_view source) {
  source = source.substr(source.rfind('/') + 1);
  return source.starts_with("swarmlearning") && source.ends_with(".whl");
}

class builder {
public:
  builder(const build_request& what, const std::stop_token& stop, const on_build_line& on_line)
      : what_(what), stop_(stop), on_line_(on_line), deadline_(clock::now() + what.time_max) {}

  result<built_environment> run();

private:
  result<> refuse() const;
  result<> choose_python();
  result<> find_files();
  result<std::string> digest() const;
  result<> make();
  result<> carry_out(const step& one, std::size_t index);
  result<> install(const step& one, const pip_install& what);
  result<fs::path> with_proper_name(const fs::path& wheel) const;
  result<child_end> run_program(std::vector<std::string> words, variables environment, const fs::path& folder,
                                const on_build_line& on_line) const;
  result<child_end> run(const child_command& what, const on_build_line& on_line) const;
  std::vector<managers::mount> mounts() const;
  result<std::string> ask(const fs::path& python, const char* script) const;
  fs::path root() const { return folder_ / "root"; }
  fs::path in_root(std::string_view path) const { return path == "/" ? root() : root() / path.substr(1); }
  void say(std::string_view text) const {
    if (on_line_) on_line_(text);
  }

  const build_request& what_;
  const std::stop_token& stop_;
  const on_build_line& on_line_;
  clock::time_point deadline_;
  fs::path folder_;
  fs::path python_;
  std::string python_is_;                                   ///< version and place
  std::optional<image_folder> image_;                       ///< `root`
  std::vector<std::vector<context_file>> files_;            ///< of each step that is a COPY
  std::map<std::string, std::string, std::less<>> instead_; ///< paths of a client's wheel, and of ours
};

result<> builder::refuse() const {
  for (const auto& each : what_.steps.notes)
    say(each);
  if (what_.steps.refusals.empty()) return {};
  for (const auto& each : what_.steps.refusals)
    say(each);
  const auto more = what_.steps.refusals.size() - 1;
  return fail(build_errc::needs_engine, "{}{}", what_.steps.refusals.front(),
              more == 0 ? "" : fmt::format(" (and {} more lines)", more));
}

result<child_end> builder::run_program(std::vector<std::string> words, variables environment,
                                       const fs::path& folder, const on_build_line& on_line) const {
  environment.insert(what_.host_variables.begin(), what_.host_variables.end());
  // What it would keep is gone with the sandbox.
  environment.try_emplace("PIP_NO_CACHE_DIR", "1");
  child_command command{std::move(words), std::move(environment), folder, mounts()};
  if (what_.confine) {
    SWARM_TRY(command, what_.confine(std::move(command)));
  }
  return run(command, on_line);
}

result<child_end> builder::run(const child_command& what, const on_build_line& on_line) const {
  auto ended = run_child(what, {.deadline = deadline_}, stop_, on_line);
  if (ended) return ended;
  if (ended.error().is(child_errc::stopped)) return fail(build_errc::stopped, "stopped");
  if (ended.error().is(child_errc::out_of_time))
    return fail(build_errc::out_of_time, "not built within {} seconds", what_.time_max.count());
  return ended;
}

/// What programs of the build see of this host. The environment's folder itself stays this process's own, so that
/// nothing else comes into the place of "venv" or "root".
std::vector<managers::mount> builder::mounts() const {
  std::vector<managers::mount> out;
  const auto add = [&](const fs::path& from, const fs::path& to, bool writable) {
    const auto there = std::ranges::any_of(out, [&](const auto& each) { return each.target == to.native(); });
    if (!there) out.push_back({from.native(), to.native(), writable});
  };
  add(folder_ / "tmp", "/tmp", true); // on the disk, as packages are large
  for (const auto* each : {"venv", "root"})
    add(folder_ / each, folder_ / each, true);
  for (const auto& each : what_.readable)
    add(each, each, false);
  return out;
}

/// What this host's own Python answers.
result<std::string> builder::ask(const fs::path& python, const char* script) const {
  std::string said;
  SWARM_TRY(const auto end, run({{python.native(), "-c", script}, what_.host_variables, "/", {}},
                                [&](std::string_view line) { said = line; }));
  if (end.exit_code == 0) return said;
  return fail(build_errc::no_python, "{} does not run: {}", python.native(), end.last_line);
}

/// The Python that FROM names, if this host has it, or the one it has.
result<> builder::choose_python() {
  const auto ask = [&](const fs::path& python) {
    return this->ask(python, "import sys; print('%d.%d.%d %s' % (*sys.version_info[:3], sys.prefix))");
  };
  const auto fits = [&](std::string_view version) {
    const auto& wanted = what_.steps.python_version;
    return wanted.empty()
           || (version.starts_with(wanted)
               && (version.size() == wanted.size() || version[wanted.size()] == '.'));
  };
  python_ = what_.python;
  auto found = ask(python_);
  if (found && fits(found->substr(0, found->find(' ')))) {
    python_is_ = *found;
    return {};
  }
  const auto other = "python" + what_.steps.python_version;
  if (!what_.steps.python_version.empty()) {
    // Training programs see no Python but those of the system.
    if (const auto said = ask(other);
        said && fits(said->substr(0, said->find(' '))) && said->find(" /usr") != std::string::npos) {
      python_ = other;
      python_is_ = *said;
      return {};
    }
  }
  if (!found) {
    if (found.error().is(child_errc::not_started))
      return fail(build_errc::no_python, "{}; install python3 and python3-venv, or name another Python",
                  found.error().message);
    return tl::unexpected(std::move(found).error());
  }
  python_is_ = *found;
  say(fmt::format("FROM names Python {}; this host has {}, which is used", what_.steps.python_version,
                  found->substr(0, found->find(' '))));
  return {};
}

result<> builder::find_files() {
  files_.resize(what_.steps.steps.size());
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto& each = what_.steps.steps[i];
    const auto* copy = std::get_if<copy_files>(&each.what);
    if (!copy) continue;
    std::vector<std::string> missing;
    if (what_.context) {
      SWARM_TRY(files_[i], files_of(*copy, *what_.context, missing));
    } else {
      missing = copy->sources;
    }
    for (const auto& source : missing) {
      if (!is_client_wheel(source) || !what_.client_package)
        return fail(build_errc::missing_file, "line {}: {}: '{}' is not in the build context{}", each.line,
                    each.shown, shown(source),
                    what_.context
                        ? fmt::format(" {} ({}); put it there", what_.context_name, what_.context->native())
                        : ", as BuildContext names none; put it into a volume and name that");
      const auto& ours = *what_.client_package;
      const auto target =
          copy->into_folder ? image_path(copy->target, fs::path(source).filename().native()) : copy->target;
      const auto place = image_path(target, "../" + ours.filename().native());
      files_[i].push_back({ours, place});
      instead_[target] = place;
      say(fmt::format(
          "line {}: '{}' is not in the build context: the client package that comes with swarmd ({}) is "
          "used in its place",
          each.line, shown(source), ours.filename().native()));
    }
  }
  return {};
}

/// Of everything on which the result depends, but for what pip finds in its index.
result<std::string> builder::digest() const {
  sha256_stream all;
  all.update(as_bytes(what_.source + "\n" + python_is_ + "\n"));
  for (const auto& each : files_)
    SWARM_CHECK(digest_files(each, all, stop_));
  return to_hex(all.finish().view(), false);
}

/// A wheel under a name that pip of any version takes: the original's client has the word "client" where the version
/// belongs, which pip refuses since its version 25.
result<fs::path> builder::with_proper_name(const fs::path& wheel) const {
  constexpr std::string_view improper = "swarmlearning-client-";
  const auto name = wheel.filename().native();
  std::error_code problem;
  if (!name.starts_with(improper) || !is_client_wheel(name) || !fs::exists(wheel, problem)) return wheel;
  std::string version;
  constexpr const char* script =
      "import email, sys, zipfile\n"
      "at = zipfile.ZipFile(sys.argv[1])\n"
      "name = next(n for n in at.namelist() if n.endswith('.dist-info/METADATA'))\n"
      "print(email.message_from_bytes(at.read(name))['Version'])\n";
  SWARM_TRY(const auto end,
            run_program({(folder_ / "venv/bin/python").native(), "-c", script, wheel.native()}, {}, "/",
                        [&](std::string_view line) { version = line; }));
  const bool is_version =
      end.exit_code == 0 && version.find_first_not_of("0123456789.abcrpostdev+") == std::string::npos;
  if (!is_version || version.empty()) return wheel; // pip says what is wrong with it
  const auto proper = "/.wheels/swarmlearning-" + version + "-" + name.substr(improper.size());
  SWARM_CHECK(image_->link(proper, "/" + wheel.lexically_relative(root()).native()));
  return in_root(proper);
}

result<> builder::install(const step& one, const pip_install& what) {
  std::vector<std::string> words{(folder_ / "venv/bin/python").native(), "-m", "pip", "install", "--no-input",
                                 "--disable-pip-version-check"};
  for (const auto& each : what.words) {
    if (each.path.empty()) {
      words.push_back(each.text);
      continue;
    }
    const auto other = instead_.find(each.path);
    for (const auto& path : matches_of(root(), other == instead_.end() ? each.path : other->second)) {
      SWARM_TRY(const auto named, with_proper_name(path));
      words.push_back(named.native() + each.text);
    }
  }
  auto environment = what.environment;
  environment.erase("PATH");
  environment["VIRTUAL_ENV"] = (folder_ / "venv").native();
  environment["PYTHONNOUSERSITE"] = "1";
  SWARM_CHECK(image_->make_folders(what.folder));
  SWARM_TRY(const auto end,
            run_program(std::move(words), std::move(environment), in_root(what.folder), on_line_));
  if (end.exit_code == 0) return {};
  const bool has_client = what_.client_package && one.shown.find("swarmlearning") != std::string::npos;
  return fail(
      build_errc::failed, "line {}: {}: pip ended with exit code {}: {}{}", one.line, one.shown,
      end.exit_code, shown(end.last_line),
      has_client
          ? "; without that wheel in the build context the client package that comes with swarmd is used"
          : "");
}

result<> builder::carry_out(const step& one, std::size_t index) {
  if (what_.on_step) what_.on_step(one.line);
  say(fmt::format("line {}: {}", one.line, one.shown));
  if (const auto* pip = std::get_if<pip_install>(&one.what)) return install(one, *pip);
  if (const auto* folders = std::get_if<make_folders_step>(&one.what)) {
    for (const auto& each : folders->paths)
      SWARM_CHECK(image_->make_folders(each));
    return {};
  }
  if (const auto* text = std::get_if<write_text>(&one.what)) return image_->write(text->path, text->text);
  for (const auto& each : files_[index]) {
    if (stop_.stop_requested()) return fail(build_errc::stopped, "stopped");
    SWARM_CHECK(image_->place(each));
  }
  return {};
}

result<> builder::make() {
  for (const auto* each : {"venv", "root", "tmp"})
    SWARM_CHECK(make_folders(folder_ / each, 0755));
  SWARM_TRY(image_, image_folder::open(root()));
  SWARM_TRY(const auto end,
            run_program({python_.native(), "-m", "venv", (folder_ / "venv").native()}, {}, "/", on_line_));
  if (end.exit_code != 0)
    return fail(build_errc::no_python, "{} cannot make an environment{}: {}", python_.native(),
                end.exit_code == 1 ? " (is the package python3-venv installed?)" : "", shown(end.last_line));
  for (std::size_t i = 0; i < what_.steps.steps.size(); ++i)
    SWARM_CHECK(carry_out(what_.steps.steps[i], i));
  SWARM_CHECK(content::remove_tree(folder_ / "tmp"));
  return content::sync_file_system(folder_);
}

result<built_environment> builder::run() {
  SWARM_CHECK(refuse());
  SWARM_CHECK(make_folders(what_.environments, 0755));
  SWARM_CHECK(choose_python());
  SWARM_CHECK(find_files());
  SWARM_TRY(const auto found, digest());
  const record records(what_.environments, what_.name);
  if (const auto before = records.read(); before && before->digest == found && fs::exists(before->folder)) {
    say(fmt::format("{} was built before from the same steps and files", what_.name));
    return before->built();
  }
  SWARM_TRY(folder_, records.new_folder());
  if (auto done = make(); !done) {
    std::ignore = content::remove_tree(folder_);
    return tl::unexpected(std::move(done).error());
  }
  const record_entry entry{found, folder_, what_.steps.environment, what_.steps.folder};
  SWARM_CHECK(records.write(entry));
  records.drop_others(folder_);
  return entry.built();
}

} // namespace

result<built_environment> build_environment(const build_request& what, const std::stop_token& stop,
                                            const on_build_line& on_line) {
  auto done = builder(what, stop, on_line).run();
  if (!done) return fail_with(std::move(done).error(), shown(what.name));
  return done;
}

result<built_environment> find_environment(const fs::path& environments, std::string_view name) {
  if (const auto found = record(environments, name).read()) return found->built();
  return fail(
      build_errc::no_environment,
      "there is no environment '{}' on this host; run the MAKE_USER_CONTAINER task whose Outcome it is",
      shown(name));
}

} // namespace swarm::build
