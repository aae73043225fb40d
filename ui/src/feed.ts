/**
 * The feed: one WebSocket, `/feed`, of JSON texts, between the page and a swarmd of role `ui`. The server keeps to it in
 * actors/ui, the page in ui/src.
 *
 * Rules for both sides:
 * - A message is one JSON object with a `type`. The server refuses a message with a field that is not listed here, one of
 *   another type, and one of over 80 kB (close code 1008 or 1009).
 * - Names, ids and texts are of others' making and may hold anything: they are text, never HTML.
 * - `..._ms` are milliseconds: of points in time since 1970 by the server's clock, else a duration. Every message of the
 *   server (but `many`) has `now_ms`, so that the page can show ages although the browser's clock is wrong. Times of blocks have
 *   a resolution of a second. Numbers fit a double exactly. `uid` is an account, "0x" and 40 digits; `digest`, `hash`: "0x" and 64.
 * - A field that may be missing is marked `?` and then is left out; there is no `null` in data, so that a patch's `null`
 *   always means "this is gone". What has many entries is an object (by uid, name, number), whose order means nothing.
 */

// ---- From the browser ---------------------------------------------------------------------------------------------
/** `training/NAME` has the name of a contract as it is; any other topic there is stands here. */
export type Topic = "network" | "trainings" | "tasks" | "taskrunners" | `training/${string}`;

export type ToServer =
  /** From now on the topic's whole state, then what changes. Watching twice gives the state once more. At most 32 at a time. */
  | { type: "watch"; topic: Topic }
  | { type: "unwatch"; topic: Topic }
  /** A question; exactly one `answer` or `refused` with its `id` comes. Ids are the page's own. At most 16 at a time. */
  | ({ type: "ask"; id: number } & Question)
  /** An order, of operators only; answered like a question, once it is final on the chain. One at a time is carried out. */
  | ({ type: "act"; id: number } & Action);

// ---- From the server ----------------------------------------------------------------------------------------------
export type ToBrowser =
  /** Several at a time, in their order; none of them is such a message itself. */
  | { type: "many"; messages: OneToBrowser[] }
  | OneToBrowser;

export type OneToBrowser =
  /** The first message. */
  | { type: "hello"; now_ms: number; you: You; server: ServerFacts }
  /** The whole state of a watched topic. */
  | { [T in keyof Topics]: { type: "state"; now_ms: number; topic: T; serial: number; data: Topics[T] } }[keyof Topics]
  | { type: "state"; now_ms: number; topic: `training/${string}`; serial: number; data: Training }
  /** RFC 7396 merge patch on the topic's state with the serial before; at most ten a second for each topic. */
  | { type: "patch"; now_ms: number; topic: Topic; serial: number; patch: unknown }
  /** The topic is not there (no such contract, or no longer). A `state` follows once it is. */
  | { type: "absent"; now_ms: number; topic: Topic; why: string }
  | { type: "answer"; now_ms: number; id: number; data: unknown }
  /** `why` is for people: the contract's own words where a contract refused. */
  | { type: "refused"; now_ms: number; id: number; code: RefusalCode; why: string };

export type RefusalCode =
  | "invalid" //     the question or order makes no sense; `why` names the field
  | "not_allowed" // this session may only read
  | "not_found"
  | "refused" //     a contract, or a rule of this node, says no
  | "unavailable" // no SN answers now
  | "busy"; //       too many at a time; try again

export interface You {
  /** How this session got in: the subject of its certificate, or "the token printed at the start". */
  name: string;
  rights: "reader" | "operator";
  expires_ms: number;
}
export interface ServerFacts {
  node_name: string;
  version: string; // of this swarmd
  uid: string; //     the account that signs actions
}

export interface Topics {
  network: Network;
  trainings: Trainings;
  tasks: Tasks;
  taskrunners: Taskrunners;
}

// ---- network ------------------------------------------------------------------------------------------------------

