// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title One training: who takes part, which round it is in, who leads, what was merged
/// @notice Native contract, one per name (see ITrainingRegistry). Callers are SLs registered and active in the
/// NodeRegistry. Weights never come here, only digests.
///
/// Life of a round: Collecting --(all waited-for peers in, or enough votes)--> Revealing --(all have revealed their
/// models, or 10 s)--> Merging --(commitMerge)--> Verifying --(all checkers attest)--> Collecting of the next round, or
/// Complete. From Verifying a challenge leads to Disputed, and from there a verdict back, to Merging under another leader,
/// or to Stopped. Where nobody could check, commitMerge leads to the next round at once. `generation` grows with every reset, so that a transaction meant for an earlier
/// training is refused.
///
/// Call data have to be in the canonical ABI encoding (tails in order, no gaps, clean padding, strings in UTF-8) and
/// texts free of control characters; everything else reverts. Every revert carries Error(string) with a text that
/// names what is in force and what was asked for.
interface ITraining {
    /// Values of `phase`: 0 Collecting, 1 Merging, 2 Complete, 3 Revealing, 4 Verifying, 5 Disputed, 6 Stopped. A round is
    /// closed while Merging, Verifying, Disputed or Stopped.
    /// Values of `state`: 0 none, 1 Active (waited for), 2 Absent (missed a close, not waited for until it checks in
    /// again), 3 Finished (its training is over, it still checks in), 4 Left, 5 Odd (it asks for other parameters or
    /// brings a model of another layout than those in force, and it is not decided yet; nobody waits for it).
    /// Values of `onTrainEnd`: 0 inactive, 1 snapshot, 2 active.
    /// Reasons are codes, as a text could carry what a site keeps to itself onto the chain; others revert.
    /// Of leavePeer and reportRefusal: 0 program gone (it closed its pipes without a word), 1 program failed (it could
    /// not evaluate a merged model), 2 program ended (before the training was over), 3 node stopped, 4 node restarted,
    /// 5 other parameters (than its peers' models), 6 model not usable (it cannot be merged, nor any other of the
    /// round), 7 nothing to merge (no model of the round can be), 8 final model lost (nobody gives it),
    /// 9 no final model (nobody would bring a last one: all are Inactive at their end), 10 disk failed (its own),
    /// 11 other merge method, 12 other minPeers (it asks for another than the one in force), 13 bad request (what it
    /// sent cannot be served), 14 not heard (see accusePeer).
    /// Of commitMerge: 0 not available (the model could not be had), 1 other parameters (than most models of the
    /// round), 2 not finite (it has NaN or infinite values).
    /// Values of `verify`: 0 before (a merge is checked before it is that of the round), 1 off, 2 behind (it is
    /// checked all the same, and programs that can take it back load it meanwhile).
    /// Values of `kind`: 0 chunk (of the merge is not what the contributions make it), 1 exclusion (a contribution was left
    /// out without the defect that is said, or though it is available), 2 not served (what it takes to check is not).
    /// Values of `state` of a shard: 0 awaited, 1 made (by its maker), 2 declined (by its maker, or as that has left), 3 made
    /// by the leader (in its maker's place).
    /// Values of `verdict`: 0 upheld (the proposal holds), 1 refuted, 2 tied.
    /// Reasons to bar a peer: 0 it withheld its seed, 1 its merge was false, 2 its challenge was false, 3 it neither
    /// attested what was dealt to it nor challenged the proposal, or did not make its shard.

    struct Head {
        uint64 generation; // 1 at the start
        uint64 roundNum; // the round being collected or merged, always mergedRound + 1; 1 at the start
        uint8 phase;
        uint32 term; // 0 for the first leader of a round, plus 1 for each successor; ones that left are skipped
        address leader; // zero unless the round is closed
        uint32 minPeers; // 0 until the first peer registers
        string mergeMethod; // see registerPeer; empty until the first peer registers
        bytes32 layoutDigest; // zero until the first check-in with weightage
        uint32 waitedFor; // peers in state Active or Finished
        uint32 checkedIn; // check-ins of this round, 0 once Complete
        uint32 closeVotes;
        uint64 mergedRound; // 0: nothing merged yet
        bytes32 mergedDigest;
        uint64 mergedSize;
        address mergedBy; // the leader that committed it, so the first one to ask for the file
        uint32 hidden; // check-ins whose models are not revealed yet
        uint64 revealsEnd; // block time from which on the round goes on without them; 0 unless Revealing
        uint8 verify;
    }

