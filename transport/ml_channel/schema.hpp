#pragma once

#include "transport/ml_channel/wire.hpp"

#include <cstdint>
#include <string_view>
#include <tuple>

/// The fields of all messages. Only this file says what is on the wire (names and numbers of the
/// client's swifrpc.proto).
namespace swarm::ml {

template <class Message, class Value>
struct member {
  std::uint32_t number;
  std::string_view name;
  Value Message::*at;
  std::size_t size_max; ///< of a text

  constexpr member(std::uint32_t number_on_wire, std::string_view name_in_texts, Value Message::*place,
                   std::size_t text_size = 0)
      : number(number_on_wire), name(name_in_texts), at(place), size_max(text_size) {}
};

/// Of swarmd, far from the original's, which passes over them.
inline constexpr std::uint32_t notice_field = 100, memory_field = 101, resume_field = 102, round_field = 103;
inline constexpr std::uint32_t node_field = 104, digest_field = 105, means_field = 106; ///< means: to 108
inline constexpr std::uint32_t ahead_field = 109, back_field = 110;
inline constexpr std::uint32_t training_field = 111;
inline constexpr std::size_t keyword_max = 64; ///< bytes of "snapshot", "coordmedian" and the like
inline constexpr std::size_t file_name_max = 255;
inline constexpr std::size_t digest_text_max = 64;

template <class Message>
struct schema;

template <>
struct schema<memory_place> {
  using self = memory_place;
  static constexpr std::string_view name = "MemoryPlace";
  static constexpr std::tuple fields{member{1, "region", &self::region}, member{2, "slot", &self::slot},
                                     member{3, "size", &self::size}};
};

template <>
struct schema<session_request> {
  using self = session_request;
  static constexpr std::string_view name = "SessionRequest";
  static constexpr std::tuple fields{
      member{1, "syncInterval", &self::sync_interval},
      member{2, "minPeers", &self::min_peers},
      member{3, "maxPeers", &self::max_peers},
      member{4, "useAdaptiveSync", &self::use_adaptive_sync},
      member{5, "checkinModelOnTrainEnd", &self::checkin_model_on_train_end, keyword_max},
      member{6, "nodeWeightage", &self::node_weightage},
      member{7, "trainingContract", &self::training_contract, contract_name_max},
      member{8, "mergeMethod", &self::merge_method, keyword_max},
      member{notice_field, "takesNotices", &self::takes_notices},
      member{memory_field, "sharesMemory", &self::shares_memory},
      member{resume_field, "resume", &self::resume},
      member{round_field, "followsRounds", &self::follows_rounds},
      member{ahead_field, "takesBack", &self::takes_back}};
};

template <>
struct schema<session_response> {
  using self = session_response;
  static constexpr std::string_view name = "SessionResponse";
  static constexpr std::tuple fields{
      member{1, "status", &self::status},
      member{2, "sessionID", &self::session_id, session_id_max},
      member{memory_field, "memorySocket", &self::memory_socket, file_name_max},
      member{resume_field, "resumes", &self::resumes},
      member{round_field, "resumeRound", &self::resume_round},
      member{node_field, "node", &self::node, file_name_max}};
};

template <>
struct schema<sync_request> {
  using self = sync_request;
  static constexpr std::string_view name = "SyncRequest";
  static constexpr std::tuple fields{member{1, "sessionID", &self::session_id, session_id_max},
                                     member{2, "syncSeqNum", &self::sync_seq_num},
                                     member{3, "nodeWeightage", &self::node_weightage},
                                     member{4, "numberOfNodes", &self::number_of_nodes},
                                     member{5, "inputParams", &self::input_params},
                                     member{memory_field, "inputMemory", &self::input_memory}};
};

template <>
struct schema<sync_response> {
  using self = sync_response;
  static constexpr std::string_view name = "SyncResponse";
  static constexpr std::tuple fields{
      member{1, "sessionID", &self::session_id, session_id_max},
      member{2, "syncSeqNum", &self::sync_seq_num},
      member{3, "status", &self::status},
      member{4, "nextSyncInterval", &self::next_sync_interval},
      member{5, "trainingOver", &self::training_over},
      member{round_field, "mergedRound", &self::merged_round},
      member{digest_field, "mergedDigest", &self::merged_digest, digest_text_max},
      member{means_field, "meanPeers", &self::mean_peers},
      member{means_field + 1, "meanLoss", &self::mean_loss},
      member{means_field + 2, "meanMetric", &self::mean_metric},
      member{training_field, "training", &self::training, keyword_max}};
};

template <>
struct schema<loss_request> {
  using self = loss_request;
  static constexpr std::string_view name = "LossRequest";
  static constexpr std::tuple fields{member{1, "sessionID", &self::session_id, session_id_max},
                                     member{2, "syncSeqNum", &self::sync_seq_num},
                                     member{3, "lossSeqNum", &self::loss_seq_num},
                                     member{4, "mergedParams", &self::merged_params},
                                     member{memory_field, "mergedMemory", &self::merged_memory},
                                     member{ahead_field, "ahead", &self::ahead},
                                     member{back_field, "goesBack", &self::goes_back}};
};

template <>
struct schema<loss_response> {
  using self = loss_response;
  static constexpr std::string_view name = "LossResponse";
  static constexpr std::tuple fields{member{1, "sessionID", &self::session_id, session_id_max},
                                     member{2, "syncSeqNum", &self::sync_seq_num},
                                     member{3, "lossSeqNum", &self::loss_seq_num},
                                     member{4, "status", &self::status},
                                     member{5, "loss", &self::loss},
                                     member{6, "metrics", &self::metrics},
                                     member{7, "epochsdone", &self::epochs_done},
                                     member{8, "totalepochs", &self::total_epochs}};
};

template <>
struct schema<kill_session_request> {
  using self = kill_session_request;
  static constexpr std::string_view name = "KillSessionRequest";
  static constexpr std::tuple fields{member{1, "sessionID", &self::session_id, session_id_max},
                                     member{2, "reason", &self::reason}};
};

} // namespace swarm::ml