export interface Network {
  standing: {
    connected: boolean; // an SN answers, and this node is a member
    trouble: string; //    in words; empty: none
    since_ms: number; //   since when that is so
    read_ms: number; //    when the data of all topics was last read; their age when no SN answers. 0: never
    sn: string; //         host:port of the SN that is asked; empty: none known
  };
  head: {
    block_num: number;
    hash: string;
    time_ms: number;
    transactions: number;
  };
  chain_id: number;
  genesis: string; // hash of the genesis block; empty: not known yet
  sn_version: string; // of the SN that is asked, such as "swarmd/v0.3.0/c++20"
  rules: { version: number; next?: number; from_block?: number };
  validators: Record<string, { since?: number }>; // by uid: who seals the next block
  nodes: Record<string, Node>; // by uid: all that were ever members and have not been forgotten
  organisations: Record<string, Organisation>; // by id
  motions: Record<string, Motion>; // by key: open votes on organisations
}
export interface Node {
  name: string;
  role: "SN" | "SL" | "SWOP" | "SWCI";
  organisation: number; // id; 0: none
  endpoint: string; //     host:port where it is reached by its peers; empty: nowhere
  api_endpoint?: string; // of an SN: host:port for clients
  active: boolean; //      a member now
  pending: boolean; //     waits until organisations have vouched for it
  since_block: number;
  fingerprint: string; //  SHA-256 of its certificate
  expires_ms: number; //   of its certificate; 0: never
  parent?: string; //      uid of the SN that it registered with
  alive: boolean; //       gave a sign of life in the last 10 s
  silent_since_ms?: number; // when not alive: its last sign of life, as far as the SN knows
}
export interface Organisation {
  name: string;
  since_block: number; // 0: a founder
  anchors: Record<string, true>; // fingerprints of its CAs
  members: number;
  limits: Limits;
  chain_bytes_today: number;
}
export interface Limits {
  nodes: number;
  trainings: number;
  peers_per_training: number;
  chain_bytes_per_day: number;
  p2p_places: number;
  model_bytes: number;
}
export interface Motion {
  kind: "admit" | "remove" | "replace CA" | "set limits";
  organisation: number; // id; 0: one to be admitted
  name: string; //         of the organisation
  anchors: Record<string, true>;
  limits?: Limits; //      of "set limits"
  expires_block: number;
  voters: Record<string, true>; // ids of organisations
  needed: number; // votes
}

// ---- trainings ----------------------------------------------------------------------------------------------------

export interface Trainings {
  contracts: Record<string, TrainingSummary>; // by name
}
export type Phase =
  | "collecting" | "revealing" | "merging" | "verifying" | "disputed" | "complete" | "stopped";
export interface TrainingSummary {
  uid: string; //           of the contract
  phase: Phase;
  generation: number; //    how often it was reset
  round_num: number; //     being collected or merged; 1 at the start
  merged_round: number; //  0: nothing is merged yet
  min_peers: number; //     0: nobody has registered yet
  merge_method: string;
  peers: { active: number; absent: number; finished: number; left: number; odd: number };
  checked_in: number; // of this round
  waited_for: number; // so many are waited for in this round
  /** What keeps it from going on, most important first; empty: nothing. */
  waits: Record<string, Wait>;
  leader?: string; //       uid
  leader_name?: string;
  loss?: number; //         mean of what peers reported for the newest round that has any
  metric?: number;
  loss_round?: number; //   that round
  epochs_done: number; //   of the peer that is least far, of those that take part
  epochs_total: number; //  0: not known
  progress?: number; //     0..1 of all epochs of all peers
  eta_ms?: number; //       duration until its end, by the pace of the last rounds
  round_ms?: number; //     how long a round took lately
  changed_ms: number; //    time of the block of the last event of this contract; 0: none known
}
/** By uid of whom is waited for, or "peers" when more have to come. */
export interface Wait {
  name: string; // of the node; "" for "peers"
  why: string; //  in words, such as "has not checked in", "gives no sign of life since 14:02", "2 more peers have to register"
  since_ms?: number;
  silent: boolean; // it gives no sign of life: most likely this is why
}

// ---- training/NAME ------------------------------------------------------------------------------------------------

