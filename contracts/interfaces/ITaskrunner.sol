// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title One taskrunner: which SWOPs listen, which task they carry out, how far they are
/// @notice Native contract, one per name (see ITaskrunnerRegistry). SWCIs assign and reset; SWOPs listen, enrol and
/// report, each for itself only. Callers are registered and active in the NodeRegistry.
///
/// Life of a run: Idle --(assign)--> Enrolling --(enough SWOPs enrol)--> Running --(reports)--> Complete, or Error once
/// the quorum cannot be reached any more. `reset` leads back to Idle. `run` is the number of the newest assignment; SWOPs
/// name it in each call, so that what was meant for an earlier run is refused.
///
/// Peers are counted in pairs of SL and ML when the task is a RUN_SWARM, and in SWOPs otherwise. What a SWOP says is its
/// own word, it counts for nobody else's part. Who is alive is no matter of consensus (see INodeRegistry): a SWCI asks
/// its SN, counts for ALL PEERS those that give signs of life, and has dead ones dismissed (`unlisten`) or resets.
///
/// Only codes and numbers stand here, no texts, as a text could carry what a site keeps to itself onto the chain. Every
/// revert carries Error(string).
interface ITaskrunner {
    /// Values of `state`: 0 Idle, 1 Enrolling, 2 Running, 3 Complete, 4 Error.
    /// Values of `mode`: 0 WITH n PEERS, 1 WITH ALL PEERS, 2 TARGET.
    /// Values of `status`: 0 none (takes no part), 1 Invited (has to enrol, by assignTo), 2 Active, 3 Complete, 4 Failed.
    /// Values of `step`, with what `number` says: 0 enrolled, 1 waiting for the prerequisite, 2 preparing volumes,
    /// 3 pulling an image, 4 building (step of the build), 5 downloading (MiB so far), 6 extracting, 7 starting SL,
    /// 8 waiting for SL, 9 starting ML, 10 waiting for ML's session, 11 training (round), 12 waiting for peers (round),
    /// 13 waiting for ML's end, 14 ended, 15 stopping; since version 3 of the chain's rules 16 starting SN, 17 waiting
    /// for SN to be a member (block).
    /// Values of `failure`, with what `number` says: 0 none, 1 program exited (exit code), 2 program killed (signal),
    /// 3 out of memory, 4 SL exited (exit code), 5 cannot start, 6 sandbox forbidden, 7 path not allowed, 8 path missing,
    /// 9 volume missing, 10 prerequisite missing, 11 task not valid, 12 needs a container engine, 13 build failed (step
    /// of the build), 14 download failed (HTTP status, or below 100 the code of libcurl, or 0), 15 too large, 16 wrong
    /// checksum, 17 archive refused, 18 disk failed, 19 GPU missing, 20 time limit (seconds), 21 processes lost, 22 SWOP
    /// stopped, 23 SWOP failed,
    /// 24 left (the SWOP listens no longer; set by the contract), 25 not allowed (its policy does not take the task);
    /// since version 3 of the chain's rules 26 node not offered (by the SWOP's profile), 27 certificate refused (of a node
    /// that a task starts).

    /// Numbers of blocks, 0: not yet. All but the first and the last are of the current run, 0 when Idle.
    struct Times {
        uint64 created;
        uint64 assigned;
        uint64 enrolled; // when the run first was Running or later
        uint64 started; // when a SWOP first reported
        uint64 ended; // when the run became Complete or Error; 0 when a retry led it back
        uint64 lastReset;
    }

    /// Who has started this over last, and why.
    struct Reset {
        uint64 blockNum; // 0: nobody did since version 3 of the chain's rules
        uint64 ended; // the run that ended by it
        address by;
        string note; // empty: nothing was said
    }

    struct Head {
        uint64 run; // the newest assignment, 0: none yet
        uint8 state;
        uint8 mode;
        uint8 taskType; // see ITaskRegistry
        string task; // empty when Idle
        address assignedBy;
        uint32 quorum; // peers that have to complete
        uint32 listening; // SWOPs that listen, in this run or not
        uint32 slots; // SL nodes that all of them have together
        uint32 swops; // SWOPs that take part in the run, enrolled or invited
        uint32 invited; // peers of SWOPs that are invited and have not enrolled
        uint32 enrolled; // peers of SWOPs that have enrolled; always active + complete + failed
        uint32 active;
        uint32 complete;
        uint32 failed;
        Times times;
    }

    struct Swop {
        address account; // zero: neither listens nor takes part
        bool listening;
        uint32 slots; // SL nodes that it has, as it said last
        uint8 status; // of its part in the run
        uint8 step;
        uint8 failure;
        uint64 number;
        uint64 sinceBlock; // when status, step or failure last changed
        uint32 attempt; // how often it has been told to do its part, 1 at first
        uint32 pairs; // its SL and ML pairs in the run; 0 unless the task is a RUN_SWARM
        uint32 active; // of the pairs
        uint32 complete;
        uint32 failed;
        string name; // from the NodeRegistry
    }

