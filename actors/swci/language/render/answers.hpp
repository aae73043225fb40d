#pragma once

#include "actors/swci/language/command.hpp"

#include <utility>

/// What commands answer, as plain structs. Whoever fills them gives words, not codes; render.hpp makes text
/// and JSON of them. Fields of others' making (names, descriptions) may hold anything: rendering makes them
/// fit for a terminal.
namespace swarm::swci {

/// Seconds since 1970; 0: not yet, or not known.
struct moment {
  std::uint64_t unix_seconds = 0;
  bool operator==(const moment&) const = default;
};

namespace answers {

/// Something was done: "CONTRACT CREATED : c".
struct done {
  std::string what; ///< in capitals
  std::string name;
};
/// Lines as they are, such as those of HELP.
struct text {
  std::vector<std::string> lines;
};
/// LIST CONTRACTS, LIST TASKS, LIST TASKRUNNERS.
struct names {
  std::string of; ///< "contracts"
  std::vector<std::string> all;
};
struct sn_is_up {};

struct contexts {
  struct row {
    std::string name;
    sn_address sn;
    bool is_default = false;
  };
  std::vector<row> all;
};
struct context_info {
  std::string name;
  sn_address sn; ///< as it was created with
  bool is_default = false;
  std::string connected_to; ///< host:port of the SN that it works with now; empty: none
  std::vector<std::string> other_sns;
  std::string uid; ///< this SWCI's, in the context's network; empty: not registered
};
struct context_version {
  std::string context;
  std::string version; ///< of the SN's swarmd
  std::uint64_t chain_id = 0;
  std::uint64_t block_num = 0;
};
struct variables {
  std::string context;
  std::vector<std::pair<std::string, std::string>> all;
};

/// Who started something over last, and why. `by` empty: nobody, or it is not known.
struct reset {
  std::string by; ///< UID
  moment when;
  std::string note;
  bool operator==(const reset&) const = default;
};

struct contract_info {
  std::string name;
  std::string address;
  std::string created_by; ///< UID; empty: it is there from genesis
  moment created;
  std::string organisation;         ///< whose it is; empty: nobody's
  std::vector<std::string> invited; ///< organisations; empty: everybody
  std::string verified;             ///< what leaders merge: OFF or BEHIND; empty: before it counts
};
struct contract_status {
  struct peer {
    std::string uid;
    std::string name;
    std::string state;
    bool is_leader = false;
    std::uint64_t last_round = 0; ///< it checked in for
    std::optional<double> loss;
    std::optional<double> metric;
    std::uint32_t epochs_done = 0;
    std::uint32_t epochs_total = 0;
    std::string waits_for; ///< whom, or what; empty: nobody
    bool operator==(const peer&) const = default;
  };
  std::string name;
  std::string state;
  std::uint64_t generation = 0; ///< how often it was reset
  std::uint64_t round_num = 0;
  std::uint64_t merged_round = 0; ///< 0: nothing is merged yet
  std::string merge_method;
  std::string merged_digest; ///< empty: nothing is merged yet
  std::uint32_t min_peers = 0;
  std::uint32_t checked_in = 0;
  std::uint32_t waited_for = 0;
  std::string leader; ///< name; empty: nobody leads now
  std::vector<peer> peers;
  answers::reset reset = {}; ///< the last
  bool operator==(const contract_status&) const = default;
};
struct perfdata {
  struct row {
    std::string uid;
    bool is_admin = false; ///< it leads, or may lead next
    std::optional<double> loss;
    std::optional<double> metric;
    std::uint32_t epochs_total = 0;
    std::uint32_t epochs_done = 0;
  };
  std::string contract;
  std::vector<row> all;
};
struct model_saved {
  std::string contract;
  std::uint64_t round_num = 0;
  std::string file; ///< as operators see it
  std::string digest;
  std::uint64_t size = 0; ///< bytes
};
struct proof_saved {
  std::string contract;
  std::uint64_t round_num = 0;
  std::string file;
  std::uint64_t size = 0;
};

struct task_registered {
  struct batch {
    std::uint32_t first = 0; ///< line
    std::uint32_t count = 0;
  };
  std::string task;
  std::vector<std::string> warnings; ///< what was tolerated in its file
  std::vector<batch> batches;        ///< in which its body was appended
};
struct task_info {
  std::string name;
  std::string type;
  std::string author;
  std::string prerequisite; ///< empty only for ROOTTASK
  std::string outcome;
  bool finalized = false;
  std::uint32_t lines = 0;
  std::uint32_t body_bytes = 0;
  std::string created_by; ///< UID; empty: it is there from genesis
  moment created;
  moment finalized_at;
  std::string organisation; ///< of the author; empty: of none
};
struct task_body {
  std::string task;
  std::vector<std::string> lines; ///< from line 0, "---"
};

struct taskrunner_info {
  std::string name;
  std::string address;
  std::string created_by;
  moment created;
  std::uint32_t listening = 0; ///< SWOPs
  std::uint32_t slots = 0;     ///< SL nodes that they have together
  std::string organisation;    ///< whose it is; empty: nobody's
};
struct taskrunner_status {
  std::string name;
  std::string task;      ///< empty: none
  std::string peer_type; ///< "SL" or "SWOP"
  std::string state;     ///< IDLE, ENROLLING, RUNNING, COMPLETE, ERROR
  std::string mode;      ///< "WITH 2 PEERS", "WITH ALL PEERS", "TARGET"; empty: none
  std::uint64_t run = 0;
  std::uint32_t quorum = 0;
  std::uint32_t listening = 0; ///< SWOPs
  std::uint32_t enrolled = 0;
  std::uint32_t active = 0;
  std::uint32_t complete = 0;
  std::uint32_t failed = 0;
  std::string waits_for; ///< in words; empty: nothing
  moment created;
  moment assigned;
  moment enrolled_at;
  moment started;
  moment ended;
  moment last_reset;
  answers::reset reset = {};
};
struct taskrunner_peers {
  struct row {
    std::uint32_t index = 0;
    std::string uid;
    std::string name;
    std::string status;
    std::uint32_t peers = 0; ///< pairs of SL and ML, or itself
  };
  std::string taskrunner;
  std::vector<row> all;
};
struct taskrunner_peer_status {
  struct pair {
    std::string uid; ///< of the SL; empty: not known yet
    std::string name;
    std::string status;
    std::string description; ///< step or failure in words, with its number
    moment since;
  };
  struct output {
    std::string of; ///< the program whose last lines these are, and how it ended
    std::vector<std::string> lines;
  };
  std::string taskrunner;
  std::uint32_t index = 0;
  std::string uid; ///< of the SWOP
  std::string name;
  bool runs_swarm = false; ///< so that there are pairs
  std::string status;
  std::string description;
  moment since;
  std::uint32_t attempt = 1;
  std::vector<pair> pairs;
  std::vector<output> outputs; ///< of what failed, for SWCIs of the SWOP's own organisation
  std::string no_outputs;      ///< why there are none, in a word, where something failed
};
struct wait_begins {
  std::string taskrunner;
  std::uint32_t minutes_max = 120;
};
struct wait_ended {
  std::string taskrunner;
  std::string state;
  bool too_long = false; ///< the limit was reached before the task's end
};

struct organisations {
  struct limits {
    std::uint64_t nodes = 0;
    std::uint64_t trainings = 0;
    std::uint64_t peers_per_training = 0;
    std::uint64_t chain_bytes_per_day = 0;
    std::uint64_t p2p_places = 0;
    std::uint64_t model_bytes = 0;
  };
  struct row {
    std::uint64_t id = 0;
    std::string name;
    moment since; ///< a founder's is not known
    std::uint64_t members = 0;
    limits may_use;
    std::vector<std::string> anchors; ///< fingerprints
    std::uint64_t chain_bytes_today = 0;
  };
  struct motion {
    std::string what;
    std::string organisation;
    std::uint64_t needed = 0;        ///< votes
    std::vector<std::string> voters; ///< organisations
    std::uint64_t until_block = 0;
    std::string key;
    std::optional<limits> wanted;
    std::vector<std::string> anchors;
  };
  std::vector<row> all;
  std::vector<motion> motions; ///< that are open
};
/// What organisations have of the nodes that they may have.
struct seats {
  struct row {
    std::string organisation;
    std::uint64_t limit = 0;
    std::uint64_t taken = 0; ///< registered nodes of all roles
    std::uint64_t sns = 0;
    std::uint64_t sls = 0;
    std::uint64_t swops = 0;
    std::uint64_t swcis = 0;
    std::uint64_t silent = 0;    ///< of those taken: without a sign of life
    std::uint64_t trainings = 0; ///< under way
    std::string limits;          ///< beside `limit`; empty: none
  };
  std::vector<row> all;
};
/// A vote was cast.
struct organisation_vote {
  std::string what; ///< "ADMIT"
  std::string organisation;
  std::string motion; ///< its key; empty: it has passed
  std::uint64_t votes = 0;
  std::uint64_t needed = 0;
};

struct nodes {
  struct row {
    std::string type; ///< SENTINEL, SN, SL, SWOP
    std::string host; ///< or the service's name
    std::uint16_t port = 0;
    std::string name;
    std::string uid;
    /// Of the SN that it registered with; of the first SN when that one is not shown; empty: none.
    std::string parent_uid;
    moment alive; ///< its last sign of life
  };
  std::vector<row> all;
};
struct doctor_report {
  struct finding {
    std::string what;
    bool good = true;
    std::string text; ///< and the remedy
  };
  std::vector<finding> all;
};

struct files {
  struct row {
    std::string name;
    bool is_folder = false;
    std::uint64_t size = 0;
    std::string rights; ///< "rw-r--r--"
    moment changed;
  };
  bool in_detail = false;
  std::vector<row> all;
};
/// The working folder, as operators see it.
struct folder {
  std::string path;
  bool changed = false; ///< by CD
};
struct exit_on_failure {
  bool on = false;
};

} // namespace answers

using answer =
    std::variant<answers::done, answers::text, answers::names, answers::sn_is_up, answers::contexts,
                 answers::context_info, answers::context_version, answers::variables, answers::contract_info,
                 answers::contract_status, answers::perfdata, answers::model_saved, answers::proof_saved,
                 answers::task_registered, answers::task_info, answers::task_body, answers::taskrunner_info,
                 answers::taskrunner_status, answers::taskrunner_peers, answers::taskrunner_peer_status,
                 answers::wait_begins, answers::wait_ended, answers::organisations, answers::seats,
                 answers::organisation_vote, answers::nodes, answers::doctor_report, answers::files,
                 answers::folder, answers::exit_on_failure>;

} // namespace swarm::swci
