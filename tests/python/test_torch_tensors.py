"""Tensors of all kinds in a PyTorch model's state: each is carried through a merge, or named before training begins."""

import pytest

torch = pytest.importorskip("torch")

from swarmlearning import SwarmError
from test_held_model import make_callback, train
from torch import nn
from wire_schema import CLOSE


class With(nn.Linear):
    """Has one more buffer."""

    def __init__(self, value):
        super().__init__(4, 2)
        self.register_buffer("more", value)


KEPT = {
    "a constant seen many times": lambda: torch.full((1, 1), float("-inf")).expand(3, 3),
    "a constant row of whole numbers": lambda: torch.arange(5).expand(2, 5),
    "a complex constant seen many times": lambda: torch.tensor([1 + 2j]).expand(3),
    "a conjugate": lambda: torch.tensor([1 + 2j, 3j]).conj(),
    "an imaginary part of a conjugate": lambda: torch.tensor([1 + 2j, 3j]).conj().imag,
    "half complex": lambda: torch.tensor([1 + 2j, 3j]).to(torch.complex32),
    "nothing": lambda: torch.zeros(0, 3),
    "one flag": lambda: torch.tensor(True),
    "a transposed view": lambda: torch.arange(6.0).reshape(2, 3).t(),
    "every second one": lambda: torch.arange(8)[::2],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KEPT)
def test_a_constant_is_kept(swarm, kind):
    swarm()
    model, wanted = With(KEPT[kind]()), KEPT[kind]()
    callback = train(model)
    assert callback.syncs == 4 and model.more.dtype == wanted.dtype
    assert torch.equal(torch.view_as_real(model.more.resolve_conj()) if wanted.is_complex() else model.more,
                       torch.view_as_real(wanted.resolve_conj()) if wanted.is_complex() else wanted)  # fmt: skip


def test_a_constant_seen_many_times_takes_no_other_values(swarm):
    swarm(ghost=True)
    with pytest.raises(SwarmError, match='named "more"'):
        train(With(torch.zeros(1).expand(3)))


def composed():
    two = pytest.importorskip("torch.testing._internal.two_tensor")
    model = nn.Linear(4, 2)
    model.weight = nn.Parameter(two.TwoTensor(torch.zeros(2, 4), torch.zeros(2, 4)))
    return model


def test_a_tensor_made_of_others_is_named_before_training_begins():
    """As those of torchao, which hold quantised weights and their scales."""
    with pytest.raises(SwarmError, match=r"Init call .* weight is a TwoTensor tensor of float32, shape \[2, 4\]"):
        make_callback(composed())


def test_a_tensor_made_of_others_may_be_left_out(swarm):
    ghost = swarm(ghost=True)
    train(composed(), batches=0, sharedParameters=["bias"])
    assert set(ghost.sls[0].of_type(CLOSE)[0].inputParams.weights) == {"bias"}


class Versioned(nn.Linear):
    """Notes in its state what is no tensor."""

    def state_dict(self, *args, **options):
        return {**super().state_dict(*args, **options), "version": 3}


def test_an_entry_that_is_no_tensor_is_named():
    with pytest.raises(SwarmError, match="version is a int; only tensors can be shared. Leave it out with shared"):
        make_callback(Versioned(4, 2))


@pytest.mark.parametrize("shared", ["trainable", ["weight", "bias"]])
def test_an_entry_that_is_no_tensor_may_be_left_out(swarm, shared):
    ghost = swarm(ghost=True)
    callback = train(Versioned(4, 2), sharedParameters=shared)
    assert callback.modelDigest() == ghost.digest


def test_names_of_all_alphabets(swarm):
    ghost = swarm(ghost=True)
    names = {"größe", "重み", "with a blank", "😀"}
    callback = train(nn.ParameterDict({name: torch.zeros(2) for name in names}), batches=0)
    assert set(ghost.sls[0].of_type(CLOSE)[0].inputParams.weights) == names
    assert callback.modelDigest() == ghost.digest
