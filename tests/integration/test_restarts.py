"""Three SLs that train over two SNs, and a hand that ends one actor after the other while they do.

`swarm-inspect kill` ends an actor as a crash would; its supervisor starts it again. Whatever was ended, the programs
notice nothing: each gets the mean of all three models in each of its syncs. Every actor of every process is ended once
in the order of the tree, supervisors too, then some again in random order (SWARM_SEED, another each time; it is
printed). SWARM_KILLS says how many of these (10). The actor of a neighbor comes back with the connection to it.
"""

import collections
import json
import os
import random
import re
import socket
import time

import numpy as np
from harness import Program, read_safetensors, shown, until
from test_kills import Ending

KILLS = int(os.environ.get("SWARM_KILLS", 10))
SEED = int(os.environ.get("SWARM_SEED", 0)) or int.from_bytes(os.urandom(4), "big")
PEERS = 3
ALLOWED, PERIOD = 10, 60  # ends below one supervisor within seconds: what docs/supervision.md says it bears
SIZE = 100_000  # of a model: it takes a moment to merge
SHARDED = 2_000_000  # of one that four peers make in shards
PARTS = {
    "sl": {"channel", "sn", "files", "follower"},
    "sn": {"chain", "peers", "peers/hub", "consensus", "rpc", "reader", "api", "membership"},
}

PASSING = re.compile("/(leader|merge|check|shard):")  # they end with what they are about


class Admin:
    """Questions to the admin socket of a process whose admin actor may just be being started again."""

    def __init__(self, process):
        self.path = str(process.data_dir / "admin.sock")
        self.link = None

    def ask(self, method, **params):
        """The result, or None when there is none."""
        try:
            if self.link is None:
                self.link = socket.socket(socket.AF_UNIX)
                self.link.settimeout(30)
                self.link.connect(self.path)
            self.link.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = self.link.recv(1 << 16)
                if not part:
                    raise OSError("closed")
                answer += part
        except OSError:
            self.close()
            return None
        return json.loads(answer).get("result")

    def close(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def actors(self):
        """Paths of all that run, except the root, which is the process, and merges, which come and go."""
        found = until(lambda: self.ask("tree"), f"{self.path} to answer")["actors"]
        return [a["path"] for a in found if a["path"] != "/root" and not PASSING.search(a["path"])]

    def running(self, path):
        """The number of the actor that is there now."""
        status = self.ask("actor", name=path)
        return status["actor_id"] if status and status["phase"] == "running" else None


class Trainer:
    """A program whose models are such that the mean of each sync is known."""

    def __init__(self, number, ending, peers=PEERS, size=SIZE):
        self.number, self.ending, self.peers, self.size, self.got = number, ending, peers, size, []

    def model(self, sync):
        return {"w": np.full(self.size, self.number + 10 * sync, np.float32)}

    def __call__(self, client):
        client.open(minPeers=self.peers)
        self.got = client.merged
        while self.ending.goes_on(client.sync_count + 1):
            client.sync(self.model(client.sync_count + 1))
        client.close(self.model(client.sync_count + 1))
        return client


class Hand:
    def __init__(self, processes, trainers, programs, chance):
        self.processes, self.trainers, self.programs, self.chance = processes, trainers, programs, chance
        self.admins = {process.name: Admin(process) for process in processes}
        self.ends = collections.defaultdict(list)  # of process and supervisor: when

    def everything(self):
        return [(process, path) for process in self.processes for path in self.admins[process.name].actors()]

    def ends_of(self, process, path):
        """When something below the same role's supervisor, or the root's, was ended."""
        return self.ends[process.name, path.split("/")[1] if path.count("/") > 1 else "root"]

    def choose(self, everything):
        """One whose supervisor does not give up for it."""

        def bearable():
            self.training()
            since = time.monotonic() - PERIOD
            return [one for one in everything if sum(at >= since for at in self.ends_of(*one)) < ALLOWED]

        return self.chance.choice(until(bearable, "an actor that may be ended", alive=self.processes))

    def training(self):
        for process in self.processes:
            assert process.running(), f"{process.name} has ended\n{process.tail()}"
        for program in self.programs:
            if not program.is_alive():
                program.result()  # raises what it died of
                raise AssertionError(f"{program.name} ended before its time")
        return True

    def round_goes_on(self, what):
        """Every program gets the merge of a round that began after this call."""
        before = [len(trainer.got) for trainer in self.trainers]
        until(
            lambda: (
                self.training() and all(len(trainer.got) > count + 1 for trainer, count in zip(self.trainers, before))
            ),
            f"a round after {what}",
            alive=self.processes,
        )

    def end(self, process, path):
        what = f"{path} of {process.name}"
        admin = self.admins[process.name]
        before = until(lambda: admin.running(path), f"{what} to run", alive=self.processes)
        begun = time.monotonic()
        admin.ask("kill", name=path)
        self.ends_of(process, path).append(time.monotonic())
        until(
            lambda: self.training() and admin.running(path) not in (None, before),
            f"{what} to be started again",
            alive=self.processes,
        )
        back = time.monotonic() - begun
        self.round_goes_on(f"the end of {what}")
        print(f"{what}: back after {back:.2f} s, a round after {time.monotonic() - begun:.2f} s", flush=True)

    def end_a_merge(self, sls):
        def expected(sl):
            return [f"/sl/leader:{len(self.trainers[0].got) + 1}.0/merge"]

        self.end_a_part(sls, expected, r"leader:\d+\.\d+/merge")

    def end_a_worker(self, sls, name):
        """`name`: a pattern of those that make or check a part of a merge, as the tree shows them."""
        one = re.compile(rf"/sl/{name}")

        def there(sl):
            tree = self.admins[sl.name].ask("tree")
            return [actor["path"] for actor in tree["actors"] if one.fullmatch(actor["path"])] if tree else []

        self.end_a_part(sls, there, name)

    def end_a_part(self, sls, paths_of, name):
        """It lives only for a moment, so this goes on until one has died of it, and is started again."""
        command = shown("ended on an operator's command")
        died = re.compile(rf"/sl/{name} ended: {command}; starting it again")
        begun = time.monotonic()

        def caught():
            self.training()
            for sl in sls:
                for path in paths_of(sl):
                    self.admins[sl.name].ask("kill", name=path)
            return any(died.search(sl.log()) for sl in sls)

        until(caught, f"{name} to be ended", alive=self.processes)
        self.round_goes_on(f"the end of {name}")
        print(f"{name}: a round after {time.monotonic() - begun:.2f} s", flush=True)


def check_training(swarm, sls, trainers, programs, syncs):
    peers, size = len(sls), trainers[0].size
    mean = sum(range(peers)) / peers
    clients = [program.result() for program in programs]
    assert [client.sync_count for client in clients] == [syncs] * peers
    assert all(sl.wait_exit() == 0 for sl in sls)
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, syncs + 2))
    for merge in merges:
        assert len(merge.contributors) == peers and not merge.excluded, (merge.round_num, merge.excluded, merge.reasons)
    for client in clients:
        assert len(client.merged) == syncs + 1
        for sync, merged in enumerate(client.merged, 1):
            assert np.array_equal(merged["w"], np.full(size, mean + 10 * sync, np.float32)), sync
    for sl in sls:
        (file,) = sl.data_dir.rglob(f"{merges[-1].digest}.safetensors")
        kept = read_safetensors(file.read_bytes())
        assert np.array_equal(kept["w"], clients[0].merged[-1]["w"])
    completed = swarm.sn.events("completed")
    assert [bytes.fromhex(event["data"][2:])[-32:].hex() for event in completed] == [merges[-1].digest]
    assert len(swarm.sn.events("registrations")) == peers
    assert not swarm.sn.events("departures") and not swarm.sn.events("absences")


