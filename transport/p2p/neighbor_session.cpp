#include "transport/p2p/neighbor_session.hpp"

#include "base/hash.hpp"
#include "ledger/formats/keys.hpp"

#include <algorithm>

namespace swarm::p2p {

namespace {

constexpr std::size_t piece_bytes = 16 * 1024;      ///< a unit of the consensus limit
constexpr std::size_t close_reason_bytes_max = 120; ///< RFC 6455 allows 123
constexpr std::size_t block_overhead_bytes = 32;    ///< of RLP, at most

// Points for offences; a neighbor is disconnected at `offence_points_max` (100).
constexpr double points_over_limit = 1;
constexpr double points_late = 1;
constexpr double points_twice = 10;
constexpr double points_unasked = 50;

double pieces(std::size_t size) {
  const auto whole = size / piece_bytes;
  return 1 + static_cast<double>(whole);
}

shared_bytes encoded(const frame& from) {
  return std::make_shared<const bytes>(encode(from));
}

/// The beginning of a hash: it is enough to tell chains apart and fits into a close frame.
std::string brief(const hash32& hash) {
  return to_hex(hash.view().first(4)) + "..";
}

} // namespace

neighbor_session::neighbor_session(const session_options& options, hello own, const hash32& own_certificate,
                                   const hash32& peer_certificate, time_point now)
    : neighbor_session(options, std::vector{std::move(own)}, own_certificate, peer_certificate, now) {
  greeting_ = encoded(own_.front());
  greeted_ = true;
}

neighbor_session::neighbor_session(const session_options& options, std::vector<hello> own,
                                   const hash32& own_certificate, const hash32& peer_certificate,
                                   time_point now)
    : options_(options), own_(std::move(own)), own_certificate_(own_certificate),
      peer_certificate_(peer_certificate), started_(now), last_heard_(now),
      score_(options.offence_points_max, options.offence_points_per_second, 0, now), queue_(options),
      known_txns_(options.known_txns_max, options.known_txns_for),
      told_txns_(options.known_txns_max, options.known_txns_for), next_ping_(now), next_ask_neighbors_(now) {
  for (const auto& limit : options_.limits)
    buckets_.emplace_back(limit, now);
}

// Events

void neighbor_session::on_frame(result<frame> decoded, std::size_t size, time_point now) {
  if (phase_ == phase::over) return;
  ++counters_.frames_in;
  counters_.bytes_in += size;
  last_heard_ = now;
  if (!decoded && phase_ == phase::greeting && decoded.error().is(frame_errc::other_version))
    return close(not_spoken(decoded.error().message));
  if (!decoded) return offend("malformed: " + decoded.error().message, options_.offence_points_max, now);
  const auto kind = kind_of(*decoded);
  if ((phase_ == phase::greeting) != (kind == frame_kind::hello))
    return offend(kind == frame_kind::hello ? std::string("a second hello")
                                            : fmt::format("{} before hello", name_of(kind)),
                  options_.offence_points_max, now);
  std::visit([&](auto&& each) { on(std::forward<decltype(each)>(each), now); }, std::move(*decoded));
}

void neighbor_session::tick(time_point now, bool listening) {
  if (phase_ == phase::greeting && now - started_ >= options_.hello_wait) return close("no hello in time");
  if (phase_ != phase::open) return;
  watch_silence(now, listening);
  if (phase_ != phase::open) return;
  forget_old_questions(now);
  queue_.forget_hashes([&](const hash32& hash) { return known_txns_.contains(hash); });
  queue_.flush_hashes();
  if (now >= next_ask_neighbors_) ask_neighbors(now);
}

void neighbor_session::watch_silence(time_point now, bool listening) {
  if (ping_ && listening && now - std::max(ping_->sent, last_heard_) >= options_.pong_wait)
    return close("silent: no answer to a ping");
  if (now >= next_ping_) probe(now);
}

void neighbor_session::probe(time_point now) {
  if (ping_ || phase_ != phase::open) return;
  ping_ = sent_ping{next_id_++, now};
  next_ping_ = now + options_.ping_interval;
  send_control(ping{ping_->nonce});
}

void neighbor_session::forget_old_questions(time_point now) {
  std::erase_if(asked_blocks_,
                [&](const auto& each) { return now - each.second.since >= options_.answer_wait; });
  std::erase_if(served_blocks_, [&](const auto& each) { return now - each.since >= options_.answer_wait; });
  std::erase_if(asked_parts_,
                [&](const auto& each) { return now - each.second.since >= options_.answer_wait; });
  std::erase_if(served_parts_, [&](const auto& each) { return now - each.second >= options_.answer_wait; });
  std::erase_if(asked_txns_, [&](auto& each) {
    if (now - each.second.since < options_.txn_answer_wait) return false;
    hashes_asked_ -= each.second.hashes.size();
    actions_.emplace_back(action::txns_missed{std::move(each.second.hashes)});
    return true;
  });
}

void neighbor_session::admit(double points, time_point now) {
  if (phase_ != phase::greeted) return;
  phase_ = phase::open;
  score_ = offence_score(options_.offence_points_max, options_.offence_points_per_second, points, now);
  next_ping_ = now + options_.ping_interval;
  ask_neighbors(now);
}

void neighbor_session::close(std::string reason, bool refuse) {
  if (phase_ == phase::over) return;
  phase_ = phase::over;
  reason.resize(std::min(reason.size(), close_reason_bytes_max));
  actions_.emplace_back(action::close{std::move(reason), refuse});
}

void neighbor_session::penalize(std::string_view reason, double points, time_point now) {
  if (phase_ != phase::over) offend(std::string(reason), points, now);
}

void neighbor_session::offend(const std::string& reason, double points, time_point now) {
  const bool too_much = score_.add(points, now);
  actions_.emplace_back(action::offence{reason, points, score_.points(now)});
  if (too_much) close("misbehaved: " + reason, true);
}

/// Counts `units` against the limit of `kind`. Over the limit it is an offence, and the frame is ignored.
bool neighbor_session::allow(frame_kind kind, double units, time_point now) {
  if (buckets_[static_cast<std::size_t>(kind)].take(units, now)) return true;
  offend(fmt::format("over the limit of {} in a second", name_of(kind)), points_over_limit, now);
  return false;
}

// One function per kind of frame

result<> neighbor_session::check(const hello& from) const {
  using enum frame_errc;
  const auto* own = own_of(from.version);
  if (own == nullptr)
    return fail(other_version, "{}", not_spoken(fmt::format("version {} of the P2P protocol", from.version)));
  if (from.chain_id != own->chain_id)
    return fail(malformed, "chain id: {} here, {} there", own->chain_id, from.chain_id);
  if (from.genesis != own->genesis)
    return fail(malformed, "genesis: {} here, {} there", brief(own->genesis), brief(from.genesis));
  const auto signed_by = ledger::recover(hello_digest(from, peer_certificate_, own_certificate_), from.proof);
  if (!signed_by || *signed_by != from.account) return fail(malformed, "the proof of its account is wrong");
  return {};
}

std::string neighbor_session::not_spoken(std::string_view version) const {
  return fmt::format("{}; {} speaks {}: upgrade the older swarmd", version, own_.front().program,
                     text_of({own_.front().version, own_.back().version}));
}

const hello* neighbor_session::own_of(std::uint64_t version) const {
  const auto found =
      std::find_if(own_.begin(), own_.end(), [&](const hello& each) { return each.version == version; });
  return found == own_.end() ? nullptr : &*found;
}

void neighbor_session::on(hello from, time_point) {
  if (auto checked = check(from); !checked) return close("hello refused: " + checked.error().message);
  if (!std::exchange(greeted_, true)) greeting_ = encoded(*own_of(from.version));
  phase_ = phase::greeted;
  neighbor_head_ = from.head;
  actions_.emplace_back(action::greeted{std::move(from)});
}

void neighbor_session::on(head from, time_point now) {
  if (!allow(frame_kind::head, 1, now)) return;
  neighbor_head_ = from.now;
  actions_.emplace_back(action::deliver_head{from.now});
}

void neighbor_session::on(ping from, time_point now) {
  if (allow(frame_kind::ping, 1, now)) send_control(pong{from.nonce});
}

void neighbor_session::on(pong from, time_point now) {
  if (!ping_ || ping_->nonce != from.nonce) return offend("an answer to no ping", points_unasked, now);
  round_trip_ = now - ping_->sent;
  ping_.reset();
}

void neighbor_session::on(consensus from, time_point now) {
  if (allow(frame_kind::consensus, pieces(from.message.size()), now))
    actions_.emplace_back(action::deliver_consensus{std::move(from.message)});
}

void neighbor_session::on(txns from, time_point now) {
  if (!allow(frame_kind::txns, static_cast<double>(from.raw.size()), now)) return;
  action::deliver_txns out;
  for (const auto& raw : from.raw) {
    out.hashes.push_back(keccak256(raw));
    known_txns_.insert(out.hashes.back(), now);
  }
  out.raw = std::move(from.raw);
  actions_.emplace_back(std::move(out));
}

void neighbor_session::on(txn_hashes from, time_point now) {
  if (!allow(frame_kind::txn_hashes, static_cast<double>(from.hashes.size()), now)) return;
  for (const auto& hash : from.hashes)
    known_txns_.insert(hash, now);
  actions_.emplace_back(action::txns_heard{std::move(from.hashes)});
}

void neighbor_session::on(get_txns from, time_point now) {
  if (!allow(frame_kind::get_txns, static_cast<double>(from.hashes.size()), now)) return;
  actions_.emplace_back(action::txns_wanted{from.id, std::move(from.hashes)});
}

void neighbor_session::on(got_txns from, time_point now) {
  const auto question = asked_txns_.find(from.id);
  if (question == asked_txns_.end())
    return offend("transactions that were not asked for", from.id < next_id_ ? points_late : points_unasked,
                  now);
  auto missing = std::move(question->second.hashes);
  hashes_asked_ -= missing.size();
  asked_txns_.erase(question);
  action::deliver_txns out;
  for (auto& raw : from.raw) {
    const auto hash = keccak256(raw);
    if (std::erase(missing, hash) == 0) {
      offend("other transactions than those asked for", points_unasked, now);
      break;
    }
    out.hashes.push_back(hash);
    out.raw.push_back(std::move(raw));
  }
  if (phase_ == phase::over) return;
  if (!out.raw.empty()) actions_.emplace_back(std::move(out));
  if (!missing.empty()) actions_.emplace_back(action::txns_missed{std::move(missing)});
}

void neighbor_session::on(get_blocks from, time_point now) {
  if (!allow(frame_kind::get_blocks, 1, now)) return;
  if (served_blocks_.size() >= options_.block_requests_max)
    return offend(fmt::format("more than {} open questions for blocks", options_.block_requests_max),
                  points_over_limit, now);
  const bool twice = std::any_of(served_blocks_.begin(), served_blocks_.end(),
                                 [&](const auto& each) { return each.id == from.id; });
  if (twice) return offend("the same question for blocks twice", points_twice, now);
  const auto bytes_max = std::min<std::size_t>(from.bytes_max, options_.answer_bytes_max);
  served_blocks_.push_back({from.id, bytes_max, now});
  actions_.emplace_back(action::blocks_wanted{from.id, from.first, from.count, bytes_max});
}

void neighbor_session::on(got_blocks from, time_point now) {
  const auto question = asked_blocks_.find(from.id);
  if (question == asked_blocks_.end())
    return offend("blocks that were not asked for", from.id < next_id_ ? points_late : points_unasked, now);
  const auto asked = question->second;
  asked_blocks_.erase(question);
  if (from.blocks.size() > asked.count) return offend("more blocks than asked for", points_unasked, now);
  actions_.emplace_back(action::deliver_blocks{asked.first, std::move(from.blocks)});
}

void neighbor_session::on(get_part from, time_point now) {
  if (!allow(frame_kind::get_part, 1, now)) return;
  if (served_parts_.size() >= options_.part_requests_max)
    return offend(fmt::format("more than {} open questions for a snapshot", options_.part_requests_max),
                  points_over_limit, now);
  if (!served_parts_.emplace(from.id, now).second)
    return offend("the same question for a snapshot twice", points_twice, now);
  actions_.emplace_back(action::part_wanted{
      from.id, std::move(from.question), std::min<std::size_t>(from.bytes_max, options_.answer_bytes_max)});
}

void neighbor_session::on(got_part from, time_point now) {
  const auto question = asked_parts_.find(from.id);
  if (question == asked_parts_.end())
    return offend("a part of a snapshot that was not asked for",
                  from.id < next_id_ ? points_late : points_unasked, now);
  const auto tag = question->second.tag;
  asked_parts_.erase(question);
  actions_.emplace_back(action::deliver_part{tag, std::move(from.answer)});
}

void neighbor_session::on(get_neighbors, time_point now) {
  if (allow(frame_kind::get_neighbors, 1, now)) actions_.emplace_back(action::neighbors_wanted{});
}

void neighbor_session::on(got_neighbors from, time_point now) {
  if (!std::exchange(neighbors_asked_, false))
    return offend("neighbors that were not asked for", points_unasked, now);
  actions_.emplace_back(action::neighbors_heard{std::move(from.neighbors)});
}

void neighbor_session::on(signs from, time_point now) {
  if (allow(frame_kind::signs, static_cast<double>(from.raw.size()), now))
    actions_.emplace_back(action::deliver_signs{std::move(from.raw)});
}

// What to send

void neighbor_session::send_control(const frame& what) {
  if (!queue_.push_control(encoded(what)))
    close(fmt::format("takes nothing: {} bytes wait to be sent", queue_.queued_bytes()));
}

void neighbor_session::send_consensus(shared_bytes raw) {
  if (phase_ == phase::open && !queue_.push_consensus(std::move(raw)))
    close(fmt::format("takes nothing: {} bytes wait to be sent", queue_.queued_bytes()));
}

void neighbor_session::send_head(const head_facts& now) {
  if (phase_ == phase::open) queue_.set_head(now);
}

void neighbor_session::send_signs(shared_bytes raw) {
  if (phase_ == phase::open) queue_.push_bulk(std::move(raw));
}

void neighbor_session::gossip(const hash32& hash, const shared_bytes& raw, bool starts_here, time_point now) {
  if (phase_ != phase::open || known_txns_.contains(hash) || !told_txns_.insert(hash, now)) return;
  const bool in_full = starts_here && raw->size() <= options_.txn_in_full_bytes_max;
  if (in_full)
    queue_.push_txn(hash, raw);
  else
    queue_.push_hash(hash, starts_here);
}

std::vector<hash32> neighbor_session::ask_txns(std::span<const hash32> hashes, time_point now) {
  const std::size_t room = phase_ == phase::open ? options_.txns_asked_open_max - hashes_asked_ : 0;
  const auto asked = hashes.first(std::min(room, hashes.size()));
  for (std::size_t from = 0; from < asked.size(); from += txns_asked_max) {
    const auto part = asked.subspan(from, std::min(txns_asked_max, asked.size() - from));
    get_txns question{next_id_++, {part.begin(), part.end()}};
    hashes_asked_ += part.size();
    asked_txns_.emplace(question.id, asked_txns{question.hashes, now});
    send_control(question);
  }
  const auto left = hashes.subspan(asked.size());
  return {left.begin(), left.end()};
}

void neighbor_session::answer_txns(std::uint64_t id, std::vector<bytes> raw) {
  if (phase_ == phase::open) queue_.push_bulk(encoded(got_txns{id, std::move(raw)}));
}

bool neighbor_session::ask_blocks(std::uint64_t first, std::uint64_t count, time_point now) {
  if (phase_ != phase::open || asked_blocks_.size() >= options_.block_requests_max || count == 0)
    return false;
  count = std::min<std::uint64_t>(count, blocks_max);
  if (first > UINT64_MAX - count) return false;
  const auto id = next_id_++;
  asked_blocks_.emplace(id, asked_blocks{first, count, now});
  send_control(get_blocks{id, first, count, options_.answer_bytes_max});
  return true;
}

void neighbor_session::answer_blocks(std::uint64_t id, std::vector<sealed_block> blocks) {
  const auto question = std::find_if(served_blocks_.begin(), served_blocks_.end(),
                                     [&](const auto& each) { return each.id == id; });
  if (phase_ != phase::open || question == served_blocks_.end()) return;
  const auto bytes_max = question->bytes_max;
  served_blocks_.erase(question);
  std::size_t size = block_overhead_bytes, fitting = 0;
  for (; fitting < std::min(blocks.size(), blocks_max); ++fitting) {
    size += blocks[fitting].size() + block_overhead_bytes;
    if (size > frame_bytes_max || (fitting > 0 && size > bytes_max)) break;
  }
  blocks.resize(fitting);
  queue_.push_bulk(encoded(got_blocks{id, std::move(blocks)}));
}

bool neighbor_session::ask_part(std::uint64_t tag, bytes question, time_point now) {
  if (phase_ != phase::open || asked_parts_.size() >= options_.part_requests_max) return false;
  const auto id = next_id_++;
  asked_parts_.emplace(id, asked_part{tag, now});
  send_control(get_part{id, options_.answer_bytes_max, std::move(question)});
  return true;
}

void neighbor_session::answer_part(std::uint64_t id, bytes answer) {
  if (phase_ != phase::open || served_parts_.erase(id) == 0) return;
  if (answer.size() + block_overhead_bytes <= frame_bytes_max)
    queue_.push_bulk(encoded(got_part{id, std::move(answer)}));
}

void neighbor_session::ask_neighbors(time_point now) {
  next_ask_neighbors_ = now + options_.ask_neighbors_interval;
  if (std::exchange(neighbors_asked_, true)) return;
  send_control(get_neighbors{});
}

void neighbor_session::answer_neighbors(std::vector<peer_entry> neighbors) {
  if (phase_ != phase::open) return;
  neighbors.resize(std::min(neighbors.size(), neighbors_max));
  send_control(got_neighbors{std::move(neighbors)});
}

shared_bytes neighbor_session::next_to_send(std::size_t in_flight) {
  if (phase_ == phase::over) return nullptr;
  // The hello is sent first, however late the socket is.
  auto out = greeting_ ? std::exchange(greeting_, nullptr) : queue_.take(in_flight);
  if (out) {
    ++counters_.frames_out;
    counters_.bytes_out += out->size();
  }
  return out;
}

} // namespace swarm::p2p