export interface Training extends TrainingSummary {
  owner: number; //                     id of its organisation; 0: nobody's
  invited: Record<string, true>; //     ids of organisations; none: all may take part
  reset_votes: Record<string, true>; // ids of organisations that have asked for a reset
  last_reset?: { by: string; note: string; block_num: number }; // `note` empty: nothing was said
  verify: VerifyMode; //                how leaders' merges are verified
  layout_digest: string; //             of tensors' names, types and shapes; empty: not known
  term: number; //                      0: the first leader; one more for each leader that was given up
  reveals_end_ms?: number; //           phase revealing: until then models can be revealed
  merged?: { round_num: number; digest: string; size: number; by: string; block_num?: number };
  members: Record<string, Peer>; //     by uid: everybody who takes or took part in this generation
  check_ins: Record<string, CheckIn>; // by uid: of the current round
  proposal?: Proposal; //               phases verifying, disputed, stopped
  checks?: Checks; //                   the same phases
  shards?: Shards; //                   when the merge is made in shards
}
/** before they count; behind: while programs train with them, which take a false one back; off: not at all. */
export type VerifyMode = "before" | "behind" | "off";
export interface Peer {
  name: string;
  state: "active" | "absent" | "finished" | "left" | "odd";
  reason?: string; // why it left or is odd, in words
  organisation: number;
  endpoint: string; // of its file server
  weightage: number;
  train_end: "inactive" | "snapshot" | "active"; // what it checks in once its training has ended
  can_lead: boolean;
  last_round: number; // last round that it checked in for; 0: none
  lag: number; //        rounds that were merged without it
  loss_round: number; // last round for which it reported a loss; 0: none
  loss?: number; //      left out: none yet, or not a number
  metric?: number;
  epochs_done: number;
  epochs_total: number;
  alive: boolean;
  silent_since_ms?: number;
  accused_since_ms?: number; // another one says that it gives no sign of life
  barred_until?: number; //     before that round it neither leads nor checks
  waits_for?: string; //        in words; left out: nothing
}
export interface CheckIn {
  digest?: string; // once it is revealed
  size: number; //    bytes; 0: without a model
  weightage: number;
  base_round: number; // round of the merge that it trained from
  finished: boolean;
  revealed: boolean;
}
export interface Proposal {
  round_num: number;
  term: number;
  leader: string; // uid
  digest: string;
  size: number;
  contributors: Record<string, true>;
  excluded: Record<string, string>; // by uid: why, in words
  attested: Record<string, true>; //   by uid: who has checked it, and it is right
}
export interface Checks {
  attempt: number;
  until_ms: number;
  chunks: number;
  awaited: Record<string, true>; // by uid: whose seed, attestation or vote is missing
  challenger?: string;
  challenge?: string; // in words: "chunk 17", "the exclusion of ...", "what it takes to check is not served"
}
export interface Shards {
  open: boolean;
  size: number; // bytes of the merge
  until_ms: number;
  makers: Record<string, { state: "awaited" | "made" | "declined" | "made_by_leader"; made_by?: string }>;
}

// ---- tasks, taskrunners -------------------------------------------------------------------------------------------

export interface Tasks {
  tasks: Record<string, Task>; // by name; ROOTTASK is one
}
export interface Task {
  type: "ROOT" | "RUN_SWARM" | "MAKE_USER_CONTAINER" | "MAKE_SWARM_USER_CONTENT" | "PULL_IMAGE" | "RUN_NODE";
  author: string;
  prerequisite: string; // empty only for ROOTTASK
  outcome: string;
  finalized: boolean;
  lines: number; // of its body; question `task` has them
  body_bytes: number;
  creator?: string; // uid
  organisation: number;
  created_block: number;
  finalized_block: number; // 0: not yet
}
export interface Taskrunners {
  taskrunners: Record<string, Taskrunner>; // by name
}
export interface Taskrunner {
  uid: string;
  owner: number; // id of the organisation; 0: nobody's
  state: "IDLE" | "ENROLLING" | "RUNNING" | "COMPLETE" | "ERROR";
  task?: string;
  task_type?: Task["type"];
  mode?: "WITH PEERS" | "WITH ALL PEERS" | "TARGET";
  run: number; // number of the assignment; 0: none yet
  quorum: number; // peers that have to complete. Peers are pairs of SL and ML of a RUN_SWARM, else SWOPs
  listening: number; // SWOPs
  slots: number; //     SL nodes that they have together
  enrolled: number;
  active: number;
  complete: number;
  failed: number;
  waits?: string; // in words, whom it waits for
  created_ms?: number;
  assigned_ms?: number;
  enrolled_ms?: number;
  started_ms?: number;
  ended_ms?: number;
  reset_ms?: number;
  swops: Record<string, Part & { listening: boolean; slots: number; attempt: number; pairs: Record<string, Pair> }>; // by uid; pairs by index
}
export interface Part {
  name: string;
  status: "NONE" | "INVITED" | "ACTIVE" | "COMPLETE" | "FAILED";
  step?: string; //    in words, such as "training (round 7)"
  failure?: string; // in words, such as "the program exited (exit code 1)"
  since_ms?: number;
  alive: boolean;
}
export interface Pair extends Omit<Part, "alive"> {
  uid?: string; // of the SL, once it is known
}

// ---- Questions ----------------------------------------------------------------------------------------------------

