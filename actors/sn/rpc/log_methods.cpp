#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/reader.hpp"
#include "ledger/formats/header.hpp"

namespace swarm::rpc {

namespace json = boost::json;

namespace {

/// The most blocks that one answer about new blocks lists; the next answer goes on from there.
constexpr std::uint64_t new_blocks_max = 10'000;

} // namespace

// Logs

result<json::array> reader::found_logs(const ledger::log_filter& filter, ledger::log_query_work& work) {
  const auto found = view_->logs(filter, work);
  work_ += cost::read_log_block * work.blocks_read + work.index_seeks / cost::index_seeks_per_unit;
  SWARM_TRY(const auto& hits, found);
  work_ += hits.size() / cost::logs_per_unit;
  json::array out;
  out.reserve(hits.size());
  for (const auto& hit : hits)
    out.emplace_back(log_json(hit));
  return out;
}

result<json::array> reader::found_logs(const ledger::log_filter& filter) {
  ledger::log_query_work work;
  return found_logs(filter, work);
}

/// The filter with its range of blocks; open ends mean the head.
result<ledger::log_filter> reader::with_range(ledger::log_filter filter, const block_range& range) const {
  const auto head = view_->head()->header.block_num;
  filter.from_block = range.from.value_or(head);
  filter.to_block = range.to.value_or(std::max(head, filter.from_block)); // a poller may be ahead of the head
  if (filter.from_block > filter.to_block)
    return fail(rpc_errc::invalid_params, "invalid block range: from {} to {}", filter.from_block,
                filter.to_block);
  return filter;
}

method_result reader::logs(const params& given, const caller&) {
  SWARM_TRY(const auto* from, given.object(0, "filter"));
  SWARM_TRY(auto filter, parse_filter(*from));
  SWARM_TRY(const auto range, parse_range(*from));
  if (range.block_hash) {
    SWARM_TRY(const auto block, block_with(*range.block_hash));
    if (!block) return fail(rpc_errc::unknown_block, "unknown block {}", to_hex(range.block_hash->view()));
    filter.from_block = filter.to_block = block->header.block_num;
  } else {
    SWARM_TRY(filter, with_range(std::move(filter), range));
  }
  SWARM_TRY(auto found, found_logs(filter));
  return json::value(std::move(found));
}

// Filters: what is new since the client asked last

method_result reader::new_filter(const params& given, const caller& from) {
  SWARM_TRY(const auto* object, given.object(0, "filter"));
  filter_table::filter made{.of = from.of()};
  SWARM_TRY(made.logs, parse_filter(*object));
  SWARM_TRY(made.range, parse_range(*object));
  if (made.range.block_hash)
    return fail(rpc_errc::invalid_params,
                "a filter is for blocks to come; for one block there is eth_getLogs");
  SWARM_CHECK(with_range(made.logs, made.range));
  made.next_block = std::max(view_->head()->header.block_num + 1, made.range.from.value_or(0));
  return add_filter(std::move(made));
}

method_result reader::new_block_filter(const params&, const caller& from) {
  return add_filter({.of = from.of(), .blocks = true, .next_block = view_->head()->header.block_num + 1});
}

method_result reader::add_filter(filter_table::filter made) {
  const auto id = filters_.add(std::move(made), now_);
  if (!id)
    return fail(rpc_errc::filters_full, "at most {} filters of one client, {} of all; uninstall some",
                filters_.bounds().client_max, filters_.bounds().all_max);
  return json::value(quantity(*id));
}

result<filter_table::filter*> reader::filter_of(const params& given, const caller& from) {
  SWARM_TRY(const auto id, given.number(0, "filter id"));
  auto* found = filters_.find(id, from.client, now_);
  if (found == nullptr) return fail(rpc_errc::filter_not_found, "filter not found");
  return found;
}

method_result reader::filter_changes(const params& given, const caller& from) {
  SWARM_TRY(auto* which, filter_of(given, from));
  SWARM_TRY(auto changes, which->blocks ? new_blocks(*which) : new_logs(*which));
  return json::value(std::move(changes));
}

result<json::array> reader::new_blocks(filter_table::filter& which) {
  const auto head = view_->head()->header.block_num;
  json::array out;
  for (; which.next_block <= head && out.size() < new_blocks_max; ++which.next_block) {
    const auto header = view_->header_by_num(which.next_block);
    if (!header && !out.empty()) break; // the next answer begins with this block
    if (!header) return tl::unexpected(header.error());
    if (!*header) return fail(errc::corrupt, "block {} is missing", which.next_block);
    out.emplace_back(hex_data(ledger::block_hash(**header).view()));
  }
  work_ += out.size();
  return out;
}

/// When there is more than one answer may hold, the answer covers fewer blocks and the next one goes on.
result<json::array> reader::new_logs(filter_table::filter& which) {
  auto asked = which.logs;
  asked.from_block = which.next_block;
  asked.to_block = std::min(which.range.to.value_or(~std::uint64_t{0}), view_->head()->header.block_num);
  if (asked.from_block > asked.to_block) return json::array{};
  ledger::log_query_work work;
  auto found = found_logs(asked, work);
  const auto too_many = [&] { return !found && found.error().is(ledger::chain_errc::too_many_logs); };
  if (too_many()) {
    asked.to_block = std::max(work.reached, asked.from_block + 1) - 1;
    if (work.reached > asked.from_block) found = found_logs(asked);
  }
  if (found || too_many())
    which.next_block = asked.to_block + 1; // else a single block would hold it up for ever
  return found;
}

method_result reader::filter_logs(const params& given, const caller& from) {
  SWARM_TRY(const auto* which, filter_of(given, from));
  if (which->blocks) return fail(rpc_errc::filter_not_found, "filter not found"); // not one for logs
  SWARM_TRY(const auto asked, with_range(which->logs, which->range));
  SWARM_TRY(auto found, found_logs(asked));
  return json::value(std::move(found));
}

method_result reader::uninstall_filter(const params& given, const caller& from) {
  SWARM_TRY(const auto id, given.number(0, "filter id"));
  return json::value(filters_.remove(id, from.client));
}

} // namespace swarm::rpc
