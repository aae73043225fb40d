#include "merge/store/model_store.hpp"

#include "merge/store/store_state.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace swarm::merge {

namespace {

constexpr std::string_view suffix = ".safetensors";

std::optional<hash32> digest_of_name(std::string_view name) {
  if (name.size() != 64 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  const auto hex = name.substr(0, 64);
  if (hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  return *fixed_from_hex<32>(hex);
}

/// Registers the models of an earlier process and removes those that it did not finish.
result<> scan(store_state& state) {
  std::error_code code;
  for (auto it = std::filesystem::directory_iterator(state.directory, code);
       !code && it != std::filesystem::directory_iterator(); it.increment(code)) {
    const auto name = it->path().filename().string();
    std::error_code ignored;
    if (name.starts_with(unfinished_prefix)) {
      std::filesystem::remove(it->path(), ignored);
      continue;
    }
    if (name.starts_with(part_prefix)) {
      state.find_left_part(it->path());
      continue;
    }
    const auto digest = digest_of_name(name);
    if (!digest || !std::filesystem::is_regular_file(it->symlink_status(ignored))) continue;
    const auto size = std::filesystem::file_size(it->path(), ignored);
    if (ignored) continue;
    state.models[*digest] = {.size = size, .serial = state.next_serial++};
    state.used += size;
  }
  if (code) return fail(errc::io, "model directory {}: cannot be read: {}", state.directory, code.message());
  return {};
}

} // namespace

std::string store_state::path_of(const hash32& digest) const {
  return fmt::format("{}/{}{}", directory, to_hex(digest.view(), false), suffix);
}

result<> store_state::reserve(std::uint64_t size) {
  const std::lock_guard guard(mutex);
  const auto is_full = [&](std::uint64_t taken) {
    return limits.bytes_max != 0 && (taken > limits.bytes_max || size > limits.bytes_max - taken);
  };
  if (!is_full(used + reserved - spare_bytes()))
    while (is_full(used + reserved + left_bytes()) && (drop_left_part() || drop_spare())) {
    }
  const auto taken = used + reserved + left_bytes();
  if (is_full(taken))
    return fail(
        merge_errc::store_full,
        "model directory {}: full: {} of the {} bytes allowed are taken, {} more are needed; allow more "
        "with --store-quota (a leader has the models of a whole round)",
        directory, taken, limits.bytes_max, size);
  reserved += size;
  return {};
}

void store_state::release(std::uint64_t size) {
  const std::lock_guard guard(mutex);
  reserved -= size;
}

bool store_state::make_room(std::uint64_t size) {
  const std::lock_guard guard(mutex);
  return free_on_disk() + left_bytes() + spare_bytes() >= size && (drop_left_part() || drop_spare());
}

std::uint64_t store_state::free_on_disk() const {
  struct statvfs disk {};
  return ::statvfs(directory.c_str(), &disk) == 0 ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
}

std::uint64_t store_state::spare_bytes() const {
  std::uint64_t out = 0;
  for (const auto& digest : spare)
    out += models.at(digest).size;
  return out;
}

bool store_state::drop_spare() {
  if (spare.empty()) return false;
  dropped.push_back(spare.front());
  return drop(dropped.back());
}

tl::unexpected<error> store_state::no_room(std::uint64_t size) const {
  const auto free = free_on_disk();
  return fail(merge_errc::disk_full,
              "model directory {}: the disk is full: a model needs {} bytes, {} are free; make room or use "
              "another data "
              "directory",
              directory, size, free);
}

bool store_state::drop(const hash32& digest) {
  const auto found = models.find(digest);
  if (found == models.end()) return false;
  std::ignore = remove_file(path_of(digest)); // even if that fails, it is no model of this store any more
  used -= found->second.size;
  std::erase(spare, hash32(digest)); // a copy, as it may be one of them
  models.erase(found);
  return true;
}

result<std::shared_ptr<const model_file>> store_state::map(const file& from,
                                                           std::optional<merge::manifest> known) {
  const auto size = from.size().value_or(0);
  if (size == 0) return fail(merge_errc::bad_header, "the model file is empty");
  std::shared_ptr<model_file> out(new model_file);
  SWARM_TRY(out->mapped_, mapped_file::map(from, size));
  out->manifest_ = known ? std::move(*known) : make_manifest(out->raw());
  out->digest_ = out->manifest_.digest();
  SWARM_TRY(out->layout_, model_layout::parse(out->raw(), size));
  return out;
}

result<std::shared_ptr<const model_file>> store_state::publish(const std::filesystem::path& temporary,
                                                               std::shared_ptr<const model_file> model) {
  const std::lock_guard guard(mutex);
  if (const auto found = models.find(model->digest()); found != models.end() && found->second.checked) {
    std::ignore = remove_file(temporary); // if it stays, the next process removes it
    if (auto existing = found->second.mapped.lock()) return existing;
    found->second.mapped = model; // the same bytes, only without a name
    return model;
  }
  SWARM_CHECK(rename_file(temporary, path_of(model->digest())));
  auto& known = models[model->digest()];
  used = used - known.size + model->size();
  known = {model->size(), model->manifest(), model, next_serial++, false};
  return model;
}

result<model_store> model_store::open_directory(const std::string& directory) {
  return open_directory(directory, {});
}

result<model_store> model_store::open_directory(const std::string& directory, options limits) {
  if (auto made = make_folders(directory); !made)
    return fail(errc::io, "model directory {}", made.error().message);
  auto state = std::make_shared<store_state>();
  state->directory = directory;
  state->limits = limits;
  auto locked = file::lock(directory + "/.lock");
  if (!locked && locked.error().is(file_errc::locked))
    return fail(errc::conflict,
                "model directory {}: another process uses it; give each its own data directory", directory);
  if (!locked) return fail(errc::io, "model directory {}", locked.error().message);
  state->lock = std::move(*locked);
  SWARM_CHECK(scan(*state));
  return model_store(std::move(state));
}

model_store::model_store(std::shared_ptr<store_state> from) : state_(std::move(from)) {}
model_store::model_store(model_store&&) noexcept = default;
model_store& model_store::operator=(model_store&&) noexcept = default;
model_store::~model_store() = default;

result<std::shared_ptr<const model_file>> model_store::put(const model_layout& layout,
                                                           std::span<const bytes_view> data) {
  const auto& tensors = layout.tensors();
  if (data.size() != tensors.size())
    return fail(errc::invalid, "{} pieces of data for {} tensors", data.size(), tensors.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i].size() != tensors[i].size)
      return fail(merge_errc::bad_tensor, "tensor '{}' has {} bytes of data instead of {}", tensors[i].name,
                  data[i].size(), tensors[i].size);
  }
  SWARM_TRY(auto writer, create(layout.canonical_header().size() + layout.data_size()));
  SWARM_CHECK(writer.write(layout.canonical_header()));
  for (const auto& piece : data)
    SWARM_CHECK(writer.write(piece));
  return writer.finish();
}

