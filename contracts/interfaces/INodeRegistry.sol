// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The members of a swarm network
/// @notice Native contract at 0x0000000000000000000000000000000000005001, present from genesis.
/// Who is alive right now is not kept here (liveness is no matter of consensus); joining and leaving is.
///
/// On a chain that was begun with organisations (IOrganisationRegistry) a registration is a statement that others have
/// to vouch for: the account belongs to this organisation, has this role, and shows this identity until its expiry. It
/// waits for vouches, and comes into force when more than half of the organisations that have a live SN have vouched,
/// the one it names among them while that one has a live SN. Each organisation has one vouch, which any active SN of it
/// gives. The registration of a founding validator as SN of its organisation counts at once, until it is removed.
/// An organisation has a live SN when it has an active one, and none of its SNs left an accusation unanswered for more
/// than 10 s; with an answer it is live again.
/// A vouch names the hash of the statement, keccak256(abi.encode(account, organisation, nodeType, identity, expiry,
/// sequence)), so it holds for nothing else. A new statement of a member changes nothing until it is vouched for.
///
/// Members are active nodes whose expiry is not past, by the time of the block, and whose organisation is still there.
/// An organisation has at most as many active nodes as its limit says, and at most 256 statements that wait. One more
/// displaces a waiting one: it is the one that waits for more than an hour if there is one, otherwise the one that has
/// the fewest vouches, counting its organisation's above all others, and that came last.
///
/// On a chain without organisations every registration counts at once, nobody vouches, and at most 4096 nodes are active.
interface INodeRegistry {
    /// Values of `nodeType`: 1 SN, 2 SL, 3 SWOP, 4 SWCI.
    struct Node {
        address account;
        uint8 nodeType;
        bool active; // a member
        bool pending; // a statement of it waits for vouches
        /// Block of the last statement that came into force, of the departure, or of the registration that waits.
        uint64 sinceBlock;
        /// These four are of the statement in force, or of the last one; of a node that never was a member of the one
        /// that waits. 0 on a chain without organisations.
        uint16 organisation;
        /// SHA-256 of the DER form of the X.509 certificate that the node presents.
        bytes32 identity;
        /// The last second, since 1970, in which the statement holds; 0: it holds for ever.
        uint64 expiry;
        /// Grows with the statements of the account.
        uint64 sequence;
        /// SN through which an SL, SWOP or SWCI says it joined; zero for an SN.
        address parent;
        /// Name for people, at most 64 bytes.
        string name;
        /// "host:port" where others reach the node (P2P of an SN, file server of an SL), at most 260 bytes of
        /// printable ASCII; may be empty.
        string endpoint;
    }
    struct Statement {
        address account;
        uint16 organisation;
        uint8 nodeType;
        bytes32 identity;
        uint64 expiry;
        uint64 sequence;
    }
    /// A statement that waits for vouches.
    struct PendingNode {
        Statement statement; // its account is zero: none waits
        bytes32 hash;
        uint64 blockNum; // of its first NodeRegistered, which has the proof
        uint64 until; // the last second in which it can be vouched for
        uint16[] vouchers; // organisations
    }
    /// What an organisation can do to the chain by its seats alone.
    struct SeatPower {
        uint16 organisation;
        uint32 seats; // of the validators
        bool stops; // without them no block becomes final
        bool forks; // they make blocks final alone
    }
    /// What is counted for an organisation. Nodes whose expiry is past count until they are settled.
    struct Standing {
        uint32 nodes; // active
        uint32 sns; // of these
        uint32 voters; // SNs and SWCIs of these
        uint32 pending; // statements that wait
        bool live; // has a live SN
        uint64 accusedAt; // second; 0: no accusation is open
    }

