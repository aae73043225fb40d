"""Rounds of programs that do nothing but sync: what an exchange costs."""

import multiprocessing
import sys
import threading
import time
from queue import Empty

import numpy as np
from swarmlearning._session.arrays import pack
from swarmlearning._session.channel import Channel
from swarmlearning._session.messages import SessionRequest
from swarmlearning._session.session import Session
from swarmlearning._session.undo import Undo

CONTRACT = "defaultbb.cqdb.sml.hpe"


def program(index, peers, pipes, floats, rounds, report, contract=CONTRACT, trains=0.0):
    """Syncs `rounds` times; reports when each sync began and ended (the machine's monotonic clock, seconds). `trains`:
    seconds between two syncs; one that trains can take a merge back, too, as it has nothing to lose."""
    channel = Channel(str(pipes[0]), str(pipes[1]), lambda text: None)
    session = Session(channel, SessionRequest(
        syncInterval=1, minPeers=peers, checkinModelOnTrainEnd="snapshot", nodeWeightage=1,
        trainingContract=contract, mergeMethod="mean"),
        undo=Undo(lambda: lambda: None, print) if trains else None)
    spans = []
    loaded = []

    def merged(params):
        loaded.append(next(iter(params.values())))
        return 0.0, 0.0, 0, 0

    for number in range(rounds):
        values = pack(np.full(floats, index + peers * number, dtype=np.float32))  # never the same bytes twice
        begun = time.monotonic()
        session.sync({"w": values}, 1, merged)
        spans.append((begun, time.monotonic()))
        time.sleep(trains)
    session.close({"w": values}, 1, merged)
    report(spans)


def round_seconds(spans, warm_up):
    """From the last program's arrival to the last one's release, of every round after so many."""
    return [max(s[i][1] for s in spans) - max(s[i][0] for s in spans) for i in range(warm_up, len(spans[0]))]


def in_processes(peers, pipes, floats, rounds, contract=CONTRACT, trains=0.0):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    programs = [context.Process(target=program, args=(i, peers, pipes[i], floats, rounds, queue.put, contract, trains),
                                daemon=True) for i in range(peers)]
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
