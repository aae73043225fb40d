"""Session and callback logic against an SL in a thread, with a platform that is a plain dict of arrays."""

import io
import logging
import os
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from fake_sl import FakeSwarm
from repository import ROOT
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning.arrays import pack, unpack
from swarmlearning.callback import SwarmCallbackBase
from swarmlearning.options import DEFAULT_CONTRACT, Options
from wire_schema import CLOSE, KILL, LOSS, MESSAGES, OPEN, OPENED, SYNC, SYNCED, frame

DEFAULTS = dict(
    syncFrequency=3,
    minPeers=1,
    useAdaptiveSync=False,
    adsValData=None,
    adsValBatchSize=None,
    checkinModelOnTrainEnd="snapshot",
    trainingContract=DEFAULT_CONTRACT,
    nodeWeightage=1,
    mlPlatform=None,
    mergeMethod="mean",
    totalEpochs=2,
)


class DictCallback(SwarmCallbackBase):
    """A model of numpy arrays, whose loss is their sum."""

    platforms = ("PLAIN",)

    def __init__(self, values=None, logger=None, **options):
        self.values = values or {"w": np.array([1.0, 2.0], np.float32)}
        self.stopped = 0
        self._start(Options(**{**DEFAULTS, **options}), logger)

    def _get_parameters(self):
        return {name: pack(value) for name, value in self.values.items()}

    def _load_parameters(self, params):
        self.values = {name: unpack(params[name]).astype(value.dtype) for name, value in self.values.items()}

    def _evaluate(self):
        return float(sum(value.sum() for value in self.values.values())), 0.25

    def _stop_training(self):
        self.stopped += 1


def train(callback, batches, epochs=1):
    callback.on_train_begin()
    for epoch in range(epochs):
        for batch in range(batches):
            callback.on_batch_end(batch)
        callback.on_epoch_end(epoch)
    callback.on_train_end()


@pytest.mark.parametrize("interval, batches, syncs_at", [(3, 11, [4, 7, 10]), (1, 3, [2, 3]), (128, 128, [])])
def test_first_batch_sync_is_after_batch_n_plus_1(swarm, interval, batches, syncs_at):
    sl = swarm().sls[0]
    callback = DictCallback(syncFrequency=interval)
    callback.on_train_begin()
    assert callback.syncs == 1
    seen = []
    for batch in range(1, batches + 1):
        before = callback.syncs
        callback.on_batch_end()
        if callback.syncs > before:
            seen.append(batch)
    callback.on_train_end()
    assert seen == syncs_at
    numbers = [message.syncSeqNum for message in sl.of_type(SYNC)]
    assert numbers == list(range(1, len(syncs_at) + 2))


def test_the_next_interval_is_the_sl_s(swarm):
    swarm(interval=5)
    callback = DictCallback(syncFrequency=2)
    callback.on_train_begin()
    for _ in range(5):
        callback.on_batch_end()
    assert callback.syncs == 1
    callback.on_batch_end()
    assert callback.syncs == 2
    callback.on_train_end()


def test_open_request(swarm):
    sl = swarm().sls[0]
    callback = DictCallback(
        syncFrequency="7", minPeers=2.0, nodeWeightage=42, trainingContract="other", mergeMethod="GeoMedian",
        checkinModelOnTrainEnd="active", useAdaptiveSync=True, adsValData=([], []),
    )  # fmt: skip
    callback._channel.close()
    sl.thread.join(10)
    (request,) = sl.of_type(OPEN)
    assert request == MESSAGES["SessionRequest"](
        syncInterval=7, minPeers=2, maxPeers=0, useAdaptiveSync=True, checkinModelOnTrainEnd="active",
        nodeWeightage=42, trainingContract="other", mergeMethod="geomedian",
    )  # fmt: skip


def test_sync_and_close_requests(swarm):
    sl = swarm().sls[0]
    callback = DictCallback({"w": np.arange(6.0).reshape(2, 3), "n": np.array(4), "e": np.zeros(0)}, nodeWeightage=9)
    train(callback, batches=4)
    first, second = sl.of_type(SYNC)
    assert (first.sessionID, first.numberOfNodes, first.nodeWeightage) == ("session 0", 1, 9)
    assert second.syncSeqNum == 2
    assert {name: (a.dtype, list(a.shape), len(a.data)) for name, a in first.inputParams.weights.items()} == {
        "w": ("dtype('float64')", [2, 3], 48),
        "n": ("dtype('int64')", [], 8),
        "e": ("dtype('float64')", [0], 0),
    }
    (close,) = sl.of_type(CLOSE)
    assert (close.syncSeqNum, close.nodeWeightage) == (1, 9)
    assert not sl.of_type(KILL)


