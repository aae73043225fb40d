"""Rounds of several peers: what they get is what the chain says was merged."""

import threading

import numpy as np
import pytest
from harness import Meeting, Program, says, trains, until
from wire_client import SLError


def model(value, size=1000):
    return {"w": np.full(size, value, np.float32), "b": np.array([value, -value], float)}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_four_peers_get_what_the_chain_names(swarm):
    swarm.start(sls=4)
    meet = Meeting(4)
    got = [[] for _ in range(4)]

    def work(number):
        def check(merged):
            """While this program holds the model, its SL must serve it under the digest of the chain."""
            merge = swarm.sn.merges()[len(got[number])]
            got[number].append((merge.digest, merged))
            if swarm.sls[number].running():
                assert same(swarm.sls[number].model(merge.digest), merged)
            return 0.25, 0.75

        values = [model(number + 10 * sync) for sync in range(3)]
        return trains(values, model(number + 30), meet, loss=check, minPeers=4)

    programs = [Program(sl, work(number)) for number, sl in enumerate(swarm.sls)]
    for program in programs:
        program.result()
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == [1, 2, 3, 4]
    for number in range(4):
        assert [digest for digest, _ in got[number]] == [merge.digest for merge in merges]
        for sync, (_, merged) in enumerate(got[number]):
            assert same(merged, model(1.5 + 10 * sync))
    assert all(sl.wait_exit() == 0 for sl in swarm.sls)
    assert {account for merge in merges for account in merge.contributors} == {sl.node_account for sl in swarm.sls}
    assert len(swarm.sn.events("losses")) == 16 and len(swarm.sn.events("completed")) == 1


def test_two_contracts_at_once(swarm):
    swarm.start(sls=4, contracts=["left", "right"])
    names = ["left", "left", "right", "right"]
    meet = Meeting(4)
    programs = [
        Program(sl, trains([model(i)] * 2, model(i), meet, minPeers=2, trainingContract=name))
        for i, (sl, name) in enumerate(zip(swarm.sls, names))
    ]
    clients = [program.result() for program in programs]
    assert all(same(merged, model(0.5)) for client in clients[:2] for merged in client.merged)
    assert all(same(merged, model(2.5)) for client in clients[2:] for merged in client.merged)
    for name, sls in (("left", swarm.sls[:2]), ("right", swarm.sls[2:])):
        assert len(swarm.sn.merges(name)) == 3 and swarm.sn.completed(name)
        assert set(swarm.sn.merges(name)[0].contributors) == {sl.node_account for sl in sls}
    assert not swarm.sn.merges()


@pytest.mark.parametrize("mode", ["inactive", "snapshot", "active"])
def test_ways_to_end_with_uneven_numbers_of_syncs(swarm, mode):
    """Three programs with 1, 2 and 4 syncs: those that end early do what their mode says until the last has ended.
    Peers that are all 'inactive' are refused, so the last one is not."""
    swarm.start(sls=3)
    meet = Meeting(3)
    syncs = [1, 2, 4]
    values = [0.0, 30.0, 60.0]
    modes = [mode, mode, "snapshot" if mode == "inactive" else mode]
    programs = [
        Program(sl, trains([model(v)] * n, model(v), meet, minPeers=2, checkinModelOnTrainEnd=end))
        for sl, n, v, end in zip(swarm.sls, syncs, values, modes)
    ]
    clients = [program.result() for program in programs]
    assert swarm.sn.completed() and len(swarm.sn.merges()) >= 4
    assert all(same(client.merged[-1], clients[0].merged[-1]) for client in clients)
    assert same(clients[2].merged[0], model(30))
    third = clients[2].merged[2]["w"][0]  # only the third still trains
    expected = {"snapshot": 30.0, "inactive": 60.0}.get(mode)
    if expected is not None:
        assert third == expected
    else:  # passed on what was merged before: (m + m + 60) / 3
        before = clients[2].merged[1]["w"][0]
        assert np.isclose(third, (2 * before + 60) / 3)
    assert all(sl.wait_exit() == 0 for sl in swarm.sls)