    struct Peer {
        address account;
        uint8 state;
        uint8 reason; // why it Left or is Odd; of no meaning in other states
        uint8 onTrainEnd;
        bool canLead;
        uint32 weightage; // 1..100; 0 of one that was refused before it was a peer
        uint64 lastRound; // last round it checked in for, 0 if none
        uint64 lossRound; // last round whose merged model it loaded and reported a loss for, 0 if none
        uint32 epochsDone;
        uint32 epochsTotal;
        int64 lossMicro; // loss in millionths
        int64 metricMicro;
        string name; // from the NodeRegistry
        string endpoint; // from the NodeRegistry: where its models are
        uint16 organisation; // of the peer when it registered; 0: the chain has no organisations. In a closed round it speaks for the one as whose it checked in
        string organisationName;
        uint64 accusedSince; // block time at which another said that it gives no sign of life; 0: nobody does
        uint64 trustedFrom; // for earlier rounds its check-in counts once its model is revealed; 0: always (see reveal)
        uint64 barredUntil; // before that round it neither leads nor checks, while others can; 0: it is not barred
        uint32 took; // seconds of block time from the acceptance of the merge of `baseRound` to its last check-in, 65535 at most; 0 for baseRound 0
    }

    struct CheckIn {
        address peer;
        bytes32 digest; // of the model; zero until it is revealed, and when weightage is 0
        uint64 size; // of the model file in bytes
        uint32 weightage; // 0..100; 0: takes part, contributes nothing
        uint64 baseRound; // the merge its local training started from; 0: none
        bool finished; // in state Finished since this or an earlier check-in
        string endpoint; // from the NodeRegistry
        bytes32 commitment; // see checkIn; zero when weightage is 0
        bytes32 seedHash; // see reveal; zero until then; each seed that is revealed takes its place (see revealSeed)
    }

    struct Merge {
        uint64 roundNum;
        uint64 blockNum;
        uint32 term;
        address leader;
        bytes32 digest;
        uint64 size;
        address[] contributors; // in order of registration; the event has them as they were given
        address[] excluded; // as given
        uint8[] reasons; // why each of `excluded` was left out
        address[] checkers; // who have attested it, in order of registration; none: nobody has checked it, or one alone what it has made a part of
        uint32 shards; // of which it was put together (see commitShard); 0: the leader has made it
    }

    struct Shard {
        address maker;
        uint8 state;
        address madeBy; // zero until it is made
        uint16 organisation; // of who has made it, or of its maker
    }

    struct Shards {
        uint64 roundNum; // 0, as all else, unless Merging in shards, or Verifying or Disputed what was put together of them
        uint32 term;
        bool open; // they are being made
        uint64 size; // of the merge
        uint64 unitChunks;
        uint64 until; // block time from which on the leader may make those that are awaited
        uint64 lasts; // seconds until then, from when the first ones of the round were opened
        Shard[] shards; // by the place of their makers
    }

    struct Measures {
        uint64 roundNum; // 0, as all else, unless `shards` are measured (see measureShard)
        uint32 term;
        bool open; // their makers measure
        uint32 sums; // of each unit
        bytes32[] totals; // of whole models; none while open
        bytes32[] units; // SHA-256 of the words of each unit; none while open
    }

    struct Seat {
        address peer;
        uint16 organisation;
        bool attested;
    }

