"""swarm-inspect against running processes."""

import json

import numpy as np
import pytest
from harness import Meeting, Program, says, trains, until

ACTORS = {
    "sn-1": ["/sn/chain", "/sn/api", "/admin"],
    "sl-1": ["/sl/files", "/sl/sn", "/sl/follower", "/sl/channel", "/admin"],
}


@pytest.fixture
def waiting(swarm):
    """A swarm in the middle of its first round: the second peer is missing."""
    swarm.start(sls=2)
    params = {"w": np.ones(3)}
    programs = [Program(swarm.sls[0], trains([params], minPeers=2))]
    until(lambda: swarm.sn.events("check_ins"), "the first to be in", alive=swarm.sls)
    yield swarm
    programs.append(Program(swarm.sls[1], trains([params], minPeers=2)))
    for program in programs:
        program.result()


@pytest.mark.parametrize("view", [["tree"], ["top", "--once"]])
def test_every_actor_is_shown(waiting, inspect, view):
    for process in (waiting.sn, waiting.sls[0]):
        text = inspect(process, *view)
        for name in ACTORS[process.name]:
            assert name.rsplit("/", 1)[1] in text, text
        names = json.dumps(json.loads(inspect(process, *view, "--json")))
        assert all(name in names for name in ACTORS[process.name]), names


def test_round_says_who_waits_for_whom(waiting, inspect):
    answer = json.loads(inspect(waiting.sls[0], "round", "--json"))
    assert "waiting for" in answer["waiting_for"] and "1 of at least 2" in answer["waiting_for"]
    assert answer["training"]["round"] == 1 and answer["training"]["phase"] == "collecting"
    assert "waiting for" in inspect(waiting.sls[0], "round")


def test_chain(waiting, inspect):
    answer = json.loads(inspect(waiting.sn, "chain", "--json"))
    assert answer["block_num"] == waiting.sn.block_num() > 0
    assert str(answer["block_num"]) in inspect(waiting.sn, "chain")


def test_actor_by_path_and_by_name(waiting, inspect):
    assert json.loads(inspect(waiting.sls[0], "actor", "/sl/sn", "--json"))["detail"]["connected"] is True
    assert "127.0.0.1" in inspect(waiting.sls[0], "actor", "sn")
    assert says(inspect(waiting.sls[0], "actor", "folower", status=1), "folower")


def test_a_killed_actor_is_started_again_and_training_goes_on(swarm, inspect):
    swarm.start(sls=2)
    meet = Meeting(2)
    killed = []

    def between(number, client):
        meet(number, client)
        if number == 2:
            inspect(swarm.sn, "kill", "/sn/api")
            swarm.sn.wait_log(r"(?s)Starting SWARM-API-SERVER.*Starting SWARM-API-SERVER")
            killed.append(True)

    params = {"w": np.ones(3)}
    programs = [
        Program(sl, trains([params] * 3, params, way, minPeers=2)) for sl, way in zip(swarm.sls, (between, meet))
    ]
    for program in programs:
        program.result()
    assert killed and swarm.sn.completed()
