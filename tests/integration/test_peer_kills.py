"""Eight SLs with a program each, and a hand that kills leaders, checkers and other peers with -9 while they train.

SWARM_KILLS_COUNT says how many trainings (3), SWARM_KILLS_FIRST the seed of the first one (4); by hand some hundred.
A seed says who is killed in which phase of a round, and whether that host comes back at once, after a merge, or never;
as real processes run, it does not say more. SWARM_KILLS_KEEP names a folder to keep their logs in.
"""

import json
import os
import pathlib
import random
import shutil
import threading
import time

import numpy as np
import pytest
from harness import PATIENCE, Program, until
from test_restarts import Admin

FIRST = int(os.environ.get("SWARM_KILLS_FIRST", 4))
COUNT = int(os.environ.get("SWARM_KILLS_COUNT", 3))
KEEP = os.environ.get("SWARM_KILLS_KEEP")
HOSTS, MIN_PEERS = 8, 4
SIZES = (1_000, 1_000_000)  # of a model: one chunk, or four, of which each makes a part
METHODS = ("mean", "geomedian")  # by turns; by the second one large models are measured in parts first
GRACE = {"SL_WAIT_FOR_FULL_QUORUM_SECONDS": "1"}  # a round is closed without the dead after that
NOT_TRUE = {"false merge", "false challenge"}  # nobody lies here


class Host:
    """An SL and its program, which die together and come back together."""

    def __init__(self, number, sl, size, method, ending):
        self.number, self.sl, self.size, self.method, self.ending = number, sl, size, method, ending
        self.admin, self.program, self.resumes = Admin(sl), None, False

    @property
    def name(self):
        return self.sl.name

    def work(self, client):
        client.open(minPeers=MIN_PEERS, mergeMethod=self.method, resume=self.resumes)
        weights = np.zeros(self.size, np.float32)
        while not self.ending.is_set():
            reply = client.sync({"w": weights + self.number + 1})
            weights = client.merged[-1]["w"]
            if reply.trainingOver:
                client.kill("it has the final model")
                return client
        client.close({"w": weights + self.number + 1})
        return client

    def start(self, resumes=False):
        self.resumes = resumes
        self.sl.start()
        self.program = Program(self.sl, self.work)

    def trains(self):
        """Its program has had a merge from the SL that runs now."""
        return self.program is not None and self.program.client is not None and self.program.client.merged

    def kill(self):
        """Once the program holds both pipes: one that waited for an end of them would be there after the kill."""
        until(lambda: self.program.client or self.program.error, f"the program of {self.name}", alive=[self.sl])
        self.sl.kill9()
        self.admin.close()
        self.program.failure()
        self.program = None


class Hand:
    def __init__(self, hosts, sn, chance):
        self.hosts, self.sn, self.chance = hosts, sn, chance
        self.looks = random.Random(0)  # how often it looks does not depend on the seed
        self.down = []  # they come back later
        self.gone = []

    def living(self):
        return [host for host in self.hosts if host not in self.down and host not in self.gone]

    def wait(self, choice):
        """The host that `choice(view)` names by account or name, as soon as there is one: the moment matters."""
        named = {key: host for host in self.living() for key in (host.sl.node_account, host.name)}
        limit = time.monotonic() + PATIENCE
        while True:
            seen = self.looks.choice(self.living()).admin.ask("round") or {}
            host = named.get(choice(seen.get("training") or {"phase": "unknown"}))
            if host is not None:
                return host
            assert time.monotonic() < limit, f"waited {PATIENCE} s for somebody to kill; seen last: {seen}"
            time.sleep(0.001)  # leaves the cores to the others

    def leader(self, phase):
        return self.wait(lambda view: view["phase"] == phase and view["leader"])

    def checker(self):
        def awaited(view):
            found = (view.get("checks") or {}).get("awaited")
            return self.looks.choice(found) if found else None

        return self.wait(awaited)

    def anybody(self, phase):
        name = self.chance.choice(self.living()).name
        return self.wait(lambda view: view["phase"] == phase and name)

    def victims(self):
        """Of what kind, and who."""
        kind = self.chance.choice(["leader", "leader", "checker", "checker", "peer", "leader and a peer", "half"])
        if kind == "checker":
            first = self.checker()
        elif kind == "peer":
            first = self.anybody(self.chance.choice(["collecting", "revealing", "merging", "verifying"]))
        else:
            first = self.leader(self.chance.choice(["merging", "verifying"]))
        others = [host for host in self.living() if host is not first]
        wanted = {"leader and a peer": 1, "half": HOSTS - MIN_PEERS - 1}.get(kind, 0)
        return kind, [first, *self.chance.sample(others, min(wanted, self.spare() - 1))]

    def spare(self):
        """So many may die, and as many as a round needs are left."""
        return len(self.living()) - MIN_PEERS

    def kill(self):
        """One or several; some come back at once, some after a merge, some never."""
        kind, victims = self.victims()
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0, 0.05))
        for host in victims:
            host.kill()
        told = []
        for host in victims:
            fate = self.chance.choice(["at once", "at once", "later", "later", "never"])
            if fate == "at once":
                self.bring_back(host)
            else:
                (self.down if fate == "later" else self.gone).append(host)
            told.append(f"{host.name} (back {fate})")
        return f"{kind}: {', '.join(told)}"

    def bring_back(self, host):
        if self.chance.random() < 0.2:  # once more, on its way up
            host.sl.start()
            time.sleep(self.chance.uniform(0, 0.3))
            host.sl.kill9()
        host.start(resumes=self.chance.random() < 0.5)

    def a_merge_later(self):
        """All that live have had a merge, those that were away are back, and have had one, too."""
        before = {host: len(host.program.client.merged) if host.trains() else 0 for host in self.living()}
        self.wait_trained(before)
        if self.spare() <= 1 or self.chance.random() < 0.5:
            back, self.down = self.down, []
            for host in back:
                self.bring_back(host)
            self.wait_trained(dict.fromkeys(back, 0))

    def wait_trained(self, before):
        def trained():
            for host in before:
                if host.program.error:
                    raise host.program.error
            return all(host.trains() and len(host.program.client.merged) > count for host, count in before.items())

        until(trained, f"a merge for {', '.join(host.name for host in before)}", alive=[h.sl for h in before])


