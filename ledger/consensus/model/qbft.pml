/*
 * The round-change rules of QBFT, at one block number: does a chain of four validators, one of which lies, ever
 * decide two blocks? README.md says what is modelled and what is not; `check` runs the verification.
 *
 * Nothing that was sent is ever taken back, and a step may wait for ever or never be taken. So the sent messages
 * are plain arrays, a receiver needs no inbox, and loss, delay, reorder and duplication need no step of their own.
 *
 * The liar needs no process: whatever one key can sign counts as sent, to anybody, at any time (equivocation,
 * withholding, forged claims). What it cannot do is sign for others: a certificate exists only when enough of the
 * others have signed their part of it.
 *
 * Macros to set: LIAR (who), ROUNDS, PROPERTY (all of them by default), and for a mutant the rule it breaks.
 */
#define N 4

#ifndef ROUNDS
#define ROUNDS 3 /* or 2 */
#endif
#ifndef LIAR
#define LIAR 0
#endif

/* The rules that mutants break. */
#ifndef QUORUM
#define QUORUM 3 /* ceil(2N/3) */
#endif
#ifndef LIAR_VOTES
#define LIAR_VOTES 1 /* in prepares and commits: authors count, not signatures */
#endif
#ifndef LIAR_CHANGES
#define LIAR_CHANGES 1 /* in round changes: the same */
#endif

/* Blocks. An honest proposer may make 1 or 2; 3 breaks the rules of the ledger. */
#define NONE 0
#define INVALID 3

typedef rounds {
  byte in[ROUNDS]
};

/* What honest validators have sent, by validator and round. */
byte proposed[ROUNDS];  /* block; of the round's only proposer */
rounds prepare[N];      /* block */
rounds commit[N];       /* block */
rounds change[N];       /* NO_CHANGE, UNPREPARED, or PREPARED_IN(round) with the block beside it */
rounds change_block[N];
#define NO_CHANGE 0
#define UNPREPARED 1
#define PREPARED_IN(r) (2 + (r))

/* What they know. `lock` is UNPREPARED or PREPARED_IN(round): the highest prepared certificate they ever held. */
byte round[N];
byte lock[N];
byte lock_block[N];

/* -- counting: an honest author once, the liar always --------------------------------------------------------- */
#define proposer(r) ((r) % N)
#define each(f, a, b) (f(0, a, b) + f(1, a, b) + f(2, a, b) + f(3, a, b))

#define has_prepared(i, r, b) ((i) == LIAR -> LIAR_VOTES : prepare[i].in[r] == (b))
#define has_committed(i, r, b) ((i) == LIAR -> LIAR_VOTES : commit[i].in[r] == (b))
#define prepares(r, b) each(has_prepared, r, b)
#define commits(r, b) each(has_committed, r, b)

/* Round changes to r by those who claim at most `claim`; the liar can always claim as little as needed. */
#define has_changed(i, r, claim)                                                                                  \
  ((i) == LIAR -> LIAR_CHANGES : change[i].in[r] != NO_CHANGE && change[i].in[r] <= (claim))
#define changes(r, claim) each(has_changed, r, claim)

/* -- justification of a proposal at r > 0 ---------------------------------------------------------------------- */
/* Somebody can show q prepares for block b at round p: an honest claim carries them, the liar must collect them. */
#define claims(i, r, p, b) ((i) != LIAR && change[i].in[r] == PREPARED_IN(p) && change_block[i].in[r] == (b))
#define honestly_claimed(r, p, b)                                                                                 \
  (claims(0, r, p, b) || claims(1, r, p, b) || claims(2, r, p, b) || claims(3, r, p, b))
#ifdef CLAIMS_WITHOUT_CERTIFICATE
#define certified(r, p, b) true
#else
#define certified(r, p, b) (honestly_claimed(r, p, b) || prepares(p, b) >= QUORUM)
#endif

/* q round changes to exactly r, the highest claim among them being (p, b). */
#ifdef ANY_CLAIM
#define highest(r, p, b) (changes(r, 255) >= QUORUM && certified(r, p, b))
#else
#define highest(r, p, b) (changes(r, PREPARED_IN(p)) >= QUORUM && certified(r, p, b))
#endif
#define all_unprepared(r) (changes(r, UNPREPARED) >= QUORUM)

#if ROUNDS > 2
#define some_highest(r, b) (((r) > 0 && highest(r, 0, b)) || ((r) > 1 && highest(r, 1, b)))
#else
#define some_highest(r, b) ((r) > 0 && highest(r, 0, b))
#endif
#define justified(r, b) ((r) == 0 || all_unprepared(r) || some_highest(r, b))

/* A proposal of b for round r that a validator may have before it. */
#define shown(r, b) (proposer(r) == LIAR -> justified(r, b) : proposed[r] == (b))
#ifdef BLOCKS_UNCHECKED
#define acceptable(r, b) shown(r, b)
#else
#define acceptable(r, b) ((b) != INVALID && shown(r, b))
#endif