export type Question =
  /** What happened in rounds of a training, newest first. `before`: only rounds below it. Data: Rounds. */
  | { what: "rounds"; contract: string; generation?: number; before?: number; count?: number /* 1..200, 50 */ }
  /** Losses and metrics for curves; from round `from` on. Data: Series. */
  | { what: "series"; contract: string; generation?: number; from?: number }
  /** All runs (generations of contracts) that are known. Data: Runs. */
  | { what: "runs" }
  /** Data: Block. */
  | { what: "block"; number: number }
  /** Newest first. Data: { blocks: Block[] without transactions' inputs }. */
  | { what: "blocks"; before?: number; count?: number /* 1..50, 20 */ }
  /** Data: Transaction. */
  | { what: "transaction"; hash: string }
  /** Data: { task: Task, body: string[] }, from line 0, "---". */
  | { what: "task"; name: string }
  /** What a SWOP's failed programs wrote last, or with `all` its programs of now; only for operators. Data: LastLines. */
  | { what: "last_lines"; taskrunner: string; swop: string /* uid */; all?: boolean }
  /** Which swarmd a node is, as it says itself; a SWCI says nothing. Data: { version }. */
  | { what: "version"; node: string /* uid */ }
  /** The proof of a merge of the present generation, as SWCI's PROVE writes it. Data: Proof. */
  | { what: "proof"; contract: string; round: number }
  /** The server fetches the model of a merge, the newest one without `round`, and answers once browsers can have it from there: that
   *  takes as long as the model is large. It keeps the last one that was asked for. Data: ModelFile. */
  | { what: "model"; contract: string; round?: number }
  /** Whom this node trusts; a new host has to do so as well. Data: Anchors. */
  | { what: "anchors" }
  /** What the host of a SWOP of the page's organisation has, as that SWOP says now. Data: HostOffer. */
  | { what: "host"; swop: string /* uid */ }
  /** The newest lines of the log of the page's own swarmd, at most 500 of those with higher numbers; only for operators. Data: Log. */
  | { what: "log"; after?: number; node?: string /* uid: that of this SN, SL or SWOP, of this organisation */ };

export interface Rounds {
  contract: string;
  generation: number;
  complete: boolean; // false: older rounds are not kept, or still being read
  rounds: Round[]; more: boolean; // there are rounds before these
  started_ms?: number; // block of the generation's first event
}
export interface Round {
  round_num: number;
  events: RoundEvent[]; // in the order of the chain
  merge?: { digest: string; size: number; leader: string; term: number; contributors: string[];
            excluded: Record<string, string>; checkers: string[]; block_num: number; txn: string;
            proved?: true /* the contract's own state says so too, and that is proved; else it is what the SN says */ };
  loss?: number; //   mean of its reports
  metric?: number;
  reports_proved?: true; // the contract had just these reports, which its proved state said while the page's server watched
  opened_ms?: number; // block of its first event
  merged_ms?: number; // block of its accepted merge
}
export interface RoundEvent {
  /** The contract's event in snake case: "checked_in", "reveals_opened", "revealed", "withheld", "round_closed", "round_reopened",
   *  "leader_suspected", "leader_changed", "shard_measured", "models_measured", "shard_committed", "merge_committed", "checks_dealt",
   *  "attested", "merge_challenged", "judged", "challenge_decided", "barred", "merge_accepted", "round_stopped", "loss_reported",
   *  "peer_registered", "peer_left", "peer_odd", "peer_absent", "peer_accused", "peer_answered", "agreement_changed", "training_complete",
   *  "verify_set", "reset_asked", "reset_noted", "organisation_invited", "training_reset". Others may come: show `text`. */
  kind: string;
  peer?: string; // uid of whom it is about
  by?: string; //   uid of who says so
  text: string; //  for people, without names: "checked in, 45 MB", "says that the leader does not get on"
  block_num: number;
  txn: string; //   hash
  time_ms: number;
}
export interface Series {
  contract: string;
  generation: number;
  complete: boolean;
  rounds: number[]; // ascending
  /** By uid; as long as `rounds`, null where it reported nothing. */
  peers: Record<string, { name: string; loss: (number | null)[]; metric: (number | null)[] }>;
}
export interface Runs { runs: Run[] }
export interface Run {
  contract: string;
  generation: number;
  state: "running" | "complete" | "stopped" | "reset"; // reset: ended by a reset before it was complete
  min_peers: number;
  merge_method: string;
  peers: number; // that took part
  rounds: number; // merged
  loss?: number; //   last
  metric?: number; // last
  best_loss?: number;
  best_loss_round?: number;
  best_metric?: number;
  best_metric_round?: number;
  started_ms?: number;
  ended_ms?: number;
  digest?: string; // last merge
}
export interface Block {
  block_num: number;
  hash: string;
  parent_hash: string;
  state_root: string;
  time_ms: number;
  proposer: string; // uid
  gas_used: number;
  size: number; // bytes
  transactions: Transaction[]; // of `blocks`: none, see `transaction_count`
  transaction_count: number;
}
export interface Transaction {
  hash: string;
  block_num: number;
  index: number;
  from: string;
  to?: string;
  to_name?: string; //  the contract's kind and name, such as "training cifar"
  call?: string; //     such as "checkIn"; left out: not known
  ok: boolean;
  revert?: string; //   the contract's words
  gas_used: number; nonce: number; input_bytes: number;
  events: { contract: string; kind: string; text: string }[];
}
export interface Proof { text: string /* the whole file */ }
export interface ModelFile {
  path: string; // on this server: GET gives the file, in ranges as well
  bytes: number; round_num: number; digest: string;
}
export interface Anchors { anchors: Anchor[] }
export interface Anchor {
  subject: string; fingerprint: string; // SHA-256 of its DER form
  expires_ms: number;
  own: boolean; // of the page's own organisation
  pem: string;
}
export interface Log { lines: LogLine[] /* oldest first */ }
export interface LogLine {
  number: number; time_ms: number; level: "error" | "warning" | "info" | "debug";
  source: string; text: string; // such as "swarm.UI", and what it says
}
export interface HostOffer {
  engine: string; // what starts programs: "PROCESS", "DOCKER", "SLURM", "KUBERNETES"
  gpus: string[]; // models
  cores?: number;
  memory_bytes?: number; memory_free_bytes?: number;
  disk_bytes?: number; disk_free_bytes?: number; // where data of programs is
  version?: string; // of the SWOP's swarmd
  sns?: { name: string; runs: boolean; since_ms?: number; ended?: string /* how, if by itself */ }[]; // that RUN_NODE tasks may start
}
export interface LastLines {
  outputs: { of: string; lines: string[] }[];
  no_outputs?: string; // why there are none
}

