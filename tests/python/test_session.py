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
from dict_program import DictCallback, train
from fake_sl import FakeSwarm
from repository import ROOT
from swarmlearning import SwarmArgumentError, SwarmError
from wire_schema import CLOSE, KILL, LOSS, MESSAGES, OPEN, SYNC


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
        nodeWeightage=42, trainingContract="other", mergeMethod="geomedian", takesNotices=True,
        sharesMemory=True,
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
    """Its model is that of an earlier run, which is not passed off as this one's."""
    sl = swarm(over_after=1).sls[0]
    with pytest.raises(SwarmError, match="was over before this program began.*`swarm-inspect reset defaultbb"):
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
    from swarmlearning._display import progress

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
from dict_program import DictCallback
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
    from swarmlearning._training import callback as module

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
