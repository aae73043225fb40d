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

    /// Registers the caller, or replaces its entry and makes it active again. The type of an account never changes.
    /// At most 4096 nodes.
    function register(
        uint8 nodeType,
        bytes32 certFingerprint,
        address parent,
        string calldata name,
        string calldata endpoint
    ) external;

    /// The caller leaves in good order.
    function leave() external;

    /// All zero for an account that never registered.
    function node(address account) external view returns (Node memory);
    function nodeCount() external view returns (uint256);
    /// At most 256 nodes from index `first` on, in order of first registration.
    function nodes(uint256 first, uint256 count) external view returns (Node[] memory);
}
