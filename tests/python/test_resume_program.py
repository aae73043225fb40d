"""Programs that go on from the last merge (`resume=True`), beside SLs that can do that and others."""

import functools

import numpy as np
import pytest
from dict_program import DictCallback, train
from fake_sl import shifted
from launcher.chain import DEFAULT_CONTRACT
from launcher.processes import BIN, until
from swarmlearning.errors import SwarmArgumentError, SwarmError
from wire_end import encode_weights
from wire_schema import MESSAGES, OPEN, OPENED, SYNC, SYNCED


def weights(value):
    message = MESSAGES["Weights"]()
    encode_weights({"w": np.array([value])}, message)
    return message


def resuming_sl(round_num, merged=None, merged_round=None, **answer):
    """The script of an SL that can resume: it gives `merged` at the first sync."""

    def script(sl, msg_type, message):
        if msg_type == OPEN:
            sl.opened = message
            response = MESSAGES["SessionResponse"](sessionID="session 0", resumes=True, resumeRound=round_num)
            sl.send(OPENED, response)
            return True
        if msg_type == SYNC and message.syncSeqNum == 1 and round_num:
            if merged is not None:
                sl.ask_loss(message, weights(merged))
            last = round_num if merged_round is None else merged_round
            sl.send(SYNCED, sl._response(message, mergedRound=last, **answer))
            return True
        return None

    return script


@pytest.fixture
def lines():
    """What a callback logs, as a logger for it."""

    class Lines(list):
        info = debug = error = list.append

    return Lines()


def test_it_is_asked_for_only_where_it_is_wanted(swarm):
    sl = swarm().sls[0]
    train(DictCallback(), batches=1)
    (request,) = sl.of_type(OPEN)
    assert not request.resume and b"\xb0\x06" not in request.SerializeToString()


def test_an_sl_that_cannot_is_refused(swarm):
    swarm()
    with pytest.raises(SwarmError, match="Init.*resume: this SL cannot have a program go on from a merge"):
        DictCallback(resume=True)


def test_without_a_merge_it_begins_anew(swarm, lines):
    swarm(script=resuming_sl(0))
    callback = DictCallback({"w": np.array([3.0])}, resume=True, logger=lines)
    assert f"resume: no round of {DEFAULT_CONTRACT} is merged yet; this program begins anew" in lines
    train(callback, batches=1)
    assert callback.resumedRound == 0 and callback.syncs == 2


def test_it_begins_with_the_last_merge(swarm, lines):
    sl = swarm(script=resuming_sl(6, 7.0, 8)).sls[0]  # two more are merged before its first sync
    callback = DictCallback({"w": np.array([3.0])}, resume=True, logger=lines)
    assert any("goes on from the last merge" in line and "of round 6 so far" in line for line in lines)
    callback.on_train_begin()
    assert callback.resumedRound == 8 and callback.values["w"].tolist() == [7.0]
    assert f"resume: loaded the merge of round 8, {callback.modelDigest()}" in lines
    assert sl.of_type(OPEN)[0].resume and "begins anew" not in " ".join(lines)
    callback.close()


def test_an_sl_that_gives_no_merge_is_found_out(swarm):
    swarm(script=resuming_sl(6))
    callback = DictCallback({"w": np.array([3.0])}, resume=True)
    with pytest.raises(SwarmError, match="has not given the merge of round 6"):
        callback.on_train_begin()


def test_a_training_that_was_started_over_meanwhile_is_none_to_go_on_from(swarm, lines):
    swarm(script=resuming_sl(6, 7.0, 1))
    callback = DictCallback({"w": np.array([3.0])}, resume=True, logger=lines)
    callback.on_train_begin()
    assert callback.resumedRound == 0 and any("was started over meanwhile" in line for line in lines)
    callback.close()


def test_a_training_that_is_over_ends_with_its_final_model(swarm):
    swarm(script=resuming_sl(6, 7.0, trainingOver=True))
    callback = DictCallback({"w": np.array([3.0])}, resume=True)
    callback.on_train_begin()
    assert callback.trainingOver and callback.resumedRound == 6
    callback.on_batch_end()
    callback.values = {"w": np.array([4.0])}
    callback.on_train_end()
    assert callback.values["w"].tolist() == [7.0] and callback.syncs == 1


