"""SLs and their SN on hosts of their own: one is cut off for a while, one has a slow link, one stalls for a while."""

import os
import threading

import numpy as np
import pytest
from harness import PATIENCE, SL, SN, Program, until
from own_networks import SWITCH, OwnNetwork, Relay, why_no_network

MIN_PEERS = 3
SIZE = 8_000  # floats of a model: at 1 Mbit/s it takes a quarter of a second
RATE, DELAY = "1mbit", 0.02
GRACE = {"SL_WAIT_FOR_FULL_QUORUM_SECONDS": "2"}


@pytest.fixture
def network():
    if why := why_no_network():
        pytest.skip(why)
    with OwnNetwork() as made:
        yield made


class Site:
    """An SL on a host of its own, and its program. `delay`: of a relay through which others reach its models."""

    def __init__(self, swarm, network, number, ending, delay=None):
        self.name, self.number, self.ending = f"sl-{number}", number, ending
        self.host, self.relay = network.host(self.name), None
        self.may_sync, self.holds = threading.Event(), threading.Event()
        self.may_sync.set()
        place = {"host": self.host.address, "sn_host": swarm.sn.host, "environment": GRACE}
        self.sl = self.host.move_in(SL(swarm.folder, swarm.certs, swarm.sn.port, self.name, **place))
        if delay is not None:
            self.relay = Relay(self.host, self.sl.files_port, delay)
            self.sl.arguments += ["--sl-fs-service", f"{SWITCH}:{self.relay.port}"]
        swarm.sls.append(self.sl)
        self.sl.start()
        self.program = Program(self.sl, self.work)

    def work(self, client):
        client.open(minPeers=MIN_PEERS)
        weights = np.zeros(SIZE, np.float32)
        while not self.ending.is_set():
            reply = client.sync({"w": weights + self.number})
            weights = client.merged[-1]["w"]
            if reply.trainingOver:
                client.kill("it has the final model")
                return client
            if not self.may_sync.is_set():
                self.holds.set()
                assert self.may_sync.wait(PATIENCE)
        client.close({"w": weights + self.number})
        return client

    def hold(self):
        """Its program gets a merge, and goes on when `may_sync` is set."""
        self.may_sync.clear()
        assert self.holds.wait(PATIENCE), f"{self.name} gets no merge\n{self.sl.tail()}"


class Training:
    """Five sites; `slow` has a slow link, `stalls` is behind a relay."""

    def __init__(self, swarm, network):
        self.swarm, self.ending = swarm, threading.Event()
        host = network.host("sn-1")
        swarm.sn = host.move_in(SN(swarm.folder, swarm.certs, host=host.address))
        swarm.sn.start().wait_up()
        network.host("sl-4").slow_down(RATE)
        self.sites = [Site(swarm, network, i, self.ending, DELAY if i == 5 else None) for i in range(1, 6)]
        *self.steady, self.cut, self.slow, self.stalls = self.sites

    def merges(self):
        for site in self.sites:
            if site.program.error:
                raise site.program.error
        return self.swarm.sn.merges()

    def wait_merge(self, what, has=(), lacks=(), after=None):
        """A merge after so many, or from now on, with these sites and without those."""
        after = len(self.merges()) if after is None else after

        def found():
            return any(
                all(site.sl.node_account in merge.contributors for site in has)
                and not any(site.sl.node_account in merge.contributors for site in lacks)
                for merge in self.merges()[after:]
            )

        until(found, what, alive=[self.swarm.sn, *self.swarm.sls])

    def check_end(self):
        """All have the last merge."""
        self.ending.set()
        clients = [site.program.result() for site in self.sites]
        assert all(site.sl.wait_exit() == 0 for site in self.sites) and self.swarm.sn.completed()
        final = self.swarm.sn.merges()[-1]
        for site, client in zip(self.sites, clients):
            np.testing.assert_array_equal(client.merged[-1]["w"], site.sl.model(final.digest)["w"])


@pytest.fixture
def training(swarm, network):
    made = Training(swarm, network)
    yield made
    made.ending.set()
    made.stalls.relay.close()


@pytest.mark.skipif("SWARM_PARTITIONS" not in os.environ, reason="by hand: SWARM_PARTITIONS=1, nothing beside it")
def test_sites_that_are_cut_off_slow_or_stalled_hold_nobody_up(training):
    it = training
    it.wait_merge("a merge of all", has=it.sites, after=0)

    it.cut.hold()
    before = len(it.merges())
    it.cut.host.cut()
    it.cut.may_sync.set()
    it.wait_merge("a merge without who is cut off", has=[*it.steady, it.slow], lacks=[it.cut], after=before)
    it.wait_merge("another one", has=[*it.steady, it.slow], lacks=[it.cut], after=before + 1)
    absent = {"0x" + log["topics"][1][-40:] for log in it.swarm.sn.events("absences")}
    assert it.cut.sl.node_account in absent  # the record names it
    it.cut.host.mend()
    it.wait_merge("who was cut off to be back", has=[it.cut])

    before = len(it.merges())
    it.stalls.relay.stall()
    it.wait_merge("a merge without who stalls", has=it.steady, lacks=[it.stalls], after=before)
    for site in it.steady:
        site.sl.wait_log("the model of sl-5 .* was left out of the merge of round .*: not available")
    it.stalls.relay.go_on()
    it.wait_merge("who stalled to be back", has=[it.stalls])

    it.wait_merge("who has a slow link to be in it", has=it.sites)
    it.check_end()
