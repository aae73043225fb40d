"""round_1mb: what a sync costs the program, four peers with 1 MB each; round_64sl: 64 SLs with tiny models on one SN.

The programs do nothing but sync, so the time of a sync is all overhead: weights to the SL, check-ins, leader's fetches,
merge, commit, fetch of the result, and back into the program. Each program is a process of its own for the 1 MB figure;
64 tiny ones are threads of one.
"""

import multiprocessing
import pathlib
import statistics
import sys
import threading
import time
from queue import Empty

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "python")]
import numpy as np  # noqa: E402
from figures import figure, options  # noqa: E402
from swarmlearning.arrays import pack  # noqa: E402
from swarmlearning.channel import Channel  # noqa: E402
from swarmlearning.messages import SessionRequest  # noqa: E402
from swarmlearning.session import Session  # noqa: E402
from swarms import Swarm  # noqa: E402

ROUNDS = 40
WARM_UP = 5


def program(index, peers, pipes, floats, rounds, report):
    """Syncs `rounds` times; reports when each sync began and ended (the machine's monotonic clock, seconds)."""
    channel = Channel(str(pipes[0]), str(pipes[1]), lambda text: None)
    session = Session(channel, SessionRequest(
        syncInterval=1, minPeers=peers, checkinModelOnTrainEnd="snapshot", nodeWeightage=1,
        trainingContract="defaultbb.cqdb.sml.hpe", mergeMethod="mean"))
    values = pack(np.full(floats, index, dtype=np.float32))
    spans = []
    loaded = []

    def merged(params):
        loaded.append(next(iter(params.values())))
        return 0.0, 0.0, 0, 0

    for _ in range(rounds):
        begun = time.monotonic()
        session.sync({"w": values}, 1, merged)
        spans.append((begun, time.monotonic()))
    session.close({"w": values}, 1, merged)
    report(spans)


def run_round(peers, floats, rounds, start):
    """Seconds from the last program's arrival to the last one's release, of every round after the warm-up."""
    with Swarm() as swarm:
        swarm.start_sn()
        pipes = swarm.start_sls(peers)
        spans = start(peers, pipes, floats, rounds)
    return [max(s[i][1] for s in spans) - max(s[i][0] for s in spans) for i in range(WARM_UP, rounds)]


def in_processes(peers, pipes, floats, rounds):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    programs = [context.Process(target=program, args=(i, peers, pipes[i], floats, rounds, queue.put), daemon=True)
                for i in range(peers)]
    for each in programs:
        each.start()
    spans = []
    while len(spans) < peers:
        try:
            spans.append(queue.get(timeout=1))
        except Empty:
            if any(each.exitcode for each in programs):
                sys.exit("a program failed")
    return spans


def in_threads(peers, pipes, floats, rounds):
    spans = []
    programs = [threading.Thread(target=program, args=(i, peers, pipes[i], floats, rounds, spans.append), daemon=True)
                for i in range(peers)]
    for each in programs:
        each.start()
    for each in programs:
        each.join(300)
    if len(spans) != peers:
        sys.exit(f"only {len(spans)} of {peers} programs came to their end")
    return spans


def copy_seconds(size):
    """The reference: the same bytes copied in memory once per peer and direction."""
    source = np.ones(size // 4, dtype=np.float32)
    begun = time.monotonic()
    for _ in range(100):
        source.copy()
    return (time.monotonic() - begun) / 100


def tell(name, seconds, reference, reference_seconds, target_ms):
    value = statistics.median(seconds) * 1000
    figure(name, value, "ms", reference, reference_seconds * 1000, target_ms, value <= target_ms)


given = options(__doc__)
size = 1 << 20
if given.wants("round_1mb"):
    tell("round_1mb", run_round(4, size // 4, 8 if given.smoke else ROUNDS, in_processes),
         "8 copies of 1 MB in memory", 8 * copy_seconds(size), 50)
if given.wants("round_64sl"):
    peers = 4 if given.smoke else 64
    tell("round_64sl", run_round(peers, 64, 8 if given.smoke else 15, in_threads),
         "128 copies of 256 B in memory", 128 * copy_seconds(256), 1000)