    struct Checks {
        uint64 roundNum; // 0, as all else, unless Verifying or Disputed
        uint32 term;
        uint32 attempt; // how often the proposal was dealt out; 0: its seeds are revealed
        uint64 until; // block time from which on closeChecks goes on without those who are awaited
        uint64 lasts; // seconds until then, from when this stage began
        bytes32 mix; // of the seeds that are revealed
        uint64 chunks; // that are dealt out
        uint8 kind; // of the challenge
        uint64 number; // see challenge
        address challenger; // zero unless Disputed
        address[] awaited; // whose seed, attestation or vote is missing
        Seat[] seats; // among whom the proposal is dealt out, in the order of the deal
    }

    /// Who has started this over last, and why.
    struct Reset {
        uint64 blockNum; // 0: nobody did since version 3 of the chain's rules
        uint64 ended; // the generation that ended by it
        address by;
        string note; // empty: nothing was said
    }

    struct Owner {
        uint16 organisation; // 0: nobody's, as of the training that is there from genesis
        string name; // empty once the organisation was removed
    }

    event PeerRegistered(address indexed peer, uint64 generation, uint32 minPeers, string mergeMethod, uint32 weightage);
    event PeerLeft(address indexed peer, uint64 generation, uint8 reason);
    /// It is not waited for until most organisations want what it wants, or it registers or checks in anew. `reason` as
    /// of PeerLeft: 5, 11 or 12.
    event PeerOdd(address indexed peer, uint64 generation, uint8 reason);
    /// Most organisations want something else than what was in force.
    event AgreementChanged(uint64 indexed generation, uint32 minPeers, string mergeMethod, bytes32 layoutDigest, uint32 organisations);
    /// `by` says that it gives no sign of life: it has 10 seconds of block time to call this contract.
    event PeerAccused(address indexed peer, uint64 generation, address indexed by);
    /// It has called, and `by`, who had accused it, may accuse nobody for 10 minutes.
    event PeerAnswered(address indexed peer, uint64 generation, address indexed by);
    event PeerAbsent(address indexed peer, uint64 generation, uint64 roundNum);
    event CheckedIn(
        address indexed peer, uint64 indexed roundNum, uint64 generation, bytes32 commitment, uint64 size,
        uint32 weightage, uint64 baseRound, bool finished
    );
    /// The round is closed to others; its peers reveal their models, until block time `until` at most.
    event RevealsOpened(uint64 indexed roundNum, uint64 generation, uint64 until, uint32 participants);
    /// `weightage` 0: it is the model of another one that is in, who had revealed it before (see reveal).
    event Revealed(
        address indexed peer, uint64 indexed roundNum, uint64 generation, bytes32 digest, uint64 size,
        uint32 weightage, uint64 baseRound, bytes32 seedHash
    );
    /// It has not revealed its model in time and is not in the round; see reveal for `trustedFrom`.
    event Withheld(address indexed peer, uint64 indexed roundNum, uint64 generation, uint64 trustedFrom);
    event RoundClosed(uint64 indexed roundNum, uint64 generation, address indexed leader, uint32 participants, uint32 contributors);
    /// Nobody is left who could lead the closed round, or fewer than it takes have revealed their models: the check-ins
    /// of those who left or withheld theirs are withdrawn, and all votes. The round is collected anew (and may close at once). Its next leader has a higher term than its last one.
    event RoundReopened(uint64 indexed roundNum, uint64 generation);
    event LeaderSuspected(uint64 indexed roundNum, uint64 generation, uint32 term, address indexed by, address leader);
    event LeaderChanged(uint64 indexed roundNum, uint64 generation, uint32 term, address indexed leader);
    /// `roots` of the units of shard number `shard` (see commitShard); none: its maker declines.
    event ShardCommitted(address indexed peer, uint64 indexed roundNum, uint64 generation, uint32 term, uint32 shard, bytes32[] roots);
    /// `sums` of the units of shard number `shard` (see measureShard); none: its maker declines it.
    event ShardMeasured(address indexed peer, uint64 indexed roundNum, uint64 generation, uint32 term, uint32 shard, bytes32[] sums);
    /// All shards are measured, and are to be made.
    event ModelsMeasured(uint64 indexed roundNum, uint64 generation, uint32 term, bytes32[] totals);
    /// What the leader proposes, or was put together of so many `shards`, when the last one is made. It is the merge of the
    /// round once it is accepted.
    event MergeCommitted(
        uint64 indexed roundNum, uint64 generation, uint32 term, address indexed leader, bytes32 digest, uint64 size,
        address[] contributors, address[] excluded, uint8[] reasons, uint32 shards
    );
    event SeedRevealed(address indexed peer, uint64 indexed roundNum, uint64 generation, uint32 term, bytes32 seed);
    /// `checkers` peers have something to check, until block time `until`.
    event ChecksDealt(uint64 indexed roundNum, uint64 generation, uint32 term, uint32 attempt, bytes32 mix, uint64 chunks, uint32 checkers, uint64 until);
    event Attested(address indexed peer, uint64 indexed roundNum, uint64 generation, uint32 term, uint32 attempt);
    event MergeChallenged(uint64 indexed roundNum, uint64 generation, uint32 term, uint32 attempt, uint8 kind, uint64 number, address indexed by, uint64 until);
    event Judged(address indexed peer, uint64 indexed roundNum, uint64 generation, uint32 term, uint32 attempt, bool holds);
    /// `holds` and `against`: organisations, or nodes where all are of one.
    event ChallengeDecided(uint64 indexed roundNum, uint64 generation, uint32 term, uint32 attempt, uint8 verdict, uint32 holds, uint32 against);
    /// It neither leads nor checks before round `until`, while others can.
    event Barred(address indexed peer, uint64 indexed roundNum, uint64 generation, uint8 reason, uint64 until);
    /// `checkers` have attested it; none: nobody has checked it.
    event MergeAccepted(uint64 indexed roundNum, uint64 generation, uint32 term, address indexed leader, bytes32 digest, address[] checkers);
    /// Leader and challenger disagree, and for the second time in the round as many say the one thing as the other. If they
    /// do about a chunk of a shard, `leader` is who has made that.
    event RoundStopped(uint64 indexed roundNum, uint64 generation, address indexed leader, address indexed challenger);
    event VerifySet(uint8 mode, address indexed by);
    event LossReported(address indexed peer, uint64 indexed roundNum, uint64 generation, int64 lossMicro, int64 metricMicro, uint32 epochsDone, uint32 epochsTotal);
    /// `roundNum` and `digest` of the final merge; both zero when nothing was merged.
    event TrainingComplete(uint64 indexed roundNum, uint64 generation, bytes32 digest);
    /// It is reset once more than half of the organisations in it have asked for it.
    event ResetAsked(uint64 indexed generation, uint16 indexed organisation, address by);
    /// What was said with a reset of `generation`, or with asking for one; before the event of that.
    event ResetNoted(uint64 indexed generation, address indexed by, string note);
    event OrganisationInvited(uint16 indexed organisation, address by);
    event TrainingReset(uint64 generation, address indexed by);

