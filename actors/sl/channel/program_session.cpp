#include "actors/sl/channel/program_session.hpp"

#include "base/merge_method.hpp"
#include "contracts/training/interface.hpp"
#include "merge/custom/library.hpp"
#include "transport/ml_channel/weights.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace swarm::actors {

namespace {

constexpr std::int32_t interval_max = 1 << 30;
/// So the original's user guide has it in its table of defaults, with a letter too many.
constexpr std::string_view misprinted_training_name = "defaulttbb.cqdb.sml.hpe";

std::int32_t round_on_wire(std::uint64_t round_num) {
  return static_cast<std::int32_t>(
      std::min<std::uint64_t>(round_num, std::numeric_limits<std::int32_t>::max()));
}

result<contracts::on_train_end> parse_train_end(const std::string& text) {
  if (text.empty() || text == "snapshot") return contracts::on_train_end::snapshot;
  if (text == "inactive") return contracts::on_train_end::inactive;
  if (text == "active") return contracts::on_train_end::active;
  return fail(errc::invalid, "checkinModelOnTrainEnd '{}' is none of inactive, snapshot, active", text);
}

/// The method as the contract has it: of a custom one it keeps this node's library, so that others must have
/// the same.
result<merge_method> method_of(const std::string& text, const std::filesystem::path& library) {
  SWARM_TRY(auto method, parse_merge_method(text));
  if (method.kind != merge_method::custom) return method;
  if (library.empty())
    return fail(errc::invalid, "mergeMethod '{}' needs --merge-library at every SL; this one has none",
                text_of(method));
  SWARM_TRY(const auto digest, merge::library_digest(library));
  if (method.library && *method.library != digest)
    return fail(errc::invalid, "mergeMethod '{}': the library of this SL has the digest {}", text_of(method),
                to_hex(digest.view(), false));
  method.library = digest;
  return method;
}

result<program_opened> session_of(const ml::session_request& request, const std::filesystem::path& library) {
  if (request.sync_interval < 1 || request.sync_interval > interval_max)
    return fail(errc::invalid, "syncFrequency must be at least 1, got {}", request.sync_interval);
  if (request.min_peers < 1 || request.min_peers > static_cast<std::int32_t>(contracts::peers_max))
    return fail(errc::invalid, "minPeers must be between 1 and {}, got {}", contracts::peers_max,
                request.min_peers);
  if (request.node_weightage < 1
      || request.node_weightage > static_cast<std::int32_t>(contracts::weightage_max))
    return fail(errc::invalid, "nodeWeightage must be between 1 and {}, got {}", contracts::weightage_max,
                request.node_weightage);
  program_opened out;
  out.contract = request.training_contract.empty() ? std::string(contracts::default_training_name)
                                                   : request.training_contract;
  if (out.contract == misprinted_training_name) {
    out.contract = contracts::default_training_name;
    out.remark =
        fmt::format("trainingContract '{}' is taken for '{}', which the original's guide misprints so",
                    misprinted_training_name, out.contract);
  }
  if (!contracts::is_training_name(out.contract))
    return fail(errc::invalid,
                "trainingContract must be 1 to {} characters of A-Z a-z 0-9 . _ - ; got {} bytes: '{}'",
                contracts::training_name_bytes_max, out.contract.size(), out.contract.substr(0, 80));
  SWARM_TRY(const auto method, method_of(request.merge_method, library));
  SWARM_TRY(out.params.on_train_end, parse_train_end(request.checkin_model_on_train_end));
  SWARM_CHECK(check_peers(method, static_cast<std::uint32_t>(request.min_peers)));
  out.params.min_peers = static_cast<std::uint32_t>(request.min_peers);
  out.params.sync_interval = static_cast<std::uint32_t>(request.sync_interval);
  out.params.adaptive_sync = request.use_adaptive_sync;
  out.params.weightage = static_cast<std::uint32_t>(request.node_weightage);
  out.params.takes_back = request.takes_back;
  out.params.merge_method = text_of(method);
  out.params.resume = request.resume;
  return out;
}

} // namespace

