"""One training after another: under a contract that is over, after a reset, and what peers and programs are told."""

import json
import re

import numpy as np
from harness import Meeting, Program, says, trains, until
from wire_client import SLError

CONTRACT = "defaultbb.cqdb.sml.hpe"
ONE, TWO = {"w": np.full(4, 1.0, np.float32)}, {"w": np.full(4, 3.0, np.float32)}


def refusal(sl, work):
    error = Program(sl, work).failure()
    assert isinstance(error, SLError), error
    return str(error)


def train_together(swarm, sls, values, **session):
    meet = Meeting(len(sls))
    work = [trains([value], value, meet, minPeers=len(sls), **session) for value in values]
    programs = [Program(sl, each) for sl, each in zip(sls, work)]
    return [program.result() for program in programs]


def test_a_second_training_is_refused_at_once_and_trains_after_a_reset(swarm, inspect):
    sls = swarm.start(sls=2).sls
    train_together(swarm, sls, [ONE, TWO])
    assert [sl.wait_exit() for sl in sls] == [0, 0]
    for sl in sls:
        sl.start()
    for sl in sls:
        text = refusal(sl, lambda client: client.open(minPeers=2))
        assert f"swarm-inspect reset {CONTRACT}" in text and "is over" in text
    inspect(swarm.sls[0], "reset", CONTRACT, status=1)  # an SL cannot
    assert json.loads(inspect(swarm.sn, "reset", CONTRACT, "--json")) == {"reset": True, "generation": 2}
    clients = train_together(swarm, sls, [TWO, TWO])  # the same processes, without another start
    assert all(np.array_equal(client.merged[-1]["w"], TWO["w"]) for client in clients)
    assert [sl.wait_exit() for sl in sls] == [0, 0]


def test_a_reset_does_not_take_a_training_away_by_mistake(swarm, inspect):
    sls = swarm.start(sls=2).sls
    waits = Program(sls[0], trains([ONE], minPeers=2))
    until(lambda: swarm.sn.events("check_ins"), "the first to be in", alive=sls)
    text = inspect(swarm.sn, "reset", CONTRACT, status=1)
    assert "is not over" in text and "sl-1" in text and "--force" in text
    assert "161 bytes, at most 160" in inspect(swarm.sn, "reset", CONTRACT, "--force", "--note", "x" * 161, status=1)
    assert "generation 2" in inspect(swarm.sn, "reset", CONTRACT, "--force", "--note", "a peer was <lost>")
    other = Program(sls[1], trains([TWO], minPeers=2))  # the first takes part in the new one
    assert np.array_equal(waits.result().merged[0]["w"], other.result().merged[0]["w"])


def test_what_cannot_be_reset(swarm, inspect):
    swarm.start(sls=0)
    assert "no training contract 'nobody.made.it'" in inspect(swarm.sn, "reset", "nobody.made.it", status=1)


def test_all_nodes_inactive_are_refused_at_the_start(swarm):
    sls = swarm.start(sls=2).sls
    meet = Meeting(2)
    programs = [
        Program(sl, trains([v], v, meet, minPeers=2, checkinModelOnTrainEnd="inactive"))
        for sl, v in zip(sls, (ONE, TWO))
    ]
    for program in programs:
        error = program.failure()
        assert isinstance(error, SLError) and "'inactive' on every node" in str(error)
        assert not program.client.merged
    train_together(swarm, sls, [ONE, TWO])  # the SLs are still there, and the contract as if nothing had been


def test_one_that_is_not_inactive_is_enough(swarm):
    sls = swarm.start(sls=2).sls
    meet = Meeting(2)
    programs = [
        Program(sl, trains([v], v, meet, minPeers=2, checkinModelOnTrainEnd=mode))
        for sl, v, mode in zip(sls, (ONE, TWO), ("inactive", "snapshot"))
    ]
    last = [program.result().merged[-1]["w"] for program in programs]
    assert np.array_equal(last[0], last[1])


