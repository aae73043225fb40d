"""What a program shows, wherever it runs, and what it says about waits and about its part in a merge."""

import sys
import threading
import time

import numpy as np
import pytest
from dict_program import DictCallback, train
from wire_schema import MESSAGES, STATUS, SYNC

# In a notebook ------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_round_loss_and_who_is_waited_for(swarm, notebook, monkeypatch):
    monkeypatch.setattr("swarmlearning._display.notebook.REDRAW_SECONDS", 0.0)
    waited = threading.Event()

    def script(sl, kind, message):
        if kind == SYNC and not waited.is_set():
            sl.send(STATUS, MESSAGES["Status"](msg="round 1: waiting for sl-2 & <sl-3>", notice=True))
            time.sleep(1.3)
            waited.set()
        return None

    swarm(script=script)
    train(DictCallback(adsValData=([], [])), 3)
    texts = [data["text/plain"] for data in notebook]
    assert any("waiting for sl-2 & <sl-3>" in text for text in texts)
    assert any("sl-2 &amp; &lt;sl-3&gt;" in data["text/html"] for data in notebook)
    assert any("round 1" in text and "loss 3" in text for text in texts)


def test_a_notebook_says_that_the_training_has_ended(swarm, notebook):
    swarm()
    train(DictCallback(adsValData=([], [])), 3)
    assert notebook[-1]["text/plain"] == "ended after 2 rounds, loss 3"


@pytest.mark.parametrize("verbose", [0, 1])
def test_keras_in_a_notebook_has_the_live_view_whether_it_draws_a_bar_or_not(swarm, notebook, verbose):
    fit = keras_program()
    swarm()
    fit(verbose)
    texts = [data["text/plain"] for data in notebook]
    assert texts[-1].startswith("ended after 2 rounds, loss ") and any("round 1" in text for text in texts)


def test_a_front_end_that_cannot_show_does_not_end_the_training(swarm, notebook, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *unused, **options: 1 / 0)
    swarm()
    train(DictCallback(), 3)


# Whatever stands in the place of stdout and stderr ------------------------------------------------------------------


class Tee:
    """The least that print() needs."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


class Closed(Tee):
    def isatty(self):
        raise ValueError("I/O operation on closed file")


class Failing(Tee):
    """A terminal that is gone."""

    def isatty(self):
        return True

    def write(self, text):
        raise OSError("gone")


@pytest.mark.parametrize("make", [Tee, lambda: None, Closed, Failing])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_streams_of_all_kinds(swarm, monkeypatch, name, make):
    stream = make()
    if name == "stdout" and isinstance(stream, Failing):
        pytest.skip("that is the logger's")
    swarm()
    monkeypatch.setattr(sys, name, stream)
    train(DictCallback(), 5)
    if type(stream) is Tee and name == "stdout":
        assert "Merge Done" in stream.text


class Terminal(Tee):
    def isatty(self):
        return True


@pytest.mark.parametrize("verbose", [0, 1])
def test_beside_the_bar_of_keras_a_terminal_shows_waits_only(swarm, monkeypatch, verbose):
    waited = threading.Event()

    def script(sl, kind, message):
        if kind == SYNC and not waited.is_set():
            waited.set()
            sl.send(STATUS, MESSAGES["Status"](msg="waiting for sl-2", notice=True))
            time.sleep(1.3)
        return None

    terminal = Terminal()
    fit = keras_program()
    swarm(script=script)
    monkeypatch.setattr(sys, "stderr", terminal)
    fit(verbose)
    assert "waiting 1 s: waiting for sl-2" in terminal.text
    assert ("batches" in terminal.text) == (not verbose)


def keras_program():
    keras = pytest.importorskip("keras")
    from swarmlearning.tf import SwarmCallback

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((16, 2), "float32"), np.ones((16, 1), "float32")

    def fit(verbose):
        callback = SwarmCallback(50, 2, adsValData=(x, y), totalEpochs=1)
        model.fit(x, y, batch_size=4, epochs=1, callbacks=[callback], verbose=verbose)

    return fit


def test_the_line_of_a_terminal_is_no_wider_than_the_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    from swarmlearning._display.progress import make_progress

    line = make_progress()
    line.waiting("round 1: 1 of at least 2 peers are in, waiting for sl-2", 12)
    assert terminal.text == "\r\x1b[K" + "waiting 12 s: round 1: 1 of a"
    line.clear()
    assert terminal.text.endswith("\r\x1b[K")


# What the SL says ---------------------------------------------------------------------------------------------------


def test_a_wait_says_for_whom(swarm, monkeypatch):
    import swarmlearning._training.callback as module

    asked = threading.Event()
    text = "round 1: 1 of at least 2 peers are in, waiting for sl-2"

    def script(sl, kind, message):
        if kind == SYNC and not asked.is_set():
            sl.send(STATUS, MESSAGES["Status"](msg=text, notice=True))
            asked.wait(10)
        return None

    class Logger(list):
        debug = error = list.append

        def info(self, line):
            self.append(line)
            if text in line:
                asked.set()

    monkeypatch.setattr(module, "WAIT_FIRST_SECONDS", 0.1)
    swarm(script=script)
    train(DictCallback(logger=Logger()), 1)
    assert asked.is_set()


def test_a_node_that_was_left_out_of_a_merge_is_told(swarm):
    left_out = "this node's model was left out of the merge of round 1: it has NaN"

    def script(sl, kind, message):
        if kind != SYNC:
            return None
        sl.ask_loss(message, message.inputParams)
        sl.send(7, sl._response(message, status=dict(code=0, msg=left_out)))
        return True

    class Logger(list):
        info = debug = error = list.append

        def warning(self, text):
            self.append("warning: " + text)

    swarm(script=script)
    logger = Logger()
    callback = DictCallback(logger=logger)
    train(callback, 0)
    assert callback.notices == [left_out] and "warning: " + left_out in logger
