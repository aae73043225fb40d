#include "actors/sl/checker/checker.hpp"

#include "actors/sl/checker/check_window.hpp"
#include "actors/sl/checker/sources.hpp"
#include "actors/sl/checker/whole_check.hpp"
#include "actors/sl/files/chunk_fetch.hpp"
#include "actors/sl/shards/sharded_manifest.hpp"
#include "actors/supervision/own_mail.hpp"
#include "actors/supervision/paths.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/sum_tree.hpp"
#include "contracts/training/measures.hpp"
#include "merge/store/model_part.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <tbb/parallel_for.h>

namespace swarm::actors {

/// From the io threads to the checker. `which` counts the contributors, then comes the proposal.
struct manifest_here {
  std::size_t which = 0;
  result<merge::manifest> outcome;
};
struct chunks_here {
  check_window::run which;
  result<bytes> outcome;
};
struct exclusion_tried {
  unheard_tried what;
};
struct ask_again {};

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::manifest_here)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::chunks_here)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::exclusion_tried)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::ask_again)

namespace swarm::actors {

namespace {

using rounds::check_outcome;

/// What is fetched of all contributions and kept at a time.
constexpr std::uint64_t window_bytes_max = 64u << 20;

struct checker_state {
  checker_state(std::shared_ptr<const sl_context> from, rounds::check_task what)
      : context(std::move(from)), task(std::move(what)) {}

  std::string status() const {
    return fmt::format("round {}, term {}: {} of {} chunks to {}", task.round_num, task.term,
                       todo.size() + window.chunks().size(), task.chunks.size(),
                       task.measures ? "measure"
                       : task.makes  ? "make"
                                     : "check");
  }

  struct input {
    std::shared_ptr<const merge::model_file> file; ///< when this node has it
    std::shared_ptr<const merge::manifest> chunks;
    std::shared_ptr<merge::model_part> part; ///< what is kept of it between measuring and making
  };

