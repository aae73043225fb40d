"""PyTorch models as people build them: what they hold in the end is what the swarm names, or they hear why not."""

import pytest

torch = pytest.importorskip("torch")

from test_held_model import X, Y, train
from torch import nn
from torch.nn.utils import parametrizations, prune
from wire_schema import CLOSE

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