program_session::program_session(std::shared_ptr<merge::model_store> store, std::string session_id,
                                 std::filesystem::path merge_library,
                                 std::shared_ptr<const ml::memory_socket> memory)
    : store_(std::move(store)), session_id_(std::move(session_id)), merge_library_(std::move(merge_library)),
      memory_socket_(std::move(memory)) {}

result<program_session::event> program_session::take(ml::msg_type type, bytes_view body) {
  auto taken = take_frame(type, body);
  if (!taken) failed_ = true;
  return taken;
}

result<program_session::event> program_session::take_frame(ml::msg_type type, bytes_view body) {
  switch (type) {
  case ml::msg_type::open_session_request:
    return take_open(body);
  case ml::msg_type::sync_request:
  case ml::msg_type::close_session_request:
    return take_sync(type, body);
  case ml::msg_type::get_loss_response:
    return take_loss(body);
  case ml::msg_type::kill_session_request:
    return take_kill(body);
  default:
    return fail(ml::wire_errc::unknown_type, "a program does not send {}", ml::name_of(type));
  }
}

program_session::event program_session::closed(std::string reason) {
  if (phase_ == phase::idle) return {};
  const bool orderly = is_over();
  if (!orderly) phase_ = phase::broken;
  return program_gone{std::move(reason), orderly,
                      failed_ ? contracts::leave_reason::bad_request : contracts::leave_reason::program_gone};
}

result<program_session::event> program_session::take_open(bytes_view body) {
  if (phase_ != phase::idle)
    return fail(errc::conflict, "the session is already open; a program opens one session");
  SWARM_TRY(const auto request, ml::decode_session_request(body));
  SWARM_TRY(opened_, session_of(request, merge_library_));
  interval_ = opened_.params.sync_interval;
  takes_notices_ = request.takes_notices;
  follows_rounds_ = request.follows_rounds;
  shares_memory_ = request.shares_memory && memory_socket_ != nullptr;
  phase_ = phase::opening;
  return event{opened_};
}

result<program_session::event> program_session::take_sync(ml::msg_type type, bytes_view body) {
  if (phase_ != phase::training)
    return fail(errc::conflict, "{} while another request is under way", ml::name_of(type));
  SWARM_TRY(const auto request, ml::decode_sync_request(body));
  if (request.session_id != session_id_)
    return fail(errc::invalid, "session '{}' is not open here", request.session_id.substr(0, 40));
  const auto limit = static_cast<std::int32_t>(contracts::weightage_max);
  if (request.node_weightage < 0 || request.node_weightage > limit)
    return fail(errc::invalid, "nodeWeightage must be between 0 and {}, got {}", limit,
                request.node_weightage);
  SWARM_TRY(const auto file, store_model(request));
  const bool closes = type == ml::msg_type::close_session_request;
  seq_num_ = request.sync_seq_num;
  before_ = loaded_;
  loaded_in_request_ = false;
  ++syncs_;
  const rounds::model_ref model{file->digest(), file->size(), file->layout().layout_digest()};
  const auto weightage = static_cast<std::uint32_t>(request.node_weightage);
  if (closes) {
    const program_closing closing{model, weightage};
    request_ = closing;
    phase_ = phase::closing;
    return event{closing};
  }
  const program_synced sync{model, weightage};
  request_ = sync;
  phase_ = phase::syncing;
  return event{sync};
}

result<std::shared_ptr<const merge::model_file>>
program_session::store_model(const ml::sync_request& request) {
  next_slot_.reset();
  if (!request.input_memory) return ml::store_weights(request.input_params, *store_);
  const auto& place = *request.input_memory;
  if (!shares_memory_)
    return fail(ml::wire_errc::bad_memory,
                "the program's model is in memory that this session does not share");
  if (!request.input_params.empty())
    return fail(ml::wire_errc::bad_memory, "the program sent a model twice, as a message and in its memory");
  if (!memory_ || place.region != region_) {
    memory_.reset(); // not two at once
    SWARM_TRY(auto memory, memory_socket_->take(session_id_, place.region));
    memory_ = std::make_shared<const ml::program_memory>(std::move(memory));
    region_ = place.region;
  }
  SWARM_TRY(auto file, ml::store_weights(*memory_, place, *store_));
  next_slot_ = place.slot;
  memory_bytes_ += place.size;
  return file;
}