  std::shared_ptr<const sl_context> context;
  std::shared_ptr<fetch_counters> counters = std::make_shared<fetch_counters>();
  rounds::check_task task;
  std::vector<input> inputs;
  std::shared_ptr<const merge::manifest> proposal; ///< unless a run is made
  std::shared_ptr<merge::model_part> part;         ///< of it, where what is found right is kept
  std::shared_ptr<const void> claim;
  std::shared_ptr<merge::shard_file> run; ///< which is made
  std::optional<merge::remerge> again;
  std::map<std::uint64_t, std::vector<double>> sums; ///< of chunks, where they are measured
  std::vector<std::uint64_t> todo;                   ///< chunks
  check_window window;
  std::size_t open = 0; ///< fetches under way
  std::string failure;  ///< of one of them
  bool ended = false;   ///< one of them failed as nobody listens there
  retries tried{task};
  std::size_t unheard_open = 0;
};

using self_pointer = role_actor<checker_state>*;

void finish(self_pointer self, result<check_outcome> outcome) {
  const auto& task = self->state().task;
  self->tell(sibling_of_parent(*self, sl_names::follower), check_done{task.id, std::move(outcome)});
  self->finish();
}

void wrong_chunk(self_pointer self, std::uint64_t number, std::string text) {
  finish(self, check_outcome{check_outcome::wrong_chunk, number, {}, std::move(text)});
}

void unserved(self_pointer self, std::uint64_t number, std::string text) {
  finish(self, check_outcome{check_outcome::unserved, number, {}, std::move(text)});
}

void ask_manifest(self_pointer self, std::size_t which, const hash32& digest, std::uint64_t size,
                  std::vector<rounds::holder> holders) {
  auto& s = self->state();
  fetch_manifest_async(s.context, s.counters, digest, size, std::move(holders),
                       [mail = own_mail(*self), which](auto outcome) {
                         mail.send(manifest_here{which, std::move(outcome)});
                       });
}

/// Asks for the manifests that are missing.
void ask_manifests(self_pointer self) {
  auto& s = self->state();
  s.failure.clear();
  s.ended = false;
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    if (s.inputs[i].chunks) continue;
    const auto& input = s.task.inputs[i];
    ++s.open;
    ask_manifest(self, i, input.digest, input.size, holders_of(s.task, input));
  }
  if (s.proposal || s.task.makes) return;
  ++s.open;
  if (s.task.shards.empty())
    return ask_manifest(self, s.inputs.size(), s.task.digest, s.task.size, {s.task.leader});
  fetch_sharded_manifest_async(s.context, s.counters, s.task.digest, s.task.size, s.task.shards,
                               [mail = own_mail(*self), which = s.inputs.size()](auto outcome) {
                                 mail.send(manifest_here{which, std::move(outcome)});
                               });
}

// Chunks

void check_chunks(self_pointer self);

/// What is committed of each unit of the task's chunks, which are all measured.
std::map<std::uint64_t, std::vector<hash32>> sums_of_units(const checker_state& s) {
  std::map<std::uint64_t, std::vector<double>> chunks_of;
  for (const auto& [chunk, sums] : s.sums) {
    auto& own = chunks_of[chunk / s.task.measured.unit_chunks];
    own.insert(own.end(), sums.begin(), sums.end());
  }
  std::map<std::uint64_t, std::vector<hash32>> out;
  for (auto& [unit, own] : chunks_of)
    out[unit] = contracts::pack_sums(sums_above(std::move(own), s.again->measures(), 64));
  return out;
}

/// The first unit whose sums are not those that stand on chain. The task has whole units.
std::optional<std::uint64_t> wrong_sums(const checker_state& s) {
  const auto& known = s.task.measured.units;
  for (const auto& [unit, words] : sums_of_units(s))
    if (unit >= known.size() || contracts::digest_of_sums(words) != known[unit]) return unit;
  return std::nullopt;
}

void next_window(self_pointer self) {
  auto& s = self->state();
  if (s.todo.empty()) {
    s.window = {};
    if (s.unheard_open > 0) return;
    check_outcome right;
    if (s.run) s.context->shards->hold({});
    if (s.run) right.made = s.run->hashes();
    if (s.task.measures) {
      for (const auto& [unit, words] : sums_of_units(s))
        right.sums.insert(right.sums.end(), words.begin(), words.end());
    } else if (const auto wrong = wrong_sums(s)) {
      return wrong_chunk(self, s.proposal->chunks.size() + *wrong,
                         fmt::format("part {} of the models is measured to something else", *wrong));
    }
    return finish(self, std::move(right));
  }
  const auto remote =
      std::ranges::count_if(s.inputs, [](const auto& input) { return input.file == nullptr; });
  s.window = check_window(*s.again, s.todo, static_cast<std::size_t>(remote), window_bytes_max);
  for (std::size_t i = 0; i < s.inputs.size(); ++i) // what was measured need not come again
    for (const auto chunk : s.window.needed())
      if (const auto& part = s.inputs[i].part; part && part->has(chunk))
        s.window.take({i, chunk, 1}, to_bytes(part->raw().subspan(chunk * merge::chunk_size,
                                                                  part->manifest().size_of_chunk(chunk))));
  s.tried.reset();
  check_chunks(self);
}

/// True when some are being fetched.
bool fetch_chunks(self_pointer self) {
  auto& s = self->state();
  s.failure.clear();
  s.ended = false;
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    if (s.inputs[i].file) continue;
    for (const auto& run : s.window.missing_of(i)) {
      ++s.open;
      fetch_chunks_async(s.context, s.counters, s.inputs[i].chunks, run.first, run.count,
                         holders_of(s.task, s.task.inputs[i]), [mail = own_mail(*self), run](auto outcome) {
                           mail.send(chunks_here{run, std::move(outcome)});
                         });
    }
  }
  return s.open > 0;
}

bytes_view chunk_of(const checker_state& s, std::size_t input, std::uint64_t chunk) {
  const auto& file = s.inputs[input].file;
  if (!file) return s.window.bytes_of(input, chunk);
  const auto first = chunk * merge::chunk_size;
  note_mapped_read(merge::chunk_size);
  return file->raw().subspan(first, std::min(merge::chunk_size, file->size() - first));
}