def test_any_actor_may_end_at_any_moment(swarm):
    print(f"SWARM_KILLS={KILLS} SWARM_SEED={SEED}")
    chance = random.Random(SEED)
    sns = [swarm.start_sn(), swarm.join_sn("sn-2")]
    sls = [swarm.add_sl(sn_port=sn.port) for sn in (sns[0], sns[1], sns[0])]
    ending = Ending()
    trainers = [Trainer(number, ending) for number in range(PEERS)]
    programs = [Program(sl, trainer) for sl, trainer in zip(sls, trainers)]
    hand = Hand([*sns, *sls], trainers, programs, chance)
    until(lambda: all(len(trainer.got) >= 1 for trainer in trainers), "the training to begin", alive=[*sns, *sls])
    try:
        everything = hand.everything()
        for process, (role, parts) in ((sns[0], ("sn", PARTS["sn"])), (sls[0], ("sl", PARTS["sl"]))):
            assert {f"/{role}/{part}" for part in parts} | {"/admin", f"/{role}"} <= {
                path for owner, path in everything if owner is process
            }
        neighbor = re.compile(r"/sn/peers/[0-9a-fx]{40,}")
        for sn in sns:
            assert sum(owner is sn and neighbor.fullmatch(path) is not None for owner, path in everything) == 1
        for process, path in everything:
            hand.end(process, path)
        hand.end_a_merge(sls)
        for _ in range(KILLS):
            hand.end(*hand.choose(everything))
    finally:
        ending.call()
    check_training(swarm, sls, trainers, programs, ending.last)


def test_makers_and_checkers_of_parts_may_end(swarm):
    """Models so large that each peer makes a part of the merge, and checks parts of others."""
    swarm.start_sn()
    sls = [swarm.add_sl() for _ in range(4)]
    ending = Ending()
    trainers = [Trainer(number, ending, peers=4, size=SHARDED) for number in range(4)]
    programs = [Program(sl, trainer) for sl, trainer in zip(sls, trainers)]
    hand = Hand([swarm.sn, *sls], trainers, programs, random.Random(SEED))
    until(lambda: all(len(trainer.got) >= 1 for trainer in trainers), "the training to begin", alive=hand.processes)
    try:
        for name in (r"shard:\d+/remerge", r"check:\d+/remerge"):
            hand.end_a_worker(sls, name)
    finally:
        ending.call()
    check_training(swarm, sls, trainers, programs, ending.last)