@pytest.mark.parametrize("value", ["yes", None, 2])
def test_it_is_a_flag(value):
    with pytest.raises(SwarmArgumentError, match="resume: wanted True or False"):
        DictCallback(resume=value)


def test_alone_there_is_nothing_to_go_on_from(monkeypatch, lines):
    monkeypatch.setenv("SWARM_LOOPBACK", "True")
    callback = DictCallback(resume=True, logger=lines)
    assert any("resume is passed over" in line for line in lines) and callback.resumedRound == 0


def give_back(sl, msg_type, message):
    """The script of an SL that can resume; the merge is the program's own model with other numbers."""
    if msg_type == OPEN:
        return resuming_sl(6)(sl, msg_type, message)
    if msg_type == SYNC and message.syncSeqNum == 1:
        sl.ask_loss(message, shifted(message.inputParams))
        sl.send(SYNCED, sl._response(message, mergedRound=6))
        return True
    return None


def test_keras_programs_resume(swarm):
    keras = pytest.importorskip("keras")
    from swarmlearning.tf import SwarmCallback

    sl = swarm(script=give_back).sls[0]
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = SwarmCallback(syncFrequency=4, minPeers=1, totalEpochs=1, resume=True)
    fresh = model.get_weights()
    callback.set_model(model)
    callback.on_train_begin()
    assert all(np.array_equal(now, was + np.float32(0.25)) for now, was in zip(model.get_weights(), fresh))
    assert callback.resumedRound == 6 and sl.of_type(OPEN)[0].resume
    callback.close()


def test_programs_of_lightning_and_of_transformers_resume():
    pytest.importorskip("torch")
    from swarmlearning._torch.hosted import HostedSwarm

    HostedSwarm({"syncFrequency": 1, "minPeers": 1, "resume": True})  # the arguments are those of PyTorch


HEAD = """
import json, os, sys
node, result = int(sys.argv[1]), sys.argv[2]
stop = os.environ["STOP_FILE"]
OPTIONS = dict(syncFrequency=2, minPeers=2, resume=True, totalEpochs=1)
"""
TORCH = """
import torch
from swarmlearning.pyt import SwarmCallback
model = torch.nn.Linear(4, 2)
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
swarm = SwarmCallback(model=model, **OPTIONS)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
swarm.on_train_begin()
while not os.path.exists(stop):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    swarm.on_batch_end()
swarm.on_train_end()
"""
TAIL = """
json.dump({"digest": swarm.modelDigest(), "resumed": swarm.resumedRound}, open(result, "w"))
"""


@pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")
def test_programs_of_a_swarm_that_was_killed_go_on(start_programs, tmp_path):
    pytest.importorskip("torch")
    stop = tmp_path / "stop"
    run = functools.partial(start_programs, HEAD, STOP_FILE=str(stop))
    swarm = run(*[TORCH + TAIL] * 2)
    programs = [pair.program for pair in swarm.pairs]
    until(lambda: len(swarm.sn.merges()) >= 3, "three merges", alive=[swarm.sn, *programs])
    for process in [*programs, *swarm.sls, swarm.sn]:
        process.kill9()
    swarm.start_sn()
    merges = swarm.sn.merges()
    for pair in swarm.pairs:
        assert "this program begins anew" in pair.program.log()
        pair.sl.start()
        pair.program.start()
    until(lambda: len(swarm.sn.merges()) >= len(merges) + 2, "two more merges", alive=[swarm.sn])
    stop.touch()
    results = swarm.results()
    chain = {merge.round_num: merge.digest for merge in swarm.sn.merges()}
    assert list(chain) == list(range(1, len(chain) + 1))
    assert [one["digest"] for one in results] == [chain[len(chain)]] * 2
    for pair, one in zip(swarm.pairs, results):
        assert one["resumed"] >= len(merges)
        assert f"loaded the merge of round {one['resumed']}, {chain[one['resumed']]}" in pair.program.log()
    # The SLs may have ended the round that was under way before their programs came, and no more without them.
    assert min(one["resumed"] for one in results) <= len(merges) + 1
