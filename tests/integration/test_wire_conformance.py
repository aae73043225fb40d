"""A real SL against the client written from the protocol's description alone."""

import threading

import numpy as np
import pytest
from harness import PATIENCE, Meeting, Program, says, trains, until
from wire_client import Array, SLError
from wire_schema import MESSAGES, OPEN, SYNC, frame

PARAMS = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "count": np.array(5),
    "small": np.array(3, np.int32),
    "none": np.zeros((0, 4), np.float32),
    "half": np.array([0.5, -2], np.float16),
    "numbers": np.array([1, 2, 3]),
    "brain": Array("dtype('bfloat16')", [2], b"\x80\x3f\x00\x40"),
}


@pytest.mark.parametrize("syncs", [0, 1, 3])
def test_a_whole_session(swarm, syncs):
    sl = swarm.start().sls[0]
    losses = iter(range(1, 9))
    client = Program(sl, trains([PARAMS] * syncs, PARAMS, loss=lambda _: (next(losses) / 8, 0.5))).result()
    merged = client.merged[-1]
    assert client.sync_count == syncs and client.loss_requests == syncs + 1
    assert np.array_equal(merged["w"], PARAMS["w"]) and np.array_equal(merged["fortran"], PARAMS["fortran"])
    for name in ("count", "small"):
        assert merged[name] == PARAMS[name] and merged[name].dtype == np.float64 and merged[name].shape == ()
    assert merged["none"].shape == (0, 4)
    assert merged["half"].dtype == np.float16 and np.array_equal(merged["half"], PARAMS["half"])
    assert np.array_equal(merged["numbers"], PARAMS["numbers"])
    assert merged["brain"].data == PARAMS["brain"].data
    assert sl.wait_exit() == 0
    assert [merge.round_num for merge in swarm.sn.merges()] == list(range(1, syncs + 2))
    assert len(swarm.sn.events("losses")) == syncs + 1 and swarm.sn.completed()


def test_kill_leaves_the_training_and_ends_the_sl(swarm):
    sl = swarm.start().sls[0]

    def killed(client):
        client.open(minPeers=1)
        client.sync(PARAMS)
        client.kill("enough for today")

    Program(sl, killed).result()
    assert sl.wait_exit() == 0
    assert swarm.sn.departures() == [(sl.node_account, "program ended")] and "enough for today" in sl.log()


def refusal(sl, work):
    """The text of the Status with which the SL refuses what `work` does."""
    error = Program(sl, work).failure()
    assert isinstance(error, SLError), repr(error)
    return str(error)


def after_open(raw_of):
    def work(client):
        client.open()
        client.send_raw(raw_of(client))
        client._check_status(*client.receive())

    return work


def with_version(number):
    raw = bytearray(frame(OPEN, MESSAGES["SessionRequest"](syncInterval=1, minPeers=1)))
    raw[3:7] = raw[8:12] = number.to_bytes(4, "little")
    return bytes(raw)


def from_client_2_3(client):
    """Field 5 as a file name, as the 2.3 wheel sends it."""
    request = MESSAGES["SyncRequest"](sessionID=client.session_id, syncSeqNum=1, nodeWeightage=1)
    path = b"/tmp/hpe-swarm/trained_weights.pkl"
    body = request.SerializeToString() + bytes([0x2A, len(path)]) + path
    head = bytearray(frame(SYNC, request)[:22])
    head[-4:] = len(body).to_bytes(4, "little")
    return bytes(head) + body


def oversize(client):
    raw = bytearray(frame(SYNC, MESSAGES["SyncRequest"](sessionID=client.session_id)))
    raw[18:22] = b"\xff\xff\xff\xff"
    return bytes(raw)


def of_other_session(client):
    return frame(SYNC, MESSAGES["SyncRequest"](sessionID="somebody else's", syncSeqNum=1))


BROKEN_FRAMES = {
    "wrong API version": (lambda _: with_version(3), "version 3"),
    "garbage": (lambda _: b"\x80\x04\x95 this is no frame at all ......", "header"),
    "2.3 client": (from_client_2_3, "2.3"),
    "oversize body": (oversize, "4294967295"),
    "broken body": (lambda _: frame(SYNC, MESSAGES["Status"](msg="x"))[:18] + b"\x03\0\0\0\x2a\x7f\x01", "SyncRequest"),
    "other session": (of_other_session, "somebody else's"),
    "unknown type": (lambda _: frame(99, MESSAGES["Status"](msg="x")), "99"),
    "type only an SL sends": (lambda _: frame(3, MESSAGES["SessionResponse"](sessionID="x")), "SessionResponse"),
}


@pytest.mark.parametrize("case", BROKEN_FRAMES)
def test_a_broken_frame_is_refused_and_the_next_program_served(swarm, case):
    sl = swarm.start().sls[0]
    raw_of, expected = BROKEN_FRAMES[case]
    assert says(refusal(sl, after_open(raw_of)).lower(), expected.lower())
    assert Program(sl, trains([PARAMS])).result().sync_count == 1
    assert sl.wait_exit() == 0


