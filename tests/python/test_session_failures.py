"""What a session refuses, and what its program hears when something fails."""

import threading

import pytest
from dict_program import DictCallback, train
from fake_sl import FakeSwarm
from swarmlearning import SwarmArgumentError, SwarmError
from wire_schema import CLOSE, KILL, LOSS, MESSAGES, OPEN, OPENED, SYNC, SYNCED, frame


@pytest.mark.parametrize(
    "bad, text",
    [
        (dict(syncFrequency=0), "syncFrequency.*at least 1.*0"),
        (dict(syncFrequency="often"), "syncFrequency.*'often'"),
        (dict(syncFrequency=float("inf")), "syncFrequency.*inf"),
        (dict(syncFrequency=2**31), "syncFrequency"),
        (dict(minPeers=-1), "minPeers"),
        (dict(minPeers=None), "minPeers.*None"),
        (dict(nodeWeightage=0), "nodeWeightage.*from 1 to 100"),
        (dict(nodeWeightage=101), "nodeWeightage"),
        (dict(checkinModelOnTrainEnd="never"), "inactive, snapshot, active"),
        (dict(mergeMethod="sum"), "mean, coordmedian, geomedian"),
        (dict(mergeMethod=None), "mergeMethod.*None"),
        (dict(mergeMethod="mean:1"), "mergeMethod: wanted mean, as in docs/merging.md, got 'mean:1'"),
        (dict(mergeMethod="trimmedmean:0.6"), "mergeMethod.*below 0.5.*trimmedmean:0.2, got 'trimmedmean:0.6'"),
        (dict(mergeMethod="trimmedmean:0"), "mergeMethod.*above 0"),
        (dict(mergeMethod="clippedmean:0.0"), "mergeMethod.*above 0"),
        (dict(mergeMethod="krum:one"), "mergeMethod: wanted krum:f"),
        (dict(mergeMethod="krum:1", minPeers=4), r"mergeMethod.*2 \* 1 \+ 3 = 5.*minPeers is 4"),
        (dict(mergeMethod="multikrum:1,5", minPeers=5), "mergeMethod.*1 to 4 models of minPeers 5"),
        (dict(mergeMethod="custom:no/path"), "mergeMethod: wanted custom:name"),
        (dict(mlPlatform="CAFFE"), "mlPlatform.*PLAIN"),
        (dict(trainingContract=""), "trainingContract"),
        (dict(useAdaptiveSync=True), "useAdaptiveSync needs adsValData"),
        (dict(adsValBatchSize=0), "adsValBatchSize"),
        (dict(totalEpochs=-1), "totalEpochs"),
    ],
)
def test_bad_arguments(bad, text):
    with pytest.raises(SwarmArgumentError, match=text) as caught:
        DictCallback(**bad)
    assert isinstance(caught.value, (SwarmError, ValueError))


def test_an_endless_generator_is_refused(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "True")
    with pytest.raises(SwarmError, match="did not end"):
        DictCallback(adsValData=(0 for _ in iter(int, 1)))
    assert DictCallback(adsValData=(n for n in range(3))).options.adsValData == [0, 1, 2]


# What can be wrong with the channel


@pytest.mark.parametrize("name", ["SL_REQUEST_CHANNEL", "SL_RESPONSE_CHANNEL"])
def test_missing_environment(monkeypatch, name, tmp_path):
    for other in {"SL_REQUEST_CHANNEL", "SL_RESPONSE_CHANNEL"} - {name}:
        monkeypatch.setenv(other, str(tmp_path / "x"))
    monkeypatch.setenv(name, "")
    with pytest.raises(SwarmError, match=f"Init call to SL container failed - {name}: bad environment variable"):
        DictCallback()


def test_not_a_fifo(monkeypatch, tmp_path):
    path = tmp_path / "plain"
    path.write_text("")
    monkeypatch.setenv("SL_REQUEST_CHANNEL", str(path))
    monkeypatch.setenv("SL_RESPONSE_CHANNEL", str(path))
    with pytest.raises(SwarmError, match="plain: cannot create pipe"):
        DictCallback()


def test_waits_for_the_pipes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SL_REQUEST_CHANNEL", str(tmp_path / "request.0"))
    monkeypatch.setenv("SL_RESPONSE_CHANNEL", str(tmp_path / "response.0"))
    started = threading.Event()
    swarms = []

    class Logger(list):
        debug = error = list.append

        def info(self, text):
            if "waiting for pipes to be created" in text and not started.is_set():
                started.set()
                swarms.append(FakeSwarm(tmp_path).start())

    train(DictCallback(logger=Logger()), batches=1)
    assert started.is_set()
    swarms[0].join()


def test_one_session_at_a_time(swarm):
    swarm()
    callback = DictCallback()
    with pytest.raises(SwarmError, match="has a session with its SL already"):
        DictCallback()
    train(callback, 1)
    with pytest.raises(SwarmError, match="the session with the SL has ended"):
        callback.on_train_begin()


def answer_to(msg_type, send):
    """A script that answers one type of message in its own way, once, then ends the session."""

    def script(sl, kind, message):
        if kind != msg_type:
            return None
        send(sl, message)
        return False

    return script


def synced(message, **fields):
    values = dict(sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, nextSyncInterval=1)
    return MESSAGES["SyncResponse"](**{**values, **fields})


def weights_of(message):
    return message.inputParams