def test_a_node_counts_by_its_weight(swarm):
    """Which it may change from one sync to the next."""
    swarm.start(sls=2)

    def work(number):
        def train(client):
            client.open(minPeers=2, nodeWeightage=1)
            for weightage in ((1, 3), (1, 1), (9, 1)):
                client.sync(model(8 * number), weightage=weightage[number])
            client.close(model(0))
            return client.merged

        return train

    programs = [Program(sl, work(number)) for number, sl in enumerate(swarm.sls)]
    for program in programs:
        assert [merged["w"][0] for merged in program.result()[:3]] == [6, 4, np.float32(0.8)]


def test_a_swarm_that_gets_better_syncs_less_often(swarm):
    """Adaptive sync: a quarter more batches while the mean of the losses falls, a fifth less when it does not."""
    swarm.start(sls=2)
    losses = [*(0.5**step for step in range(8)), *(2.0**step for step in range(8))]

    def train(client):
        client.open(minPeers=2, syncInterval=8, useAdaptiveSync=True)
        replies = [client.sync(model(1), loss=lambda merged, now=now: (now, 0.0)) for now in losses]
        client.close(model(1), loss=lambda merged: (losses[-1], 0.0))
        return [reply.nextSyncInterval for reply in replies]

    for program in [Program(sl, train) for sl in swarm.sls]:
        intervals = program.result()
        assert intervals[0] == 8 and 8 < max(intervals) <= 32 and 2 <= intervals[-1] < max(intervals)


def test_a_late_joiner_gets_the_merged_model_first(swarm):
    one, two, three = swarm.start(sls=3).sls
    joined = threading.Event()

    def between(number, client):
        if number == 3:
            assert joined.wait(60)

    meet = Meeting(2)

    def early(number, client):
        meet(number, client)
        between(number, client)

    programs = [Program(sl, trains([model(v)] * 4, model(v), early, minPeers=2)) for sl, v in ((one, 1), (two, 3))]
    until(lambda: len(swarm.sn.merges()) == 2, "two rounds without the late one", alive=[one, two])

    def late(client):
        client.open(minPeers=2)
        client.sync(model(1000))
        joined.set()
        first = client.merged[0]
        client.sync(model(5))
        client.close(model(5))
        return first

    assert same(Program(three, late).result(), model(2))  # not a mean with its own 1000
    for program in programs:
        program.result()
    assert any(three.node_account in merge.contributors for merge in swarm.sn.merges())
    assert all(np.max(np.abs(merged["w"])) < 10 for program in programs for merged in program.value.merged)


def test_a_round_closes_without_a_missing_peer(swarm):
    swarm.start(sls=3, environment={"SL_WAIT_FOR_FULL_QUORUM_SECONDS": "1"})
    meet = Meeting(3)
    resume = threading.Event()

    def slow(number, client):
        meet(number, client)
        if number == 2:
            assert resume.wait(60)

    works = [(1, meet), (3, meet), (8, slow)]
    programs = [
        Program(sl, trains([model(v)] * 4, model(v), between, minPeers=2)) for sl, (v, between) in zip(swarm.sls, works)
    ]
    until(lambda: swarm.sn.events("absences"), "the slow peer to be given up", alive=swarm.sls)
    until(lambda: len(swarm.sn.merges()) >= 2, "a merge without it", alive=swarm.sls)
    assert swarm.sls[2].node_account not in swarm.sn.merges()[1].contributors
    resume.set()
    clients = [program.result() for program in programs]
    assert same(clients[0].merged[0], model(4)) and same(clients[0].merged[1], model(2))
    assert all(same(client.merged[-1], clients[0].merged[-1]) for client in clients)
    assert swarm.sn.completed()


def test_a_program_that_starts_after_the_end_is_told(swarm):
    first = swarm.start(sls=1).sls[0]
    Program(first, trains([model(4)])).result()
    assert first.wait_exit() == 0
    late = swarm.add_sl()
    error = Program(late, lambda client: client.open()).failure()  # and gets no model of a run that it was not in
    assert isinstance(error, SLError) and "swarm-inspect reset defaultbb.cqdb.sml.hpe" in str(error)


def test_an_unknown_contract_does_not_disturb_others(swarm):
    one, two = swarm.start(sls=2).sls
    error = Program(one, trains([model(1)], trainingContract="nobody.made.it")).failure()
    assert isinstance(error, SLError) and says(error, "nobody.made.it") and says(error, "--contract")
    programs = [Program(sl, trains([model(1)], minPeers=2)) for sl in (one, two)]
    assert all(program.result().sync_count == 1 for program in programs)
