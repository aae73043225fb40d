// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title One training: who takes part, which round it is in, who leads, what was merged
/// @notice Native contract, one per name (see ITrainingRegistry). Callers are SLs registered and active in the
/// NodeRegistry. Weights never come here, only digests.
///
/// Life of a round: Collecting --(all waited-for peers in, or enough votes)--> Merging --(commitMerge)--> Collecting
/// of the next round, or Complete. `generation` grows with every reset, so that a transaction meant for an earlier
/// training is refused.
interface ITraining {
    /// Values of `phase`: 0 Collecting, 1 Merging, 2 Complete.
    /// Values of `state`: 0 none, 1 Active (waited for), 2 Absent (missed a close, not waited for until it checks in
    /// again), 3 Finished (its training is over, it still checks in), 4 Left.
    /// Values of `onTrainEnd`: 0 inactive, 1 snapshot, 2 active.

    struct Head {
        uint64 generation;
        uint64 roundNum; // the round being collected or merged; 1 at the start
        uint8 phase;
        uint32 term; // 0 for the first leader of a round, plus 1 for each successor
        address leader; // zero while collecting
        uint32 minPeers; // 0 until the first peer registers
        string mergeMethod; // "mean", "coordmedian" or "geomedian"; empty until the first peer registers
        bytes32 layoutDigest; // zero until the first check-in
        uint32 waitedFor; // peers in state Active or Finished
        uint32 checkedIn; // check-ins of this round
        uint32 closeVotes;
        uint64 mergedRound; // 0: nothing merged yet
        bytes32 mergedDigest;
        uint64 mergedSize;
        address mergedBy; // the leader that committed it, so the first one to ask for the file
    }

    struct Peer {
        address account;
        uint8 state;
        uint8 onTrainEnd;
        bool canLead;
        uint32 weightage; // 1..100
        uint64 lastRound; // last round it checked in for, 0 if none
        uint64 lossRound; // last round whose merged model it loaded and reported a loss for, 0 if none
        uint32 epochsDone;
        uint32 epochsTotal;
        int64 lossMicro; // loss in millionths
        int64 metricMicro;
        string name; // from the NodeRegistry
        string endpoint; // from the NodeRegistry: where its models are
    }

    struct CheckIn {
        address peer;
        bytes32 digest; // of the model; zero when weightage is 0
        uint64 size; // of the model file in bytes
        uint32 weightage; // 0..100; 0: takes part, contributes nothing
        uint64 baseRound; // the merge its local training started from
        bool finished;
        string endpoint; // from the NodeRegistry
    }

    struct Merge {
        uint64 roundNum;
        uint64 blockNum;
        uint32 term;
        address leader;
        bytes32 digest;
        uint64 size;
        address[] contributors;
        address[] excluded;
        string[] reasons; // why each of `excluded` was left out, at most 160 bytes each
    }

    event PeerRegistered(address indexed peer, uint64 generation, uint32 minPeers, string mergeMethod, uint32 weightage);
    event PeerLeft(address indexed peer, uint64 generation, string reason);
    event PeerAbsent(address indexed peer, uint64 generation, uint64 roundNum);
    event CheckedIn(
        address indexed peer,
        uint64 indexed roundNum,
        uint64 generation,
        bytes32 digest,
        uint64 size,
        uint32 weightage,
        uint64 baseRound,
        bool finished
    );
    event RoundClosed(uint64 indexed roundNum, uint64 generation, address indexed leader, uint32 participants, uint32 contributors);
    /// No peer of the closed round that could lead is left: what those who left checked in is withdrawn, the round is
    /// collected anew.
    event RoundReopened(uint64 indexed roundNum, uint64 generation);
    event LeaderSuspected(uint64 indexed roundNum, uint64 generation, uint32 term, address indexed by, address leader);
    event LeaderChanged(uint64 indexed roundNum, uint64 generation, uint32 term, address indexed leader);
    event MergeCommitted(
        uint64 indexed roundNum,
        uint64 generation,
        uint32 term,
        address indexed leader,
        bytes32 digest,
        uint64 size,
        address[] contributors,
        address[] excluded,
        string[] reasons
    );
    event LossReported(
        address indexed peer,
        uint64 indexed roundNum,
        uint64 generation,
        int64 lossMicro,
        int64 metricMicro,
        uint32 epochsDone,
        uint32 epochsTotal
    );
    event TrainingComplete(uint64 indexed roundNum, uint64 generation, bytes32 digest);
    event TrainingReset(uint64 generation, address indexed by);

    /// The caller takes part from now on (or again, after it left, died or was absent). The first peer of a
    /// generation sets minPeers and mergeMethod; later ones must agree, the revert text names the difference.
    /// At most 1024 peers. Refused when Complete.
    function registerPeer(
        uint32 minPeers,
        string calldata mergeMethod,
        uint32 weightage,
        uint8 onTrainEnd,
        uint32 epochsTotal,
        bool canLead
    ) external;

    /// The caller's program ended without finishing, or its SL shuts down. `reason` has at most 160 bytes. Not
    /// waited for any more; a round that waited only for it closes.
    function leavePeer(string calldata reason) external;

    /// The caller's model for round `roundNum`, once per round. Refused unless Collecting exactly that round and
    /// generation, or when `layoutDigest` differs from the one of the first check-in (weightage 0 sends zero).
    /// Closes the round when every waited-for peer is in and they are at least minPeers.
    function checkIn(
        uint64 generation,
        uint64 roundNum,
        bytes32 digest,
        uint64 size,
        bytes32 layoutDigest,
        uint32 weightage,
        uint64 baseRound,
        bool finished
    ) external;

    /// The caller has waited long enough for the missing peers. Only of a peer that is in. When at least minPeers are
    /// in and more than half of those in have voted, the round closes and the missing peers become Absent.
    function voteClose(uint64 generation, uint64 roundNum) external;

    /// The merge of a closed round; only of the leader of exactly this term. `contributors` and `excluded` together
    /// are the peers that checked in with weightage > 0, each once; at least one contributor.
    function commitMerge(
        uint64 generation,
        uint64 roundNum,
        uint32 term,
        bytes32 digest,
        uint64 size,
        address[] calldata contributors,
        address[] calldata excluded,
        string[] calldata reasons
    ) external;

    /// The caller, checked in for this round and not the leader, saw no progress of the leader of `term`. When more
    /// than half of the peers that are in, the leader left out, say so, the next successor leads under term + 1.
    /// Successors wrap around, so a round never runs out of leaders.
    function suspectLeader(uint64 generation, uint64 roundNum, uint32 term) external;

    /// The caller's loss and metric of the merged model of `roundNum`, in millionths.
    function reportLoss(
        uint64 generation,
        uint64 roundNum,
        int64 lossMicro,
        int64 metricMicro,
        uint32 epochsDone,
        uint32 epochsTotal
    ) external;

    /// Back to an empty training of the next generation; the caller is a registered SN or SWCI. Merge records of
    /// earlier generations stay readable as events.
    function reset() external;

    function name() external view returns (string memory);
    function head() external view returns (Head memory);
    /// At most 256 peers from index `first` on, in order of registration.
    function peers(uint256 first, uint256 count) external view returns (Peer[] memory);
    function peerCount() external view returns (uint256);
    /// The check-ins of the current round; once it is closed, those that can lead first, in order of succession
    /// (leader of term t is entry t modulo their number), then the others.
    function checkIns() external view returns (CheckIn[] memory);
    /// The record of a committed round of this generation; `roundNum` 0 in the answer when there is none.
    function mergeOf(uint64 roundNum) external view returns (Merge memory);
}