bool program_session::put_into_memory(ml::loss_request& request, const merge::model_file& model) {
  if (!next_slot_ || model.size() > memory_->slot_size() || !memory_->write(*next_slot_, model.raw()))
    return false;
  request.merged_memory = ml::memory_place{region_, *next_slot_, model.size()};
  next_slot_ = (*next_slot_ + 1) % ml::program_memory::slots; // the program keeps the last merge meanwhile
  memory_bytes_ += model.size();
  return true;
}

result<program_session::event> program_session::take_loss(bytes_view body) {
  if (phase_ != phase::asking_loss) return fail(errc::conflict, "a loss was sent that nobody asked for");
  SWARM_TRY(const auto answer, ml::decode_loss_response(body));
  if (answer.status.code != ml::status_code::ok) {
    phase_ = phase::broken;
    return event{
        program_gone{answer.status.msg.empty() ? "the program could not compute its loss" : answer.status.msg,
                     false, contracts::leave_reason::program_failed}};
  }
  if (answer.sync_seq_num != seq_num_ || answer.loss_seq_num != loss_seq_num_)
    return fail(errc::invalid, "loss for sync {} no. {} arrived, asked was sync {} no. {}",
                answer.sync_seq_num, answer.loss_seq_num, seq_num_, loss_seq_num_);
  phase_ = std::holds_alternative<program_closing>(request_) ? phase::closing : phase::syncing;
  const rounds::loss_report loss{answer.loss, answer.metrics,
                                 static_cast<std::uint32_t>(std::max(0, answer.epochs_done)),
                                 static_cast<std::uint32_t>(std::max(0, answer.total_epochs))};
  loaded_ = loaded_merge{*std::exchange(asked_, std::nullopt), loss};
  loaded_in_request_ = true;
  return event{program_loss{loaded_->asked.digest, loss}};
}

result<program_session::event> program_session::take_kill(bytes_view body) {
  SWARM_TRY(const auto request, ml::decode_kill_session_request(body));
  phase_ = phase::killed;
  last_words_ = "it ended its session" + (request.reason.msg.empty() ? "" : ": " + request.reason.msg);
  return event{program_gone{last_words_, true, contracts::leave_reason::program_ended}};
}

program_session::reply program_session::answer_open(const actors::answer_open& answer) {
  if (phase_ != phase::opening) return {};
  phase_ = phase::training;
  network_ = answer.network;
  ml::session_response response;
  response.session_id = session_id_;
  if (shares_memory_) response.memory_socket = memory_socket_->name();
  response.resumes = opened_.params.resume;
  if (response.resumes) response.resume_round = round_on_wire(answer.merged_round);
  if (follows_rounds_) response.node = answer.node;
  return ml::make_outgoing(response);
}

result<program_session::reply> program_session::ask_loss(const actors::ask_loss& ask) {
  // A follower that was restarted does not know what the former one has asked.
  if (phase_ != phase::syncing && phase_ != phase::closing) return reply{};
  if (loaded_in_request_ && loaded_->asked.digest == ask.digest)
    return reply{program_loss{ask.digest, loaded_->loss}};
  SWARM_TRY(auto model, store_->open(ask.digest));
  ml::loss_request request;
  request.session_id = session_id_;
  request.sync_seq_num = seq_num_;
  request.loss_seq_num = loss_seq_num_ + 1;
  request.ahead = ask.ahead;
  request.goes_back = ask.goes_back;
  ml::outgoing message;
  if (put_into_memory(request, *model)) {
    message = ml::make_outgoing(ml::msg_type::get_loss_request, ml::encode(request));
  } else {
    SWARM_TRY(message, ml::encode_loss_request(request, std::move(model)));
  }
  ++loss_seq_num_;
  asked_ = ask;
  phase_ = phase::asking_loss;
  return reply{std::move(message)};
}