def test_losses_and_epochs_are_reported(swarm):
    sl = swarm().sls[0]
    callback = DictCallback(adsValData=([], []), totalEpochs=2)
    train(callback, batches=2, epochs=2)
    replies = sl.of_type(LOSS)
    assert [(r.epochsdone, r.totalepochs) for r in replies] == [(0, 2), (1, 2), (2, 2)]
    assert all(r.loss == 3.0 and r.metrics == 0.25 for r in replies)


def test_without_validation_data_the_loss_is_zero(swarm):
    sl = swarm().sls[0]
    train(DictCallback(), batches=1)
    assert all((r.loss, r.metrics, r.status.code) == (0, 0, 0) for r in sl.of_type(LOSS))


def test_a_loss_beyond_float32_is_infinite(swarm):
    sl = swarm().sls[0]
    train(DictCallback({"w": np.array([1e300])}, adsValData=()), batches=0)
    assert sl.of_type(LOSS)[0].loss == float("inf")


@pytest.mark.parametrize("mode, weight, value", [("snapshot", 5, 9.0), ("inactive", 0, 9.0), ("active", 5, 1.0)])
def test_what_is_checked_in_at_the_end(swarm, mode, weight, value):
    sl = swarm().sls[0]
    callback = DictCallback({"w": np.array([1.0])}, checkinModelOnTrainEnd=mode, nodeWeightage=5)
    callback.on_train_begin()
    callback.values = {"w": np.array([9.0])}  # local training
    callback.on_train_end()
    (close,) = sl.of_type(CLOSE)
    assert close.nodeWeightage == weight
    assert np.frombuffer(close.inputParams.weights["w"].data)[0] == value