    /// All that one SWOP has to know.
    struct HeadFor {
        Head head;
        Swop swop;
    }

    struct Pair {
        address sl; // zero until known
        uint8 status;
        uint8 step;
        uint8 failure;
        uint64 number;
        uint64 sinceBlock;
        string name; // of the SL, from the NodeRegistry
    }

    event SwopListens(address indexed swop, uint32 slots);
    event SwopLeft(address indexed swop, address indexed by);
    event TaskAssigned(uint64 indexed run, string task, uint8 mode, uint32 quorum, address indexed by);
    /// `swop` is to enrol in `run`, for the first time or once more.
    event SwopInvited(uint64 indexed run, address indexed swop, uint32 attempt, address indexed by);
    event SwopEnrolled(uint64 indexed run, address indexed swop, uint32 peers);
    event SwopReported(
        uint64 indexed run,
        address indexed swop,
        uint8 status,
        uint8 step,
        uint8 failure,
        uint64 number
    );
    event PairReported(
        uint64 indexed run,
        address indexed swop,
        uint32 index,
        address sl,
        uint8 status,
        uint8 step,
        uint8 failure,
        uint64 number
    );
    /// Follows the event of the call that made it so.
    event StateChanged(uint64 indexed run, uint8 state);
    /// What was said with the reset that ends `run`; before the event of that.
    event ResetNoted(uint64 indexed run, address indexed by, string note);
    event TaskrunnerReset(uint64 indexed run, address indexed by);

    /// The calling SWOP listens here from now on and has `slots` SL nodes, 0 to 64; again when that changes. A run that it
    /// takes part in keeps the number it had at its enrolment. At most 1024 SWOPs listen.
    function listen(uint32 slots) external;

    /// `swop` listens no longer. Of itself, or, for one that died or lies, of a SWCI. Its part in a run that it has not
    /// ended is Failed.
    function unlisten(address swop) external;

    /// A SWCI has `task` carried out by SWOPs that listen, which enrol of themselves; `peers`, 1 to 65536, have to
    /// complete. `allPeers` says that these are all; at most those that listen are possible then. The task is finalized
    /// and not ROOTTASK, and its prerequisite exists. Refused unless Idle.
    function assign(string calldata task, uint32 peers, bool allPeers) external;

    /// A SWCI has `task` carried out by `swop`, which listens. When Idle this begins a run in which nobody else takes
    /// part and whose quorum is this SWOP's peers. In a run of the same task it adds the SWOP, or has it start its part
    /// over. A run begun by assignTo then needs the peers of each SWOP that was added, also when it was Complete; one
    /// begun by assign needs what it needed, and is refused when Complete.
    function assignTo(string calldata task, address swop) external;

    /// The calling SWOP, which listens, takes part: when it is Invited, or else when the run is Enrolling by assign and
    /// fewer peers than its quorum are enrolled or invited. A SWOP comes with all its pairs, so that more than the quorum
    /// may start; for a RUN_SWARM it has at least one. At most 1024 SWOPs take part in a run.
    function enrol(uint64 run) external;

    /// How far the caller is with its part, of which it has enrolled: Active, Complete or Failed (with the failure, and
    /// no other with one). For a RUN_SWARM its Active says what it prepares, its Failed ends all its pairs that have not
    /// ended, and Complete is refused, as its pairs say that. What has ended does not change any more. A report that says
    /// nothing new is taken and has no effect.
    function report(uint64 run, uint8 status, uint8 step, uint8 failure, uint64 number) external;

    /// How far the pair at `index` of the caller's is, likewise; only for a RUN_SWARM. `sl` is a node registered as an SL,
    /// or zero. When the last pair has ended, the SWOP's part is Complete, or, if any pair is Failed, so is the
    /// part, as the first such pair.
    function reportPair(
        uint64 run,
        uint32 index,
        address sl,
        uint8 status,
        uint8 step,
        uint8 failure,
        uint64 number
    ) external;

    /// A SWCI ends the run, whatever its state; SWOPs that see it stop what they do for it. No effect when Idle.
    function reset() external;

    /// The same, and `note` says why: at most 160 bytes without control characters. Since version 3 of the chain's rules.
    function resetWithNote(string calldata note) external;

    function lastReset() external view returns (Reset memory);

    function name() external view returns (string memory);
    function head() external view returns (Head memory);
    function headFor(address swop) external view returns (HeadFor memory);
    /// At most 256 SWOPs that take part in the run, from index `first` on, in order of invitation or enrolment.
    function swops(uint256 first, uint256 count) external view returns (Swop[] memory);
    /// At most 256 SWOPs that listen, from index `first` on.
    function listeners(uint256 first, uint256 count) external view returns (Swop[] memory);
    /// At most 64 pairs of `swop` in the run, from index `first` on; none unless it has enrolled for a RUN_SWARM.
    function pairs(address swop, uint256 first, uint256 count) external view returns (Pair[] memory);
}
