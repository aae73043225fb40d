"""By hand, SWARM_SLOW_LINKS=1: four hosts with 100 Mbit/s each way, and how long a round takes beside its bytes.

A round of N peers with models of B bytes moves at least (N - 1) / N x B into and out of each host for the shards, and
as much again for the merge that is put together of them; checks take more, two of N - 1 others for each chunk.
SWARM_SLOW_LINKS_METHOD says how models are merged (mean), SWARM_SLOW_LINKS_RULES by which rules of the chain.
"""

import os
import subprocess
import threading
import time

import numpy as np
import pytest
from harness import PATIENCE, SL, SN, Program
from own_networks import OwnNetwork, why_no_network

SITES, RATE, BITS = 4, "100mbit", 100_000_000
FLOATS = int(os.environ.get("SWARM_SLOW_LINKS_FLOATS", 2_500_000))
METHOD = os.environ.get("SWARM_SLOW_LINKS_METHOD", "mean")
RULES = ("--rules-known", os.environ["SWARM_SLOW_LINKS_RULES"]) if "SWARM_SLOW_LINKS_RULES" in os.environ else ()
ROUNDS = 6

BY_HAND = "by hand: SWARM_SLOW_LINKS=1, nothing beside it"
pytestmark = pytest.mark.skipif("SWARM_SLOW_LINKS" not in os.environ, reason=BY_HAND)


def bytes_through(host):
    """Received and sent by a host so far."""
    lines = subprocess.run([*host.enter, "cat", "/proc/net/dev"], capture_output=True, text=True, check=True).stdout
    words = next(line for line in lines.splitlines() if "eth0" in line).split(":")[1].split()
    return int(words[0]), int(words[8])


class Rounds:
    """When each of them began, and what went through each host until then."""

    def __init__(self):
        self.hosts, self.times, self.counted = [], [], []
        self.begins = threading.Barrier(SITES)

    def begin(self):
        if self.begins.wait(PATIENCE) == 0:
            self.times.append(time.monotonic())
            self.counted.append([bytes_through(host) for host in self.hosts])

    def work(self, client):
        client.open(minPeers=SITES, mergeMethod=METHOD)
        rng = np.random.default_rng(id(client) % 1000)
        weights = rng.random(FLOATS, np.float32)
        for _ in range(ROUNDS):
            self.begin()
            client.sync({"w": weights})
            weights = client.merged.pop()["w"] + rng.random(FLOATS, np.float32)
        client.close({"w": weights})
        return client

    def report(self):
        size = 4 * FLOATS
        took = sorted(after - before for before, after in zip(self.times[1:], self.times[2:]))
        moved = max(
            (now - then) / size
            for before, after in zip(self.counted[1:], self.counted[2:])
            for was, has in zip(before, after)
            for then, now in zip(was, has)
        )
        least = 2 * (SITES - 1) / SITES * size * 8 / BITS
        return (
            f"{size / 1e6:.0f} MB: {took[len(took) // 2]:.2f} s a round ({took[0]:.2f} to {took[-1]:.2f}), "
            f"{least:.2f} s for the bytes of shards; busiest host: {moved:.2f} models one way"
        )


def test_a_round_of_four_hosts_with_slow_links(swarm):
    if why := why_no_network():
        pytest.skip(why)
    rounds = Rounds()
    with OwnNetwork() as network:
        sn_host = network.host("sn-1")
        swarm.sn = sn_host.move_in(SN(swarm.folder, swarm.certs, host=sn_host.address, flags=RULES))
        swarm.sn.start().wait_up()
        programs = []
        for number in range(1, SITES + 1):
            host = network.host(f"sl-{number}")
            host.slow_down(RATE)
            rounds.hosts.append(host)
            place = {"host": host.address, "sn_host": swarm.sn.host}
            sl = host.move_in(SL(swarm.folder, swarm.certs, swarm.sn.port, f"sl-{number}", **place))
            swarm.sls.append(sl)
            sl.start()
            programs.append(Program(sl, rounds.work))
        for program in programs:
            program.result(PATIENCE * max(1, FLOATS // 2_500_000))
        print("\n" + rounds.report())
        assert RULES or all(merge.shards == SITES for merge in swarm.sn.merges())
