"""The conformance client itself, against the SL in a thread: it accepts what is right and names what is not."""

import numpy as np
import pytest
from wire_client import Array, SLError, WireClient, WireError
from wire_schema import CLOSE, KILL, LOSS, MESSAGES, OPEN, OPENED, SYNC, SYNCED


@pytest.fixture
def connect(swarm):
    clients = []

    def make(**options):
        sl = swarm(**options).sls[0]
        clients.append(WireClient(sl.request_path, sl.response_path))
        return clients[0], sl

    yield make
    for client in clients:
        client.disconnect()


PARAMS = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "count": np.array(5),
    "zero": np.array(0),
    "none": np.zeros(0, np.float32),
    "flag": np.array([True, False]),
    "brain": Array("dtype('bfloat16')", [2], b"\x80\x3f\x00\x40"),
}


@pytest.mark.parametrize("syncs", [0, 1, 3])
def test_a_whole_session(connect, syncs):
    client, sl = connect()
    assert client.open(syncInterval=5) == "session 0"
    for number in range(1, syncs + 1):
        reply = client.sync(PARAMS, loss=lambda merged: (0.5, 0.75), epochsdone=number, totalepochs=9)
        assert (reply.syncSeqNum, reply.nextSyncInterval) == (number, 5)
    assert client.close(PARAMS).syncSeqNum == 1
    merged = client.merged[-1]
    assert np.array_equal(merged["w"], PARAMS["w"]) and np.array_equal(merged["fortran"], PARAMS["fortran"])
    assert merged["count"] == 5.0 and merged["count"].dtype == np.float64
    assert merged["none"].shape == (0,) and merged["brain"].data == PARAMS["brain"].data
    assert client.loss_requests == syncs + 1
    assert [message.epochsdone for message in sl.of_type(LOSS)] == [*range(1, syncs + 1), 0]


def test_kill(connect):
    client, sl = connect()
    client.open()
    client.kill("enough")
    sl.thread.join(10)
    assert sl.of_type(KILL)[0].reason.msg == "enough" and not sl.error


def test_failing_loss(connect):
    client, sl = connect()
    client.open()
    with pytest.raises(ZeroDivisionError):
        client.sync(PARAMS, loss=lambda merged: 1 / 0)
    client.disconnect()
    sl.thread.join(10)
    (reply,) = sl.of_type(LOSS)
    assert (reply.status.code, reply.loss) == (2, -1.0)


def break_merged(**change):
    def answer(sl, message):
        weights = MESSAGES["Weights"]()
        weights.CopyFrom(message.inputParams)
        for field, value in change.items():
            setattr(weights.weights["w"], field, value)
        sl.ask_loss(message, weights)

    return answer


def lose_entry(sl, message):
    message.inputParams.weights.pop("w")
    sl.ask_loss(message, message.inputParams)


def reply(**fields):
    def answer(sl, message):
        values = dict(sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, nextSyncInterval=1)
        sl.send(SYNCED, MESSAGES["SyncResponse"](**{**values, **fields}))

    return answer


BREAKS = {
    "status": (SYNC, lambda sl, m: sl.send_status(1, "too bad"), SLError, "too bad"),
    "ok status": (SYNC, lambda sl, m: sl.send_status(0, "fine"), WireError, "no answer"),
    "status in reply": (SYNC, reply(status=dict(code=1, msg="no")), SLError, "no"),
    "number": (SYNC, reply(syncSeqNum=2), WireError, "bad sync seq num 2"),
    "interval": (SYNC, reply(nextSyncInterval=0), WireError, "never sync again"),
    "type 7 for close": (CLOSE, reply(), WireError, "wanted type 5, got type 7"),
    "loss session": (SYNC, lambda sl, m: sl.ask_loss(m, m.inputParams, sessionID="x"), WireError, "bad session ID 'x'"),
    "loss number": (SYNC, lambda sl, m: sl.ask_loss(m, m.inputParams, syncSeqNum=4), WireError, "bad sync seq num 4"),
    "missing": (SYNC, lose_entry, WireError, "merged model lacks w"),
    "dtype": (SYNC, break_merged(dtype="float32"), WireError, "cannot evaluate"),
    "bytes": (SYNC, break_merged(data=b"12345678"), WireError, "8 bytes for shape"),
    "0-d integer": (SYNC, lambda sl, m: sl.ask_loss(m, m.inputParams), WireError, "0-d integer"),
    "empty body": (
        SYNC,
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d02000000150200000015070000001d00000000")),
        WireError,
        "empty body",
    ),
    "version": (
        SYNC,
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d03000000150200000015070000001d01000000")),
        WireError,
        "API version 3",
    ),
    "end": (SYNC, lambda sl, m: None, WireError, "wanted: 22 bytes, got 0 bytes: pipe closed"),
    "no session": (
        OPEN,
        lambda sl, m: sl.send(OPENED, MESSAGES["SessionResponse"](status=dict(msg="x"))),
        WireError,
        "empty session ID",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_broken_rules_are_named(connect, case):
    msg_type, answer, error, text = BREAKS[case]

    def script(sl, kind, message):
        if kind != msg_type:
            return None
        answer(sl, message)
        return False

    client, sl = connect(script=script)
    with pytest.raises(error, match=text):
        client.open()
        client.sync(
            {name: value for name, value in PARAMS.items() if case == "0-d integer" or name not in ("count", "zero")}
        )
        client.close({"w": PARAMS["w"]})
    client.disconnect()
