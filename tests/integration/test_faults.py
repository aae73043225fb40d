"""Processes and programs that die in the middle: training goes on, and the chain with it."""

import threading
import time

import numpy as np
from harness import Meeting, Program, trains, until
from wire_client import SLError, WireClient
from wire_schema import MESSAGES, OPEN, OPENED


def model(value, size=1000):
    return {"w": np.full(size, value, np.float32)}


class Gate:
    """As `between`: programs meet before the first sync, and wait before sync `at` until the test opens the gate."""

    def __init__(self, programs, at):
        self.meet, self.at = Meeting(programs), at
        self.opened = threading.Event()
        self.waiting = threading.Semaphore(0)

    def __call__(self, number, client):
        self.meet(number, client)
        if number == self.at:
            self.waiting.release()
            assert self.opened.wait(120)

    def wait_for(self, programs):
        for _ in range(programs):
            assert self.waiting.acquire(timeout=90)


def test_an_sn_killed_in_mid_round_goes_on(swarm):
    swarm.start(sls=3)
    gate = Gate(3, 3)
    late = Gate(1, 3)

    def last(number, client):  # keeps the third round open while the SN is gone
        gate.meet(number, client)
        if number == 3:
            late(number, client)

    programs = [Program(sl, trains([model(i)] * 6, model(i), gate, minPeers=3)) for i, sl in enumerate(swarm.sls[:2])]
    programs.append(Program(swarm.sls[2], trains([model(2)] * 6, model(2), last, minPeers=3)))
    gate.wait_for(2)
    gate.opened.set()
    late.wait_for(1)
    until(lambda: len(swarm.sn.events("check_ins")) == 8, "two of three to be in", alive=swarm.sls)
    before = swarm.sn.rpc("eth_getBlockByNumber", "latest", False)
    swarm.sn.kill9()
    for sl in swarm.sls:
        sl.wait_log("Unable to contact API-Server")
    late.opened.set()
    swarm.sn.start().wait_up()
    for program in programs:
        assert program.result().sync_count == 6
    assert swarm.sn.rpc("eth_getBlockByNumber", before["number"], False) == before
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, 8)) and swarm.sn.completed()
    assert all(len(merge.contributors) == 3 for merge in merges)
    assert all(sl.wait_exit() == 0 for sl in swarm.sls)


def test_an_sl_killed_with_its_program_joins_again(swarm):
    swarm.start(sls=3)
    gate = Gate(3, 3)
    back = threading.Event()

    def between(number, client):
        gate(number, client)
        if number == 4:  # the training must not be over before the victim is back
            assert back.wait(60)

    programs = [Program(sl, trains([model(i)] * 6, model(i), between, minPeers=2)) for i, sl in enumerate(swarm.sls)]
    gate.wait_for(3)
    assert len(swarm.sn.merges()) == 2
    victim = swarm.sls[2]
    victim.kill9()
    gate.opened.set()
    programs[2].join(60)
    victim.start()
    again = Program(victim, trains([model(2)] * 4, model(2), lambda *unused: back.set(), minPeers=2))
    for program in [*programs[:2], again]:
        program.result()
    merges = swarm.sn.merges()
    assert swarm.sn.completed()
    assert any(victim.node_account in merge.contributors for merge in merges[2:])
    final = again.value.merged[-1]
    assert all(np.array_equal(program.value.merged[-1]["w"], final["w"]) for program in programs[:2])