program_session::reply program_session::answer_sync(const actors::answer_sync& answer) {
  if (phase_ != phase::syncing) return {};
  phase_ = phase::training;
  request_ = {};
  interval_ = std::clamp<std::uint32_t>(answer.next_interval, 1, interval_max);
  ml::sync_response response;
  response.session_id = session_id_;
  response.sync_seq_num = seq_num_;
  response.next_sync_interval = static_cast<std::int32_t>(interval_);
  response.training_over = answer.training_over;
  if (opened_.params.resume) response.merged_round = round_on_wire(answer.merged_round);
  tell_of_merge(response, answer.means);
  response.status.msg = answer.notice;
  return ml::make_outgoing(ml::msg_type::sync_response, response);
}

void program_session::tell_of_merge(ml::sync_response& response,
                                    const std::optional<rounds::mean_report>& means) const {
  if (!follows_rounds_ || !loaded_) return;
  response.merged_round = round_on_wire(loaded_->asked.round_num);
  response.merged_digest = to_hex(loaded_->asked.digest.view(), false);
  if (!network_.empty()) response.training = fmt::format("{}-{}", network_, loaded_->asked.generation);
  if (!means) return;
  response.mean_peers = static_cast<std::int32_t>(means->peers);
  response.mean_loss = static_cast<float>(means->loss);
  response.mean_metric = static_cast<float>(means->metric);
}

program_session::reply program_session::answer_close(const actors::answer_close& answer) {
  if (phase_ != phase::closing) return {};
  phase_ = phase::closed;
  ml::sync_response response;
  response.session_id = session_id_;
  response.sync_seq_num = seq_num_;
  response.next_sync_interval = 1;
  response.training_over = true;
  tell_of_merge(response, answer.means);
  response.status.msg = answer.notice;
  return ml::make_outgoing(ml::msg_type::close_session_response, response);
}

program_session::reply program_session::tell(const std::string& text) const {
  if (!takes_notices_ || !is_owed()) return {};
  return ml::make_outgoing(ml::status{ml::status_code::ok, text, true});
}

program_resumed program_session::resume() const {
  program_resumed out;
  if (phase_ == phase::idle || phase_ == phase::broken) return out;
  out.session = opened_;
  out.open_answered = phase_ != phase::opening;
  out.progress.interval = interval_;
  // A request without an answer is served from its beginning, but nothing that was done for it already
  // is done twice.
  const bool pending = is_owed() || phase_ == phase::asking_loss;
  if (const auto& has = pending ? before_ : loaded_) {
    const auto& [asked, loss] = *has;
    out.progress.generation = asked.generation;
    out.progress.base_round = asked.round_num;
    out.progress.base_digest = asked.digest;
    out.progress.loss = loss;
  }
  if (phase_ == phase::killed) {
    out.last_words = last_words_;
  } else if (const auto* sync = std::get_if<program_synced>(&request_)) {
    out.waits_for = *sync;
  } else if (const auto* closing = std::get_if<program_closing>(&request_)) {
    out.waits_for = *closing;
  }
  return out;
}

std::string program_session::status() const {
  switch (phase_) {
  case phase::idle:
    return "waiting for a program";
  case phase::opening:
    return "opening the session";
  case phase::training:
    return fmt::format("the program trains, {} syncs so far", syncs_);
  case phase::syncing:
    return fmt::format("sync {} under way", seq_num_);
  case phase::asking_loss:
    return "the program loads and evaluates the merged model";
  case phase::closing:
    return "the program has ended its training and waits for the final model";
  case phase::closed:
  case phase::killed:
  case phase::broken:
    return "session over";
  }
  return {};
}

} // namespace swarm::actors