// ---- Actions ------------------------------------------------------------------------------------------------------

/** Every one is carried out by this node's own key, and answered with { done: string }: what came of it, for people. */
export type Action =
  | { what: "create_contract"; contract: string }
  | { what: "reset_contract"; contract: string; note?: string /* why; 160 bytes at most, everybody sees it */ }
  | { what: "invite"; contract: string; organisation: string /* name */ }
  | { what: "verify_merges"; contract: string; when: VerifyMode }
  /** Type, body and all: a task definition as its YAML text (64 KiB at most). Finalizes it unless `finalize` is false. `dry_run`: is
   *  only looked at; { done, warnings: string[] }. */
  | { what: "create_task"; yaml: string; finalize?: boolean; dry_run?: boolean }
  | { what: "finalize_task"; task: string }
  | { what: "delete_task"; task: string }
  | { what: "create_taskrunner"; taskrunner: string }
  | { what: "reset_taskrunner"; taskrunner: string; note?: string }
  /** Exactly one of: all peers, so many peers, one SWOP (TARGET). */
  | { what: "assign_task"; task: string; taskrunner: string; all_peers?: true; peers?: number; swop?: string }
  /** Votes of this node's organisation. `anchors`: PEM text of its CAs' certificates, or its trust domain, "spiffe://NAME". */
  | { what: "admit_organisation"; organisation: string; anchors: string }
  | { what: "remove_organisation"; organisation: string }
  | { what: "replace_ca"; organisation: string; anchors: string }
  | { what: "remove_node"; node: string /* uid */ }
  /** Votes for what another organisation has moved. */
  | { what: "vote_for"; motion: string /* its key in `motions` */ };

// ---- Beside the feed ----------------------------------------------------------------------------------------------

/**
 * HTTP of the same server, all with the same gate (Host, Origin, session):
 *   GET /login?token=T   exchanges the one-time token for the cookie and leads to /; without a session every page is a short text
 *                        that says how to get in (401)
 *   GET /                the page;  GET /NAME.HASH.js, .css, .svg: its parts (cached for ever)
 *   GET /models/DIGEST.safetensors   a model that question `model` has brought
 *   POST /logout         ends the session
 * Close codes of /feed: 4401 no session, or it has expired; 1008 a message that is refused; 1009 one too
 * large; 1013 too many browsers, or this one was too slow: connect again after a while. Reconnect with a back-off of 0.5 s to 10 s.
 */
