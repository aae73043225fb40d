#include "ledger/snapshot/snapshot_driver.hpp"

#include "ledger/formats/seal.hpp"

namespace swarm::sync {

namespace {

constexpr unsigned serial_shift = 32;

std::uint64_t tag_of(std::uint64_t serial, std::uint64_t tag) {
  return serial << serial_shift | tag;
}

} // namespace

void snapshot_driver::set_neighbors(const std::vector<neighbor_claim>& all,
                                    const std::vector<neighbor_claim>& candidates, time_point now) {
  if (!candidates.empty() && !snapshot_ && !unwritten_) begin_snapshot(candidates, now);
  const auto pivot = proved_pivot();
  const bool overtaken = pivot && *pivot <= chain_.head()->header.block_num;
  if (snapshot_ && !unwritten_ && (candidates.empty() || overtaken)) {
    if (overtaken)
      out_.reports.push_back(fmt::format("blocks up to {} came without the snapshot of block {}",
                                         chain_.head()->header.block_num, *pivot));
    end_snapshot();
  }
  if (snapshot_) snapshot_->set_neighbors(candidates, now);
  if (!chain_.history_complete()) {
    if (!history_ && !unwritten_) begin_history();
    if (history_) history_->set_neighbors(all, now);
    history_neighbors_ = all.size();
  }
  run(now);
}

void snapshot_driver::on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view answer, time_point now) {
  const auto serial = tag >> serial_shift;
  const auto own = tag & ((std::uint64_t{1} << serial_shift) - 1);
  if (snapshot_ && serial == snapshot_serial_) snapshot_->on_part(neighbor, own, answer, now);
  if (history_ && serial == history_serial_) history_->on_part(neighbor, own, answer, now);
  run(now);
}

void snapshot_driver::tick(time_point now) {
  if (unwritten_) {
    auto again = std::exchange(unwritten_, std::nullopt);
    std::visit([&](const auto& what) { (void)store(what, now); }, *again);
  }
  if (snapshot_) snapshot_->tick(now);
  if (history_) history_->tick(now);
  run(now);
}

void snapshot_driver::begin_snapshot(const std::vector<neighbor_claim>& candidates, time_point now) {
  auto known = snapshots_.trusted();
  if (!known) {
    trouble_ = known.error().message;
    settle(known.error());
    return;
  }
  auto& from = *known;
  snapshot_serial_ = ++serial_;
  out_.reports.push_back(fmt::format("block {} is far behind: taking a snapshot from {} neighbors",
                                     from.block_num, candidates.size()));
  snapshot_ = std::make_unique<snapshot_machine>(
      options_.snapshot, ledger::chain_identity{chain_.chain_id(), chain_.genesis_hash()}, std::move(from),
      [this](const state_part& part) {
        snapshots_.hold_pruning(true); // there is a proved pivot: mere claims hold up nothing
        return part.kind == part_kind::code ? snapshots_.has_code(part.hash) : snapshots_.has_node(part.hash);
      },
      now);
}

void snapshot_driver::end_snapshot() {
  snapshot_.reset();
  snapshots_.hold_pruning(false);
}

std::optional<std::uint64_t> snapshot_driver::proved_pivot() const {
  if (!snapshot_ || snapshot_->pivot_num() == 0) return std::nullopt;
  return snapshot_->pivot_num();
}

result<hash32> snapshot_driver::own_hash(std::uint64_t block_num) const {
  const auto header = chain_.header_by_num(block_num);
  if (!header) return fail_with(header.error(), fmt::format("block {}", block_num));
  if (!*header) return fail(errc::corrupt, "block {} is missing", block_num);
  return ledger::block_hash(**header);
}

void snapshot_driver::begin_history() {
  const auto missing = snapshots_.youngest_missing();
  if (!missing) {
    if (settle(missing.error())) out_.broken = missing.error();
    return;
  }
  if (!*missing) return;
  const auto below = own_hash((*missing)->first - 1);
  if (!below) {
    if (settle(below.error())) out_.broken = below.error();
    return;
  }
  history_serial_ = ++serial_;
  history_first_ = (*missing)->first;
  history_ = std::make_unique<history_machine>(options_.history, chain_.chain_id(), **missing, *below);
}

// -- what the machines want

void snapshot_driver::run(time_point now) {
  while (!out_.broken && !unwritten_ && (run_snapshot(now) || run_history(now))) {
  }
}

/// One turn; false: nothing was to be done.
bool snapshot_driver::run_snapshot(time_point now) {
  if (!snapshot_) return false;
  if (const auto& why = snapshot_->failure()) {
    if (settle(*why)) out_.reports.push_back("the snapshot failed: " + why->message);
    end_snapshot();
    return false;
  }
  auto actions = snapshot_->take_actions();
  for (auto& one : actions) {
    if (auto* ask = std::get_if<action::ask_part>(&one)) {
      ask->tag = tag_of(snapshot_serial_, ask->tag);
      out_.asks.push_back(std::move(*ask));
    } else if (auto* useless = std::get_if<action::useless>(&one)) {
      out_.useless.push_back(std::move(*useless));
    } else if (auto* report = std::get_if<action::report>(&one)) {
      out_.reports.push_back(std::move(report->text));
    } else if (const auto* state = std::get_if<action::store_state>(&one)) {
      store(*state, now);
    } else if (const auto* pivot = std::get_if<action::adopt_pivot>(&one)) {
      store(*pivot, now);
    }
  }
  return !actions.empty();
}