    /// The account said so. `proof` is for those who vouch: the certificates, and a signature with their key.
    /// An organisation votes for letting another one (or itself) have at most `most` of a kind.
    event SeatsVoted(uint16 indexed organisation, uint8 kind, uint16 indexed voter, uint32 most);
    /// This limit holds from now on; 0: none does. `byNetwork`: the vote of `by` completed it.
    event SeatsLimited(uint16 indexed organisation, uint8 kind, uint32 most, address indexed by, bool byNetwork);
    /// `by` says that the node gives no sign of life after the one with this serial.
    event NodeAccused(address indexed account, address indexed by, uint64 serial);
    /// The node has given one.
    event NodeAnswered(address indexed account);
    /// `account` was silent and is no member any more: `by` has its seat.
    event SeatTaken(address indexed account, uint8 indexed nodeType, address indexed by);
    event NodeRegistered(
        address indexed account,
        uint8 indexed nodeType,
        uint16 indexed organisation,
        bytes32 identity,
        uint64 expiry,
        uint64 sequence,
        address parent,
        string name,
        string endpoint,
        bytes proof
    );
    event NodeVouched(address indexed account, uint16 indexed organisation, bytes32 statement);
    /// A statement came into force.
    event NodeAdmitted(address indexed account, bytes32 statement);
    /// An organisation voted for removing the node of another one.
    event RemovalVoted(address indexed account, uint16 indexed voter);
    /// `by` is the organisation whose vote completed it.
    event NodeRemoved(address indexed account, uint16 indexed by);
    /// The node's expiry was past, or its organisation gone, when somebody settled it.
    event NodeExpired(address indexed account, uint8 indexed nodeType);
    event OrganisationAccused(uint16 indexed organisation, address by);
    event AccusationAnswered(uint16 indexed organisation, address by);
    event NodeLeft(address indexed account, uint8 indexed nodeType);

    /// A validator voted for adding (`add`) or removing `account`.
    event ValidatorVoted(address indexed voter, address indexed account, bool add);
    /// `account` became a member of the validators or ceased to be one; `validators` seal from the next block on.
    event ValidatorsChanged(address indexed account, bool added, address[] validators);

    /// The version of the chain's rules, and one that validators have let begin later; `next` 0: there is none.
    struct SeatLimit {
        uint8 kind;
        uint32 byNetwork; // 0: no limit
        uint32 byItself; // 0: no limit
    }

    /// Which node of an organisation and role is said to be silent.
    struct SeatLease {
        uint8 role;
        uint32 taken; // seats
        address accused; // zero: nobody is
        uint64 since; // second
        uint64 serial; // of its last sign of life that was known then
        uint64 restUntil; // second before which nobody is accused
    }

    struct SeatVote {
        uint16 voter;
        uint32 most;
    }

    struct Rules {
        uint64 version;
        uint64 next;
        uint64 fromBlock;
    }

    event RulesVoted(address indexed voter, uint64 version, uint64 fromBlock);
    /// From block `fromBlock` on the rules of `version` are in force; nodes that do not know them stop there.
    event RulesScheduled(uint64 version, uint64 fromBlock);

    /// `account` signed two different votes of one `kind` (0x12 proposal, 0x13 prepare, 0x14 commit, 0x15 round change)
    /// for one block and round, and has lost its seat.
    event DoubleVoteProved(address indexed account, uint8 kind, uint64 blockNum, uint64 roundNum, address reporter);

    /// Registers the caller, or changes its registration. The type of a node that was a member never changes. The
    /// statement that is in force, or that waits, may come again with another parent, name or endpoint, which take
    /// effect at once; its vouches stay. Another statement needs a higher sequence than the one that waits and the last
    /// one that was in force.
    function register(
        uint8 nodeType,
        uint16 organisation,
        bytes32 identity,
        uint64 expiry,
        uint64 sequence,
        address parent,
        string calldata name,
        string calldata endpoint,
        bytes calldata proof // at most 16384 bytes, only in the event
    ) external;

    /// An active SN says for its organisation that the statement with this hash, which waits, is proved.
    function vouch(address account, bytes32 statement) external;

    /// The caller leaves in good order, and its entry in the list is free; a validator ceases to be one. The last
    /// validator cannot leave.
    function leave() external;

    /// A vote of the caller's organisation, given by an active SN or SWCI of it, for removing the node. The node's own
    /// organisation needs no other; otherwise more than half of the organisations that can vote are needed. What the
    /// node claimed so far is void, whether in force or waiting, with all vouches: it needs a higher sequence. The
    /// identity of a member that was removed makes nobody a member any more; nodes that share it stay.
    function removeNode(address account) external;

    /// The block in which a member with this identity was removed by vote; zero: none was.
    function removalOf(bytes32 identity) external view returns (uint256);

    /// An active SN of another organisation says that nobody speaks for this one: it leaves statements without an
    /// answer. Not within 60 s after it answered an accusation.
    function accuse(uint16 organisation) external;
    /// An active SN of the accused organisation answers for it.
    function answer() external;

    /// Anybody brings the records up to date with time: a waiting statement whose vouches are enough now comes into
    /// force, one that waits for more than an hour goes; a node whose expiry is past, or whose organisation is gone,
    /// leaves the list and the counts.
    function settle(address account) external;

