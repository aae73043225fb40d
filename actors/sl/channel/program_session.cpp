#include "actors/sl/channel/channel.hpp"
#include "contracts/registry/client.hpp"
#include "merge/methods/merge.hpp"
#include "transport/ml_channel/weights.hpp"

#include <algorithm>
#include <utility>

namespace swarm::actors {

namespace {

constexpr std::int32_t interval_max = 1 << 30;

result<contracts::on_train_end> parse_train_end(const std::string& text) {
  if (text.empty() || text == "snapshot") return contracts::on_train_end::snapshot;
  if (text == "inactive") return contracts::on_train_end::inactive;
  if (text == "active") return contracts::on_train_end::active;
  return fail(errc::invalid, "checkinModelOnTrainEnd '{}' is none of inactive, snapshot, active", text);
}

result<program_opened> session_of(const ml::session_request& request) {
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
  if (!contracts::is_training_name(out.contract))
    return fail(errc::invalid,
                "trainingContract must be 1 to {} characters of A-Z a-z 0-9 . _ - ; got {} bytes: '{}'",
                contracts::training_name_bytes_max, out.contract.size(), out.contract.substr(0, 80));
  SWARM_TRY(const auto method, merge::parse_merge_method(request.merge_method));
  SWARM_CHECK(merge::check_supported(method));
  SWARM_TRY(out.params.on_train_end, parse_train_end(request.checkin_model_on_train_end));
  out.params.min_peers = static_cast<std::uint32_t>(request.min_peers);
  out.params.sync_interval = static_cast<std::uint32_t>(request.sync_interval);
  out.params.adaptive_sync = request.use_adaptive_sync;
  out.params.weightage = static_cast<std::uint32_t>(request.node_weightage);
  out.params.merge_method = merge::name_of(method);
  return out;
}

} // namespace

channel_state::channel_state(channel_options options, std::string session_id)
    : options_(std::move(options)), session_id_(std::move(session_id)) {}

result<channel_state::event> channel_state::take(ml::msg_type type, bytes_view body) {
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

channel_state::event channel_state::closed(std::string reason) {
  if (phase_ == phase::idle) return {};
  return program_gone{std::move(reason), std::exchange(phase_, phase::over) == phase::over};
}

result<channel_state::event> channel_state::take_open(bytes_view body) {
  if (phase_ != phase::idle)
    return fail(errc::conflict, "the session is already open; a program opens one session");
  SWARM_TRY(const auto request, ml::decode_session_request(body));
  SWARM_TRY(auto opened, session_of(request));
  weightage_ = opened.params.weightage;
  phase_ = phase::opening;
  return event{std::move(opened)};
}

result<channel_state::event> channel_state::take_sync(ml::msg_type type, bytes_view body) {
  if (phase_ != phase::training)
    return fail(errc::conflict, "{} while another request is under way", ml::name_of(type));
  SWARM_TRY(const auto request, ml::decode_sync_request(body));
  if (request.session_id != session_id_)
    return fail(errc::invalid, "session '{}' is not open here", request.session_id.substr(0, 40));
  const auto limit = static_cast<std::int32_t>(contracts::weightage_max);
  if (request.node_weightage < 0 || request.node_weightage > limit)
    return fail(errc::invalid, "nodeWeightage must be between 0 and {}, got {}", limit,
                request.node_weightage);
  SWARM_TRY(const auto file, ml::store_weights(request.input_params, *options_.store));
  close_pending_ = type == ml::msg_type::close_session_request;
  phase_ = close_pending_ ? phase::closing : phase::syncing;
  seq_num_ = request.sync_seq_num;
  ++syncs_;
  const rounds::model_ref model{file->digest(), file->size(), file->layout().layout_digest()};
  const auto weightage = static_cast<std::uint32_t>(request.node_weightage);
  if (close_pending_) return event{program_closing{model, weightage}};
  return event{program_synced{model, weightage}};
}

result<channel_state::event> channel_state::take_loss(bytes_view body) {
  if (phase_ != phase::asking_loss) return fail(errc::conflict, "a loss was sent that nobody asked for");
  SWARM_TRY(const auto answer, ml::decode_loss_response(body));
  if (answer.status.code != ml::status_code::ok) {
    phase_ = phase::over;
    return event{program_gone{
        answer.status.msg.empty() ? "the program could not compute its loss" : answer.status.msg, false}};
  }
  if (answer.sync_seq_num != seq_num_ || answer.loss_seq_num != loss_seq_num_)
    return fail(errc::invalid, "loss for sync {} no. {} arrived, asked was sync {} no. {}",
                answer.sync_seq_num, answer.loss_seq_num, seq_num_, loss_seq_num_);
  phase_ = close_pending_ ? phase::closing : phase::syncing;
  return event{
      program_loss{{answer.loss, answer.metrics, static_cast<std::uint32_t>(std::max(0, answer.epochs_done)),
                    static_cast<std::uint32_t>(std::max(0, answer.total_epochs))}}};
}

result<channel_state::event> channel_state::take_kill(bytes_view body) {
  SWARM_TRY(const auto request, ml::decode_kill_session_request(body));
  phase_ = phase::over;
  return event{program_gone{
      "it ended its session" + (request.reason.msg.empty() ? "" : ": " + request.reason.msg), true}};
}

result<ml::outgoing> channel_state::answer_open() {
  if (phase_ != phase::opening) return fail(errc::conflict, "no program waits for its session");
  phase_ = phase::training;
  ml::session_response response;
  response.session_id = session_id_;
  return ml::make_outgoing(response);
}

result<ml::outgoing> channel_state::ask_loss(const hash32& digest) {
  if (phase_ != phase::syncing && phase_ != phase::closing)
    return fail(errc::conflict, "no program waits for a merged model");
  SWARM_TRY(auto model, options_.store->open(digest));
  ml::loss_request request;
  request.session_id = session_id_;
  request.sync_seq_num = seq_num_;
  request.loss_seq_num = ++loss_seq_num_;
  SWARM_TRY(auto message, ml::encode_loss_request(request, std::move(model)));
  phase_ = phase::asking_loss;
  return message;
}

result<ml::outgoing> channel_state::answer_sync(const swarm::actors::answer_sync& answer) {
  if (phase_ != phase::syncing) return fail(errc::conflict, "no program waits for a sync");
  phase_ = phase::training;
  ml::sync_response response;
  response.session_id = session_id_;
  response.sync_seq_num = seq_num_;
  response.next_sync_interval =
      static_cast<std::int32_t>(std::clamp<std::uint32_t>(answer.next_interval, 1, interval_max));
  response.training_over = answer.training_over;
  return ml::make_outgoing(ml::msg_type::sync_response, response);
}

result<ml::outgoing> channel_state::answer_close() {
  if (phase_ != phase::closing) return fail(errc::conflict, "no program waits for its end");
  phase_ = phase::over;
  ml::sync_response response;
  response.session_id = session_id_;
  response.sync_seq_num = seq_num_;
  response.next_sync_interval = 1;
  response.training_over = true;
  return ml::make_outgoing(ml::msg_type::close_session_response, response);
}

std::string channel_state::status() const {
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
  case phase::over:
    return "session over";
  }
  return {};
}

} // namespace swarm::actors