def check_end(sn, hosts):
    """All that live have the last merge, and nobody is said to have lied."""
    clients = [host.program.result() for host in hosts]
    assert all(host.sl.wait_exit() == 0 for host in hosts)
    merges = sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, len(merges) + 1))
    for merge in merges:
        assert len(set(merge.contributors)) == len(merge.contributors) >= MIN_PEERS, merge.round_num
    completed = [bytes.fromhex(event["data"][2:])[-32:].hex() for event in sn.events("completed")]
    assert completed == [merges[-1].digest]
    for host, client in zip(hosts, clients):
        np.testing.assert_array_equal(client.merged[-1]["w"], host.sl.model(merges[-1].digest)["w"])
    assert not [why for _, why in sn.barred() if why in NOT_TRUE]
    return len(merges)


def keep(swarm, hosts, seed):
    """The logs, and what those see that run: after a failure it shows who waits for what."""
    folder = pathlib.Path(KEEP) / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    for file in swarm.folder.glob("*.log"):
        shutil.copy(file, folder)
    for host in hosts:
        if host.sl.running():
            seen = {"round": host.sl.glance("round"), "tree": host.sl.glance("tree")}
            (folder / f"{host.name}.json").write_text(json.dumps(seen, indent=1))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_any_peers_may_be_killed_at_any_moment(swarm, seed):
    chance, ending = random.Random(seed), threading.Event()
    size, hosts = chance.choice(SIZES), []
    swarm.start_sn()
    try:
        for number in range(HOSTS):
            hosts.append(Host(number, swarm.add_sl(environment=GRACE), size, METHODS[seed % 2], ending))
            hosts[-1].program = Program(hosts[-1].sl, hosts[-1].work)
        hand = Hand(hosts, swarm.sn, chance)
        hand.wait_trained(dict.fromkeys(hosts, 0))
        for number in range(1, chance.randint(2, 4) + 1):
            print(f"kill {number} of seed {seed}, size {size}: {hand.kill()}", flush=True)
            hand.a_merge_later()
            if hand.spare() < 1:
                break
        for host in hand.down:
            hand.bring_back(host)
        back, hand.down = hand.down, []
        hand.wait_trained(dict.fromkeys(back, 0))
        ending.set()
        if hand.spare() > 0 and chance.random() < 0.5:  # who dies now does not come back
            last = chance.choice(hand.living())
            time.sleep(chance.uniform(0, 0.3))
            if not last.program.value:
                print(f"while the training ends: {last.name}", flush=True)
                last.kill()
                hand.gone.append(last)
        print(f"{check_end(swarm.sn, hand.living())} rounds", flush=True)
    finally:
        ending.set()
        if KEEP:
            keep(swarm, hosts, seed)