    /// The caller takes part from now on (or again, after it left, died or was absent), in state Active. The first
    /// peer of a generation sets minPeers (1..1024) and mergeMethod. When all peers have left and nothing was merged yet,
    /// the next one sets them anew.
    ///
    /// In force is what most organisations want, each counted once: the peers of one organisation have to agree, and
    /// where there are no organisations all have to; the revert text names the difference. Whoever wants what fewer
    /// organisations want than what is in force is refused (a peer becomes Left, with the reason). At a tie it is Odd;
    /// then what is in force stays, unless that waits for more peers than want it and the other does not. The same holds
    /// for layouts and the peers whose last check-in brought a model. Something new after a round has closed starts the
    /// training over in the next generation, in which what most wanted is in force from the start.
    ///
    /// An organisation has at most as many entries among the peers as its limits say. A check-in that
    /// the caller made for a round still Collecting is withdrawn (after a restart its model may be gone); one for a
    /// closed round stands. Progress and loss start over. At most 1024 peers. Refused when Complete.
    /// mergeMethod is "mean", "coordmedian", "geomedian", "trimmedmean:0.2" (any part in (0, 0.5)), "krum:f" or
    /// "multikrum:f,m" (minPeers at least 2f + 3, m at most minPeers - f), "clippedmean:norm" or "custom:name,digest" (the
    /// SHA-256 of its library), spelt exactly so: lower case, decimals without needless zeros.
    function registerPeer(
        uint32 minPeers,
        string calldata mergeMethod,
        uint32 weightage,
        uint8 onTrainEnd,
        uint32 epochsTotal,
        bool canLead
    ) external;

