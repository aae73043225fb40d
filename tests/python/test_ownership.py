"""Who has the session with an SL: one callback at a time on a host; how it ends and how the next one follows."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest
from dict_program import DictCallback, train
from repository import ROOT
from swarmlearning import SwarmError
from swarmlearning._session import channel, fifo
from wire_schema import OPEN, SYNC

PROGRAM = """
import sys
sys.path[:0] = [{tests!r}, {package!r}]
from dict_program import DictCallback, train
{body}
"""


def program(body, **environment):
    """Another process beside the same SL."""
    tests = os.path.dirname(os.path.abspath(__file__))
    text = PROGRAM.format(tests=tests, package=os.path.join(ROOT, "python"), body=body)
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output_of(process, seconds=30):
    text, _ = process.communicate(timeout=seconds)
    return text


# One owner ----------------------------------------------------------------------------------------------------------


def test_a_second_program_is_refused_within_seconds_and_told_who_owns_the_session(swarm):
    sl = swarm().sls[0]
    callback = DictCallback()
    started = time.monotonic()
    text = output_of(program("DictCallback()"))
    assert time.monotonic() - started < 15
    assert "SwarmError" in text and f"process {os.getpid()}, has the session with this SL" in text
    train(callback, 5)
    assert [kind for kind, _ in sl.requests].count(OPEN) == 1


def test_a_rank_beside_rank_0_is_told_what_to_do(swarm):
    swarm()
    callback = DictCallback()
    assert "this is rank 1: " in output_of(program("DictCallback()", RANK="1"))
    train(callback, 1)


def test_an_owner_that_waits_for_its_sl_is_one_too(tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in ("request", "response")]
    for path in paths:
        os.mkfifo(path)
    first = program(
        "print('opening', flush=True); DictCallback()", SL_REQUEST_CHANNEL=paths[0], SL_RESPONSE_CHANNEL=paths[1]
    )
    monkeypatch.setattr(fifo, "LOCK_PATIENCE_SECONDS", 0.2)
    try:
        assert "opening" in first.stdout.readline()
        deadline = time.monotonic() + 20
        text = ""
        while "has the session" not in text and time.monotonic() < deadline:
            fd = os.open(paths[1], os.O_RDONLY | os.O_NONBLOCK)
            try:
                fifo._lock(fd, paths[1])
            except SwarmError as error:
                text = str(error)
            os.close(fd)
            time.sleep(0.1)
        assert f"process {first.pid}, has the session" in text
    finally:
        first.kill()
        first.communicate()


def test_the_session_goes_with_its_owner_however_that_ends(swarm):
    swarm(sessions=2)
    first = program("import os; DictCallback(); print('open', flush=True); os.kill(os.getpid(), 9)")
    assert "open" in output_of(first)
    time.sleep(1)  # real SLs tell a newcomer from the end of the one before it, the one of this test does not
    train(DictCallback(), 3)


def test_nobody_else_takes_the_session_of_a_program_that_is_just_ending(swarm, monkeypatch):
    """A program that ends releases the lock a moment later; the next one waits for that instead of failing."""
    swarm(sessions=2)
    first = program("DictCallback(); print('open', flush=True); import time; time.sleep(1)")
    assert "open" in first.stdout.readline()
    monkeypatch.setattr(fifo, "LOCK_PATIENCE_SECONDS", 30)
    train(DictCallback(), 3)
    assert first.wait(10) == 0


# Opening never blocks silently --------------------------------------------------------------------------------------


def test_opening_says_for_whom_it_waits(tmp_path, monkeypatch, swarm):
    for name in ("request.0", "response.0"):
        os.mkfifo(tmp_path / name)
    monkeypatch.setenv("SL_REQUEST_CHANNEL", str(tmp_path / "request.0"))
    monkeypatch.setenv("SL_RESPONSE_CHANNEL", str(tmp_path / "response.0"))
    monkeypatch.setattr(fifo, "SAID_FIRST_SECONDS", 0.2)
    monkeypatch.setattr(fifo, "SAID_AGAIN_SECONDS", 0.2)

    class Stop(BaseException):
        """As Ctrl-C."""

    class Logger(list):
        debug = error = list.append

        def info(self, text):
            self.append(text)
            if len([said for said in self if "waiting for the SL" in said]) == 2:
                raise Stop

    logger = Logger()
    with pytest.raises(Stop):
        DictCallback(logger=logger)
    assert str(tmp_path / "request.0") in logger[-1] and "is it running?" in logger[-1]
    # Nothing is left open or locked.
    fd = os.open(tmp_path / "response.0", os.O_RDONLY | os.O_NONBLOCK)
    fifo._lock(fd, "response.0")
    assert fifo.owner_of(fd) == os.getpid()
    os.close(fd)


def test_pipes_that_the_sl_makes_anew_are_found(tmp_path, monkeypatch, swarm):
    for name in ("request.0", "response.0"):
        os.mkfifo(tmp_path / name)
    monkeypatch.setenv("SL_REQUEST_CHANNEL", str(tmp_path / "request.0"))
    monkeypatch.setenv("SL_RESPONSE_CHANNEL", str(tmp_path / "response.0"))

    def replace():
        time.sleep(0.5)
        for name in ("request.0", "response.0"):
            os.unlink(tmp_path / name)
        swarm()

    thread = threading.Thread(target=replace)
    thread.start()
    train(DictCallback(), 1)
    thread.join()


def test_an_sl_that_has_ended_with_the_training_is_not_waited_for_long(swarm, monkeypatch):
    swarm()
    train(DictCallback(), 1)
    monkeypatch.setattr(fifo, "SL_GONE_SECONDS", 0.5)
    with pytest.raises(SwarmError, match="SL ended with the training before this one.*swarm-inspect reset"):
        DictCallback()


def test_an_sl_that_ends_while_the_session_opens(swarm):
    swarm(script=lambda sl, kind, message: False)
    with pytest.raises(SwarmError, match="An SL ends with its training: start it again to train again"):
        DictCallback()


# The end, and who follows -------------------------------------------------------------------------------------------


def test_a_with_block_ends_the_session(swarm):
    sl = swarm(sessions=2).sls[0]
    with pytest.raises(ZeroDivisionError):
        with DictCallback() as callback:
            callback.on_train_begin()
            raise ZeroDivisionError
    with pytest.raises(SwarmError, match="make a new SwarmCallback"):
        callback.on_train_begin()
    with DictCallback() as callback:
        train(callback, 2)
    assert len(sl.of_type(OPEN)) == 2


def test_a_with_block_without_an_end_of_training_is_warned_of(swarm):
    swarm()

    class Logger(list):
        info = debug = error = list.append

    logger = Logger()
    with DictCallback(logger=logger) as callback:
        callback.on_train_begin()
    assert "on_train_end was not called" in logger[-1]


def test_close_lets_another_callback_follow_and_may_come_twice(swarm):
    swarm(sessions=3)
    for _ in range(2):
        callback = DictCallback()
        callback.on_train_begin()
        callback.close()
        callback.close()
    train(DictCallback(), 1)


def test_nothing_of_an_interrupted_exchange_reaches_the_next_session(swarm):
    """The SL has begun to answer when the program gives up: the next session does not read the rest."""
    half_sent = threading.Event()

    def script(sl, kind, message):
        if kind == SYNC and not half_sent.is_set():
            sl.send_raw(b"\x0a\x0a\x0d\x02" * 50_000)
            half_sent.set()
            return False
        return None

    swarm(script=script, sessions=2)
    with pytest.raises(SwarmError):
        DictCallback().on_train_begin()
    train(DictCallback(), 3)


def test_a_callback_that_was_dropped_lets_another_one_follow(swarm):
    swarm(sessions=2)
    holder = types.SimpleNamespace()
    holder.swarm = DictCallback()
    holder.swarm.model = holder  # a cycle, as of a model that refers to its callback
    holder.swarm.on_train_begin()
    gc.disable()
    try:
        del holder
        train(DictCallback(), 1)
    finally:
        gc.enable()


def test_after_an_error_in_between_a_new_callback_takes_over(swarm, monkeypatch):
    """As in an interactive interpreter, where the name still stands for the callback of the failed run."""
    swarm(sessions=2)
    failed = DictCallback()
    failed.on_train_begin()
    monkeypatch.setattr(sys, "last_value", RuntimeError("of the user's training step"), raising=False)
    train(DictCallback(), 2)
    with pytest.raises(SwarmError, match="a newer SwarmCallback of this program has the session"):
        failed.on_train_begin()


def test_a_cell_that_is_run_again_takes_over(swarm, notebook):
    swarm(sessions=2)
    callback = DictCallback()
    callback.on_train_begin()
    train(DictCallback(), 2)


def test_interrupted_while_it_waits_a_program_may_begin_again(swarm):
    class Interrupt(BaseException):
        pass

    held = threading.Event()

    def script(sl, kind, message):
        if kind == SYNC and not held.is_set():
            held.wait(10)
        return None

    swarm(script=script, sessions=2)
    callback = DictCallback()

    def interrupt(text, seconds):
        held.set()
        raise Interrupt

    callback._progress.waiting = interrupt
    with pytest.raises(Interrupt):
        callback.on_train_begin()
    with pytest.raises(SwarmError, match="This one ended with Interrupt in a call"):
        callback.on_train_begin()
    train(DictCallback(), 2)


# Copies -------------------------------------------------------------------------------------------------------------


def by_pickle(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, by_pickle])
def test_a_copy_is_detached_and_its_end_ends_nothing(swarm, make):
    swarm()
    callback = DictCallback(adsValData=[(1, 2)])
    clone = make(callback)
    with pytest.raises(SwarmError, match="is a copy of the one that has the session"):
        clone.on_train_begin()
    with pytest.raises(SwarmError, match="is a copy"):
        clone.on_train_end()
    clone.close()
    assert clone.modelDigest() == callback.modelDigest()
    assert clone.options.syncFrequency == 3 and clone.options.adsValData is None
    assert clone.bytesSent == 0
    del clone
    gc.collect()
    train(callback, 5)
    assert np.array_equal(make(callback).values["w"], callback.values["w"])


def test_a_channel_is_not_copied(swarm):
    swarm()
    callback = DictCallback()
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            make(callback._channel)
    train(callback, 1)


def test_a_logger_that_cannot_be_copied_does_not_matter(swarm):
    class Logger(list):
        info = debug = error = list.append

        def __reduce_ex__(self, protocol):
            raise TypeError("no")

    swarm()
    callback = DictCallback(logger=Logger())
    assert copy.deepcopy(callback).logger is not callback.logger
    train(callback, 1)


def test_a_forked_worker_neither_has_nor_ends_the_session(swarm):
    swarm()
    callback = DictCallback()
    callback.on_train_begin()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # as a worker of a DataLoader
        try:
            callback.on_train_begin()
        except SwarmError as error:
            os.write(writer, str(error).encode())
        callback.close()
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with open(reader) as said:
        assert f"forked from process {os.getpid()}" in said.read()
    for _ in range(4):
        callback.on_batch_end()
    callback.on_train_end()


def test_the_end_of_a_session_does_not_wait_for_the_next_one(tmp_path, monkeypatch):
    """The SL closes its end and opens it anew between this program's look at the pipe and its read."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    os.set_blocking(reader, True)
    monkeypatch.setattr(channel, "_readable", lambda *_: True)
    ending = threading.Thread(target=channel._await_end, args=(reader,), daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
    os.close(writer)
    os.close(reader)
