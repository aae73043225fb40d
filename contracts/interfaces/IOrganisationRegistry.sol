// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title The organisations of a swarm network
/// @notice Native contract at 0x0000000000000000000000000000000000005005, present from genesis with the founders: the
/// organisations whose certificates the first SN trusted when it began the chain.
///
/// An organisation is an id with one or more anchors: the SHA-256 fingerprints of the CA certificates (their DER form)
/// under which its nodes are. Ids count from 1 and are never used again. An anchor belongs to one organisation at most;
/// those of a removed one are free again.
///
/// Everything here changes by votes of the organisations, one each, cast by any active SN or SWCI of theirs. A call of
/// `admit`, `remove`, `setAnchors` or `setLimits` is a vote: calls that say the same, whatever the order of their
/// anchors, vote on one motion. What it asks for happens in the block in which more than half of the organisations that
/// have a member vote for it. The target of a removal has no vote and is not counted, and a removal needs two votes; so
/// the last organisation always stays. An organisation has one vote on a subject (the name that is to be admitted; of an
/// organisation its removal, its anchors, its limits): another vote on it takes the place of the one before. A motion
/// ends without effect 1000000 blocks after its first vote.
///
/// Every revert carries Error(string).
interface IOrganisationRegistry {
    /// What the organisation may use up. None is 0.
    struct Limits {
        uint32 nodes; // registered
        uint32 trainings;
        uint32 peersPerTraining;
        uint64 chainBytesPerDay;
        uint32 p2pPlaces; // connections between SNs, beside those of validators
        uint64 modelBytes; // that its peers claim for the models of one training
    }
    struct Organisation {
        uint16 id; // 0: there is no such organisation
        string name;
        uint64 sinceBlock; // 0: a founder
        bytes32[] anchors; // sorted
        Limits limits;
        uint32 members; // SNs and SWCIs, which can vote for it; with none it is not counted
    }
    /// Values of `kind`: 1 admit, 2 remove, 3 set anchors, 4 set limits. What a kind does not ask for is empty or zero.
    struct Motion {
        bytes32 key;
        uint8 kind;
        bool open; // false: its time is over, or its organisation is gone; a vote begins it anew if that is possible
        uint16 organisation; // whom it is about; 0 when it is to be admitted
        string name;
        bytes32[] anchors; // sorted
        Limits limits;
        uint64 expiresBlock; // the last block in which votes are counted
        uint16[] voters;
        uint16 needed; // votes, of organisations that are counted now
    }

    /// What an organisation has put on the chain on the last day (UTC) on which it put anything there: its members'
    /// transactions, their logs and revert data, and registrations that claim it. A transaction that is over the limit
    /// is in no block. A tenth of the limit is kept for calls of the registries by its SNs and SWCIs; registrations
    /// that nobody has vouched for take a tenth at most.
    struct ChainUse {
        uint16 organisation;
        uint64 dayBegins; // seconds since 1970; 0: it never put anything there
        uint64 inAll; // bytes
        uint64 newcomers; // of them for registrations that nobody had vouched for
        uint64 limit; // of a day
    }

    event OrganisationAdmitted(uint16 indexed organisation, string name, bytes32[] anchors);
    event OrganisationRemoved(uint16 indexed organisation, string name);
    event AnchorsChanged(uint16 indexed organisation, bytes32[] anchors);
    event LimitsChanged(uint16 indexed organisation, Limits limits);
    /// A first vote begins a motion. It asks for what the members say, as in `Motion`.
    event MotionBegun(
        bytes32 indexed motion,
        uint8 indexed kind,
        uint16 indexed organisation,
        string name,
        bytes32[] anchors,
        Limits limits,
        uint64 expiresBlock
    );
    /// `account` voted for its organisation `voter`.
    event OrganisationVoted(bytes32 indexed motion, uint16 indexed voter, address account);
    event VoteTakenBack(bytes32 indexed motion, uint16 indexed voter, address account);

    /// For a new organisation. No other has the name, in small letters or capitals: 1 to 64 bytes of UTF-8 without
    /// control characters, and without a blank at either end. 1 to 16 distinct anchors, none of them another's. At most
    /// 256 organisations at a time; the limits of a new one are 256 nodes, 64 trainings, 256 peers of a training, 64 MiB
    /// of chain a day, 8 P2P places, 64 GiB of models in a training.
    function admit(string calldata name, bytes32[] calldata anchors) external;
    /// The organisation is gone, its anchors and its name are free again.
    function remove(uint16 organisation) external;
    /// The organisation has these anchors instead of those it had. Its own vote counts as any.
    function setAnchors(uint16 organisation, bytes32[] calldata anchors) external;
    function setLimits(uint16 organisation, Limits calldata limits) external;
    /// Takes the vote of the caller's organisation back. An organisation has at most 8 votes on motions that are open.
    function takeBack(bytes32 motion) external;

    /// All zero when there is no such organisation.
    function organisation(uint16 id) external view returns (Organisation memory);
    function organisationCount() external view returns (uint256);
    /// At most 64 organisations from index `first` on, in order of admission.
    function organisations(uint256 first, uint256 count) external view returns (Organisation[] memory);
    /// The same organisations in the same order.
    function chainUses(uint256 first, uint256 count) external view returns (ChainUse[] memory);
    /// The organisation of this name, in small letters or capitals; 0 for none. So with the following.
    function organisationNamed(string calldata name) external view returns (uint16);
    function anchorOwner(bytes32 anchor) external view returns (uint16);
    /// The organisation of which the account is a member now, whatever its type; SNs and SWCIs vote for it.
    function organisationOf(address account) external view returns (uint16);
    function motionCount() external view returns (uint256);
    /// At most 64 motions from index `first` on. When one ends, the last of the list takes its place there.
    function motions(uint256 first, uint256 count) external view returns (Motion[] memory);
}
