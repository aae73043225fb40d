// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The training contracts of a chain
/// @notice Native contract at 0x0000000000000000000000000000000000005002. "defaultbb.cqdb.sml.hpe" exists from
/// genesis. The contract of a name lives at the last 20 bytes of keccak256("swarmd/training/" || name).
interface ITrainingRegistry {
    event TrainingCreated(string name, address indexed training, address indexed creator);

    /// Names have 1 to 64 characters of A-Z a-z 0-9 . _ - ; the caller is a registered SN or SWCI.
    /// At most 4096 trainings, and of an organisation as many as its limits say. The training is its caller's organisation's.
    function create(string calldata name) external returns (address);
    /// Zero when there is no such contract.
    function addressOf(string calldata name) external view returns (address);
    function count() external view returns (uint256);
    /// At most 256 names from index `first` on.
    function names(uint256 first, uint256 count_) external view returns (string[] memory);
}
