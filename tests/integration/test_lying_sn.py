"""SLs whose SN lies: whatever it says, they believe nothing false, name it and go over to another one."""

import threading

import numpy as np
import pytest
from harness import PATIENCE, Program, until
from lying_sn import LyingSN, Stale, forged, reluctant, silent

MODELS = [{"w": np.arange(500, dtype=np.float64) + value} for value in (0, 2)]
MEAN = MODELS[0]["w"] + 1


@pytest.fixture
def liar(swarm):
    swarm.start_sn()
    made = LyingSN(swarm.sn)
    yield made
    made.clean_up()


class Held:
    """A program that trains, and stops before its second sync until the test lets it go on."""

    def __init__(self):
        self.stopped, self.go = threading.Event(), threading.Event()

    def work(self, model):
        def run(client):
            client.open(minPeers=2)
            client.sync(model)
            self.stopped.set()
            assert self.go.wait(PATIENCE)
            client.sync(model)
            client.close(model)
            return client.merged

        return run


def sn_of(sl):
    answer = sl.admin("actor", name="/sl/sn")
    return answer["detail"] if answer else {"sn": "", "lies": 0}


def train(swarm, liar, lie):
    """One SL at the liar, which lies from the second round on, one at the real SN."""
    sls = [swarm.add_sl(sn_port=liar.port), swarm.add_sl()]
    held = Held()
    programs = [Program(sl, held.work(model)) for sl, model in zip(sls, MODELS, strict=True)]
    assert held.stopped.wait(PATIENCE)
    real = f"127.0.0.1:{swarm.sn.port}"
    until(lambda: sn_of(sls[0])["sns_known"] > 1, "the SL to hear of the real SN", alive=sls)
    assert sn_of(sls[0])["sn"] == liar.endpoint
    liar.lie = lie
    held.go.set()
    for merged in [each.result() for each in programs]:
        assert np.array_equal(merged[-1]["w"], MEAN)
    return sls[0], real


def test_a_forged_view_is_a_lie_and_the_training_ends_right(swarm, liar):
    sl, real = train(swarm, liar, forged)
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])
    assert "LIES" in sl.log() and liar.endpoint in sl.log()
    assert sn_of(sl)["lies"] == 1


def test_an_old_head_is_not_believed_and_the_training_ends_right(swarm, liar):
    sl, real = train(swarm, liar, Stale())
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])


def test_events_that_are_kept_back_do_not_keep_a_training_from_its_end(swarm, liar):
    train(swarm, liar, silent)


def test_an_sn_that_nobody_calls_the_newest_is_left(swarm, liar):
    sl = swarm.add_sl(sn_port=liar.port)
    sl.wait_ready()
    liar.lie = reluctant
    real = f"127.0.0.1:{swarm.sn.port}"
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])
    assert "does not show that its chain is the newest" in sl.log()


def test_a_node_belongs_to_one_network_for_good(swarm, folder):
    swarm.start_sn()
    genesis = swarm.sn.rpc("swarm_genesis")["genesisHash"]
    sl = swarm.add_sl()
    sl.wait_ready()
    assert (sl.store.parent / "genesis-hash").read_text().strip() == genesis
    assert "--genesis-hash says it beforehand" in sl.log() and genesis in sl.log()
    right = swarm.add_sl(flags=["--genesis-hash", genesis])
    right.wait_ready()
    assert "--genesis-hash says it beforehand" not in right.log()
    wrong = swarm.add_sl(flags=["--genesis-hash", "0x" + "12" * 32])
    until(lambda: "belongs to another network" in wrong.log(), "another network to be refused", alive=[wrong])
    sl.terminate()
    sl.wait_exit()
    (sl.store.parent / "genesis-hash").write_text("0x" + "34" * 32 + "\n")
    sl.start()
    until(lambda: "belongs to another network" in sl.log(), "another network to be refused", alive=[sl])
    assert str(sl.store.parent / "genesis-hash") in sl.log()


def test_whoever_poses_as_an_sn_without_its_certificate_is_named_and_left(swarm):
    swarm.start_sn()
    poser = LyingSN(swarm.sn, name="sl-2")
    try:
        sl = swarm.add_sl(sn_port=poser.port)
        sl.wait_log("presents a certificate that is not that of an SN of this network")
        assert "CN=sl-2" in sl.log() and poser.endpoint in sl.log()
        assert not sn_of(sl)["registered"]
        # An SL that knows another one goes over to it.
        sl.terminate()
        sl.wait_exit()
        (sl.store.parent / "known-sns").write_text(f"127.0.0.1:{swarm.sn.port}\n")
        sl.start()
        sl.wait_ready()
        assert sn_of(sl)["sn"] == f"127.0.0.1:{swarm.sn.port}"
    finally:
        poser.clean_up()
