"""Four SNs, four SLs that train, and a hand that kills one SN after the other with -9 while they do.

SWARM_KILLS says how often (8), SWARM_SEED which kills (another each time); both are printed. A kill comes at a moment
of one of these kinds: any; right after a block; while the victim writes to its log, which is where votes and blocks
become durable; and once more while the victim starts again.
"""

import http.client
import json
import os
import random
import threading
import time

import numpy as np
from harness import PATIENCE, Program, until
from test_network import grow, one_chain, same_history

KILLS = int(os.environ.get("SWARM_KILLS", 8))
SEED = int(os.environ.get("SWARM_SEED", 0)) or int.from_bytes(os.urandom(4), "big")
TRUTH = np.array([3.0, -2.0, 0.5, 7.0], np.float64)
OFFENCES = ("two different votes", "keeps silent", "is refused", "points)", "ERROR", "CRITICAL", "was decided as")
STEPS = 16  # of gradient descent between two syncs


class Regression:
    """A small training program: gradient descent for a linear model on data of its own."""

    def __init__(self, number, ending):
        self.ending = ending
        chance = np.random.default_rng(number)
        self.inputs = chance.normal(size=(200, len(TRUTH)))
        self.wanted = self.inputs @ TRUTH + chance.normal(scale=0.01, size=200)

    def loss(self, weights):
        return float(np.mean((self.inputs @ weights - self.wanted) ** 2))

    def __call__(self, client):
        client.open(minPeers=4)
        weights = np.zeros(len(TRUTH))
        while self.ending.goes_on(client.sync_count + 1):
            for _ in range(STEPS):
                weights -= 0.02 * self.inputs.T @ (self.inputs @ weights - self.wanted) / len(self.wanted)
            client.sync({"w": weights}, loss=lambda merged: (self.loss(merged["w"]), 0.0))
            weights = np.array(client.merged[-1]["w"])
        client.close({"w": weights})
        return client


class Ending:
    """All programs end after the same sync, which is the first that none has begun when `call` is called."""

    def __init__(self):
        self.lock, self.begun, self.last = threading.Lock(), 0, None

    def goes_on(self, number):
        with self.lock:
            if self.last is not None and number > self.last:
                return False
            self.begun = max(self.begun, number)
            return True

    def call(self):
        with self.lock:
            self.last = max(self.begun, 20)  # enough for the regression


class Watch:
    """The block number of an SN over one kept connection, so that a change is seen soon."""

    def __init__(self, sn):
        self.link = http.client.HTTPSConnection("127.0.0.1", sn.port, context=sn.context(), timeout=30)

    def block_num(self):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})
        self.link.request("POST", "/", body, {"Content-Type": "application/json"})
        return int(json.loads(self.link.getresponse().read())["result"], 16)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.link.close()


def log_sizes(sn):
    """Of RocksDB's write-ahead logs."""
    sizes = {file.name: file.stat().st_size for file in sn.data_dir.glob("**/chain/*.log")}
    assert sizes, f"{sn.data_dir} has no log"
    return sizes


class Killer:
    def __init__(self, sns, programs, chance):
        self.sns, self.programs, self.chance = sns, programs, chance

    def training(self):
        for program in self.programs:
            if not program.is_alive():
                program.result()  # raises what it died of
                raise AssertionError(f"{program.name} ended before its time")
        return True

    def wait(self, condition, what):
        """Without a pause between two looks, as the moment is what matters."""
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit, f"waited {PATIENCE} s for: {what}"

    def kill_at_any_time(self, victim):
        time.sleep(self.chance.uniform(0, 0.3))

    def kill_after_a_block(self, victim):
        with Watch(self.chance.choice(self.sns)) as watch:
            before = watch.block_num()
            self.wait(lambda: watch.block_num() > before, "a block")
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0, 0.005))

    def kill_while_it_writes(self, victim):
        writes = self.chance.randrange(1, 8)  # which of the writes: votes come before the block
        for _ in range(writes):
            before = log_sizes(victim)
            self.wait(lambda: log_sizes(victim) != before, "a write of the victim")  # noqa: B023
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0, 0.002))

    def kill_once_more_on_its_way_up(self, victim):
        self.kill_while_it_writes(victim)
        victim.kill9()
        victim.start()
        time.sleep(self.chance.uniform(0, 0.4))

    def kill(self):
        self.training()
        victim = self.chance.choice(self.sns)
        how = self.chance.choice(
            [
                self.kill_at_any_time,
                self.kill_after_a_block,
                self.kill_while_it_writes,
                self.kill_while_it_writes,
                self.kill_once_more_on_its_way_up,
            ]
        )
        how(victim)
        victim.kill9()
        wanted = max(sn.block_num() for sn in self.sns if sn is not victim)
        victim.start().wait_up()
        until(
            lambda: victim.block_num() >= wanted and self.training(), f"{victim.name} at block {wanted}", alive=self.sns
        )
        return f"{victim.name} {how.__name__.removeprefix('kill_').replace('_', ' ')}, back at block {wanted}"


def check_training(swarm, sls, programs, syncs):
    """Ended right: every round merged with everybody, the same model everywhere, and it is the chain's."""
    clients = [program.result() for program in programs]
    assert [client.sync_count for client in clients] == [syncs] * 4
    until(swarm.sn.completed, "the training to end", alive=[swarm.sn])
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, syncs + 2))
    assert all(len(merge.contributors) == 4 and not merge.excluded for merge in merges)
    final = clients[0].merged[-1]["w"]
    assert np.allclose(final, TRUTH, atol=0.1), final
    for client in clients:
        assert np.array_equal(client.merged[-1]["w"], final)
    return merges[-1].digest


def check_conduct(sns):
    """Nobody voted twice, forgot its votes, or found fault with another."""
    for sn in sns:
        for line in sn.log_path.read_text(errors="replace").splitlines():
            if ": INFO :" not in line:
                assert not any(word in line for word in OFFENCES), f"{sn.name}: {line}"


def check_heads(sns, digest):
    number, block_hash, _ = one_chain(sns)
    same_history(sns)
    for sn in sns:  # blocks may follow: votes on validators that were away, nodes that leave
        assert sn.rpc("eth_getBlockByNumber", hex(number), False)["hash"] == block_hash
        assert sn.merges()[-1].digest == digest
        assert bytes.fromhex(sn.events("completed")[-1]["data"][2:])[-32:].hex() == digest


def test_any_sn_may_be_killed_at_any_moment(swarm):
    print(f"SWARM_KILLS={KILLS} SWARM_SEED={SEED}")
    sns = grow(swarm, 4)
    sls = [swarm.add_sl(sn_port=sn.port) for sn in sns]
    ending = Ending()
    programs = [Program(sl, Regression(i, ending)) for i, sl in enumerate(sls)]
    until(lambda: len(swarm.sn.merges()) >= 2, "the training to begin", alive=[*sns, *sls])
    killer = Killer(sns, programs, random.Random(SEED))
    try:
        for number in range(1, KILLS + 1):
            print(f"kill {number}: {killer.kill()}, sync {ending.begun}", flush=True)
    finally:
        ending.call()
    digest = check_training(swarm, sls, programs, ending.last)
    check_heads(sns, digest)
    check_conduct(sns)
