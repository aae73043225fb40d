// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The members of a swarm network
/// @notice Native contract at 0x0000000000000000000000000000000000005001, present from genesis.
/// Who is alive right now is not kept here (liveness is no matter of consensus); joining and leaving is.
interface INodeRegistry {
    /// Values of `nodeType`: 1 SN, 2 SL, 3 SWOP, 4 SWCI.
    struct Node {
        address account;
        uint8 nodeType;
        bool active;
        /// Block of the last registration or departure.
        uint64 sinceBlock;
        /// Fingerprint (SHA-256 of the DER form) of the X.509 certificate the node presents.
        bytes32 certFingerprint;
        /// SN through which an SL, SWOP or SWCI says it joined; zero for an SN.
        address parent;
        /// Name for people, at most 64 bytes.
        string name;
        /// "host:port" where others reach the node (P2P of an SN, file server of an SL), at most 260 bytes of
        /// printable ASCII; may be empty.
        string endpoint;
    }

    event NodeRegistered(
        address indexed account,
        uint8 indexed nodeType,
        bytes32 certFingerprint,
        address parent,
        string name,
        string endpoint
    );
    event NodeLeft(address indexed account, uint8 indexed nodeType);

    /// A validator voted for adding (`add`) or removing `account`.
    event ValidatorVoted(address indexed voter, address indexed account, bool add);
    /// `account` became a member of the validators or ceased to be one; `validators` seal from the next block on.
    event ValidatorsChanged(address indexed account, bool added, address[] validators);

    /// The version of the chain's rules, and one that validators have let begin later; `next` 0: there is none.
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

    /// Registers the caller, or replaces its entry and makes it active again. The type of an account never changes.
    /// At most 4096 nodes.
    function register(
        uint8 nodeType,
        bytes32 certFingerprint,
        address parent,
        string calldata name,
        string calldata endpoint
    ) external;

    /// The caller leaves in good order; a validator ceases to be one. The last validator cannot leave.
    function leave() external;

    /// A validator's vote for making the active SN `account` a member of the validators (`add`) or for removing it.
    /// With the votes of more than half of the validators it happens, in the same block; at most one such change a
    /// block. Of two members only the first is a validator, as with two each could stop the chain. No two members
    /// have one certificate: validators vote for an SN after they have seen it present the one it registered.
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

    /// A validator's vote that the next version of the rules begins with block `fromBlock`, at least 16 blocks from now.
    /// It is decided when as many validators as seal a block want the same; a validator has one vote.
    function voteRules(uint64 version, uint64 fromBlock) external;
    function rules() external view returns (Rules memory);

    /// All zero for an account that never registered.
    function node(address account) external view returns (Node memory);
    function nodeCount() external view returns (uint256);
    /// At most 256 nodes from index `first` on, in order of first registration.
    function nodes(uint256 first, uint256 count) external view returns (Node[] memory);

    /// The validators of the next block, sorted.
    function getValidators() external view returns (address[] memory);
    /// Validators and those who wait to be one, in the order in which they were let in.
    function validatorMembers() external view returns (address[] memory);
    /// Who votes for changing whether `account` is a member.
    function votersOn(address account) external view returns (address[] memory);
}