    /// The caller's program ended without finishing, or its SL shuts down. Not waited for any more; its check-in
    /// and vote for a round still Collecting are withdrawn; a round that waited only for it closes. If it leads, the next successor leads at once. When the last Active peer leaves and every
    /// Finished one has had its final check-in merged, the training is Complete.
    function leavePeer(uint8 reason) external;

    /// The caller commits to its model for round `roundNum`: `commitment` is keccak256(abi.encode(account, generation,
    /// roundNum, digest, salt, seedHash)) of what it will reveal, all in words of 32 bytes. Nobody learns the digest from it,
    /// and as the account is part of it, it is of no use to anybody else. Once per round; only a check-in of weightage 0 may be followed by one
    /// with a model. Refused unless Collecting exactly that round and generation, or when most want another layout than
    /// `layoutDigest` (see registerPeer). One whose layout is undecided makes the caller Odd, and counts once most want
    /// that layout. With weightage 0 commitment, size and layoutDigest are zero, otherwise none of them
    /// is. `baseRound` is a merged round, however old. An Absent caller is waited for again. `finished` puts the
    /// caller in state Finished until it registers anew, whatever later check-ins say.
    ///
    /// Closes the round when every waited-for peer is in, they are at least minPeers, and one brings a model: it is
    /// Revealing then, or Merging when nothing is left to reveal. Once
    /// nobody is Active any more, minPeers no longer counts, and a round to which nobody brings a model completes the
    /// training instead.
    function checkIn(
        uint64 generation,
        uint64 roundNum,
        bytes32 commitment,
        uint64 size,
        bytes32 layoutDigest,
        uint32 weightage,
        uint64 baseRound,
        bool finished
    ) external;

    /// Opens the commitment of the caller's check-in while Revealing; once. `seedHash` is keccak256, taken
    /// 1024 times, of a number that the caller keeps to itself (see revealSeed). When all have revealed theirs, the round is Merging if those that are in are still
    /// as many as it takes to close it and one brings a model; otherwise it is collected anew, and check-ins whose models are
    /// revealed stand.
    ///
    /// Whoever has not revealed when that ends is out of the round (Withheld): Absent when it goes on without, else waited
    /// for as if it had not checked in. For the rest of this round and for the 2 rounds after it (4 the next time, 8, 16, ... in
    /// this generation) its check-in counts for nothing, neither minPeers nor votes, until it has revealed its model, which it
    /// may, and has to, while Collecting.
    ///
    /// A digest that somebody who is in has revealed already brings nothing, and the caller is in with weightage 0, unless
    /// both reveal in the same Revealing, so that both must have known the model when they committed to it, or it is that
    /// of the last merge.
    function reveal(uint64 generation, uint64 roundNum, bytes32 digest, bytes32 salt, bytes32 seedHash) external;

    /// Ends Revealing once its 10 seconds of block time are over; of any peer that has not left. One call takes up to 128
    /// peers out of the round; while more have not revealed it stays Revealing, and is to be called again.
    function closeReveals(uint64 generation, uint64 roundNum) external;

    /// The caller has waited long enough for the missing peers. Only of a peer that is in, once per round. When at
    /// least minPeers are in, more than half of those in have voted and one brings a model, the round closes and the
    /// missing peers become Absent. A vote counts from then on: the round also closes when a later change makes this
    /// true. When nobody brings a model and all those in are Finished, the missing peers become Absent and the
    /// training is Complete.
    function voteClose(uint64 generation, uint64 roundNum) external;