BAD_SESSIONS = {
    "no interval": (dict(syncInterval=0), "syncFrequency"),
    "no peers": (dict(minPeers=0), "minPeers"),
    "too many peers": (dict(minPeers=5000), "minPeers"),
    "no weightage": (dict(nodeWeightage=-1), "nodeWeightage"),
    "heavy": (dict(nodeWeightage=101), "nodeWeightage"),
    "mode": (dict(checkinModelOnTrainEnd="maybe"), "maybe"),
    "method": (dict(mergeMethod="magic"), "magic"),
    "over-long contract": (dict(trainingContract="c" * 65), "trainingContract"),
    "contract with odd characters": (dict(trainingContract="../x"), "trainingContract"),
    "unknown contract": (dict(trainingContract="nobody.made.it"), "nobody.made.it"),
}


@pytest.mark.parametrize("case", BAD_SESSIONS)
def test_a_session_that_cannot_be_is_refused_by_name(swarm, case):
    sl = swarm.start().sls[0]
    fields, expected = BAD_SESSIONS[case]
    assert says(refusal(sl, lambda client: client.open(**fields)), expected)
    assert Program(sl, trains([PARAMS])).result().sync_count == 1


BAD_PARAMETERS = {
    "over-long name": ({"n" * 5000: np.zeros(2)}, "5000"),
    "object": ({"w": Array("dtype('O')", [1], b"\0" * 8)}, "dtype"),
    "text": ({"w": Array("dtype('<U3')", [1], b"\0" * 12)}, "dtype"),
    "size": ({"w": Array("dtype('float32')", [3], b"\0" * 8)}, "w"),
    "overflow": ({"w": Array("dtype('float32')", [2**31, 2**31, 2**31], b"")}, "w"),
    "call": ({"w": Array("__import__('os').abort()", [1], b"\0")}, "dtype"),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_parameters_that_cannot_be_are_refused_by_name(swarm, case):
    sl = swarm.start().sls[0]
    params, expected = BAD_PARAMETERS[case]

    def work(client):
        client.open()
        client.sync(params)

    assert says(refusal(sl, work), expected)
    assert Program(sl, trains([PARAMS])).result().sync_count == 1


@pytest.mark.parametrize(
    "change",
    [
        {"w": np.zeros((4, 3), np.float32)},
        {"w": np.zeros((2, 3), np.float64)},
        {"other": np.zeros(3, np.float32)},
    ],
    ids=["shape", "dtype", "name"],
)
def test_a_model_unlike_its_peers_is_refused_with_the_difference(swarm, change):
    one, two = swarm.start(sls=2).sls
    ours = {"w": np.zeros((2, 3), np.float32), "b": np.ones(2)}
    theirs = {**ours, **change}
    refused = threading.Event()

    def stays(number, client):
        """The training must not be over before the other has come."""
        if number == 2:
            assert refused.wait(PATIENCE)

    first = Program(one, trains([ours] * 2, between=stays, minPeers=1))

    def late(client):
        until(lambda: swarm.sn.events("check_ins"), "the first peer to check in")
        client.open(minPeers=1)
        client.sync(theirs)

    text = refusal(two, late)
    refused.set()
    assert says(text, next(iter(change))) and says(text, "same model definition")
    first.result()
    assert one.wait_exit() == 0


def test_a_model_with_nan_is_left_out_and_named(swarm):
    swarm.start(sls=3)
    values = [{"w": np.full((2, 2), number, np.float32)} for number in (1.0, 3.0, np.nan)]
    meet = Meeting(3)
    programs = [Program(sl, trains([v], v, meet, minPeers=3)) for sl, v in zip(swarm.sls, values)]
    clients = [program.result() for program in programs]
    for client in clients:
        assert np.array_equal(client.merged[0]["w"], np.full((2, 2), 2.0))
    merge = swarm.sn.merges()[0]
    assert merge.excluded == [swarm.sls[2].node_account] and len(merge.contributors) == 2
    assert merge.reasons == ["not finite"]
    assert any("'w' has 4 NaN or infinite values of 4" in sl.log() for sl in swarm.sls)  # by whom it was merged


def test_merged_values_are_the_weighted_mean(swarm):
    swarm.start(sls=3)
    rng = np.random.default_rng(7)
    shapes = {"w": (17, 3), "b": (5,), "half": (4,), "count": ()}
    kinds = {"w": np.float32, "b": np.float64, "half": np.float16, "count": np.int64}
    values = [{n: np.asarray(rng.normal(5, 20, shapes[n])).astype(kinds[n]) for n in shapes} for _ in range(3)]
    weights = [1, 5, 14]
    meet = Meeting(3)

    def work(number):
        def run(client):
            client.open(minPeers=3, nodeWeightage=weights[number])
            meet(1, client)
            client.sync(values[number], weightage=weights[number])
            client.close(values[number], weightage=weights[number])
            return client.merged[0]

        return run

    merged = [program.result() for program in [Program(sl, work(i)) for i, sl in enumerate(swarm.sls)]]
    for name in ("w", "b", "half"):
        mean = np.average([v[name].astype(np.float64) for v in values], axis=0, weights=weights)
        assert np.allclose(merged[0][name], mean, rtol={"w": 1e-6, "b": 1e-13, "half": 1e-3}[name]), name
    assert merged[0]["count"] == int(values[2]["count"])  # no quantity: what most of the weight says
    for other in merged[1:]:
        assert all(np.array_equal(merged[0][name], other[name]) for name in shapes)