def test_a_successor_merges_when_the_leader_dies(swarm):
    """Models so large that the leader cannot have merged before the test has seen that it leads."""
    swarm.start(sls=4, environment={"SL_LEADER_FAILURE_BASE_TIMEOUT": "3", "SL_WAIT_FOR_FULL_QUORUM_SECONDS": "2"})
    gate = Gate(4, 2)
    size = 8_000_000
    programs = [
        Program(sl, trains([model(i, size)] * 3, model(i, size), gate, minPeers=2)) for i, sl in enumerate(swarm.sls)
    ]
    gate.wait_for(4)
    gate.opened.set()
    until(lambda: len(swarm.sn.events("closed")) == 2, "the second round to close", alive=swarm.sls)
    account = "0x" + swarm.sn.events("closed")[1]["topics"][2][-40:]
    leader = next(sl for sl in swarm.sls if sl.node_account == account)
    leader.kill9()
    assert len(swarm.sn.merges()) == 1, "the leader was faster than the test"
    others = [program for program, sl in zip(programs, swarm.sls) if sl is not leader]
    for program in others:
        program.result()
    assert swarm.sn.completed() and swarm.sn.events("leader_changes")
    second = swarm.sn.merges()[1]
    assert second.term >= 1 and second.leader != account
    assert account in second.excluded and len(second.contributors) == 3
    for sl in swarm.sls:
        if sl is not leader:
            assert sl.wait_exit() == 0
            assert f"finished after round 4, without {leader.name}" in sl.log() and "All peers" not in sl.log()


def test_a_program_that_dies_leaves_and_the_others_go_on(swarm):
    swarm.start(sls=3)
    gate = Gate(3, 3)
    programs = [Program(sl, trains([model(i)] * 5, model(i), gate, minPeers=2)) for i, sl in enumerate(swarm.sls[:2])]

    def dies(client):
        client.open(minPeers=2)
        gate(1, client)
        client.sync(model(2))
        client.sync(model(2))
        gate(3, client)

    doomed = Program(swarm.sls[2], dies)
    gate.wait_for(3)
    gate.opened.set()
    doomed.result()
    for program in programs:
        assert program.result().sync_count == 5
    assert len(swarm.sn.events("departures")) == 1 and swarm.sn.completed()
    assert not swarm.sn.events("absences")
    assert swarm.sls[2].running()  # for the next program


def test_programs_that_end_as_soon_as_they_have_opened_leave_nobody_behind(swarm):
    """At whatever moment of its registration a program dies: whoever is registered leaves."""
    sl = swarm.start().sls[0]
    for number in range(24):

        def hasty(client, pause=number / 4000):
            request = MESSAGES["SessionRequest"](syncInterval=4, minPeers=1, nodeWeightage=1)
            request.checkinModelOnTrainEnd, request.mergeMethod = "snapshot", "mean"
            client.send(OPEN, request)
            time.sleep(pause)  # only varies the moment

        Program(sl, hasty).result()
        # A next one that opens the pipes before this one's end was seen would be one writer with it.
        until(lambda: sl.log().count("session over") > number, "the end to be seen", alive=[sl])  # noqa: B023
    assert Program(sl, trains([model(1)])).result().sync_count == 1
    until(lambda: swarm.sn.completed(), "the training to end", alive=[swarm.sn])
    assert len(swarm.sn.events("registrations")) == len(swarm.sn.events("departures")) + 1


def test_a_program_that_opens_before_the_end_of_the_last_one_was_seen(swarm):
    sl = swarm.start().sls[0].wait_ready()
    first = WireClient(str(sl.request), str(sl.response))
    first.open()
    first.sync(model(1))
    sl.pause()
    first.disconnect()
    reopened = threading.Event()

    def at_once(_):
        second = WireClient(str(sl.request), str(sl.response))
        request = MESSAGES["SessionRequest"](syncInterval=4, minPeers=1, nodeWeightage=1)
        request.checkinModelOnTrainEnd, request.mergeMethod = "snapshot", "mean"
        second.send(OPEN, request)
        reopened.set()
        msg_type, opened = second.receive()
        assert msg_type == OPENED and opened.sessionID not in ("", first.session_id)
        second.session_id = opened.sessionID
        second.close(model(3))
        second.disconnect()
        return second.merged[-1]["w"][0]

    program = Program(sl, at_once, connect=False)
    assert reopened.wait(30)
    sl.go_on()
    assert program.result() == 3
    assert sl.wait_exit() == 0


def patient(sls, **options):
    """Peers that would wait for a missing one longer than any test takes."""
    return {"sls": sls, "environment": {"SL_WAIT_FOR_FULL_QUORUM_SECONDS": "3600"}, **options}