def test_two_nodes_end_with_the_weighted_mean(tmp_path, monkeypatch):
    swarm = FakeSwarm(tmp_path, count=2).start()
    callbacks = []
    for index, sl in enumerate(swarm.sls):
        for name, value in sl.environment.items():
            monkeypatch.setenv(name, value)
        callbacks.append(DictCallback({"w": np.array([10.0 * index, 1.0])}, nodeWeightage=1 + 2 * index))
    threads = [threading.Thread(target=train, args=(c, 5 + 8 * i)) for i, c in enumerate(callbacks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    swarm.join()
    assert [c.syncs for c in callbacks] == [3, 6]  # with the close
    for callback in callbacks:
        assert np.allclose(callback.values["w"], [7.5, 1.0])
    assert callbacks[0].modelDigest() == callbacks[1].modelDigest()


def test_training_over_ends_with_the_last_merged_model_and_kill(swarm):
    sl = swarm(over_after=2).sls[0]
    callback = DictCallback({"w": np.array([1.0])})
    callback.on_train_begin()
    for _ in range(9):
        callback.values = {"w": callback.values["w"] + 1.0}
        callback.on_batch_end()
    assert callback.trainingOver and callback.syncs == 2 and callback.stopped == 6
    callback.on_train_end()
    assert callback.values["w"].tolist() == [1.0]
    sl.thread.join(10)  # a kill has no reply to wait for
    (kill,) = sl.of_type(KILL)
    assert kill.sessionID == "session 0" and kill.reason.code == 0 and kill.reason.msg
    assert not sl.of_type(CLOSE)


def test_training_over_before_it_began(swarm):
    sl = swarm(over_after=1).sls[0]
    train(DictCallback(), batches=3)
    sl.thread.join(10)
    assert [kind for kind, _ in sl.requests] == [OPEN, SYNC, KILL]


def test_log_lines(swarm, capsys):
    swarm(interval=4)
    logging.getLogger("SwarmCallback").handlers.clear()
    train(DictCallback(adsValData=([], [])), batches=0)
    lines = capsys.readouterr().out.splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
    texts = [re.fullmatch(time + " : SwarmCallback : INFO : (.*)", line)[1] for line in lines]
    assert texts == [
        "Starting Swarm merging round ...",
        "Calculated local loss using merged parameters = 3.0",
        "Merge Done: RVInt [cur: 3 Nxt: 4]",
        "Final merging starts at training end. Waiting for other peers to complete ...",
        "Calculated local loss using merged parameters = 3.0",
        "All peers and Swarm training rounds finished. Final Swarm model was loaded.",
    ]


def test_a_logger_with_three_methods_is_enough(monkeypatch):
    class Logger:
        def __init__(self):
            self.texts = []
            self.info = self.debug = self.error = self.texts.append

    monkeypatch.setenv("SWARM_LOOPBACK", "TRUE")
    logger = Logger()
    callback = DictCallback(logger=logger, totalEpochs=None)
    assert callback.logger is logger
    assert any("totalEpochs" in text for text in logger.texts)


@pytest.mark.parametrize("value", ["True", "true", "TRUE"])
def test_loopback_touches_no_pipe(monkeypatch, value):
    monkeypatch.setenv("SWARM_LOOPBACK", value)
    callback = DictCallback()
    before = callback.values
    train(callback, batches=9, epochs=2)
    assert callback.values is before and callback.syncs == 0 and callback._epochs_done == 2
    assert callback.bytesSent == callback.bytesReceived == 0
    with pytest.raises(SwarmArgumentError):
        DictCallback(minPeers=0)


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


# What can be wrong with the channel -------------------------------------------------------------------------------


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


def test_failing_loss_is_reported_and_raised(swarm):
    sl = swarm().sls[0]
    callback = DictCallback(adsValData=([], []))
    callback._evaluate = lambda: 1 / 0
    with pytest.raises(SwarmError, match="Sync call to SL container failed - division by zero"):
        callback.on_train_begin()
    sl.thread.join(10)
    (reply,) = sl.of_type(LOSS)
    assert (reply.status.code, reply.loss) == (2, -1.0)
    assert reply.status.msg == "Loss computation failed. division by zero"


def test_an_interval_below_one_is_not_taken(swarm):
    swarm(script=answer_to(KILL, None), interval=None)
    callback = DictCallback(syncFrequency=1)
    callback._session.sync = lambda *unused: MESSAGES["SyncResponse"](syncSeqNum=1, nextSyncInterval=0)
    callback.on_train_begin()
    callback.on_batch_end()
    callback.on_batch_end()
    assert callback.syncs == 2
    callback.on_train_end()


def test_large_model_through_a_small_pipe(swarm):
    sl = swarm().sls[0]
    values = {f"w{i}": np.arange(i * 10_000, dtype=np.float32) for i in range(40)}
    values.update({f"tiny{i}": np.array(i, np.int32) for i in range(1500)})  # over writev's limit
    callback = DictCallback(dict(values))
    train(callback, batches=0)
    assert all(np.array_equal(callback.values[name], value) for name, value in values.items())
    assert callback.bytesSent > 4 * sum(v.size for v in values.values())
    assert len(sl.of_type(SYNC)[0].inputParams.weights) == 1540


def test_progress_line_only_in_a_terminal(monkeypatch):
    from swarmlearning import progress

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    line = progress.ProgressLine()
    line.training(2, 5, 7, 3, 10, 0.5)
    assert terminal.getvalue().endswith("epoch 2/5  round 7  [######..............] 3/10 batches  loss 0.5")
    line.clear()
    assert terminal.getvalue().endswith("\r\x1b[K")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    quiet = progress.ProgressLine()
    quiet.training(2, 5, 7, 3, 10, 0.5)
    quiet.waiting("round 1", 3.0)
    quiet.clear()
    assert sys.stderr.getvalue() == ""


PROGRAM = """
import os, sys, time
sys.path[:0] = [{tests!r}, {package!r}]
from test_session import DictCallback
callback = DictCallback()
callback.on_train_begin()
if {fork}:
    if os.fork() == 0:
        print("child", flush=True)
        time.sleep(60)
        os._exit(0)
    time.sleep(60)
raise RuntimeError("the user's own mistake")
"""


@pytest.mark.parametrize("fork", [False, True])
def test_the_sl_sees_the_end_of_a_program(tmp_path, fork):
    """By an exception of the program's own, or kill -9 while a forked data worker lives on."""
    swarm = FakeSwarm(tmp_path).start()
    program = PROGRAM.format(tests=os.path.dirname(os.path.abspath(__file__)), package=ROOT + "/python", fork=fork)
    env = {**os.environ, **swarm.sls[0].environment}
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process = subprocess.Popen([sys.executable, "-c", program], env=env, start_new_session=True, **pipes)
    try:
        if fork:
            assert any(line == "child\n" for line in iter(process.stdout.readline, ""))
            process.kill()
        swarm.sls[0].thread.join(20)
        assert not swarm.sls[0].thread.is_alive()
        swarm.join()
        assert process.wait(20) == (-signal.SIGKILL if fork else 1)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()


def test_a_long_wait_is_told(swarm, monkeypatch):
    from swarmlearning import callback as module

    asked = threading.Event()

    def script(sl, kind, message):
        if kind == SYNC:
            assert asked.wait(30)  # the answer comes only after the wait was told
        return None

    class Logger(list):
        debug = error = list.append

        def info(self, text):
            if "Still waiting for the SL's answer" in text:
                asked.set()

    monkeypatch.setattr(module, "WAIT_LOG_SECONDS", 0.0)
    swarm(script=script)
    train(DictCallback(logger=Logger()), batches=0)
    assert asked.is_set()
