"""Which tensors of a PyTorch model are shared, and under which names."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from older import compiled, float8
from swarmlearning import SwarmError
from swarmlearning._session.arrays import pack, unpack
from swarmlearning._training.shared import Sharing, check_size, plain_names
from swarmlearning.pyt import SwarmCallback
from test_held_model import make_callback, train
from torch import nn
from wire_schema import CLOSE

NAMES = ["encoder.0.weight", "encoder.0.bias", "head.weight", "head.bias", "head.count"]


@pytest.mark.parametrize(
    "wanted, chosen",
    [
        ("all", NAMES),
        ("trainable", NAMES[:4]),
        ("head.*", NAMES[2:]),
        (["*.bias", "encoder.*"], [NAMES[0], NAMES[1], NAMES[3]]),
        (("head.[wb]*",), NAMES[2:4]),
    ],
)
def test_choices(wanted, chosen):
    assert Sharing(wanted).select(NAMES, NAMES[:4]) == set(chosen)


def test_a_pattern_that_finds_nothing_is_named():
    with pytest.raises(SwarmError, match="no parameter is called like 'decoder.*'; there are encoder.0.weight, "):
        Sharing(["encoder.*", "decoder.*"]).select(NAMES, NAMES)
    with pytest.raises(SwarmError, match="no parameter of the model is trainable"):
        Sharing("trainable").select(NAMES, [])


@pytest.mark.parametrize(
    "name, plain",
    [
        ("module.0.weight", "0.weight"),
        ("_orig_mod.0.weight", "0.weight"),
        ("module._orig_mod.module.a.b", "a.b"),
        ("encoder._orig_mod.layers.0.module.weight", "encoder.layers.0.weight"),
        ("base_model.model.h.0.lora_A.default.weight", "h.0.lora_A.default.weight"),
        ("backbone.base_model.model.q.weight", "backbone.q.weight"),
        ("base_model.q", "base_model.q"),
        ("my_module.weight", "my_module.weight"),
        ("module", "module"),
        ("modules.module_list.0", "modules.module_list.0"),
    ],
)
def test_names_without_wrappers(name, plain):
    assert plain_names([name]) == {name: plain}


def test_names_that_would_be_one_are_kept():
    assert plain_names(["module.a", "a", "module.b"]) == {"module.a": "module.a", "a": "a", "module.b": "b"}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.norm, self.head = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.norm(self.body(x)).relu())


def sent(swarm_object):
    return set(swarm_object.sls[0].of_type(CLOSE)[0].inputParams.weights)


def wrap_inside(model):
    model.body = compiled(model.body)
    model.head = nn.DataParallel(model.head)
    return model


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        nn.DataParallel,
        compiled,
        lambda model: compiled(nn.DataParallel(model)),
        wrap_inside,
    ],
    ids=["bare", "parallel", "compiled", "both", "inside"],
)
def test_a_wrapped_model_has_the_names_of_a_bare_one(swarm, wrap):
    model = wrap(Net())
    ghost = swarm(ghost=True)
    callback = train(model)
    assert sent(ghost) == set(Net().state_dict())
    assert callback.modelDigest() == ghost.digest


def test_only_what_is_trained(swarm):
    ghost = swarm(ghost=True)
    model = Net()
    model.body.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    callback = train(model, sharedParameters="trainable")
    assert sent(ghost) == {"norm.weight", "norm.bias", "head.weight", "head.bias"}
    assert callback.modelDigest() == ghost.digest
    assert torch.equal(model.body.weight, before["body.weight"])
    assert int(model.norm.num_batches_tracked) == 5  # this node's own


def test_patterns_name_what_wrappers_hide(swarm):
    ghost = swarm(ghost=True)
    model = nn.DataParallel(Net())
    running = model.module.norm.running_mean.clone()
    train(model, batches=0, sharedParameters=["head.*", "body.weight"])
    assert sent(ghost) == {"head.weight", "head.bias", "body.weight"}
    assert torch.equal(model.module.norm.running_mean, running)


def test_an_unknown_pattern_ends_before_joining():
    with pytest.raises(SwarmError, match="Init call .* no parameter is called like 'tail.*'"):
        make_callback(Net(), sharedParameters="tail.*")


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base, self.adapter = nn.Linear(4, 8).requires_grad_(False), nn.Linear(8, 2)

    def state_dict(self, *args, **kwargs):
        return {k: v for k, v in super().state_dict(*args, **kwargs).items() if "adapter" in k}

    def forward(self, x):
        return self.adapter(self.base(x).relu())


def test_a_state_dict_of_the_adapter_only(swarm):
    ghost = swarm(ghost=True)
    model = Adapted()
    base = model.base.weight.clone()
    callback = train(model)
    assert sent(ghost) == {"adapter.weight", "adapter.bias"}
    assert torch.equal(model.base.weight, base) and callback.modelDigest() == ghost.digest


def test_a_load_state_dict_that_is_always_strict(swarm):
    class Strict(nn.Linear):
        def load_state_dict(self, state):
            return super().load_state_dict(state)

    ghost = swarm(ghost=True)
    assert train(Strict(4, 2)).modelDigest() == ghost.digest


def test_extra_state_stays_here(swarm):
    class Counting(nn.Linear):
        steps = 0

        def get_extra_state(self):
            return {"steps": self.steps}

        def set_extra_state(self, state):
            self.steps = -1

        def forward(self, x):
            self.steps += 1
            return super().forward(x)

    ghost = swarm(ghost=True)
    model = nn.Sequential(Counting(4, 2))
    callback = train(model)
    assert sent(ghost) == {"0.weight", "0.bias"} and model[0].steps == 5
    assert callback.modelDigest() == ghost.digest


def test_complex_parameters_are_two_real_ones(swarm):
    class Spectral(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(5, dtype=torch.cfloat))
            self.gain = nn.Parameter(torch.tensor(1 + 2j, dtype=torch.cdouble))
            self.out = nn.Linear(8, 2)

        def forward(self, x):
            spectrum = torch.fft.rfft(torch.cat([x, x], 1)) * self.weight * self.gain.to(torch.cfloat)
            return self.out(torch.fft.irfft(spectrum, n=8))

    ghost = swarm(ghost=True)
    model = Spectral()
    callback = train(model)
    entries = ghost.sls[0].of_type(CLOSE)[0].inputParams.weights
    assert {"weight.real", "weight.imag", "gain.real", "gain.imag"} < set(entries)
    assert entries["weight.imag"].dtype == "dtype('float32')" and list(entries["weight.imag"].shape) == [5]
    assert entries["gain.real"].dtype == "dtype('float64')" and list(entries["gain.real"].shape) == []
    assert model.weight.dtype == torch.cfloat and callback.modelDigest() == ghost.digest


PRIME = (1 << 61) - 1


def test_integer_constants_are_kept(swarm):
    ghost = swarm(ghost=True)
    model = nn.Linear(4, 2)
    wanted = {
        "scalar": torch.tensor(PRIME),
        "vector": torch.tensor([PRIME, -PRIME, 3]),
        "bytes": torch.arange(256, dtype=torch.uint8),
        "flags": torch.tensor([True, False]),
        "flag": torch.tensor(True),
    }
    if hasattr(torch, "uint64"):
        wanted["u64"] = torch.tensor([2**64 - 1], dtype=torch.uint64)
        wanted["largest"] = torch.tensor(2**64 - 1, dtype=torch.uint64)
    for name, value in wanted.items():
        model.register_buffer(name, value.clone())
    callback = train(model)
    got = dict(model.named_buffers())
    assert {name for name, value in wanted.items() if not torch.equal(got[name], value)} == set()
    assert callback.modelDigest() == ghost.digest


@pytest.mark.parametrize("own, merged, loaded", [(7, 8.0, 8), (7, 7.5, 8), (PRIME, 2.0**61, PRIME), (-1, -2.0, -2)])
def test_integer_scalars(monkeypatch, own, merged, loaded):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = nn.Linear(2, 2)
    model.register_buffer("count", torch.tensor(own))
    callback = make_callback(model)
    params = {**callback._get_parameters(), "count": pack(np.float64(merged))}
    callback._load(params, "after loading")
    assert int(model.count) == loaded


def test_bfloat16_keeps_its_bits(monkeypatch):
    """Also of a NaN that a cast would change."""
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = nn.Linear(3, 1, bias=False).bfloat16()
    callback = make_callback(model)
    bits = np.array([[0xFFC1, 0x0001, 0x8000]], np.uint16)
    callback._load({"weight": pack(bits, "bfloat16")}, "after loading")
    assert model.weight.detach().view(torch.int16).numpy().view(np.uint16).tolist() == bits.tolist()


@pytest.fixture
def without_shared_memory(monkeypatch):
    monkeypatch.setenv("SWARM_SHARED_MEMORY", "false")


def test_more_than_a_message_holds_is_said_with_sizes(without_shared_memory):
    text = r"3072.0 MiB to be shared, .* at most 2047.0 MiB; the largest are a 2048.0 MiB"
    with pytest.raises(SwarmError, match=text):
        check_size({"a": 2 << 30, "b": 1 << 30, "c": 4})
    check_size({"a": (2 << 30) - (2 << 20)})


def test_shared_memory_carries_more():
    check_size({"a": 2 << 30, "b": 1 << 30})
    with pytest.raises(SwarmError, match="the channel to the SL carries at most 1048560.0 MiB"):
        check_size({"a": 1 << 40})


def test_a_model_of_over_2_gib_is_refused_when_the_callback_is_made(without_shared_memory):
    """Its memory is one page, seen many times."""
    model = nn.Module()
    model.weight = nn.Parameter(torch.zeros(1).expand(600 << 20), requires_grad=False)
    with pytest.raises(SwarmError, match="Init call to SL container failed - the model has 2400.0 MiB to be shared"):
        make_callback(model)


def test_a_model_of_over_2_gib_is_refused_by_an_sl_without_shared_memory(swarm):
    swarm()
    model = nn.Module()
    model.weight = nn.Parameter(torch.zeros(1).expand(600 << 20), requires_grad=False)
    text = "2400 MiB to be shared, the FIFOs carry 2046 MiB at most, .*: the SL does not have it. Start the SL with"
    with pytest.raises(SwarmError, match=text):
        make_callback(model).on_train_begin()


def test_what_cannot_be_shared_is_named_with_its_size():
    model = nn.Linear(4, 2)
    model.register_buffer("scales", float8(torch.zeros(2, 3)))
    with pytest.raises(SwarmError, match=r"scales is a torch.strided tensor of float8_e5m2, shape \[2, 3\], 6 bytes"):
        make_callback(model)


def test_what_cannot_be_shared_may_be_left_out(swarm):
    model = nn.Linear(4, 2)
    model.register_buffer("scales", float8(torch.zeros(2, 3)))
    ghost = swarm(ghost=True)
    train(model, sharedParameters=["weight", "bias"])
    assert sent(ghost) == {"weight", "bias"}


def test_a_model_without_tensors_is_named():
    with pytest.raises(SwarmError, match="no tensors, there is nothing to share"):
        make_callback(nn.ReLU())


def test_sharded_models_are_refused_by_name():
    class DTensor(torch.Tensor):
        pass

    model = nn.Linear(2, 2)
    model.register_buffer("shard", torch.zeros(2).as_subclass(DTensor))
    with pytest.raises(SwarmError, match="shard is a DTensor of shape .* of which each rank holds a part only"):
        make_callback(model)
    full = type("FullyShardedDataParallel", (nn.Linear,), {"__module__": "torch.distributed.fsdp"})
    with pytest.raises(SwarmError, match="FullyShardedDataParallel: each rank holds a part of the model only"):
        make_callback(full(2, 2))


def test_tied_parameters_are_shared_under_both_names(swarm):
    ghost = swarm(ghost=True)
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    callback = train(model)
    assert model[2].weight is model[0].weight and callback.modelDigest() == ghost.digest


def test_trainable_parameters_have_all_their_names(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    callback = make_callback(model, sharedParameters="trainable")
    assert set(callback._get_parameters()) == {"0.weight", "0.bias", "1.weight", "1.bias"}


def test_arguments_are_documented():
    for name in ("sharedParameters", "adsValData", "trainingContract"):
        assert f"        {name}: " in SwarmCallback.__doc__


def test_unpack_of_a_shared_view(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = nn.Linear(2, 2)
    params = make_callback(model)._get_parameters()
    assert np.shares_memory(unpack(params["weight"]), model.weight.detach().numpy())
