// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The training contracts of a chain
/// @notice Native contract at 0x0000000000000000000000000000000000005002. "defaultbb.cqdb.sml.hpe" exists from
/// genesis. The contract of a name lives at the last 20 bytes of keccak256("swarmd/training/" || name).
interface ITrainingRegistry {
    event TrainingCreated(string name, address indexed training, address indexed creator);
    /// It made room for another one of its organisation, and is complete for good: it is not reset any more.
    event TrainingRetired(address indexed training);

    /// Names have 1 to 64 characters of A-Z a-z 0-9 . _ - ; the caller is a registered SN or SWCI.
    /// The training is its caller's organisation's, which has as many that are not retired as its limits say. One more
    /// retires the first of them that is Complete, or else the first that was reset and that no peer has registered with
    /// since. Where there are no organisations a chain has at most 4096 trainings.
    function create(string calldata name) external returns (address);
    /// Zero when there is no such contract.
    function addressOf(string calldata name) external view returns (address);
    function count() external view returns (uint256);
    /// At most 256 names from index `first` on.
    function names(uint256 first, uint256 count_) external view returns (string[] memory);
    /// How many trainings of an organisation are under way: peers are Active or Finished in them, and they are not
    /// Complete. Who is dead is accused and leaves, so that it holds no place. Since version 3 of the chain's rules.
    function underWay(uint16 organisation) external view returns (uint256);
}