bool snapshot_driver::run_history(time_point now) {
  if (!history_) return false;
  auto actions = history_->take_actions();
  for (auto& one : actions) {
    if (auto* ask = std::get_if<action::ask_part>(&one)) {
      ask->tag = tag_of(history_serial_, ask->tag);
      out_.asks.push_back(std::move(*ask));
    } else if (auto* useless = std::get_if<action::useless>(&one)) {
      if (useless->lied) out_.liars.push_back(std::move(*useless));
    } else if (const auto* past = std::get_if<action::store_past>(&one)) {
      store(*past, now);
    }
  }
  if (!history_) return false;
  if (const auto& parent = history_->other_parent()) {
    report_fork(*parent);
    return false;
  }
  if (!history_->complete()) return !actions.empty();
  history_.reset(); // the next call to set_neighbors looks for an older gap
  if (chain_.history_complete()) out_.reports.emplace_back("all blocks before the snapshot are here");
  return false;
}

/// Two chains whose blocks quorums sealed: whatever this node has told of its head, half of it may be wrong.
void snapshot_driver::report_fork(const hash32& parent) {
  const auto last_own = history_first_ - 1;
  const auto own = own_hash(last_own);
  out_.fork =
      fail(errc::corrupt,
           "block {} is {} here, but {} in the chain that the snapshot was taken from: quorums of "
           "validators, or thieves of their keys, sealed two chains. Compare the block's hash with SNs "
           "that you trust, find out which validators signed both, and begin this SN's data directory "
           "anew from one that you trust, with --snapshot-gap 0",
           last_own, own ? to_hex(own->view()) : "unreadable", to_hex(parent.view()))
          .value();
  history_.reset();
}

bool snapshot_driver::store(const action::store_state& what, time_point now) {
  if (auto done = snapshots_.store_state(what.batch); !done) {
    if (!settle(done.error())) unwritten_ = what;
    return false;
  }
  trouble_.clear();
  if (snapshot_) snapshot_->on_stored(now);
  return true;
}

bool snapshot_driver::store(const action::adopt_pivot& what, time_point) {
  auto done = snapshots_.adopt(what.block, what.changes);
  if (!done) {
    if (!settle(done.error())) {
      unwritten_ = what;
      return false;
    }
    out_.reports.push_back("the snapshot is of no use: " + done.error().message);
    end_snapshot();
    return false;
  }
  trouble_.clear();
  history_.reset(); // a younger gap comes first
  out_.adopted = *done;
  out_.reports.push_back(fmt::format("took a snapshot of the state after block {} {}, {} nodes of it fetched",
                                     (*done)->header.block_num, to_hex((*done)->hash.view()),
                                     snapshot_ ? snapshot_->parts_done() : 0));
  if (snapshot_) snapshot_->on_adopted();
  end_snapshot();
  return true;
}

bool snapshot_driver::store(const action::store_past& what, time_point now) {
  if (auto done = snapshots_.store_past(what.blocks); !done) {
    if (!settle(done.error())) {
      unwritten_ = what;
      return false;
    }
    if (std::exchange(history_trouble_, done.error().message) != done.error().message)
      out_.reports.push_back("blocks before the snapshot cannot be stored: " + done.error().message);
    history_.reset(); // the next call to set_neighbors begins again
    return false;
  }
  trouble_.clear();
  history_trouble_.clear();
  if (history_) history_->on_stored(now);
  return true;
}

bool snapshot_driver::settle(const error& why) {
  using ledger::store_errc;
  if (why.is(store_errc::disk_full) || why.is(store_errc::io)) {
    trouble_ = why.message;
    return false;
  }
  if (why.category == error_category(store_errc{})) out_.broken = why;
  return true;
}

snapshot_status snapshot_driver::status() const {
  snapshot_status out;
  const auto& gaps = snapshots_.gaps();
  out.blocks_skipped = gaps.blocks_skipped();
  out.blocks_missing = gaps.blocks_missing();
  out.trouble = trouble_;
  out.phase = out.blocks_missing > 0 ? "history" : out.blocks_skipped > 0 ? "complete" : "none";
  if (out.blocks_skipped > 0) out.pivot = gaps.states.back().last + 1;
  if (history_) out.open_questions = history_->open_questions();
  out.neighbors = history_ ? history_neighbors_ : 0;
  if (!snapshot_) return out;
  const auto now_in = snapshot_->now_in();
  out.phase = now_in == snapshot_machine::phase::proving    ? "proving"
              : now_in == snapshot_machine::phase::fetching ? "fetching"
                                                            : "adopting";
  out.pivot = snapshot_->pivot_num();
  out.nodes = snapshot_->parts_done();
  out.node_bytes = snapshot_->bytes_done();
  out.nodes_waiting = snapshot_->parts_waiting();
  out.open_questions = snapshot_->open_questions();
  out.neighbors = snapshot_->neighbors();
  return out;
}

std::string snapshot_driver::status_line() const {
  if (snapshot_) return snapshot_->status();
  const auto& gaps = snapshots_.gaps();
  if (gaps.blocks.empty()) return {};
  if (!history_trouble_.empty()) return "blocks before the snapshot cannot be stored: " + history_trouble_;
  return fmt::format("history: {} of {} blocks fetched", gaps.blocks_skipped() - gaps.blocks_missing(),
                     gaps.blocks_skipped());
}

} // namespace swarm::sync