OPEN_FAILURES = {
    "status": (lambda sl, m: sl.send_status(1, "no peers"), "SL error: no peers"),
    "status in reply": (
        lambda sl, m: sl.send(OPENED, MESSAGES["SessionResponse"](status=dict(code=3, msg="wrong contract"))),
        "SL error: wrong contract",
    ),
    "ok status": (lambda sl, m: sl.send_status(0, "fine"), "open-session: bad response: wanted SessionResponse, got"),
    "other type": (
        lambda sl, m: sl.send(SYNCED, MESSAGES["SyncResponse"](sessionID="s")),
        "open-session: bad response: wanted SessionResponse, got SyncResponse",
    ),
    "end of file": (lambda sl, m: None, "wanted: 22 bytes, got 0 bytes: pipe closed"),
    "half a header": (lambda sl, m: sl.send_raw(bytes(10)), "wanted: 22 bytes, got 10 bytes"),
    "half a body": (
        lambda sl, m: sl.send_raw(frame(OPENED, MESSAGES["SessionResponse"](sessionID="abcd"))[:-1]),
        "wanted: 6 bytes, got 5 bytes",
    ),
    "version": (
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d01000000150200000015030000001d40420f00")),
        "Mismatch in the Swarm API version between ML and SL containers. Expected version 2.*is 1",
    ),
    "type": (
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d020000001502000000150b0000001d40420f00")),
        "unsupported message type: 11",
    ),
    "size": (
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d02000000150200000015030000001dffffffff")),
        "over the limit",
    ),
    "garbage header": (lambda sl, m: sl.send_raw(b"HTTP/1.1 400 Bad Request"), "something else than a message header"),
    "garbage body": (
        lambda sl, m: sl.send_raw(bytes.fromhex("0a0a0d02000000150200000015030000001d03000000") + b"\x12\x7f!"),
        "open-session: bad response: .*wants 127 bytes",
    ),
}


@pytest.mark.parametrize("case", OPEN_FAILURES)
def test_open_failures(swarm, case):
    send, text = OPEN_FAILURES[case]
    swarm(script=answer_to(OPEN, send))
    with pytest.raises(SwarmError, match="(?s)^Init call to SL container failed - .*" + text):
        DictCallback()


SYNC_FAILURES = {
    "status": (lambda sl, m: sl.send_status(1, "lost the SN"), "SL error: lost the SN"),
    "status in reply": (lambda sl, m: sl.send(SYNCED, synced(m, status=dict(code=1, msg="bad"))), "SL error: bad"),
    "ok status": (lambda sl, m: sl.send_status(0, "fine"), "bad response: wanted SyncResponse, got Status 'fine'"),
    "number": (lambda sl, m: sl.send(SYNCED, synced(m, syncSeqNum=9)), r"\[Sync-1\]: bad sync seq num"),
    "other type": (lambda sl, m: sl.send(LOSS, MESSAGES["LossResponse"](sessionID="s")), "bad response"),
    "loss session": (
        lambda sl, m: sl.ask_loss(m, weights_of(m), sessionID="other"),
        "get-loss: bad session ID",
    ),
    "loss number": (lambda sl, m: sl.ask_loss(m, weights_of(m), syncSeqNum=2), "get-loss: bad sync seq num"),
    "end of file": (lambda sl, m: None, "pipe closed"),
}


@pytest.mark.parametrize("case", SYNC_FAILURES)
def test_sync_failures(swarm, case):
    send, text = SYNC_FAILURES[case]
    sl = swarm(script=answer_to(SYNC, send)).sls[0]
    callback = DictCallback()
    with pytest.raises(SwarmError, match="^Sync call to SL container failed - .*" + text):
        callback.on_train_begin()
    sl.thread.join(10)  # the pipes were closed, so that the SL sees the end of the program
    assert not sl.thread.is_alive()


def test_close_failure(swarm):
    swarm(script=answer_to(CLOSE, lambda sl, m: sl.send_status(1, "too few")))
    callback = DictCallback()
    callback.on_train_begin()
    with pytest.raises(SwarmError, match="^End Swarm call to SL container failed - SL error: too few"):
        callback.on_train_end()


def test_a_model_that_cannot_be_loaded_is_reported_and_raised(swarm):
    sl = swarm().sls[0]
    callback = DictCallback(adsValData=([], []))
    callback._load_parameters = lambda params: 1 / 0
    with pytest.raises(SwarmError, match="Sync call to SL container failed - division by zero"):
        callback.on_train_begin()
    sl.thread.join(10)
    (reply,) = sl.of_type(LOSS)
    assert (reply.status.code, reply.loss) == (2, -1.0)
    assert reply.status.msg == "Loss computation failed. division by zero"


def test_a_failing_evaluation_does_not_end_the_training(swarm):
    """It is told once, without the text of the error, which may quote a record."""

    class Logger(list):
        debug = error = info = warning = list.append

    def evaluate():
        raise ValueError("patient 4711")

    sl = swarm().sls[0]
    logger = Logger()
    callback = DictCallback(adsValData=([], []), logger=logger)
    callback._evaluate = evaluate
    train(callback, batches=4)
    replies = sl.of_type(LOSS)
    assert len(replies) == 3
    assert all((reply.status.code, reply.loss, reply.metrics) == (0, 0, 0) for reply in replies)
    told = [text for text in logger if "could not be judged" in text]
    assert len(told) == 1 and "ValueError at " in told[0]
    assert not any("4711" in text for text in logger)


def test_an_interval_below_one_is_not_taken(swarm):
    swarm(script=answer_to(KILL, None), interval=None)
    callback = DictCallback(syncFrequency=1)
    callback._session.sync = lambda *unused: MESSAGES["SyncResponse"](syncSeqNum=1, nextSyncInterval=0)
    callback.on_train_begin()
    callback.on_batch_end()
    callback.on_batch_end()
    assert callback.syncs == 2
    callback.on_train_end()
