#pragma once

#include "actors/metrics/registry.hpp"

/// Every series of /metrics. docs/metrics.md lists them too, and a test compares it with what a running swarm serves. Four names
/// are fixed by EIP-2159, which reserves their prefix; process_ is what Prometheus's own libraries call theirs.
namespace swarm::metrics {

inline constexpr auto quick = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0};
inline constexpr auto patient = {0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0};

// The process
inline constexpr series build_info{"swarmd_build_info", "1, with the version as a label"};
inline constexpr series process_cpu{"process_cpu_seconds_total", "CPU time of the process"};
inline constexpr series process_resident{"process_resident_memory_bytes", "memory in RAM"};
inline constexpr series process_virtual{"process_virtual_memory_bytes", "memory mapped"};
inline constexpr series process_fds{"process_open_fds", "open file descriptors"};
inline constexpr series process_fds_max{"process_max_fds", "how many may be open"};
inline constexpr series process_threads{"process_threads", "threads of the process"};
inline constexpr series process_start{"process_start_time_seconds", "when it was started, since 1970"};
inline constexpr series actor_restarts{"swarmd_actor_restarts_total", "starts again after a failure"};
inline constexpr series actor_stuck{"swarmd_actor_stuck",
                                    "1 while an actor has been in one message for a second or more"};
inline constexpr series mailbox{"swarmd_mailbox_messages", "messages that wait for the actor"};
inline constexpr series certificate_expiry{
    "swarmd_certificate_expiry_timestamp_seconds",
    "end of the validity of the node's own certificate and of its authority's, since 1970"};

// The chain, of an SN
inline constexpr series block_num{"ethereum_blockchain_height", "the newest block of this SN"};
inline constexpr series best_known_block{"ethereum_best_known_block_number",
                                         "the newest block that this SN knows of, its own or another SN's"};
inline constexpr series peer_count{"ethereum_peer_count", "SNs connected"};
inline constexpr series peer_limit{"ethereum_peer_limit", "SNs that may be connected"};
inline constexpr series block_timestamp{"swarmd_block_timestamp_seconds",
                                        "the time in the newest block, since 1970"};
inline constexpr timed_series block_interval{
    {"swarmd_block_interval_seconds", "between two blocks, as this SN got them"}, patient};
inline constexpr series block_transactions{"swarmd_block_transactions_total",
                                           "transactions in blocks that this SN got"};
inline constexpr timed_series commit{{"swarmd_commit_seconds", "to execute the last block and to write it"},
                                     quick};
inline constexpr timed_series store_sync{{"swarmd_store_sync_seconds", "to have the last block on the disk"},
                                         quick};
inline constexpr series store_bytes{"swarmd_store_bytes", "the chain on the disk, estimated"};
inline constexpr series store_memory{"swarmd_store_memory_bytes", "the store's caches and tables in memory"};
inline constexpr series pool_transactions{"swarmd_pool_transactions", "transactions that wait for a block"};
inline constexpr series pool_bytes{"swarmd_pool_bytes", "their size"};
inline constexpr series pool_rejected{"swarmd_pool_rejected_total",
                                      "transactions of clients that were refused"};
inline constexpr series consensus_round{"swarmd_consensus_round",
                                        "round of the block being agreed; above 0 proposers have failed"};
inline constexpr series validators{"swarmd_consensus_validators", "validators of the newest block"};
inline constexpr series quorum{"swarmd_consensus_quorum", "validators that must agree on a block"};
inline constexpr series missing_validators{"swarmd_consensus_missing_validators",
                                           "other validators to which this SN has no connection"};
inline constexpr series byzantine_validators{"swarmd_consensus_byzantine_validators",
                                             "SNs that were proved to have signed two different votes"};

inline constexpr series late_votes{"swarmd_consensus_late_votes_total",
                                   "votes that came when their block was decided"};

// Its wires
inline constexpr series p2p_bytes{"swarmd_p2p_bytes_total", "bytes to and from other SNs"};
inline constexpr series rpc_requests{"swarmd_rpc_requests_total", "JSON-RPC requests"};
inline constexpr timed_series rpc_time{{"swarmd_rpc_seconds", "from the turn of a request to its answer"},
                                       quick};
inline constexpr series subscriptions{"swarmd_subscriptions", "subscriptions of clients"};
inline constexpr series peer_last_seen{"swarmd_peer_last_seen_seconds",
                                       "since the last sign of life of a node, as far as this SN knows"};
inline constexpr series receipts_awaited{"swarmd_receipts_awaited", "clients that wait for a receipt"};

// The training of an SL
inline constexpr series in_session{"swarmd_training_session",
                                   "1 while a program is served, or its peers still are"};
inline constexpr series generation{"swarmd_training_generation", "of the contract; a reset begins the next"};
inline constexpr series round{"swarmd_training_round", "the round under way"};
inline constexpr series merged_round{"swarmd_training_merged_round", "the last round that was merged"};
inline constexpr series peers{"swarmd_training_peers", "peers that have not left"};
inline constexpr series waited_for{"swarmd_training_waited_for", "peers that the round waits for"};
inline constexpr series checked_in{"swarmd_training_checked_in", "peers that are in the round"};
inline constexpr series absent_peers{"swarmd_training_absent_peers",
                                     "peers that this SL waits for: it is in the round, they are not"};
inline constexpr series silent_peers{"swarmd_training_silent_peers",
                                     "peers whose node gives no sign of life"};
inline constexpr series leader{"swarmd_training_leader", "1 while this SL leads the merge"};
inline constexpr series leader_changes{"swarmd_training_leader_changes_total",
                                       "times that a round's leader was replaced"};
inline constexpr timed_series merge_time{
    {"swarmd_training_merge_seconds", "a merge that this SL led, by its phases"}, patient};
inline constexpr series merge_bytes{"swarmd_training_merge_bytes_total", "models that went into such merges"};
inline constexpr series rejected_contributions{"swarmd_training_rejected_contributions_total",
                                               "models that such merges left out"};
inline constexpr series waiting_time{"swarmd_training_waiting_seconds",
                                     "how long this SL has been waiting for the same thing"};
inline constexpr series loss{"swarmd_training_loss", "as this SL's program reported it last"};
inline constexpr series metric{"swarmd_training_metric", "the same of its metric"};
inline constexpr series epochs_done{"swarmd_training_epochs_done", "epochs that its program has done"};
inline constexpr series model_bytes{"swarmd_model_store_bytes", "models on this SL's disk"};

// The tasks of a SWOP
inline constexpr series task_state{"swarmd_task_state", "1 for the state of the taskrunner"};
inline constexpr series task_time{"swarmd_task_seconds",
                                  "how long this SWOP has been at its part of a task; 0: at none"};

} // namespace swarm::metrics
