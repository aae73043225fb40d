"""A training's rounds in a tracker of the user's own, and what becomes of a training whose tracker fails."""

import copy
import gc
import threading
import time

import numpy as np
import pytest
from dict_program import DictCallback, train
from launcher.chain import DEFAULT_CONTRACT
from swarmlearning import SwarmArgumentError, SwarmError, Tracker
from swarmlearning._tracking import mirror
from wire_schema import OPEN, SYNC


class Recorder:
    """Keeps what it is told; `fail` may raise at a call of that name."""

    def __init__(self, fail=lambda name: None):
        self.calls, self.fail, self.threads = [], fail, set()
        self.ended = threading.Event()

    def _take(self, *call):
        self.threads.add(threading.current_thread())
        self.fail(call[0])
        self.calls.append(call)

    def begin(self, name, parameters, tags):
        self._take("begin", name, parameters, tags)

    def log_round(self, number, values, tags):
        self._take("round", number, values, tags)

    def end(self, finished):
        self._take("end", finished)
        self.ended.set()

    def rounds(self):
        return [call[1] for call in self.calls if call[0] == "round"]


def raises(*names, error=OSError):
    def fail(name):
        if name in names:
            raise error("the disk is full")

    return fail


class Lines(list):
    info = debug = error = list.append

    def __init__(self):
        self.warnings = []

    def warning(self, text):
        self.warnings.append(text)

    def of_tracker(self):
        return [text for text in self.warnings if text.startswith("tracker: ")]


@pytest.fixture
def lines():
    return Lines()


def test_every_round_is_told_with_its_digest(swarm):
    bench = swarm(ghost=True, tells_rounds=True)
    recorder = Recorder()
    callback = DictCallback(tracker=recorder, adsValData=[1], sharedParameters=["w"], nodeWeightage=3)
    train(callback, batches=8)
    begin, *rounds, end = recorder.calls
    assert begin[1] == f"{DEFAULT_CONTRACT} sl-1" and end == ("end", True)
    assert begin[3] == {
        "swarm.contract": DEFAULT_CONTRACT,
        "swarm.node": "sl-1",
        "swarm.training": bench.training,
    }
    assert begin[2]["swarm.nodeWeightage"] == 3 and begin[2]["swarm.sharedParameters"] == ["w"]
    assert "swarm.adsValData" not in begin[2] and begin[2]["swarm.syncFrequency"] == 3
    assert [one[1] for one in rounds] == [11, 12, 13, 14]  # as the SL counts them
    _, _, values, tags = rounds[-1]
    assert values["swarm/loss"] == pytest.approx(float(callback.values["w"].sum())) and values["swarm/metric"] == 0.25
    assert (values["swarm/mean_loss"], values["swarm/mean_metric"]) == (0.5, 0.75)
    assert tags == {"swarm.round": "14", "swarm.digest": bench.digest} and bench.digest == callback.modelDigest()
    assert len({one[3]["swarm.digest"] for one in rounds}) == 4
    assert threading.main_thread() not in recorder.threads and len(recorder.threads) == 1
    assert bench.sls[0].of_type(OPEN)[0].followsRounds


def test_an_sl_that_does_not_tell_is_counted_for(swarm):
    """The original's, or an older one."""
    swarm()
    recorder = Recorder()
    train(DictCallback(tracker=recorder), batches=4)
    begin, *rounds, _ = recorder.calls
    assert begin[1].startswith(DEFAULT_CONTRACT + " ") and begin[3]["swarm.node"]
    assert rounds == [("round", number, {}, {"swarm.round": str(number)}) for number in (1, 2, 3)]


def test_without_a_tracker_nothing_is_asked_for(swarm):
    sl = swarm().sls[0]
    train(DictCallback(), batches=1)
    (request,) = sl.of_type(OPEN)
    assert not request.followsRounds and b"\xb8\x06" not in request.SerializeToString()
    assert not any(thread.name == "swarm tracker" for thread in threading.enumerate())


def test_the_class_that_documents_it_can_be_its_base(swarm):
    class Printer(Tracker):
        def begin(self, name, parameters, tags):
            self.numbers = []

        def log_round(self, number, values, tags):
            self.numbers.append(number)

    swarm()
    tracker = Printer()
    train(DictCallback(tracker=tracker), batches=1)
    assert tracker.numbers == [1, 2]


def test_several_get_the_same(swarm, lines):
    swarm(ghost=True, tells_rounds=True)
    first, broken, second = Recorder(), Recorder(raises("begin")), Recorder()
    train(DictCallback(tracker=[first, broken, second], logger=lines), batches=5)
    assert first.calls == second.calls and first.rounds() == [11, 12, 13]
    assert not first.threads & second.threads
    assert "3 of 3 rounds are not in a Recorder" in lines.of_tracker()[-1]