/* -- properties, checked after every step ---------------------------------------------------------------------- */
/* q commits are a final block, whoever puts them together. */
#if ROUNDS > 2
#define decided(b) (commits(0, b) >= QUORUM || commits(1, b) >= QUORUM || commits(2, b) >= QUORUM)
#else
#define decided(b) (commits(0, b) >= QUORUM || commits(1, b) >= QUORUM)
#endif
#define agreement (decided(1) + decided(2) + decided(3) <= 1)
#define validity (!decided(INVALID))

/* Once q - f honest validators are prepared on b at r, no later proposal of another block is valid. */
#define was_prepared(i, r, b) ((i) != LIAR && commit[i].in[r] == (b))
#define locked(r, b) (each(was_prepared, r, b) >= 2)
#define kept(r, later, b)                                                                                         \
  (!locked(r, b) || !(((b) != 1 && justified(later, 1)) || ((b) != 2 && justified(later, 2))))
#if ROUNDS > 2
#define lock_kept(b) (kept(0, 1, b) && kept(0, 2, b) && kept(1, 2, b))
#else
#define lock_kept(b) kept(0, 1, b)
#endif
#define lock_holds (lock_kept(1) && lock_kept(2))

#ifdef DECIDES_IN
/* Turned around: the verifier must find a decision, else nothing above says anything. */
#define PROPERTY (commits(DECIDES_IN, 1) < QUORUM)
#endif
#ifndef PROPERTY
#define PROPERTY (agreement && validity && lock_holds)
#endif

/* -- steps of an honest validator ------------------------------------------------------------------------------ */
/* Justified by what it has received, the proposer of its round makes a block, or makes the locked one again. */
#define PROPOSE(b)                                                                                                \
  ::d_step {                                                                                                      \
    proposer(round[me]) == me && proposed[round[me]] == NONE && justified(round[me], b) ->                        \
    printf("%d proposes %d in round %d\n", me, b, round[me]);                                                     \
    proposed[round[me]] = b;                                                                                      \
    assert(PROPERTY)                                                                                              \
  }

/* A valid proposal of its round or a later one: it goes there and prepares, once a round. */
#define PREPARE(r, b)                                                                                             \
  ::d_step {                                                                                                      \
    round[me] <= r && prepare[me].in[r] == NONE && acceptable(r, b) ->                                            \
    round[me] = r;                                                                                                \
    printf("%d prepares %d in round %d\n", me, b, r);                                                             \
    prepare[me].in[r] = b;                                                                                        \
    assert(PROPERTY)                                                                                              \
  }

/* q prepares for the proposal it accepted: locked now, not only when a timer runs out. Then the commit. */
#define COMMIT                                                                                                    \
  ::d_step {                                                                                                      \
    mine != NONE && commit[me].in[round[me]] == NONE && prepares(round[me], mine) >= QUORUM ->                    \
    record_lock();                                                                                                \
    printf("%d commits %d in round %d\n", me, mine, round[me]);                                                   \
    commit[me].in[round[me]] = mine;                                                                              \
    assert(PROPERTY)                                                                                              \
  }

/* Its timer ran out, or f + 1 others are ahead. */
#define CHANGE_TO(r)                                                                                              \
  ::d_step {                                                                                                      \
    round[me] < r ->                                                                                              \
    before_change();                                                                                              \
    round[me] = r;                                                                                                \
    change[me].in[r] = claimed_lock;                                                                              \
    change_block[me].in[r] = lock_block[me];                                                                      \
    print_change(r);                                                                                              \
    assert(PROPERTY)                                                                                              \
  }

#define mine prepare[me].in[round[me]]

inline print_change(r) {
  if
  ::change[me].in[r] == UNPREPARED -> printf("%d changes to round %d, not prepared\n", me, r)
  ::else -> printf("%d changes to round %d, prepared on %d in round %d\n", me, r, lock_block[me], change[me].in[r] - 2)
  fi
}

inline lock_now() {
  lock[me] = PREPARED_IN(round[me]);
  lock_block[me] = mine
}

#ifdef LOCK_AT_TIMEOUT
#define record_lock() skip
#define before_change()                                                                                           \
  if                                                                                                              \
  ::commit[me].in[round[me]] != NONE -> lock_now()                                                                \
  ::else                                                                                                          \
  fi
#else
#define record_lock() lock_now()
#define before_change() skip
#endif

#ifdef LOCK_NOT_CARRIED
#define claimed_lock UNPREPARED
#else
#define claimed_lock lock[me]
#endif

proctype honest(byte me) {
end:
  do
  PROPOSE(1)
  PROPOSE(2)
  PREPARE(0, 1)
  PREPARE(0, 2)
  PREPARE(0, INVALID)
  PREPARE(1, 1)
  PREPARE(1, 2)
  PREPARE(1, INVALID)
  COMMIT
  CHANGE_TO(1)
#if ROUNDS > 2
  PREPARE(2, 1)
  PREPARE(2, 2)
  PREPARE(2, INVALID)
  CHANGE_TO(2)
#endif
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. N - 1) {
      lock[i] = UNPREPARED;
      if
      ::i != LIAR -> run honest(i)
      ::else
      fi
    }
  }
}
