"""A member that wants to lock others out of the default training, which is open to all.

Three organisations, each with an authority of its own: two honest ones with an SL each, and an attacker with one
certificate for an SL and a client of its own.
"""

import json
import pathlib
import shutil
import types

import numpy as np
import pytest
from harness import Certs, Program, trains, until
from launcher.operators import SWCI
from outsider import SL, Outsider, encoded, training

ORGANISATIONS = "0x" + "5005".rjust(40, "0")
MODELS = [{"w": np.arange(500, dtype=np.float64) + value} for value in (0, 2)]
MEAN = MODELS[0]["w"] + 1


class Organisation:
    """An authority's certificates, for nodes that trust all three."""

    def __init__(self, certs, trusted):
        self.certs, self.trusted, self.folder = certs, trusted, certs.folder

    @property
    def capath(self):
        return self.certs.capath

    def flags(self, name):
        return self.certs.flags(name, self.trusted)

    def context(self, name="probe"):
        context = self.certs.context(name)
        for file in self.trusted.iterdir():
            context.load_verify_locations(file)
        return context


@pytest.fixture
def three(swarm, folder, certs):
    """The SN of the first, an SL of each honest one, and the attacker: yet nowhere registered."""
    trusted = pathlib.Path(folder) / "trusted"
    trusted.mkdir()
    homes = [certs, *(Certs(pathlib.Path(folder) / name, "sl-1") for name in ("b", "c"))]
    for number, home in enumerate(homes):
        shutil.copy(home.capath / "ca-cert.pem", trusted / f"{number}.pem")
    first, second, hostile = (Organisation(home, trusted) for home in homes)
    swarm.certs = first
    swarm.start_sn()
    for home in (first, second):
        swarm.add_sl(identity=home.flags("sl-1"))
    for sl in swarm.sls:
        sl.wait_ready()
        until(lambda: organisation_of(swarm.sn, sl.node_account), "the SL to be a member", alive=[sl])  # noqa: B023
    there = types.SimpleNamespace(
        host="127.0.0.1", port=swarm.sn.port, certs=hostile, block_num=swarm.sn.block_num, events=swarm.sn.events
    )
    return types.SimpleNamespace(swarm=swarm, attacker=Outsider(there, "sl-1", SL))


def organisation_of(sn, account):
    data = encoded("organisationOf(address)", (account,))
    return int(sn.rpc("eth_call", {"to": ORGANISATIONS, "data": data}, "latest"), 16)


def peers_of(sl):
    return {peer["account"]: peer for peer in sl.admin("round").get("training", {}).get("peers", ())}


def train_together(swarm, attacker, reason):
    """The honest ones train, and before they close, logs and status say who was left out, why, and of which
    organisation he is."""

    def train(sl, model):
        def looks(number, client):
            if number == 3:
                peer = until(lambda: left_out(sl, attacker), f"{sl.name} to leave the attacker out", alive=[sl])
                assert peer["reason"] == reason and peer["organisation"], peer
                sl.wait_log(rf"{peer['name']} .*{peer['organisation']}.*{reason}")

        return Program(sl, trains([model, model], between=looks, minPeers=2))

    for program in [train(sl, model) for sl, model in zip(swarm.sls, MODELS, strict=True)]:
        np.testing.assert_allclose(program.result().merged[0]["w"], MEAN)


def left_out(sl, attacker):
    peer = peers_of(sl).get(attacker.account, {})
    return peer if peer.get("state") in ("left", "odd") else None


def test_a_peer_that_asks_for_more_peers_than_there_are_locks_nobody_out(three):
    three.attacker.join(min_peers=1024, can_lead=True)
    train_together(three.swarm, three.attacker, "it asks for another minPeers")


def test_a_check_in_with_another_layout_locks_nobody_out(three):
    three.attacker.join(min_peers=2, can_lead=False)
    three.attacker.check_in(bytes([7] * 32), 4000, bytes([8] * 32))
    train_together(three.swarm, three.attacker, "its model has other parameters")


def test_a_contract_is_for_those_whom_its_owner_invites(three):
    swarm, attacker = three.swarm, three.attacker
    usr = swarm.folder / "usr"
    usr.mkdir()
    swci = SWCI(swarm.folder, swarm.certs, usr, flags=("--json",))

    def answers(commands):
        answer = swci.run(f"CREATE CONTEXT c WITH IP 127.0.0.1 {swarm.sn.port}\nSWITCH CONTEXT c\n{commands}\nEXIT\n")
        lines = [line for line in answer.text.splitlines() if line.startswith("{")]  # others are the log's
        return {line["answer"]: line for line in map(json.loads, lines) if "answer" in line}

    made = answers("CREATE CONTRACT ours\nGET CONTRACT INFO ours\nLIST ORGANISATIONS")
    if "organisation" not in made["contract_info"]:
        pytest.skip("the chain does not know yet to which organisation a SWCI belongs")
    names = {row["id"]: row["organisation"] for row in made["organisations"]["organisations"]}
    assert made["contract_info"]["organisation"] == names[organisation_of(swarm.sn, swarm.sls[0].node_account)]
    join = ("registerPeer(uint32,string,uint32,uint8,uint32,bool)", (2, "mean", 1, 1, 0, True))
    attacker.call(training("ours"), *join)  # until somebody is invited everybody may
    attacker.call(training("ours"), "leavePeer(uint8)", (0,))
    friend = names[organisation_of(swarm.sn, swarm.sls[1].node_account)]
    invited = answers(f"INVITE '{friend}' TO CONTRACT ours\nGET CONTRACT INFO ours")
    assert invited["contract_info"]["invited"] == friend
    with pytest.raises(AssertionError):
        attacker.call(training("ours"), *join)


def test_a_peer_that_asks_for_something_else_later_is_refused_and_may_correct_itself(three):
    swarm, attacker = three.swarm, three.attacker

    def meddles(number, client):
        until(lambda: len(peers_of(swarm.sls[0])) >= 2, "both to be peers", alive=swarm.sls)
        if number == 1 and client is not None and not attacker.account_joined:
            attacker.account_joined = True
            with pytest.raises(AssertionError):
                attacker.join(min_peers=1024, can_lead=True)
            attacker.join(min_peers=2, can_lead=False)
            attacker.leave()

    attacker.account_joined = False
    first = Program(swarm.sls[0], trains([MODELS[0]], between=meddles, minPeers=2))
    second = Program(swarm.sls[1], trains([MODELS[1]], minPeers=2))
    for program in (first, second):
        np.testing.assert_allclose(program.result().merged[0]["w"], MEAN)
