// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The tasks of a chain: what SWOPs can be told to do
/// @notice Native contract at 0x0000000000000000000000000000000000005003. The task "ROOTTASK", the prerequisite of tasks
/// that need none, exists from genesis. Taskrunners (see ITaskrunner) have tasks carried out.
///
/// A task is created, its body is written line by line, and it is finalized; from then on it never changes. Any
/// registered SWCI may do so with any task, whoever created it. The contract knows nothing of what a body says: SWCIs
/// check that before they write it, SWOPs before they act on it.
///
/// Texts have no control characters and are UTF-8; a character is a code point. Every revert carries Error(string).
interface ITaskRegistry {
    /// Values of `taskType`: 0 ROOT (only of ROOTTASK), 1 RUN_SWARM, 2 MAKE_USER_CONTAINER,
    /// 3 MAKE_SWARM_USER_CONTENT, 4 PULL_IMAGE, 5 RUN_NODE (since version 3 of the chain's rules).
    struct Task {
        string name; // empty: there is no such task
        uint8 taskType;
        string author;
        string prereq; // the task whose outcome this one needs; empty only for ROOTTASK
        string outcome; // what the task makes, by the name under which the next one uses it
        uint32 lines; // of the body
        uint32 bodyBytes; // of all lines together
        bool finalized;
        address creator; // zero for ROOTTASK
        uint64 createdBlock;
        uint64 finalizedBlock;
        uint16 organisation; // of the creator when it created the task; 0: the chain has no organisations
        string organisationName; // empty once the organisation was removed
    }

    event TaskCreated(string name, address indexed creator, uint8 indexed taskType);
    /// The lines from `first` on, `count` of them, are written.
    event TaskBodyWritten(string name, uint32 first, uint32 count, address indexed by);
    event TaskFinalized(string name, address indexed by);
    event TaskRemoved(string name, address indexed by);

    /// Where there are organisations, only SWCIs of the creator's change, finalize or remove a task.

    /// A new task, whose body has one line, "---", number 0. The name has 1 to 160 characters and no blank, and no task
    /// has it; `author` and `outcome` have at most 160 characters; the task `prereq` exists. An organisation
    /// can have created 16384 tasks; where there are none an account can, and the chain has at most 65536.
    function create(
        uint8 taskType,
        string calldata name,
        string calldata author,
        string calldata prereq,
        string calldata outcome
    ) external;

    /// Writes 1 to 64 lines, from number `first` on: 1 or more, and at most the number of the line that comes next. Lines
    /// that exist are overwritten. A line has at most 1024 bytes, all lines of a call 16384, a body 512 lines of
    /// altogether 65536 bytes. Refused once finalized.
    function appendBody(string calldata name, uint32 first, string[] calldata lines) external;

    /// From now on the task can be assigned, and neither changed nor removed. Its prerequisite still exists.
    function finalize(string calldata name) external;

    /// Removes a task that is not finalized. The last of the list takes its place there.
    function remove(string calldata name) external;

    function task(string calldata name) external view returns (Task memory);
    /// At most 256 lines from number `first` on; none when there is no such task.
    function body(string calldata name, uint256 first, uint256 count_) external view returns (string[] memory);
    function count() external view returns (uint256);
    /// At most 1024 names from index `first` on, ROOTTASK first, the others in order of creation but for removals.
    function names(uint256 first, uint256 count_) external view returns (string[] memory);
}