def test_an_sl_told_to_stop_leaves_and_the_others_go_on_at_once(swarm):
    swarm.start(**patient(4))
    gate = Gate(4, 3)
    programs = [Program(sl, trains([model(i)] * 5, model(i), gate, minPeers=2)) for i, sl in enumerate(swarm.sls)]
    gate.wait_for(4)
    victim = swarm.sls[3]
    assert victim.terminate() == 0
    assert "did not stop in time" not in victim.log()
    assert swarm.sn.departures() == [(victim.node_account, "node stopped")]
    gate.opened.set()
    for program in programs[:3]:
        assert program.result().sync_count == 5
    programs[3].failure()
    merges = swarm.sn.merges()
    assert swarm.sn.completed() and not swarm.sn.events("absences")
    assert all(victim.node_account not in merge.contributors for merge in merges[2:])
    for sl in swarm.sls[:3]:
        assert sl.wait_exit() == 0 and f"without {victim.name} (left)" in sl.log()


def test_a_program_that_waits_hears_that_its_sl_is_told_to_stop(swarm):
    swarm.start(**patient(2))
    meet = Meeting(2)

    def waits(client):
        client.open(minPeers=1)
        meet(1, client)
        client.sync(model(1))

    opened = threading.Event()

    def slow(number, client):
        meet(number, client)
        assert opened.wait(120)

    waiting = Program(swarm.sls[0], waits)
    other = Program(swarm.sls[1], trains([model(2)] * 2, model(2), slow, minPeers=1))
    until(lambda: len(swarm.sn.events("check_ins")) == 1, "the first check-in", alive=swarm.sls)
    assert swarm.sls[0].terminate() == 0
    error = waiting.failure()
    assert isinstance(error, SLError) and "told to stop" in str(error)
    opened.set()
    assert other.result().sync_count == 2


def test_an_sl_that_stops_without_an_sn_does_not_wait_for_it(swarm):
    sl = swarm.start().sls[0]
    gate = Gate(1, 2)
    program = Program(sl, trains([model(1)] * 2, model(1), gate))
    gate.wait_for(1)
    swarm.sn.kill9()
    sl.wait_log("Unable to contact API-Server")
    assert sl.terminate() == 0
    gate.opened.set()
    program.failure()


def test_an_sl_started_again_without_its_program_leaves_for_its_former_self(swarm):
    swarm.start(**patient(3))
    gate = Gate(3, 3)
    programs = [Program(sl, trains([model(i)] * 4, model(i), gate, minPeers=2)) for i, sl in enumerate(swarm.sls)]
    gate.wait_for(3)
    victim = swarm.sls[2]
    victim.kill9()
    gate.opened.set()
    programs[2].failure()
    until(lambda: len(swarm.sn.events("check_ins")) == 8, "the others to wait", alive=swarm.sls[:2])
    assert len(swarm.sn.merges()) == 2
    victim.start()
    for program in programs[:2]:
        assert program.result().sync_count == 4
    assert swarm.sn.departures() == [(victim.node_account, "node restarted")] and not swarm.sn.events("absences")
    assert not (victim.data_dir / "session").exists()


def test_a_killed_session_does_not_pass_for_a_finished_training(swarm):
    swarm.start(**patient(2))
    gate = Gate(2, 2)
    program = Program(swarm.sls[0], trains([model(1)] * 3, model(1), gate, minPeers=1))

    def kills(client):
        client.open(minPeers=1)
        gate(1, client)
        client.sync(model(2))
        gate(2, client)
        client.kill("enough")

    killer = Program(swarm.sls[1], kills)
    gate.wait_for(2)
    gate.opened.set()
    killer.result()
    assert swarm.sls[1].wait_exit() == 0
    log = swarm.sls[1].log()
    assert "left the training before its end" in log and "enough" in log and "finished" not in log
    assert program.result().sync_count == 3
    assert swarm.sls[0].wait_exit() == 0 and "without sl-2 (left)" in swarm.sls[0].log()
