// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The taskrunners of a chain
/// @notice Native contract at 0x0000000000000000000000000000000000005004. "defaulttaskbb.taskdb.sml.hpe" exists from
/// genesis. The contract of a name (see ITaskrunner) lives at the last 20 bytes of
/// keccak256("swarmd/taskrunner/" || name).
interface ITaskrunnerRegistry {
    struct Owner {
        uint16 organisation; // 0: nobody's, as of all that is there from genesis
        string name; // empty once the organisation was removed
    }

    event TaskrunnerCreated(string name, address indexed taskrunner, address indexed creator);

    /// Names have 1 to 64 characters of A-Z a-z 0-9 . _ - ; the caller is a registered SWCI. An
    /// organisation can have created 1024; where there are none an account can, and the chain has at most 4096.
    function create(string calldata name) external returns (address);
    /// Zero when there is no such contract.
    function addressOf(string calldata name) external view returns (address);
    /// The organisation of the SWCI that created it.
    function ownerOf(string calldata name) external view returns (Owner memory);
    function count() external view returns (uint256);
    /// At most 256 names from index `first` on.
    function names(uint256 first, uint256 count_) external view returns (string[] memory);
}
