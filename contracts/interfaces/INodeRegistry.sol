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