result<std::shared_ptr<const model_file>> model_store::open(const hash32& digest) {
  std::optional<merge::manifest> known;
  {
    const std::lock_guard guard(state_->mutex);
    const auto found = state_->models.find(digest);
    if (found == state_->models.end())
      return fail(errc::not_found, "model {} is not in {}", to_hex(digest.view(), false), state_->directory);
    if (auto mapped = found->second.mapped.lock()) return mapped;
    known = found->second.checked;
  }
  const auto path = state_->path_of(digest);
  const auto from = file::open(path, open_as::no_links);
  if (!from && !from.error().is(file_errc::not_found)) return fail(errc::io, "{}", from.error().message);
  auto model = from ? store_state::map(*from, std::move(known))
                    : fail(errc::not_found, "the file was removed behind our back");
  const std::lock_guard guard(state_->mutex);
  if (!model || (*model)->digest() != digest) {
    if (!model && model.error().is(errc::io)) return fail_with(std::move(model).error(), path);
    state_->drop(digest);
    return fail(merge_errc::digest_mismatch, "{}: {}; the damaged file was removed, it must be fetched again",
                path, model ? "its contents do not have the digest of its name" : model.error().message);
  }
  if (const auto found = state_->models.find(digest); found != state_->models.end()) {
    found->second.checked = (*model)->manifest();
    found->second.mapped = *model;
  }
  return model;
}

result<> model_store::make_durable(const hash32& digest) {
  std::uint64_t serial = 0;
  {
    const std::lock_guard guard(state_->mutex);
    const auto found = state_->models.find(digest);
    if (found == state_->models.end())
      return fail(errc::not_found, "model {} is not in {}", to_hex(digest.view(), false), state_->directory);
    if (found->second.durable) return {};
    serial = found->second.serial;
  }
  // The file has its name already, so a file system with a journal writes both at the first of these syncs.
  SWARM_TRY(const auto from, file::open(state_->path_of(digest), open_as::no_links));
  SWARM_CHECK(from.sync());
  SWARM_CHECK(sync_folder(state_->directory));
  const std::lock_guard guard(state_->mutex);
  const auto found = state_->models.find(digest);
  if (found != state_->models.end() && found->second.serial == serial) found->second.durable = true;
  return {};
}

bool model_store::contains(const hash32& digest) const {
  const std::lock_guard guard(state_->mutex);
  return state_->models.contains(digest);
}

std::vector<hash32> model_store::list() const {
  const std::lock_guard guard(state_->mutex);
  std::vector<hash32> out;
  for (const auto& [digest, entry] : state_->models)
    out.push_back(digest);
  return out;
}

std::uint64_t model_store::bytes_used() const {
  const std::lock_guard guard(state_->mutex);
  return state_->used;
}

std::uint64_t model_store::bytes_max() const {
  return state_->limits.bytes_max;
}

bool model_store::remove(const hash32& digest) {
  const std::lock_guard guard(state_->mutex);
  return state_->drop(digest);
}

std::size_t model_store::retain(const std::set<hash32>& keep) {
  const std::lock_guard guard(state_->mutex);
  std::size_t removed = 0;
  state_->retain_parts(keep);
  for (auto it = state_->models.begin(); it != state_->models.end();) {
    const auto digest = it++->first;
    if (!keep.contains(digest) && state_->drop(digest)) ++removed;
  }
  return removed;
}

void model_store::set_spare(const std::vector<hash32>& in_order) {
  const std::lock_guard guard(state_->mutex);
  state_->spare.clear();
  for (const auto& digest : in_order)
    if (state_->models.contains(digest) && std::ranges::find(state_->spare, digest) == state_->spare.end())
      state_->spare.push_back(digest);
}

std::vector<hash32> model_store::take_dropped() {
  const std::lock_guard guard(state_->mutex);
  return std::exchange(state_->dropped, {});
}

const std::string& model_store::directory() const {
  return state_->directory;
}

} // namespace swarm::merge
