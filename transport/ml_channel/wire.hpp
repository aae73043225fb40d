#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The channel between a training program (ML) and its SL, API version 2: frames and messages. The bytes
/// are those that the clients 2.1 and 2.2 of HPE Swarm Learning write and read (protobuf 3 behind a
/// 22-byte header).
namespace swarm::ml {

enum class wire_errc {
  wrong_api_version = 1, ///< header of another API version
  bad_header,            ///< not a header at all
  unknown_type,          ///< message type outside 1..10
  empty_body,            ///< announced size 0
  oversize,              ///< announced or encoded size over the limit
  malformed,             ///< body that is not this message
  limit,                 ///< a name, text or count over its limit
  client_2_3,            ///< a 2.3 client: a file name where weights should be
  bad_weights,           ///< dtype, shape or data of one array
  bad_memory,            ///< shared memory that was not agreed on, was not sent, or is not what it should be
};
constexpr std::string_view error_category(wire_errc) {
  return "ml";
}

inline constexpr std::uint32_t api_version = 2;
inline constexpr std::size_t header_size = 22;
inline constexpr std::uint64_t body_size_max = 0x7fffffff; ///< protobuf's own limit
inline constexpr std::size_t text_size_max = 16384;        ///< status texts; longer ones are cut
inline constexpr std::size_t session_id_max = 255;
inline constexpr std::size_t contract_name_max = 255;
inline constexpr std::size_t array_count_max = 65536;
inline constexpr std::size_t array_name_max = 512;
inline constexpr std::size_t array_dims_max = 32;

enum class msg_type : std::uint32_t {
  status = 1,
  open_session_request = 2,
  open_session_response = 3,
  close_session_request = 4,
  close_session_response = 5,
  sync_request = 6,
  sync_response = 7,
  get_loss_request = 8,
  get_loss_response = 9,
  kill_session_request = 10,
};
std::string_view name_of(msg_type type);

struct header {
  msg_type type = msg_type::status;
  std::uint32_t size = 0; ///< of the body, never 0
};
std::array<std::uint8_t, header_size> encode_header(const header& from);
/// `raw` must have exactly 22 bytes. The texts of errors can be sent to the program in a Status.
result<header> decode_header(bytes_view raw, std::uint64_t size_max = body_size_max);

enum class status_code : std::int32_t { ok = 0, error_in_sl = 1, error_in_user = 2, error_others = 3 };

struct status {
  status_code code = status_code::ok; ///< an unknown code is decoded as error_others
  std::string msg;
  bool notice = false; ///< of swarmd: no answer, see session_request::takes_notices
  friend bool operator==(const status&, const status&) = default;
};

/// One array of a message; all views point into the message's body.
struct ndarray_view {
  std::string_view name;
  std::string_view dtype; ///< Python repr of a numpy dtype: dtype('float32')
  std::vector<std::uint32_t> shape;
  bytes_view data;
};
/// The arrays in the order of the message; names are unique, non-empty, UTF-8.
using weights_view = std::vector<ndarray_view>;

/// Where a model is in the program's memory; see memory/program_memory.hpp. Of swarmd's own client, as are all
/// fields from 100 on.
struct memory_place {
  std::int32_t region = 0; ///< number of the memory that the program has sent
  std::int32_t slot = 0;
  std::uint64_t size = 0; ///< bytes of the model file
  friend bool operator==(const memory_place&, const memory_place&) = default;
};

struct session_request {
  std::int32_t sync_interval = 0;
  std::int32_t min_peers = 0;
  std::int32_t max_peers = 0;
  bool use_adaptive_sync = false;
  std::string checkin_model_on_train_end; ///< "inactive", "snapshot", "active"
  std::int32_t node_weightage = 0;
  std::string training_contract;
  std::string merge_method; ///< lower case: "mean", "coordmedian", "geomedian"
  /// Of swarmd's own client: while it waits for an answer it takes a Status that is marked as a notice and
  /// says what its SL waits for.
  bool takes_notices = false;
  bool shares_memory = false; ///< it can send memory_place instead of weights, and take it
  /// Of swarmd's own client: its program goes on from the last merge.
  bool resume = false;
  /// Of swarmd's own client: it wants to know which merge a program gets, and how the peers judge.
  bool follows_rounds = false;
  bool takes_back = false; ///< Of swarmd's own client: see loss_request::ahead
  friend bool operator==(const session_request&, const session_request&) = default;
};

struct session_response {
  ml::status status;
  std::string session_id;
  /// Name of the socket beside the request FIFO to which the program may send its memory; empty when this SL
  /// takes none.
  std::string memory_socket;
  // To a program that asks to resume:
  bool resumes = false;          ///< this SL can have it go on from a merge
  std::int32_t resume_round = 0; ///< the last one that is merged; 0: none is
  std::string node;              ///< the SL's name among the peers; only to a program that follows rounds
  friend bool operator==(const session_response&, const session_response&) = default;
};

/// Also the body of close_session_request.
struct sync_request {
  std::string session_id;
  std::int32_t sync_seq_num = 0;
  std::int32_t node_weightage = 0;
  std::int32_t number_of_nodes = 0;
  weights_view input_params;                ///< views into the decoded body
  std::optional<memory_place> input_memory; ///< in place of them
};

/// Also the body of close_session_response.
struct sync_response {
  std::string session_id;
  std::int32_t sync_seq_num = 0;
  ml::status status;
  std::int32_t next_sync_interval = 0; ///< must be >= 1, with 0 the client never syncs again
  bool training_over = false;
  std::int32_t merged_round =
      0; ///< of the model that it has now; to a program that resumes or follows rounds
  // To a program that follows rounds:
  std::string merged_digest;   ///< of that model, in hex
  std::int32_t mean_peers = 0; ///< so many have reported a loss; 0: the means say nothing
  float mean_loss = 0;
  float mean_metric = 0;
  /// Of what the merge is a part: tells apart networks, and generations of the training. Empty: not known.
  std::string training;
  friend bool operator==(const sync_response&, const sync_response&) = default;
};

struct loss_request {
  std::string session_id;
  std::int32_t sync_seq_num = 0;
  std::int32_t loss_seq_num = 0;
  weights_view merged_params; ///< filled by decode; `encode_loss_request` in weights.hpp takes a model file
  std::optional<memory_place> merged_memory; ///< in place of them
  // To a program that takes back:
  bool ahead = false; ///< it may be taken back: what the program has now, with its optimiser, is to be kept
  bool goes_back = false; ///< the program first goes back to what it had before the last one that was ahead
};

struct loss_response {
  std::string session_id;
  std::int32_t sync_seq_num = 0;
  std::int32_t loss_seq_num = 0;
  ml::status status;
  float loss = 0;
  float metrics = 0;
  std::int32_t epochs_done = 0;
  std::int32_t total_epochs = 0; ///< 0 = the program did not say
  friend bool operator==(const loss_response&, const loss_response&) = default;
};

struct kill_session_request {
  std::string session_id;
  status reason;
  friend bool operator==(const kill_session_request&, const kill_session_request&) = default;
};

/// Bodies. An encoding is never empty (the client cannot read an empty body).
bytes encode(const status& from);
bytes encode(const memory_place& from);
bytes encode(const session_request& from);
bytes encode(const session_response& from);
bytes encode(const sync_request& from);
bytes encode(const sync_response& from);
bytes encode(const loss_request& from);
bytes encode(const loss_response& from);
bytes encode(const kill_session_request& from);

/// Decoding is strict and bounded. Unknown fields are skipped, packed and unpacked shapes are accepted.
/// A repeated field, a wrong wire type, a group, text that is not UTF-8, or anything cut short is
/// refused by name.
result<status> decode_status(bytes_view body);
result<memory_place> decode_memory_place(bytes_view body);
result<session_request> decode_session_request(bytes_view body);
result<session_response> decode_session_response(bytes_view body);
/// Fails with wire_errc::client_2_3 for a 2.3 client; the text is for the Status that refuses it.
result<sync_request> decode_sync_request(bytes_view body);
result<sync_response> decode_sync_response(bytes_view body);
result<loss_request> decode_loss_request(bytes_view body);
result<loss_response> decode_loss_response(bytes_view body);
result<kill_session_request> decode_kill_session_request(bytes_view body);

/// A message to be sent: pieces that are written one after the other, some of them in memory that others own.
struct outgoing {
  msg_type type = msg_type::status;
  std::vector<bytes_view> pieces;
  std::vector<std::shared_ptr<const void>> keep_alive; ///< owns what `pieces` point to
  std::uint64_t size = 0;                              ///< sum of the pieces
};
/// A message with one body, which it owns.
outgoing make_outgoing(msg_type type, bytes body);
outgoing make_outgoing(const status& from);
outgoing make_outgoing(const session_response& from);
/// `type` is sync_response or close_session_response.
outgoing make_outgoing(msg_type type, const sync_response& from);

} // namespace swarm::ml