    /// The merge of a closed round; only of the leader of exactly this term. `contributors` and `excluded` together
    /// are the peers that checked in with weightage > 0, each once, in any order; at least one contributor. `size` is at
    /// most 2^40. It is a proposal: the round is Verifying. When verify is off, or nobody else contributes and is there, it
    /// is accepted: the next round is Collecting, or the training is Complete, as no peer is Active any more and at least
    /// one is Finished.
    ///
    /// Those who check it are the others that contribute, are there and are not barred; if all are, they too. From rules version
    /// 3 on those are not among them who are excluded as not available, where the others, with the leader, are most
    /// organisations (nodes, where there is one organisation): they could change nothing, and are silent most of the time. If there are no more
    /// than two of them, or their number times that of the chunks of 1 MiB in `size` is no more than 16, each makes all of it
    /// again. Else they first reveal their seeds, and whoever has not in 10 seconds of block time is barred. The mix of the
    /// seeds, the exclusive or of keccak256(account, seed), says who checks what: each of the chunks of 1 MiB (or the whole, where the
    /// method needs whole models) is dealt to two, of different organisations, and none of the leader's where two others
    /// check. contracts/training/dealing.hpp has the order, and `checks` who stands where.
    function commitMerge(
        uint64 generation,
        uint64 roundNum,
        uint32 term,
        bytes32 digest,
        uint64 size,
        address[] calldata contributors,
        address[] calldata excluded,
        uint8[] calldata reasons
    ) external;

    /// A shard of the merge (of other methods see measureShard). Where the method is mean, coordmedian or trimmedmean, all models of a round have the same size,
    /// and they are of more than one chunk of 1 MiB and too large to be checked whole by all (see commitMerge; those who check
    /// are all makers but one), a merge is made in shards while it is Merging, one for each maker. Makers are the contributors
    /// that are there, not barred, in order of registration; at least two. Only for the first proposal of a round, if
    /// merges are verified and no contributor has left; and not in the 16 rounds after one in which what was made so was challenged as not served, and not upheld.
    ///
    /// The chunks of the merge, in which nobody is left out, are cut in units of 2^k chunks, with the largest k for which each of
    /// n makers has four: 4 * n * 2^k <= chunks, at least 0. Maker p, from 0 on, has a run of the u units: u / n of them, one more
    /// if p < u mod n. The root of a unit is that of a tree over the SHA-256 of its chunks: a node is SHA-256(0x01, left,
    /// right), and one without a sibling is handed up unchanged (as in RFC 6962). `roots` has those of all units of `shard`, in
    /// order.
    ///
    /// The maker commits its shard, or declines it by no roots; whoever leaves declines. The leader commits one that is
    /// declined, and, once `until` (see shards) is over, one that is awaited. It is the time that the shard's size allows, after
    /// which its maker is barred then; or sooner, 10 s and four times the time in which most organisations had made half of
    /// theirs, looked at when n/2, n/4, ... are missing. What is committed stays, until another leads. When all that have units are made, the contract proposes what they are
    /// put together to: its digest is SHA-256("swarmd model v2", size, 2^20, root), numbers as 8 bytes, with the root of the tree
    /// over all chunks. commitMerge of the leader is possible until then.
    ///
    /// Such a proposal is verified as one of the leader, with these differences. All that contribute and are there check, the
    /// leader, too; of units, not chunks, each goes to two, never to who has made it, and to others than its organisation
    /// where there are two (contracts/training/sharding.hpp). No seeds are revealed where each unit goes to everybody else
    /// anyhow. A chunk is challenged against who has made its shard: they and the challenger have said what they say by that, and if it is
    /// refuted, or tied, what holds for the leader of a merge holds for them. What is judged is the unit that the chunk is in.
    function commitShard(uint64 generation, uint64 roundNum, uint32 term, uint32 shard, bytes32[] calldata roots) external;

    /// The caller's seed for the proposal of `term`: its keccak256 is the `seedHash` that the caller has in checkIns, and it
    /// takes the place of that. So each proposal has other seeds, and nobody knows them when it is made.
    function revealSeed(uint64 generation, uint64 roundNum, uint32 term, bytes32 seed) external;

