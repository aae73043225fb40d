"""PyTorch models as people build them: what they hold in the end is what the swarm names, or they hear why not."""

import copy

import pytest

torch = pytest.importorskip("torch")

from swarmlearning import SwarmError
from test_held_model import X, Y, make_callback, train
from torch import nn
from torch.nn.utils import parametrizations, prune
from wire_schema import CLOSE, SYNC

JUDGED = dict(adsValData=(X, Y), lossFunction="CrossEntropyLoss")


def sent(swarm_object):
    return set(swarm_object.sls[0].of_type(CLOSE)[0].inputParams.weights)


# Layers --------------------------------------------------------------------------------------------------------------


def pruned():
    model = nn.Sequential(nn.Linear(4, 2))
    prune.l1_unstructured(model[0], "weight", 0.5)
    return model


def convolutions():
    parts = [nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 3, 2), nn.Conv2d(3, 8, 1), nn.Flatten(), nn.Linear(8, 2)]
    return nn.Sequential(*parts).to(memory_format=torch.channels_last)


class Tokens(nn.Module):
    """Looks numbers up that it makes of its inputs."""

    def __init__(self, **options):
        super().__init__()
        self.table, self.out = nn.Embedding(5, 4, **options), nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.table((x.abs() * 2).long() % 5).flatten(1))


def mixed():
    """A part in half the bits."""

    class Half(nn.Linear):
        def forward(self, x):
            return super().forward(x.bfloat16()).float()

    return nn.Sequential(Half(4, 8).bfloat16(), nn.LayerNorm(8), nn.Linear(8, 2))


LAYERS = {
    "weight norm": lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 2))),
    "weight norm by hooks": lambda: nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 2))),
    "spectral norm": lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 2))),
    "spectral norm by hooks": lambda: nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 2))),
    "orthogonal": lambda: nn.Sequential(parametrizations.orthogonal(nn.Linear(4, 4)), nn.Linear(4, 2)),
    "pruned": pruned,
    "channels last": convolutions,
    "sparse gradients": lambda: Tokens(sparse=True),
    "rows cut to a norm in forward": lambda: Tokens(max_norm=0.5),
    "mixed precision": mixed,
    "shared memory": lambda: nn.Linear(4, 2).share_memory(),
    "traced by fx": lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Linear(4, 2))),
    "scripted": lambda: torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_with_a_life_of_their_own(swarm, layer):
    if layer == "weight norm" and not hasattr(parametrizations, "weight_norm"):
        pytest.skip("this torch has weight norm by hooks only")
    ghost = swarm(ghost=True)
    callback = train(LAYERS[layer](), **JUDGED)
    assert callback.modelDigest() == ghost.digest and callback.syncs == 4


# What is trained -----------------------------------------------------------------------------------------------------


def test_checkpointed_activations_hide_nothing_that_is_trained(swarm):
    """Their wrapper takes its own segment out of the names in state_dict(), but not out of those of modules."""
    wrapper = pytest.importorskip("torch.distributed.algorithms._checkpoint.checkpoint_wrapper")
    ghost = swarm(ghost=True)
    model = nn.Sequential(wrapper.checkpoint_wrapper(nn.Linear(4, 4)), nn.Linear(4, 4), nn.Linear(4, 2))
    model[1].requires_grad_(False)
    callback = train(model, sharedParameters="trainable")
    assert sent(ghost) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert callback.modelDigest() == ghost.digest


def frozen_in_turn(callback, *halves):
    """One half of the model is trained at a time, a batch each, as those of a GAN are."""
    callback.on_train_begin()
    for batch in range(8):
        for number, half in enumerate(halves):
            half.requires_grad_(batch % 2 == number)
        with torch.no_grad():
            for parameter in halves[batch % 2].parameters():
                parameter += 0.5
        callback.on_batch_end(batch)
    callback.on_train_end()


def test_layers_that_are_frozen_for_a_while_are_still_shared(swarm):
    ghost = swarm(ghost=True)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    callback = make_callback(model, sharedParameters="trainable")
    frozen_in_turn(callback, *model)
    assert {frozenset(message.inputParams.weights) for message in ghost.sls[0].of_type(SYNC)} == {
        frozenset(model.state_dict())
    }
    assert callback.modelDigest() == ghost.digest


def test_layers_that_are_unfrozen_later_are_named_with_the_remedy(swarm):
    swarm()
    model = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 2))
    callback = make_callback(model, sharedParameters="trainable")
    callback.on_train_begin()
    model[0].requires_grad_(True)
    with pytest.raises(SwarmError, match="0.bias, 0.weight became trainable after training had begun.* Share 'all'"):
        for _ in range(3):
            callback.on_batch_end()


def test_what_is_unfrozen_between_the_callback_and_training_is_shared(swarm):
    ghost = swarm(ghost=True)
    model = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 2))
    callback = make_callback(model, sharedParameters="trainable")
    model[0].requires_grad_(True)
    callback.on_train_begin()
    callback.on_train_end()
    model[0].requires_grad_(False)
    assert sent(ghost) == set(model.state_dict()) and callback.modelDigest() == ghost.digest


# Another model than the one that is trained --------------------------------------------------------------------------


class Logger(list):
    debug = error = info = warning = list.append


class Replacing(nn.Linear):
    """Takes what it loads as new parameters, of which the optimiser knows nothing."""

    def load_state_dict(self, state, strict=True, assign=False):
        with torch.no_grad():
            for name, value in state.items():
                setattr(self, name, nn.Parameter(value.clone()))
        return super().load_state_dict(state, strict)


def a_copy():
    model = nn.Linear(4, 2)
    return model, copy.deepcopy(model)


def one_that_replaces_its_parameters():
    model = Replacing(4, 2)
    return model, model


@pytest.mark.parametrize("make", [a_copy, one_that_replaces_its_parameters])
def test_a_model_that_is_not_the_trained_one_is_told_of(swarm, make):
    swarm()
    logger = Logger()
    shared, trained = make()
    callback = make_callback(shared, logger=logger)
    optimizer = torch.optim.SGD(trained.parameters(), 0.1)
    callback.on_train_begin()
    for _ in range(9):
        optimizer.zero_grad()
        nn.functional.cross_entropy(trained(X), Y).backward()
        optimizer.step()
        callback.on_batch_end()
    callback.on_train_end()
    told = [text for text in logger if "No parameter of the model has changed in the 2 batches since" in text]
    assert len(told) == 1


def test_a_model_that_is_trained_is_not_told_of(swarm):
    swarm()
    logger = Logger()
    train(nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 2)), batches=9, logger=logger)
    assert not any("has changed" in text for text in logger)


@pytest.mark.parametrize("when", ["before", "after"])
def test_other_wrappers_and_types_than_when_the_callback_was_made(swarm, when):
    """The model is compiled, run in parallel and cast to another type around it."""
    ghost, logger = swarm(ghost=True), Logger()
    model = nn.Linear(4, 2)
    callback = make_callback(model, logger=logger) if when == "before" else None
    model = nn.DataParallel(torch.compile(model.double(), backend="eager"))
    callback = callback or make_callback(model, logger=logger)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    callback.on_train_begin()
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X.double()), Y).backward()
        optimizer.step()
        callback.on_batch_end()
    callback.on_train_end()
    assert sent(ghost) == {"weight", "bias"} and callback.modelDigest() == ghost.digest
    assert not any("has changed" in text for text in logger)