/// Makes, checks or measures the chunk; says what is wrong with it, or with this node.
struct chunk_trouble {
  std::string wrong, own;
};
chunk_trouble look_at_chunk(checker_state& s, std::uint64_t chunk, std::vector<double>& sums) {
  const auto source = [&](std::size_t input, std::uint64_t which) { return chunk_of(s, input, which); };
  if (s.task.measures || (s.task.measured.sums > 0 && !s.task.makes)) {
    auto measured = s.again->measure(chunk, source);
    if (!measured) return {measured.error().message, {}};
    sums = std::move(*measured);
    if (s.task.measures) return {};
  }
  const auto made = s.again->chunk(chunk, source);
  if (!made) return {made.error().message, {}};
  if (!s.run && sha256(*made) != s.proposal->chunks[chunk]) return {"the same models give other bytes", {}};
  if (s.part) std::ignore = s.part->put_checked(chunk, *made); // else it is fetched
  if (!s.run) return {};
  const auto put = s.run->put(chunk, *made);
  return {{}, put ? "" : put.error().message};
}

/// What was fetched to measure a run is needed once more to make it. Without room it comes again.
void keep_measured(checker_state& s) {
  for (std::size_t i = 0; s.task.measures && i < s.inputs.size(); ++i)
    for (const auto chunk : s.window.needed())
      if (const auto& part = s.inputs[i].part)
        std::ignore = part->put_checked(chunk, s.window.bytes_of(i, chunk));
}

/// Makes the window's chunks once all that is needed is here.
void check_chunks(self_pointer self) {
  if (fetch_chunks(self)) return;
  auto& s = self->state();
  const auto& chunks = s.window.chunks();
  std::vector<chunk_trouble> trouble(chunks.size());
  std::vector<std::vector<double>> sums(chunks.size());
  tbb::parallel_for(std::size_t{0}, chunks.size(),
                    [&](std::size_t i) { trouble[i] = look_at_chunk(s, chunks[i], sums[i]); });
  for (const auto& one : trouble)
    if (!one.own.empty()) return finish(self, fail(errc::io, "{}", one.own));
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (!trouble[i].wrong.empty())
      return wrong_chunk(self, chunks[i],
                         fmt::format("chunk {} of the merge: {}", chunks[i], trouble[i].wrong));
    if (!sums[i].empty()) s.sums[chunks[i]] = std::move(sums[i]);
  }
  keep_measured(s);
  ++s.context->board->progress;
  next_window(self);
}

// What comes

/// Where what is measured is kept until its part of the merge is made; for any other task there is nothing to keep.
void open_parts(checker_state& s) {
  std::vector<std::shared_ptr<merge::model_part>> parts;
  const bool keeps = s.task.measured.sums > 0 && (s.task.measures || s.task.makes);
  for (auto& input : s.inputs) {
    if (!keeps || input.file) continue;
    auto part = s.context->store->part(*input.chunks);
    if (!part) continue;
    input.part = std::move(*part);
    parts.push_back(input.part);
  }
  s.context->shards->hold(std::move(parts));
}

void begin_chunks(self_pointer self) {
  auto& s = self->state();
  const auto own = std::ranges::find_if(s.inputs, [](const auto& input) { return input.file != nullptr; });
  if (own == s.inputs.end())
    return finish(self, fail(errc::not_found, "this node does not have its own model any more"));
  std::vector<merge::checked_input> inputs;
  for (std::size_t i = 0; i < s.inputs.size(); ++i)
    inputs.push_back({s.task.inputs[i].digest, s.inputs[i].chunks->chunks, s.task.inputs[i].weight});
  const auto method = parse_merge_method(s.task.method);
  if (!method) return finish(self, tl::unexpected(method.error()));
  auto again = merge::remerge::make(*method, own->file->layout(), std::move(inputs));
  if (!again) return finish(self, tl::unexpected(std::move(again).error()));
  s.again = std::move(*again);
  s.todo = s.task.chunks;
  if (s.again->measures() != s.task.measured.sums)
    return finish(self, fail(errc::invalid, "a merge by {} is measured otherwise", s.task.method));
  if (s.task.measured.sums > 0 && !s.task.measures) {
    const auto totals = contracts::unpack_sums(s.task.measured.totals, s.again->measures());
    if (!totals) return finish(self, tl::unexpected(totals.error()));
    s.again->decide(*totals);
  }
  open_parts(s);
  if (s.task.measures) return next_window(self);
  if (s.task.makes) {
    auto run = s.context->shards->begin(*s.context->store, s.task.inputs, s.task.measured.totals, s.task.size,
                                        s.todo.front(), s.todo.size());
    if (!run) return finish(self, tl::unexpected(std::move(run).error()));
    s.run = std::move(*run);
    std::erase_if(s.todo, [&s](std::uint64_t chunk) { return s.run->has(chunk); });
  } else if (s.proposal->chunks.size() != s.again->chunk_count()) {
    return wrong_chunk(self, 0, "the merge is not as long as the models");
  } else if (auto part = s.context->store->part(*s.proposal)) {
    s.part = std::move(*part);
    s.claim = merge::model_part::claim(s.part);
  }
  next_window(self);
}