    /// The caller has made again all that is dealt to it in this attempt, and it is what the leader proposes. When all whose
    /// attestations are awaited have said so, the merge is accepted.
    function attest(uint64 generation, uint64 roundNum, uint32 term, uint32 attempt) external;

    /// The caller, which contributes, does not lead and is not barred, says that the proposal is wrong in chunk `number`, in
    /// leaving out peer `number` of `excluded`, or as not served (`number` 0). Not when its organisation is set
    /// aside in this round (see below), as long as one is there that is not, nor is that of who has made what is wrong. That it is not served, and that who was left out is available, an organisation says once of a
    /// proposal. Where all are of one organisation, this goes for each peer. Whether a contribution is available is
    /// judged once a round, unless it is found not to be; the organisation of who left out one that is leads no more in this
    /// round where others can.
    ///
    /// The round is Disputed: all that contribute and are there judge, the leader and the caller by what they have said. An
    /// organisation says what most of its votes say; where all are of one, each node counts. Upheld, or refuted, is what
    /// more say, once the missing votes cannot change that, all have voted, or the time is over.
    ///
    /// Upheld: the proposal is dealt out anew, without the caller, and, if it was not served, without its organisation while
    /// there are others. Refuted: the next successor leads. Where everybody who
    /// looks sees the same (a chunk, an exclusion but for availability) the caller, or the leader, is barred. Tied: the next
    /// successor leads, and at the second tie of a round it is Stopped, except about availability.
    ///
    /// A barred peer neither leads nor checks for 16 rounds, and in this round its organisation does not while others can;
    /// nor does that of the leader of a tie.
    function challenge(uint64 generation, uint64 roundNum, uint32 term, uint32 attempt, uint8 kind, uint64 number) external;

    /// The caller's vote on the challenge: the proposal holds in what is challenged, or does not.
    function judge(uint64 generation, uint64 roundNum, uint32 term, uint32 attempt, bool holds) external;

    /// Goes on without those who are awaited once `until` (see checks) is over; of any peer that has not left. Seeds and
    /// attestations: they are barred, up to 128 by one call, and when there are no more the proposal is dealt out
    /// among the others, or accepted where there are none. Votes: what was voted decides.
    function closeChecks(uint64 generation, uint64 roundNum, uint32 term, uint32 attempt) external;

    /// How merges are verified; from the next proposal on. The caller is an SN or SWCI of the owner. Merges of a
    /// training that is nobody's always are.
    function setVerify(uint8 mode) external;

    /// The caller, checked in for this round, saw no progress of the leader of `term`. When most organisations say so, each
    /// by more than half of its peers that are in and have not left, the leader left out, the next successor leads under
    /// term + 1; at once when the leader itself says that it cannot merge. Successors wrap around; one that has left is passed over, its term with
    /// it, and so is one that is barred, whose organisation had a peer barred in this round, or that leads now, while
    /// another can. While Merging only: who proposes and does not serve is challenged. After 1024 proposals the round is
    /// collected anew, without check-ins.
    function suspectLeader(uint64 generation, uint64 roundNum, uint32 term) external;

    /// The caller's loss and metric of the merged model of `roundNum`, in millionths (the smallest int64: not a
    /// number). Never for an earlier round than its last report. Also when Complete.
    function reportLoss(uint64 generation, uint64 roundNum, int64 lossMicro, int64 metricMicro, uint32 epochsDone, uint32 epochsTotal) external;

    /// The caller, a peer that has not left, gets no sign of life from `peer`, another one that is in the round or waited
    /// for. `peer` has 10 seconds of block time for any call of this contract: then the caller may accuse nobody for 10
    /// minutes, nor may, where peers of several organisations have registered, any of the caller's. Once they are over, another such call of any peer makes `peer` leave with the reason 14, so
    /// that it counts in no majority and leads no round until it registers again.
    function accusePeer(uint64 generation, address peer) external;

    /// A sign of life of the caller, who is accused.
    function answerAccusation(uint64 generation) external;

