#include "actors/ui/asking/merges.hpp"

#include "actors/swci/commands/merges.hpp"
#include "actors/ui/page/model_files.hpp"
#include "base/file.hpp"

namespace swarm::ui {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t proof_bytes_max = 4 * 1024 * 1024;
constexpr std::uint64_t room_left_least = 256ull * 1024 * 1024;

result<> check_room(const fs::path& folder, std::uint64_t size) {
  std::error_code failure;
  const auto free = fs::space(folder, failure).available;
  if (failure) return fail(errc::unavailable, "{}: {}", folder.native(), failure.message());
  if (free >= room_left_least && size <= free - room_left_least) return {};
  return fail(errc::unavailable,
              "the model has {} bytes, and the disk of the page's server no room for it: {} bytes are free",
              size, free);
}

/// One browser may still be reading what goes here: it has the file open.
result<> make_empty(const fs::path& folder) {
  std::error_code failure;
  fs::remove_all(folder, failure);
  if (failure) return fail(errc::unavailable, "{}: {}", folder.native(), failure.message());
  return make_folders(folder, 0700);
}

result<> fetch(const question::model& what, const swci::merged_model& model, const asking& with) {
  SWARM_CHECK(make_empty(with.models));
  SWARM_CHECK(check_room(with.models, model.size));
  swci::command_world world{.contexts = {}, .folder = swci::user_folder(with.models.native())};
  world.sns = &with.sns;
  world.stop = with.stop;
  world.fetch = with.fetch;
  world.waits = [] {};
  const auto done = swci::carry_out(
      swci::commands::get_model{what.contract, model.round_num, model_file_name(model.digest)}, world);
  if (!done) return tl::unexpected(done.error());
  return {};
}

} // namespace

result<json::value> proof_json(const question::proof& what, const asking& with) {
  SWARM_TRY(auto text, swci::merge_proof(with.sns, what.contract, what.round_num));
  if (text.size() > proof_bytes_max)
    return fail(errc::limit, "the proof has {} bytes, too many for a page: SWCI's PROVE saves it",
                text.size());
  return json::object{{"text", std::move(text)}};
}

result<json::value> model_json(const question::model& what, const asking& with) {
  SWARM_TRY(const auto model, swci::find_merge(with.sns, what.contract, what.round_num));
  std::error_code failure;
  if (!fs::is_regular_file(with.models / model_file_name(model.digest), failure))
    SWARM_CHECK(fetch(what, model, with));
  return json::object{{"path", model_path(model.digest)},
                      {"bytes", model.size},
                      {"round_num", model.round_num},
                      {"digest", to_hex(model.digest.view())}};
}

} // namespace swarm::ui