    /// A validator's vote for making the active SN `account` a member of the validators (`add`) or for removing it.
    /// With the votes of two thirds of the validators, rounded up, it happens, in the same block; at most one such change a
    /// block. Members are validators as far as no organisation gets too many seats: of four or more organisations none
    /// has more than a third, rounded down, of all seats but one; of three none can stop the chain; of two with two
    /// members each none makes blocks final alone. The first members of an organisation have its seats, the others
    /// wait. Of two validators only the first is one, as with two each could stop the chain. No two members
    /// have one identity: validators vote for an SN after they have seen it present the one it registered.
    function proposeValidatorVote(address account, bool add) external;
    /// Takes the caller's vote on `account` back.
    function discardValidatorVote(address account) external;

    /// Proves that a member of the validators signed two different votes for one place: its membership ends, and its
    /// account is never let in again. Anybody may prove it. `proof` is
    /// rlp[1, kind, block, round, content, signature, content, signature]; the contents are what the signatures are for:
    /// of proposals and prepares the block hash, of round changes what the author was prepared on, [] or [round, block
    /// hash], of commits the block's header. The last validator keeps its seat.
    function reportDoubleVote(bytes calldata proof) external;
    /// The block in which a double vote of `account` was proved; zero: none was.
    function doubleVoteOf(address account) external view returns (uint256);

    /// How many nodes of a role, or trainings under way, the organisation of the caller, an active SN or SWCI, may have: a
    /// limit that it sets for itself. `kind`: 1 SN, 2 SL, 3 SWOP, 4 SWCI, 5 trainings under way (see ITrainingRegistry); `most`
    /// 0: no limit. What is there stays when there is more: a limit refuses the next registration, and the first peer of
    /// the next training, nothing else. All four functions are there since version 3 of the chain's rules.
    function limitSeats(uint8 kind, uint32 most) external;
    /// The vote of the caller's organisation for such a limit of any organisation. It holds when more than half of the
    /// organisations that can vote want the same number; a vote counts for 1000000 blocks. Of the two limits the lower one
    /// is in force, and whoever is refused is told which it is.
    function voteSeats(uint16 organisation, uint8 kind, uint32 most) external;
    /// One entry for each kind, in their order; none when there is no such organisation.
    function seatLimits(uint16 organisation) external view returns (SeatLimit[] memory);
    /// The votes that count, and have not led to a limit.
    function seatVotes(uint16 organisation, uint8 kind) external view returns (SeatVote[] memory);

    /// Says that a node gives no sign of life. It is for an SN or SWCI of the node's organisation, and for any SN while
    /// that organisation has no live one; for a role of which the organisation has no seat left; not for an SL that is in a
    /// training; for one node of an organisation and role at a time, and not within 60 s after an answer. `lastSign`: the
    /// last sign of life that the caller has heard, rlp[serial, head, endpoint, signature]; empty for none. From 10 s
    /// later on the organisation's next registration of that role, which there is no seat for, ends the membership of the
    /// node and has its seat. All three functions are there since version 3 of the chain's rules.
    function accuseNode(address account, bytes calldata lastSign) external;
    /// Proves that it is alive: `sign` has a greater serial. So does a registration by the node itself.
    function answerForNode(bytes calldata sign) external;
    /// One entry for each role, in their order; none when there is no such organisation.
    function seatLeases(uint16 organisation) external view returns (SeatLease[] memory);

    /// A validator's vote that the next version of the rules begins with block `fromBlock`, at least 16 blocks from now.
    /// It is decided when as many validators as seal a block want the same; a validator has one vote.
    function voteRules(uint64 version, uint64 fromBlock) external;
    function rules() external view returns (Rules memory);

    /// All zero for an account that never registered, or whose only statements waited in vain.
    function node(address account) external view returns (Node memory);
    /// Active nodes.
    function nodeCount() external view returns (uint256);
    /// At most 256 active nodes from index `first` on. When one goes, the last of the list takes its place.
    function nodes(uint256 first, uint256 count) external view returns (Node[] memory);
    function pendingOf(address account) external view returns (PendingNode memory);
    /// At most 256 statements that wait in the organisation's name, from index `first` on.
    function pendingNodes(uint16 organisation, uint256 first, uint256 count)
        external
        view
        returns (PendingNode[] memory);
    function standing(uint16 organisation) external view returns (Standing memory);

    /// The validators of the next block, sorted.
    function getValidators() external view returns (address[] memory);
    /// Validators and those who wait to be one, in the order in which they were let in.
    function validatorMembers() external view returns (address[] memory);
    /// Who votes for changing whether `account` is a member.
    function votersOn(address account) external view returns (address[] memory);
    /// The organisations that could stop or fork the chain, by id.
    function seatPowers() external view returns (SeatPower[] memory);
}
