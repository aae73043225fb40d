#include "actors/sl/files/model_server.hpp"

#include "actors/sl/files/merge_progress.hpp"

namespace swarm::actors {

using transport::text_response;

namespace {

transport::http_response serve_model(merge::model_store& store, const transport::http_request& request) {
  auto name = std::string_view(request.target).substr(models_prefix.size());
  const bool wants_manifest = name.ends_with(manifest_suffix);
  if (wants_manifest) name.remove_suffix(manifest_suffix.size());
  const auto digest = fixed_from_hex<32>(name);
  if (!digest) return text_response(404, "no such file\n");
  auto model = store.open(*digest);
  if (!model) return text_response(404, "this node does not have that model\n");
  if (wants_manifest) {
    const auto raw = (*model)->manifest().encode();
    return text_response(200, std::string(as_text(raw)), "application/octet-stream");
  }
  return transport::range_response(request, (*model)->size(), [&](transport::byte_range range) {
    return decltype(transport::http_response::slice){
        transport::shared_slice{*model, (*model)->raw().subspan(range.offset, range.length)}};
  });
}

} // namespace

transport::http_response serve_files(const sl_context& context, const transport::http_request& request) {
  if (request.method != "GET") return text_response(405, "only GET\n");
  if (request.target == merge_progress_target) {
    const auto& board = *context.board;
    return text_response(
        200, encode(merge_progress{board.round_num.load(), board.term.load(), board.progress.load()}),
        "application/json");
  }
  if (request.target.starts_with(models_prefix)) return serve_model(*context.store, request);
  return text_response(404, "no such file\n");
}

} // namespace swarm::actors