def sync_with_notices(client, params, notices):
    """A sync as swarmd's own client makes it: what comes before its answer is added to `notices`."""
    from wire_end import encode_weights
    from wire_schema import MESSAGES, STATUS, SYNC, SYNCED

    client.sync_count += 1
    request = MESSAGES["SyncRequest"](
        sessionID=client.session_id, syncSeqNum=client.sync_count, nodeWeightage=1, numberOfNodes=1
    )
    encode_weights(params, request.inputParams)
    client.send(SYNC, request)
    while True:
        kind, reply = client.receive()
        if kind == STATUS:
            assert reply.notice and reply.code == 0
            notices.append(reply.msg)
        elif kind == SYNCED:
            return reply
        else:
            client._answer_loss(client.sync_count, params, reply, None, {})


def named(sl):
    """As its peers name an SL to people."""
    return f"{sl.name} ({sl.host}:{sl.files_port})"


def why_refused(sl, words):
    """As a pattern: the organisation's name stands beside the address."""
    return rf"{re.escape(sl.name)} \({sl.host}:{sl.files_port}, [^)]+\) was refused: {re.escape(words)}"


def test_a_program_that_the_contract_refuses_is_named_to_those_who_wait(swarm):
    one, two = swarm.start(sls=2).sls
    heard = []

    def work(client):
        client.open(minPeers=2, takesNotices=True)
        sync_with_notices(client, ONE, heard)
        client.kill()

    def refuse(words, code, **session):
        assert says(refusal(two, lambda client: client.open(**session)), "in force")
        news = why_refused(two, words)
        until(lambda: any(re.search(news, text) for text in heard), "the first to know", alive=[one])
        assert swarm.sn.departures()[-1] == (two.node_account, code)

    first = Program(one, work)
    until(lambda: swarm.sn.events("check_ins"), "the first to be in", alive=swarm.sls)
    refuse("it asks for another minPeers", "other minPeers", minPeers=3)
    refuse("it asks for another mergeMethod", "other merge method", minPeers=2, mergeMethod="geomedian")
    Program(two, trains([TWO], minPeers=2)).result()
    first.result()
    assert len(swarm.sn.departures()) == 3  # the first program has killed its session


def test_a_program_that_takes_notices_hears_for_whom_it_waits(swarm):
    one, two = swarm.start(sls=2).sls
    heard = []

    def work(client):
        client.open(minPeers=2, takesNotices=True)
        sync_with_notices(client, ONE, heard)
        client.kill()

    first = Program(one, work)
    until(lambda: swarm.sn.events("check_ins"), "the first to be in", alive=swarm.sls)

    def refused(client):
        client.open(minPeers=2)
        client.sync({"other": np.ones(2)})

    assert "same model definition" in refusal(two, refused)
    news = why_refused(two, "its model has other parameters")
    until(lambda: any(re.search(news, text) for text in heard), "the first to know", alive=[one])
    Program(two, trains([TWO], minPeers=2)).result()
    first.result()
    assert any("1 of at least 2 peers are in, waiting for more to join" in text for text in heard)


def test_a_node_that_is_left_out_of_a_merge_is_told_why(swarm):
    swarm.start(sls=3)
    values = [{"w": np.full((2, 2), number, np.float32)} for number in (1.0, 3.0, np.nan)]
    meet = Meeting(3)
    told = {}

    def work(number, value):
        def run(client):
            client.open(minPeers=3)
            meet(1, client)
            told[number] = client.sync(value).status.msg
            client.close({"w": np.full((2, 2), 5.0, np.float32)})

        return run

    for program in [Program(sl, work(n, v)) for n, (sl, v) in enumerate(zip(swarm.sls, values))]:
        program.result()
    third = swarm.sls[2]
    assert told[2] == "this node's model was left out of the merge of round 1: not finite"
    assert told[0] == told[1] == told[2].replace("this node's model", f"the model of {named(third)}")
    assert all(told[0] in sl.log() for sl in swarm.sls[:2]) and told[2] in third.log()


def test_an_sl_without_its_sn_says_that_it_waits_for_that(swarm):
    swarm.start(sls=1)
    sl = swarm.sls[0]
    sl.wait_ready()
    until(lambda: sl.round().get("waiting_for") == "no program", "the SL to wait for a program", alive=[sl])
    swarm.sn.kill9()
    until(lambda: "cannot reach the SN" in sl.round()["waiting_for"], "the SL to miss its SN", alive=[sl])
