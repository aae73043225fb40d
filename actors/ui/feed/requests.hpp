#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "contracts/training/interface/codes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What a browser says, one struct for each message of the feed (ui/src/feed.ts says what each means). Whatever arrives
/// is read without trust: a message has exactly the fields of its struct, each of its type and within its bounds.
namespace swarm::ui {

inline constexpr std::size_t message_bytes_max = 80 * 1024;
inline constexpr std::size_t name_bytes_max = 256; ///< of whatever is named
inline constexpr std::size_t text_bytes_max = 64 * 1024;

namespace question {
struct rounds {
  std::string contract;
  std::optional<std::uint64_t> generation; ///< none: the present one
  std::optional<std::uint64_t> before;     ///< only rounds below it
  std::uint64_t count = 50;
  bool operator==(const rounds&) const = default;
};
struct series {
  std::string contract;
  std::optional<std::uint64_t> generation;
  std::uint64_t from = 1; ///< round
  bool operator==(const series&) const = default;
};
struct runs {
  bool operator==(const runs&) const = default;
};
struct block {
  std::uint64_t block_num = 0;
};
struct blocks {
  std::optional<std::uint64_t> before;
  std::uint64_t count = 20;
};
struct transaction {
  std::string hash;
};
struct task {
  std::string name;
};
struct last_lines {
  std::string taskrunner;
  std::string swop;
  bool all = false; ///< also of programs that run, or have ended well
};
struct host {
  std::string swop; ///< uid
};
struct version {
  std::string node; ///< uid
};
struct proof {
  std::string contract;
  std::uint64_t round_num = 0;
};
struct model {
  std::string contract;
  std::optional<std::uint64_t> round_num; ///< none: the newest merge
};
struct anchors {};
struct log {
  std::uint64_t after = 0;         ///< only lines with higher numbers
  std::optional<std::string> node; ///< uid; none: this swarmd's
};
} // namespace question
using any_question =
    std::variant<question::rounds, question::series, question::runs, question::block, question::blocks,
                 question::transaction, question::task, question::last_lines, question::proof,
                 question::model, question::anchors, question::log, question::host, question::version>;

namespace order {
struct create_contract {
  std::string contract;
};
struct reset_contract {
  std::string contract;
  std::string note; ///< empty: none
};
struct invite {
  std::string contract;
  std::string organisation;
};
struct verify_merges {
  std::string contract;
  contracts::verify_mode when = contracts::verify_mode::before;
};
struct create_task {
  std::string yaml;
  bool finalize = true;
  bool dry_run = false;
};
struct finalize_task {
  std::string task;
};
struct delete_task {
  std::string task;
};
struct create_taskrunner {
  std::string taskrunner;
};
struct reset_taskrunner {
  std::string taskrunner;
  std::string note;
};
/// Exactly one of the last three is given.
struct assign_task {
  std::string task;
  std::string taskrunner;
  bool all_peers = false;
  std::optional<std::uint64_t> peers;
  std::optional<std::string> swop;
};
struct admit_organisation {
  std::string organisation;
  std::string anchors; ///< PEM
};
struct remove_organisation {
  std::string organisation;
};
struct replace_ca {
  std::string organisation;
  std::string anchors;
};
struct remove_node {
  std::string node;
};
/// A vote for what somebody has moved already.
struct vote_for {
  hash32 motion;
};
} // namespace order
using any_order =
    std::variant<order::create_contract, order::reset_contract, order::invite, order::verify_merges,
                 order::create_task, order::finalize_task, order::delete_task, order::create_taskrunner,
                 order::reset_taskrunner, order::assign_task, order::admit_organisation,
                 order::remove_organisation, order::replace_ca, order::remove_node, order::vote_for>;

namespace said {
struct watch {
  std::string topic;
};
struct unwatch {
  std::string topic;
};
struct ask {
  std::uint64_t id = 0;
  any_question what;
};
struct act {
  std::uint64_t id = 0;
  any_order what;
};
/// An id with a question or order that makes no sense.
struct nonsense {
  std::uint64_t id = 0;
  std::string why;
};
} // namespace said
using any_message = std::variant<said::watch, said::unwatch, said::ask, said::act, said::nonsense>;

/// Fails with errc::invalid when the text is no message at all: who sends such is no page of ours.
result<any_message> read_message(std::string_view text);

/// Whether there may be such a topic.
bool is_topic(std::string_view topic);
/// The contract's name in `training/NAME`; none of another topic.
std::optional<std::string_view> training_of(std::string_view topic);

} // namespace swarm::ui
