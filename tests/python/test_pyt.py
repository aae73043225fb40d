"""The PyTorch callback, against an SL in a thread."""

import sys
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fake_sl import FakeSwarm
from older import compiled, float8
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning.pyt import SwarmCallback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from wire_schema import CLOSE, LOSS, SYNC

X = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
Y = (X.sum(1) > 0).long()


def make_model(seed=0, batch_norm=False):
    torch.manual_seed(seed)
    middle = nn.BatchNorm1d(8) if batch_norm else nn.ReLU()
    return nn.Sequential(nn.Linear(4, 8), middle, nn.Dropout(0.5), nn.Linear(8, 2))


def make_callback(model, **options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, model=model, totalEpochs=1), **options})


def train(model, callback, batches=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    loss_function = nn.CrossEntropyLoss()
    callback.on_train_begin()
    model.train()
    for batch in range(batches):
        assert model.training
        rows = torch.randint(0, 50, (10,), generator=generator)
        optimizer.zero_grad()
        loss_function(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        callback.on_batch_end(batch)
    callback.on_epoch_end(0)
    callback.on_train_end()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_two_nodes_end_with_one_model(tmp_path, monkeypatch, batch_norm):
    swarm = FakeSwarm(tmp_path, count=2).start()
    models = [make_model(seed, batch_norm) for seed in range(2)]
    callbacks = []
    for model, sl in zip(models, swarm.sls):
        for name, value in sl.environment.items():
            monkeypatch.setenv(name, value)
        callbacks.append(make_callback(model))
    threads = [threading.Thread(target=train, args=(models[i], callbacks[i], 7, i)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    swarm.join()
    first, second = (model.state_dict() for model in models)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert callbacks[0].modelDigest() == callbacks[1].modelDigest()
    finals = [sl.of_type(CLOSE)[0].inputParams.weights["0.weight"].data for sl in swarm.sls]
    mean = np.mean([np.frombuffer(data, np.float32) for data in finals], axis=0)
    assert np.allclose(first["0.weight"].numpy().ravel(), mean, atol=1e-6)


def test_state_dict_is_sent_whole(swarm):
    sl = swarm().sls[0]
    model = make_model(batch_norm=True)
    train(model, make_callback(model))
    sent = sl.of_type(SYNC)[1].inputParams.weights
    assert set(sent) == set(model.state_dict())
    assert sent["1.num_batches_tracked"].dtype == "dtype('int64')"
    assert list(sent["1.num_batches_tracked"].shape) == []
    assert sent["0.weight"].dtype == "dtype('float32')" and list(sent["0.weight"].shape) == [8, 4]
    assert model[1].num_batches_tracked.dtype == torch.int64 and int(model[1].num_batches_tracked) == 6


def test_bfloat16_model_both_ways(swarm):
    sl = swarm().sls[0]
    model = nn.Linear(3, 2).bfloat16()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    callback = make_callback(model)
    callback.on_train_begin()
    entry = sl.of_type(SYNC)[0].inputParams.weights["weight"]
    assert entry.dtype == "dtype('bfloat16')" and len(entry.data) == 12
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.weight.dtype == torch.bfloat16
    callback.on_train_end()


def test_merged_types_are_cast_to_the_model_s(monkeypatch):
    from swarmlearning._session.arrays import pack

    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = make_model(batch_norm=True)
    callback = make_callback(model)
    merged = {name: pack(tensor.double().numpy() + 0.6) for name, tensor in model.state_dict().items()}
    weight = model[0].weight
    callback._load_parameters(merged)
    assert model[0].weight is weight and weight.dtype == torch.float32  # in place: optimisers keep hold of it
    assert int(model[1].num_batches_tracked) == 1  # 0.6 rounded
    del merged["0.bias"]
    with pytest.raises(SwarmError, match="lacks 1 of this model's parameters: 0.bias"):
        callback._load_parameters(merged)
    merged["0.bias"] = pack(np.zeros(9))
    with pytest.raises(SwarmError, match=r"0.bias: the merged one has shape \[9\], this program's model \[8\]"):
        callback._load_parameters(merged)


def test_training_mode_survives_the_loss_pass(swarm):
    swarm()
    model = make_model(batch_norm=True)
    model[1].eval()  # a frozen layer
    callback = make_callback(model, adsValData=(X, Y), lossFunction="CrossEntropyLoss")
    seen = []
    model.register_forward_hook(lambda module, *unused: seen.append((module.training, torch.is_grad_enabled())))
    callback.on_train_begin()
    assert seen == [(False, False)]
    assert model.training and model[2].training and not model[1].training
    callback.on_train_end()


@pytest.mark.parametrize("args", [{"reduction": "sum"}, {"reduction": "mean"}, {"reduction": "none"}, None])
@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (X.numpy(), Y.numpy()),
        DataLoader(TensorDataset(X, Y), batch_size=7),
        [(X[:30], Y[:30]), (X[30:], Y[30:])],
        "generator",
    ],
    ids=["tensors", "numpy", "loader", "list", "generator"],
)
def test_loss_and_metric(swarm, data, args):
    sl = swarm().sls[0]
    model = make_model()
    if data == "generator":
        data = ((X[at : at + 20], Y[at : at + 20]) for at in range(0, 50, 20))
    callback = make_callback(
        model, adsValData=data, adsValBatchSize=20, lossFunction="CrossEntropyLoss", lossFunctionArgs=args,
        metricFunction="Accuracy", metricFunctionArgs={"task": "multiclass", "num_classes": 2},
    )  # fmt: skip
    callback.on_train_begin()
    callback.on_train_end()
    model.eval()
    with torch.no_grad():
        output = model(X)
    for reply in sl.of_type(LOSS):
        assert reply.loss == pytest.approx(float(nn.CrossEntropyLoss()(output, Y)), rel=1e-5)
        assert reply.metrics == pytest.approx(float((output.argmax(1) == Y).float().mean()))


def test_a_metric_without_a_loss(swarm):
    sl = swarm().sls[0]
    args = {"task": "multiclass", "num_classes": 2}
    callback = make_callback(make_model(), adsValData=(X, Y), metricFunction="F1Score", metricFunctionArgs=args)
    callback.on_train_begin()
    callback.on_train_end()
    assert sl.of_type(LOSS)[0].loss == 0 and 0 < sl.of_type(LOSS)[0].metrics <= 1


@pytest.mark.parametrize(
    "bad, text",
    [
        (dict(model=None), "model: wanted the torch.nn.Module"),
        (dict(lossFunction="NoSuchLoss"), "torch.nn has no class 'NoSuchLoss'"),
        (dict(lossFunction="functional"), "torch.nn has no class"),
        (dict(lossFunction="CrossEntropyLoss", lossFunctionArgs={"speed": 1}), "does not take lossFunctionArgs"),
        (dict(metricFunction="NoSuchMetric"), "torchmetrics has no class"),
        (dict(metricFunction="F1Score", metricFunctionArgs={}), "metricFunction F1Score does not take"),
        (dict(mlPlatform="KERAS"), "mlPlatform: wanted one of PYTORCH"),
    ],
)
def test_bad_arguments(bad, text):
    with pytest.raises(SwarmArgumentError, match=text):
        make_callback(**{"model": make_model(), **bad})


def test_a_metric_needs_torchmetrics(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(SwarmArgumentError, match="pip install torchmetrics, or leave metricFunction out"):
        make_callback(make_model(), metricFunction="F1Score")
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    make_callback(make_model())


def test_a_metric_of_many_numbers_is_refused():
    args = {"task": "multiclass", "num_classes": 2, "average": None}
    with pytest.raises(SwarmArgumentError, match="more than one number; choose an average"):
        make_callback(make_model(), adsValData=(X, Y), metricFunction="F1Score", metricFunctionArgs=args)


@pytest.mark.parametrize("data, text", [([X], "must yield .* got a Tensor"), ([], "has no samples")])
def test_bad_validation_data(data, text):
    with pytest.raises(SwarmArgumentError, match="Init call to SL container failed - .*" + text):
        make_callback(make_model(), adsValData=data, lossFunction="CrossEntropyLoss")


class Odd(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.register_buffer("odd", value)


@pytest.mark.parametrize(
    "model, text",
    [
        (lambda: Odd(torch.zeros(2, 2).to_sparse()), "parameter odd is a torch.sparse_coo tensor"),
        (lambda: Odd(torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8)), "parameter odd is a quantised"),
        (lambda: Odd(torch.zeros(2, device="meta")), "parameter odd is a meta tensor"),
        (lambda: Odd(float8(torch.zeros(2))), "parameter odd is a .* of float8_e5m2"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_parameters_that_cannot_be_shared(model, text):
    with pytest.raises(SwarmError, match="Init call to SL container failed - " + text):
        make_callback(model())


@pytest.mark.filterwarnings("ignore")
def test_a_parameter_without_a_shape_may_get_one_before_training_begins(swarm):
    swarm()
    with pytest.raises(SwarmError, match="has no shape yet: run one batch"):
        make_callback(nn.LazyLinear(2)).on_train_begin()


def test_wrappers_leave_names_alone(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = make_model()
    names = set(model.state_dict())
    for wrapped in (nn.DataParallel(model), compiled(model)):
        callback = make_callback(wrapped)
        assert set(callback._get_parameters()) == names


def test_parameters_are_views_of_the_model(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = make_model()
    params = make_callback(model)._get_parameters()
    raw = np.frombuffer(params["0.weight"].data, np.uint8)
    assert np.shares_memory(raw, model[0].weight.detach().numpy())


def test_tied_and_transposed_parameters(swarm):
    swarm()
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model[0].bias = nn.Parameter(torch.arange(6.0).reshape(2, 3).t()[:, 0])  # a strided view
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    callback = make_callback(model)
    callback.on_train_begin()
    callback.on_train_end()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model[1].weight is model[0].weight


def test_loopback_still_needs_a_model(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "True")
    with pytest.raises(SwarmArgumentError):
        make_callback(None)
    model = make_model()
    train(model, make_callback(model))
