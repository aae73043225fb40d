#include "actors/sl/files/model_server.hpp"

#include "actors/sl/files/gather/chunk_map.hpp"
#include "actors/sl/files/granted_chunks.hpp"
#include "actors/sl/files/merge_progress.hpp"
#include "actors/sl/shards/shard_list.hpp"
#include "actors/sl/sl_context.hpp"
#include "merge/store/model_part.hpp"

#include <charconv>

namespace swarm::actors {

using transport::text_response;

namespace {

constexpr std::string_view bytes_type = "application/octet-stream";

gate::asker asker_of(const transport::http_request& request, const members::member_rules& rules) {
  const auto& peer = request.peer;
  gate::asker out{peer.cert_fingerprint, peer.cert_subject, {}, {}, 0};
  if (peer.certificate && peer.anchor)
    out.organisation = members::organisation_of({*peer.certificate, *peer.anchor}, rules);
  if (const auto account = fixed_from_hex<20>(transport::find_header(request.headers, account_header)))
    out.account = *account;
  const auto block = transport::find_header(request.headers, block_header);
  std::from_chars(block.data(), block.data() + block.size(), out.block_num);
  return out;
}

transport::http_response bytes_response(const bytes& raw) {
  return text_response(200, std::string(as_text(raw)), bytes_type);
}

/// What is here of a merge that is still being fetched. Who asks for another part of it hears so at once.
transport::http_response serve_part(const merge::model_store& store, const model_request& what,
                                    const transport::http_request& request) {
  auto part = store.find_part(what.digest);
  if (part && (!part->is_shared() || what.chunks)) part.reset();
  if (what.part == asked_part::chunks)
    return bytes_response(part ? encode_chunk_map(part->chunks()) : bytes{});
  if (!part || what.part == asked_part::layout)
    return text_response(404, "this node does not have that model\n");
  if (what.part == asked_part::manifest) return bytes_response(part->manifest().encode());
  const auto size = part->manifest().size;
  const auto range = transport::parse_range(transport::find_header(request.headers, "Range"), size);
  const auto is_here = [&](const transport::byte_range& of) {
    return of.length > 0
           && part->has_all(of.offset / merge::chunk_size, (of.offset + of.length - 1) / merge::chunk_size);
  };
  if (range && !(*range && is_here(**range)))
    return text_response(404, "this node does not have that part yet\n");
  return transport::range_response(request, size, [&](transport::byte_range of) {
    return decltype(transport::http_response::slice){
        transport::shared_slice{part, part->raw().subspan(of.offset, of.length)}};
  });
}

transport::http_response serve_shard(const std::shared_ptr<const merge::shard_file>& run, asked_part part,
                                     const transport::http_request& request) {
  if (!run) return text_response(404, "this node has made no such part of a merge\n");
  if (part == asked_part::shard) return bytes_response(encode(shard_list{run->first(), run->hashes()}));
  return transport::range_response(request, run->raw().size(), [&](transport::byte_range of) {
    return decltype(transport::http_response::slice){
        transport::shared_slice{run, run->raw().subspan(of.offset, of.length)}};
  });
}

std::optional<model_request> shard_request_of(std::string_view number, gate::asker who) {
  model_request out{{}, asked_part::shard, std::move(who)};
  if (number.ends_with(data_suffix)) {
    number.remove_suffix(data_suffix.size());
    out.part = asked_part::shard_data;
  }
  const auto* end = number.data() + number.size();
  const auto [at, failure] = std::from_chars(number.data(), end, out.shard);
  if (failure != std::errc{} || at != end) return std::nullopt;
  return out;
}

} // namespace

std::optional<model_request> model_request_of(const transport::http_request& request,
                                              const members::member_rules& rules) {
  auto name = std::string_view(request.target);
  if (request.method != "GET") return std::nullopt;
  if (name == merge_progress_target) return model_request{{}, asked_part::progress, asker_of(request, rules)};
  if (name.starts_with(shards_prefix))
    return shard_request_of(name.substr(shards_prefix.size()), asker_of(request, rules));
  if (!name.starts_with(models_prefix)) return std::nullopt;
  name.remove_prefix(models_prefix.size());
  auto part = asked_part::file;
  for (const auto& [suffix, named] :
       {std::pair(manifest_suffix, asked_part::manifest), std::pair(layout_suffix, asked_part::layout),
        std::pair(chunks_suffix, asked_part::chunks)}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    part = named;
    break;
  }
  const auto digest = fixed_from_hex<32>(name);
  if (!digest) return std::nullopt;
  return model_request{*digest, part, asker_of(request, rules)};
}

transport::http_response serve_other(const transport::http_request& request) {
  if (request.method != "GET") return text_response(405, "only GET\n");
  return text_response(404, "no such file\n");
}

transport::http_response serve_model(merge::model_store& store, const merge_progress_board& board,
                                     const shard_board& shards, const model_request& what,
                                     const transport::http_request& request) {
  if (what.part == asked_part::shard || what.part == asked_part::shard_data)
    return serve_shard(shards.find(what.shard), what.part, request);
  if (what.part == asked_part::progress)
    return text_response(
        200, encode(merge_progress{board.round_num.load(), board.term.load(), board.progress.load()}),
        "application/json");
  auto model = store.open(what.digest);
  if (!model) return serve_part(store, what, request);
  if (what.part == asked_part::manifest) return bytes_response((*model)->manifest().encode());
  if (what.part == asked_part::chunks)
    return bytes_response(encode_chunk_map(std::vector<bool>((*model)->manifest().chunks.size(), true)));
  if (what.part == asked_part::layout) {
    const auto header = (*model)->raw().first((*model)->layout().data_offset());
    return text_response(200, std::string(as_text(header)), bytes_type);
  }
  bool granted = true;
  auto out = transport::range_response(request, (*model)->size(), [&](transport::byte_range range) {
    granted = !what.chunks || may_read((*model)->layout(), *what.chunks, range);
    return decltype(transport::http_response::slice){
        transport::shared_slice{*model, (*model)->raw().subspan(range.offset, range.length)}};
  });
  if (granted) return out;
  return text_response(403,
                       "only the chunks that are dealt to it are granted, and what it takes to make them\n");
}

std::optional<hash32> model_with(merge::model_store& store, const hash32& layout) {
  for (const auto& digest : store.list())
    if (const auto model = store.open(digest); model && (*model)->layout().layout_digest() == layout)
      return digest;
  return std::nullopt;
}

transport::http_response refusal_of(gate::action::verdict verdict, const std::string& why) {
  using enum gate::action::verdict;
  if (verdict == unknown) return text_response(404, why + "\n");
  if (verdict != later) return text_response(403, why + "\n");
  auto out = text_response(503, why + "\n");
  out.headers.emplace_back("Retry-After", "1");
  return out;
}

} // namespace swarm::actors
