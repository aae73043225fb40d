"""Programs that take a merge back: what they had, with their optimizer, and what their SL is told."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from swarmlearning import SwarmArgumentError
from swarmlearning._torch.undo import keep
from swarmlearning.pyt import SwarmCallback
from torch import nn
from wire_schema import MESSAGES, SYNC, SYNCED


def net():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def train(model, optimizer, batches):
    generator = torch.Generator().manual_seed(5)
    for _ in range(batches):
        optimizer.zero_grad()
        model(torch.randn(16, 4, generator=generator)).square().mean().backward()
        optimizer.step()


def values(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_a_training_goes_on_from_what_was_kept_as_if_nothing_had_been():
    model, twin = net(), net()
    optimizer, other = (torch.optim.Adam(each.parameters(), 0.01) for each in (model, twin))
    for each, its in ((model, optimizer), (twin, other)):
        train(each, its, 3)
    put_back = keep(model, [optimizer])
    train(model, optimizer, 5)
    put_back()
    for each, its in ((model, optimizer), (twin, other)):
        train(each, its, 3)
    assert all(torch.equal(value, values(twin)[name]) for name, value in values(model).items())


def test_a_false_merge_is_taken_back_before_the_right_one_is_loaded(swarm):
    asked = []

    def script(sl, msg_type, message):
        if msg_type != SYNC:
            return None
        sl.swarm.merged = message.inputParams
        false = MESSAGES["Weights"]()
        false.CopyFrom(message.inputParams)
        for array in false.weights.values():
            array.data = np.full(len(array.data) // 4, 9, np.float32).tobytes() if array.shape else array.data
        first = message.syncSeqNum == 1
        sl.ask_loss(message, false if first else message.inputParams, ahead=first, goesBack=not first)
        asked.append(message.syncSeqNum)
        sl.send(SYNCED, sl._response(message))
        return True

    sl = swarm(script=script).sls[0]
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    seen = []
    callback = SwarmCallback(syncFrequency=1, minPeers=1, model=model, optimizer=optimizer, totalEpochs=1)
    before = values(model)
    load = callback._load

    def watched(params, when):
        seen.append(values(model))
        load(params, when)

    callback._load = watched
    callback.on_train_begin()
    assert sl.opened.takesBack
    assert model[0].weight.unique().tolist() == [9.0]
    train(model, optimizer, 2)
    assert optimizer.state
    callback.on_batch_end()
    callback.on_batch_end()
    assert asked == [1, 2]
    assert all(torch.equal(value, before[name]) for name, value in seen[1].items())
    assert not optimizer.state, "the optimizer's state is that of before, too"
    callback.close()


def test_a_program_without_its_optimizer_does_not_offer_it(swarm):
    sl = swarm().sls[0]
    with SwarmCallback(syncFrequency=9, minPeers=1, model=net(), totalEpochs=1) as callback:
        callback.on_train_begin()
        assert not sl.opened.takesBack
        callback.on_train_end()
    with pytest.raises(SwarmArgumentError, match="optimizer: wanted the torch.optim.Optimizer of .*, got int"):
        SwarmCallback(syncFrequency=9, minPeers=1, model=net(), optimizer=3)