/// Goes on when all fetches of a kind have ended; those that failed are tried again.
void settle(self_pointer self) {
  auto& s = self->state();
  if (s.open > 0) return;
  if (s.failure.empty()) return s.again ? check_chunks(self) : begin_chunks(self);
  if (s.tried.go_on(std::chrono::steady_clock::now(), s.ended))
    return self->delayed_send(self, retries::pause, ask_again{});
  const auto number = s.again ? s.window.chunks().front() : s.task.chunks.front();
  const bool is_model = s.again || s.proposal || s.task.makes;
  unserved(self, number,
           is_model ? "nobody who should gives a model: " + s.failure
                    : "nobody who should gives what is proposed: " + s.failure);
}

void note_failure(checker_state& s, const error& why) {
  s.failure = why.message;
  s.ended = s.ended || why.is(fetch_errc::not_there);
}

void take_manifest(self_pointer self, const manifest_here& news) {
  auto& s = self->state();
  --s.open;
  if (!news.outcome) {
    note_failure(s, news.outcome.error());
  } else if (news.which == s.inputs.size()) {
    s.proposal = std::make_shared<merge::manifest>(*news.outcome);
  } else {
    s.inputs[news.which].chunks = std::make_shared<merge::manifest>(*news.outcome);
  }
  settle(self);
}

void take_exclusion(self_pointer self, const unheard_tried& what) {
  auto& s = self->state();
  if (what.gives) return finish(self, gives_its_model(s.task.unheard, what.peer));
  if (--s.unheard_open == 0 && s.again && s.todo.empty() && s.window.chunks().empty())
    finish(self, check_outcome{});
}

void take_chunks(self_pointer self, chunks_here& news) {
  auto& s = self->state();
  --s.open;
  if (news.outcome)
    s.window.take(news.which, std::move(*news.outcome));
  else
    note_failure(s, news.outcome.error());
  settle(self);
}

caf::behavior checker_behavior(self_pointer self) {
  auto& s = self->state();
  if (s.task.leads) { // others ask this node how far its merge is
    s.context->board->round_num = s.task.round_num;
    s.context->board->term = s.task.term;
  }
  for (const auto& input : s.task.inputs) {
    auto file = s.context->store->open(input.digest);
    s.inputs.push_back(
        file ? checker_state::input{*file, std::make_shared<merge::manifest>((*file)->manifest())}
             : checker_state::input{});
  }
  s.unheard_open = s.task.unheard.size();
  try_unheard(s.context, s.counters, s.task.unheard,
              [mail = own_mail(*self)](const unheard_tried& what) { mail.send(exclusion_tried{what}); });
  ask_manifests(self);
  return {
      [=](const manifest_here& news) { take_manifest(self, news); },
      [=](const exclusion_tried& news) { take_exclusion(self, news.what); },
      [=](chunks_here& news) { take_chunks(self, news); },
      [=](ask_again) {
        // A contributor is given its time, which has an end: no fault of a leader.
        if (self->state().task.leads) ++self->state().context->board->progress;
        self->state().again ? check_chunks(self) : ask_manifests(self);
      },
  };
}

} // namespace

child_spec checker_spec(std::string name, std::shared_ptr<const sl_context> context,
                        rounds::check_task task) {
  supervisor_spec spec{.name = std::move(name),
                       .how = strategy::one_for_one,
                       .intensity = {.max_restarts = 1, .period = std::chrono::hours(24)},
                       .children = {}};
  const bool whole = task.whole;
  spec.children = {{.name = "remerge",
                    .start = whole
                                 ? whole_check_actor(std::move(context), std::move(task))
                                 : role<checker_state>(checker_behavior, std::move(context), std::move(task)),
                    .when = restart::transient,
                    .detached = true}};
  return nested(std::move(spec), restart::temporary);
}

} // namespace swarm::actors