def test_a_reset_ends_a_run_and_begins_another(swarm):
    """The rounds of the next generation count from 1 again."""
    bench = swarm(ghost=True, tells_rounds=True)
    recorder = Recorder()
    callback = DictCallback(tracker=recorder)
    callback.on_train_begin()
    bench.training, bench.round_num = "01020304-2", 0
    callback.on_train_end()
    assert [call[0] for call in recorder.calls] == ["begin", "round", "end", "begin", "round", "end"]
    assert [call[3]["swarm.training"] for call in recorder.calls if call[0] == "begin"] == ["01020304-1", "01020304-2"]
    assert recorder.rounds() == [11, 11] and recorder.calls[2] == ("end", False)


# What fails --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError, SystemExit])
def test_one_that_raises_is_told_of_once_and_counted(swarm, lines, error):
    swarm(ghost=True)
    callback = DictCallback(tracker=Recorder(raises("round", error=error)), logger=lines)
    train(callback, batches=7)
    first, last = lines.of_tracker()
    assert f"a Recorder does not take what it is given ({error.__name__}: the disk is full). Training goes on" in first
    assert f"4 of 4 rounds are not in a Recorder; the last error was {error.__name__}: the disk is full" in last
    assert callback.syncs == 4


def test_one_that_cannot_begin_is_tried_again(swarm, lines):
    swarm()
    attempts = []

    def fail(name):
        if name == "begin" and len(attempts) < 2:
            attempts.append(name)
            raise ConnectionError("refused")

    recorder = Recorder(fail)
    train(DictCallback(tracker=recorder, logger=lines), batches=7)
    assert recorder.rounds() == [3, 4] and recorder.calls[-1] == ("end", True)
    assert "2 of 4 rounds are not in a Recorder" in lines.of_tracker()[-1]


def test_one_that_blocks_delays_nothing_and_is_given_up(swarm, lines, monkeypatch):
    monkeypatch.setattr(mirror, "FLUSH_SECONDS", 0.2)
    monkeypatch.setattr(mirror, "ROUNDS_WAITING_MAX", 2)
    swarm(ghost=True)
    free = threading.Event()
    recorder = Recorder(lambda name: free.wait(60))
    callback = DictCallback(tracker=recorder, logger=lines)
    started = time.monotonic()
    train(callback, batches=19)
    assert time.monotonic() - started < 30 and callback.syncs == 8
    full, last = lines.of_tracker()
    assert "is too slow, 2 rounds wait for it; further ones are left out" in full
    assert "has not taken 2 of 8 rounds" in last or "has not taken 3 of 8 rounds" in last
    free.set()
    assert recorder.ended.wait(30) and recorder.rounds()[0] == 1  # what it was given before is not lost


def test_a_training_that_fails_ends_its_run_so(swarm):
    def refuse(sl, msg_type, message):
        if msg_type == SYNC and message.syncSeqNum == 2:
            sl.send_status(1, "no more")
            return False
        return None

    swarm(script=refuse)
    recorder = Recorder()
    with pytest.raises(SwarmError, match="no more"):
        train(DictCallback(tracker=recorder), batches=9)
    assert recorder.rounds() == [1] and recorder.calls[-1] == ("end", False)


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_training_that_is_left_ends_its_run_so(swarm, leave):
    swarm()
    recorder = Recorder()
    callback = DictCallback(tracker=recorder)
    callback.on_train_begin()
    if leave == "close":
        callback.close()
    else:
        del callback
        gc.collect()
    assert recorder.ended.wait(30) and recorder.calls[-1] == ("end", False)


def test_a_copy_has_no_tracker(swarm):
    swarm()
    recorder = Recorder()
    callback = DictCallback({"w": np.array([1.0])}, tracker=recorder)
    callback.on_train_begin()
    copy.deepcopy(callback).close()
    assert not recorder.ended.is_set()
    callback.on_train_end()
    assert recorder.calls[-1] == ("end", True)


@pytest.mark.parametrize(
    "tracker, text",
    [
        ("mlfow", "^tracker: wanted one of mlflow, tensorboard, wandb, got 'mlfow'"),
        (object(), "a object has no begin and no log_round and no end"),
        (["mlfow"], "^tracker: wanted one of mlflow, tensorboard, wandb, got 'mlfow'"),
        ([Recorder(), 5], "a int has no begin"),
        (["mlflow", "mlflow"], "^tracker: 'mlflow' is there twice"),
        ([Recorder() for _ in range(9)], "^tracker: 8 at most, got 9"),
    ],
)
def test_what_is_no_tracker_is_refused_at_once(swarm, tracker, text):
    with pytest.raises(SwarmArgumentError, match=text):
        DictCallback(tracker=tracker)


@pytest.mark.parametrize(
    "name, package, modules",
    [
        ("mlflow", "mlflow ", ["mlflow"]),
        ("tensorboard", "tensorboardX ", ["tensorboardX", "torch.utils.tensorboard"]),
        ("wandb", "wandb,", ["wandb"]),
    ],
)
def test_a_package_that_is_missing_is_named(name, package, modules, monkeypatch):
    for module in modules:
        monkeypatch.setitem(__import__("sys").modules, module, None)
    monkeypatch.setenv("SWARM_TRACKER", f" ,{name}")
    with pytest.raises(SwarmArgumentError, match=f"SWARM_TRACKER {name} needs a package.*pip install {package}"):
        DictCallback()