    /// The caller's program was refused before the caller was a peer: it is one in state Left from now on, so that the
    /// others see why it does not come. Nobody waits for it and no round changes. Refused for one that is a peer (it
    /// calls leavePeer), for the reason that it has left for already, when there are 1024 peers, and when Complete. An
    /// SL speaks for itself only, and has one entry however often it does.
    function reportRefusal(uint64 generation, uint8 reason) external;

    /// Back to an empty training of the next generation; the caller is a registered SN or SWCI. Merge records of
    /// earlier generations stay readable as events. Where there are organisations, one whose peers are Active or Finished
    /// in a training that is not Complete is reset by its owner, or by more than half of the organisations of such peers,
    /// each of which calls this. One that is retired (ITrainingRegistry) is not reset any more.
    function reset() external;

    /// The same, and `note` says why: at most 160 bytes without control characters. Since version 3 of the chain's rules.
    function resetWithNote(string calldata note) external;

    /// From now on only the owner's and invited organisations register peers; peers that there are stay. The caller is an
    /// SN or SWCI of the owner, the organisation of whoever created the training. Until then everybody may.
    function invite(uint16 organisation) external;

    function name() external view returns (string memory);
    function head() external view returns (Head memory);
    /// At most 256 peers from index `first` on, in order of registration.
    function peers(uint256 first, uint256 count) external view returns (Peer[] memory);
    function peerCount() external view returns (uint256);
    /// The check-ins of the current round, none once Complete. While Collecting in order of registration; once it
    /// is closed those that can lead first, in order of succession (leader of term t is entry t modulo their number),
    /// then the others. Those that can lead are the peers with canLead, or, if there is none, those with weightage;
    /// among them contributors come first, then the order is that of registration, beginning behind the leader of the
    /// last merge: leaders take turns, and nothing that a peer can choose makes it lead.
    function checkIns() external view returns (CheckIn[] memory);
    function owner() external view returns (Owner memory);
    /// Empty: everybody may take part.
    function invited() external view returns (Owner[] memory);
    /// The organisations that have asked for a reset of this generation.
    function resetVotes() external view returns (Owner[] memory);
    function lastReset() external view returns (Reset memory);
    /// The record of a round of this generation whose merge is accepted; `roundNum` 0 in the answer when there is none.
    function mergeOf(uint64 roundNum) external view returns (Merge memory);
    /// What is proposed as the merge of the round; `roundNum` 0 unless Verifying, Disputed or Stopped.
    function proposal() external view returns (Merge memory);
    function checks() external view returns (Checks memory);
    function shards() external view returns (Shards memory);
    /// The roots that were committed of a shard of `shards`; none while it is not made.
    function shardRoots(uint32 shard) external view returns (bytes32[] memory);

    /// The caller, the maker of `shard` (see commitShard), says what its part of the models is measured to; it declines the shard by no
    /// sums. Since version 3 of the chain's rules. Where the method is geomedian, krum, multikrum or clippedmean, and up to 16 models
    /// are in, a merge is made in shards, too, once the models are measured in the same shards: `sums` has the words of all units of
    /// `shard`, in order. A unit has one sum for each pair of models, in the order (0,1), (0,2), ..., (1,2), ... of their digests:
    /// their squared distance; for clippedmean one for each model, from the median. Sums are IEEE doubles, neither NaN nor negative nor
    /// -0, as 8 bytes, big-endian, four to a word, zeros behind the last one, and are added up as contracts/training/measures.hpp says.
    /// When all is measured, the contract adds up the totals, from which the weight of each model follows, and the shards are to be
    /// made, in the times that commitShard has, from then on. Nobody measures or makes a shard in its maker's place: the leader calls
    /// commitMerge, and by that who was awaited is barred once `until` is over. With the chunks of a unit its sums are checked:
    /// challenge by a number beyond the chunks, their count plus u, says that those of unit u are not what the models give.
    function measureShard(uint64 generation, uint64 roundNum, uint32 term, uint32 shard, bytes32[] calldata sums) external;
    function measures() external view returns (Measures memory);
}
